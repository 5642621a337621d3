"""A lock on the ref that holds generated code, left by a process that died, keeps nobody from recording."""

from __future__ import annotations

from pathlib import Path

from cortex.repo.places import find
from cortex.store.blobs import HELD, Blobs


def test_a_lock_that_somebody_left_is_walked_around(repo: Path):
    place = find(repo)
    blobs = Blobs(place, lambda: 1_700_000_000_000)
    name = repo / ".git" / HELD
    name.mkdir(parents=True)
    (name / "2023111422.lock").touch()
    oid = blobs.keep(b"x = 1\n")
    assert blobs.read(oid) == b"x = 1\n"
    assert [path.name[:11] for path in name.iterdir() if path.suffix != ".lock"] == ["2023111422-"]

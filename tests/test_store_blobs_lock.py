"""Kept code: a lock that a dead process left keeps nobody from recording, and a backup takes it along."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from running import git

from cortex.repo.errors import DamagedError
from cortex.repo.places import find
from cortex.store.backup import backup, restore
from cortex.store.blobs import HELD, Blobs
from cortex.store.journal import create


def test_a_lock_that_somebody_left_is_walked_around(repo: Path):
    place = find(repo)
    blobs = Blobs(place, lambda: 1_700_000_000_000)
    name = repo / ".git" / HELD
    name.mkdir(parents=True)
    (name / "2023111422.lock").touch()
    oid = blobs.keep(b"x = 1\n")
    assert blobs.read(oid) == b"x = 1\n"
    assert [path.name[:11] for path in name.iterdir() if path.suffix != ".lock"] == ["2023111422-"]


def test_a_lock_that_stood_for_long_is_not_waited_for(repo: Path, monkeypatch: pytest.MonkeyPatch):
    """A killed daemon left one: each record of that hour waited for a quarter of a second."""
    blobs = Blobs(find(repo), lambda: 1_700_000_000_000)
    name = repo / ".git" / HELD
    name.mkdir(parents=True)
    for lock in ("2023111422.lock", "2023111422-1.lock"):
        (name / lock).touch()
        os.utime(name / lock, (time.time() - 1, time.time() - 1))

    def waits(_: float) -> None:
        raise AssertionError("it waited")

    monkeypatch.setattr(time, "sleep", waits)
    kept = [blobs.keep(f"x = {number}\n".encode()) for number in range(5)]
    assert [blobs.read(oid) for oid in kept] == [f"x = {number}\n".encode() for number in range(5)]
    refs = [path.name for path in name.iterdir() if path.suffix != ".lock"]
    assert refs == ["2023111422-2"], "one ref holds all, beside the locks"


def test_a_backup_takes_the_kept_code_along_and_brings_it_back(repo: Path, tmp_path: Path):
    place = find(repo)
    create(place.store)
    hours = [1_700_000_000_000 + 3_600_000 * number for number in range(3)]
    code = [b"def old(): ...\n", b"", b"binary \xff\x00" * 100]
    oids = [Blobs(place, lambda t=t: t).keep(data) for t, data in zip(hours, code, strict=True)]
    made = backup(place.store, tmp_path / "b.tar", code=Blobs(place))
    assert (made.code, made.left_out) == (3, 0)
    assert backup(place.store, tmp_path / "without.tar").code == 0
    small = backup(place.store, tmp_path / "small.tar", code=Blobs(place), most=900)
    assert (small.code, small.left_out) == (2, 1), "the newest fit"

    git(tmp_path, "init", "--quiet", "other")
    other = find(tmp_path / "other")
    report = restore(made.path, other.store, code=Blobs(other))
    assert report.code == 3 and [Blobs(other).read(oid) for oid in oids] == code
    again = restore(made.path, other.store, code=Blobs(other))
    assert again.code == 0
    assert Blobs(other).expire(hours[1]) == 1, "it grows old as it would have"
    git(tmp_path / "other", "prune", "--expire=now")
    assert [Blobs(other).read(oid) for oid in oids] == [None, *code[1:]]
    assert restore(small.path, place.store).code == 0


def test_code_that_is_not_what_its_id_says_is_refused(repo: Path):
    code = Blobs(find(repo))
    with pytest.raises(DamagedError):
        code.bring_back("2023111422", {"0" * 40: b"x"})
    assert list(code.kept()) == []

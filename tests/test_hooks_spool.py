"""The spool reads back what was written, oldest first, and loses nothing that it cannot read."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from cortex.hooks import spool
from cortex.repo.errors import PlaceError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store" / "spool"


def test_the_spool_gives_back_what_was_written_oldest_first(folder: Path) -> None:
    for number in range(5):
        file = spool.write(folder, "agent", "claude-code", b"%d" % number, durable=number == 0)
        os.utime(file, ns=((9 - number) * 10**9, (9 - number) * 10**9))
    events = spool.pending(folder)
    assert [event.payload for event in events] == [b"4", b"3", b"2", b"1", b"0"]
    assert [event.t for event in events] == [5000, 6000, 7000, 8000, 9000]
    for event in events:
        spool.done(event)
        spool.done(event)
    assert spool.pending(folder) == []


def test_a_spool_that_is_not_there_holds_nothing(folder: Path) -> None:
    assert spool.pending(folder) == []
    assert spool.sweep(folder) == 0


def test_drafts_are_not_events_until_they_are_renamed(folder: Path) -> None:
    spool.write(folder, "git", "post-commit", b"v=1\n")
    (folder / ".x.draft").write_bytes(b"half")
    (folder / "stranger").write_bytes(b"?")
    assert len(spool.pending(folder)) == 1


def test_no_more_is_read_at_once_than_asked_for(folder: Path) -> None:
    for _ in range(5):
        spool.write(folder, "git", "post-commit", b"v=1\n")
    assert len(spool.pending(folder, limit=3)) == 3


def test_what_is_too_large_or_no_file_goes_to_the_quarantine_whole(folder: Path, tmp_path: Path) -> None:
    large = spool.write(folder, "agent", "claude-code", b"x" * (spool.LARGEST + 1))
    (tmp_path / "secret").write_bytes(b"elsewhere")
    (folder / "a-1.agent.claude-code").symlink_to(tmp_path / "secret")
    (folder / "b-1.agent.claude-code").mkdir()
    exact = spool.write(folder, "agent", "claude-code", b"y" * spool.LARGEST)
    assert [event.file for event in spool.pending(folder)] == [exact]
    quarantine = folder.parent / "quarantine"
    assert len(list(quarantine.iterdir())) == 3
    assert (quarantine / f"spool-{large.name}").stat().st_size == spool.LARGEST + 1
    assert (tmp_path / "secret").read_bytes() == b"elsewhere"


def test_old_drafts_are_swept_into_the_quarantine_and_new_ones_stay(folder: Path) -> None:
    spool.write(folder, "git", "post-commit", b"v=1\n")
    for name, age in (
        (".old.draft", 90_000),
        (".new.draft", 60),
        (".old.answer", 90_000),
        ("stranger", 90_000),
    ):
        (folder / name).write_bytes(name.encode())
        os.utime(folder / name, (time.time() - age,) * 2)
    assert spool.sweep(folder) == 2
    assert {each.name for each in (folder.parent / "quarantine").iterdir()} == {
        "spool-old.draft",
        "spool-stranger",
    }
    assert (folder / ".new.draft").exists() and not (folder / ".old.answer").exists()
    assert len(spool.pending(folder)) == 1


def test_an_event_that_was_taken_meanwhile_is_none(folder: Path) -> None:
    file = spool.write(folder, "agent", "claude-code", b"{}")
    assert spool.read(file) is not None
    file.unlink()
    assert spool.read(file) is None
    assert spool.read(folder / "no event's name") is None


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PlaceError):
        spool.write(tmp_path / "file", "git", "post-commit", b"")
    with pytest.raises(ValueError, match="no name"):
        spool.write(tmp_path, "git", "../../up", b"")


def test_a_git_event_is_read_whatever_it_holds(seed: int) -> None:
    import random

    chance = random.Random(seed)
    whole = (
        b"v=1\nhook=post-rewrite\ncwd=/a=b\nhead=x\narg=rebase\narg=two words\nnew=1\n\n"
        + b"a" * 40
        + b" "
        + b"b" * 40
        + b" z\nrest"
    )
    said = spool.GitEvent.parse(whole)
    assert (said.cwd, said.arguments, said.rewritten) == (
        "/a=b",
        ("rebase", "two words"),
        (("a" * 40, "b" * 40),),
    )
    for _ in range(2000):
        text = bytearray(whole)
        for _ in range(chance.randrange(8)):
            text[chance.randrange(len(text))] = chance.randrange(256)
        spool.GitEvent.parse(bytes(text[: chance.randrange(len(text))]))

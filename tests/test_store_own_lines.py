"""What a journal wrote itself it does not read again, and what anybody else wrote meanwhile it does."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex.store import journal as journals
from cortex.store import reading
from cortex.store.codec import encode
from cortex.store.durable import System
from cortex.store.journal import FileJournal, create
from cortex.store.kinds import Correction, Exposure, Generation, Memory, Shown
from cortex.store.record import Draft, from_line, made, make, to_line

ADA = "Ada <ada@example.org>"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    create(tmp_path / "cortex")
    return tmp_path / "cortex"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The lines that were parsed from here on."""
    lines: list[bytes] = []

    def noted(line: bytes, private: bool) -> object:
        lines.append(line)
        return from_line(line, private)

    for module in (reading, journals):
        monkeypatch.setattr(module, "from_line", noted)
    return lines


def lesson(number: int) -> list[Draft]:
    shown = Shown("ab" * 16, 1, 12, "", (("words", 3), ("recency", 4)))
    return [
        Draft(Correction(before=f"é {number}")),
        Draft(Exposure(query=f"{number}", items=(shown,))),
        Draft(Generation(path="p")),
    ]


def test_own_lines_are_parsed_neither_for_the_view_nor_for_a_seal(store: Path, parsed: list[bytes]) -> None:
    journal = FileJournal(store, ADA)
    journal.append(lesson(0))
    view = journal.view()
    parsed.clear()
    for number in range(1, 30):
        for record in journal.append(lesson(number)):
            assert journal.view().current(record.m) is record
        if number % 10 == 0:
            journal.seal()
            journal.view()
    assert parsed == []
    assert view.count == 90
    assert list(FileJournal(store, "").records()) == list(journal.records())


def test_who_reads_while_lines_are_synced_neither_waits_nor_parses_them(
    store: Path, parsed: list[bytes]
) -> None:
    class Watched(System):
        """Somebody else reads whenever this one syncs."""

        def sync(self, fd: int) -> None:
            reader = threading.Thread(target=lambda: seen.append(journal.view().count))
            if begun.is_set():
                reader.start()
                reader.join(20.0)
                assert not reader.is_alive(), "a reader waits for the disk"
            super().sync(fd)

    begun = threading.Event()
    seen: list[int] = []
    journal = FileJournal(store, ADA, system=Watched())
    journal.append(lesson(0))
    elsewhere = FileJournal(store, ADA)
    journal.view()
    elsewhere.append(lesson(1))
    begun.set()
    journal.append(lesson(2))
    assert seen and set(seen) == {6}, "what others wrote before is there, and what is not written yet is not"
    assert journal.view().count == 9
    assert any("é 1".encode() in line for line in parsed)
    assert not any("é 2".encode() in line for line in parsed)


def test_what_others_write_between_own_lines_is_read(store: Path, seed: int) -> None:
    chance = random.Random(seed)
    ours = [FileJournal(store, ADA) for _ in range(3)]
    for step in range(120):
        journal = chance.choice(ours)
        act = chance.random()
        if act < 0.6:
            journal.append(chance.sample(lesson(step), chance.randrange(1, 4)))
        elif act < 0.7:
            journal.seal()
        elif act < 0.75:
            with next((store / "wal").iterdir(), store / "wal" / f"{journal.writer}.jsonl").open("ab") as log:
                log.write(b'{"half a line')  # a writer died here
        else:
            known = {record.id for record in FileJournal(store, "").records()}
            assert journal.view().count == len(known)
            assert all(each in journal.view() for each in known)
    for journal in ours:
        assert journal.view().count == len(list(journal.records()))


def test_a_log_that_was_changed_in_its_place_is_not_taken_for_read(store: Path) -> None:
    journal = FileJournal(store, ADA)
    first = journal.put(Memory(text="first"))
    journal.view()
    log = store / "wal" / f"{journal.writer}.jsonl"
    other = make(
        Draft(Memory(text="other")), t=first.t, w=first.w, n=9, author="", body=encode(Memory(text="other"))
    )
    log.unlink()
    log.write_bytes(to_line(other))
    journal.put(Memory(text="second"))
    assert journal.view().current(other.m) == other


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(
    st.dictionaries(
        st.text("abckz", min_size=1, max_size=3), words | st.integers(0, 9) | st.lists(words), max_size=4
    ),
    words,
    st.lists(st.integers(0, 15), max_size=2),
)
def test_the_line_that_comes_with_a_record_is_its_line(
    body: dict[str, object], author: str, parents: list[int]
) -> None:
    draft = Draft(Correction(), "ab" * 16, tuple(f"{each:x}" * 64 for each in parents), origin=author)
    record, line = made(draft, t=7, w="0" * 32, n=3, author=author, body=body)
    assert line == to_line(record)
    assert from_line(line, record.private) == record

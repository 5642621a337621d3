"""A request whose daemon dies between writing and answering is done once: nothing is lost, nothing doubled."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cortex import __version__
from cortex.daemon import process
from cortex.daemon.engine import Engine
from cortex.daemon.session import Session
from cortex.hooks import spool
from cortex.repo.errors import CortexError
from cortex.repo.layout import lay_down
from cortex.repo.places import find
from cortex.store.journal import FileJournal, create
from cortex.store.kinds import Feedback, Memory, Verdict
from cortex.store.record import Draft, Record, memory_of

#: A daemon that is killed by its own hand: as it would answer, or after its n-th write to a log.
DYING = """
import os, signal, sys
from cortex.cli.entry import main
from cortex.daemon.engine import Engine
from cortex.store.wal import Appender
op, moment = sys.argv[1:3]
handle, append = Engine.handle, Appender.append
asked, writes = [], []
def dying_handle(self, name, *rest):
    asked.extend([name] if name == op else [])
    told = handle(self, name, *rest)
    if name == op and moment == "answer":
        os.kill(os.getpid(), signal.SIGKILL)
    return told
def dying_append(self, data):
    told = append(self, data)
    if asked:
        writes.append(1)
        if moment == str(len(writes)):
            os.kill(os.getpid(), signal.SIGKILL)
    return told
Engine.handle, Appender.append = dying_handle, dying_append
sys.exit(main(["daemon", "run"]))
"""
WROTE = "def total(values):\n    return sum(values)\n"
SAID = {
    "session_id": "s",
    "hook_event_name": "PostToolUse",
    "tool_name": "Write",
    "tool_input": {"file_path": "sums.py", "content": WROTE},
    "tool_response": {"type": "create"},
}


def doing(session: Session, m: str) -> dict[str, Callable[[], object]]:
    """The operations that write, each by its name."""
    path = str(session.place.require_root() / "sums.py")
    said = {**SAID, "cwd": str(session.place.root), "tool_input": {**SAID["tool_input"], "file_path": path}}
    return {
        "record": lambda: session.record("sums.py", WROTE, agent="tests", task="Sum the values"),
        "remember": lambda: session.remember("Sums are made with sum()."),
        "feedback": lambda: session.call("feedback", id=m, verdict="good", remark="It is so."),
        "forget": lambda: session.call("forget", id=m[:12]),
        "settle": lambda: session.call("settle", id=m, text="Sums are made with sum(), or fsum()."),
        "hook": lambda: session.call("hook", agent="claude-code", payload=json.dumps(said)),
    }


#: What each writes, by kind, and how many writes to a log that takes.
EXPECTED = {
    "record": {"execution": 1, "generation": 1},
    "remember": {"memory": 1},
    "feedback": {"feedback": 1, "verdict": 1},
    "forget": {"memory": 1},
    "settle": {"memory": 1},
    "hook": {"execution": 1, "generation": 1},
}


def records(store: Path) -> list[Record]:
    return list(FileJournal(store, author="").records())


@pytest.fixture
def laid(repo: Path) -> Iterator[Path]:
    """A repository with a store and one memory; whatever daemon there is ends with the test."""
    template = Path(process.__file__).parent.parent / ".cortex-template"
    place = find(repo)
    lay_down(place, template)
    create(place.store)
    (repo / "sums.py").write_text(WROTE)
    yield repo
    try:
        process.stop(3.0, force=True)
    except CortexError as error:
        pytest.fail(f"a daemon was left: {error}")


@pytest.mark.parametrize("op", EXPECTED)
def test_a_daemon_killed_between_writing_and_answering_doubles_nothing(
    laid: Path, op: str, tell: Callable[[str], None]
) -> None:
    moments = ["answer", "1", *(["2"] if op == "feedback" else [])]  # its two records are in two logs
    for moment in moments:
        store = find(laid).store
        first = ""
        m = FileJournal(store, author="").put(Memory(title=f"Before {moment}", text="Sums")).m
        if op == "settle":
            for side in ("here", "there"):
                head = FileJournal(store, author="").view().heads(m)[0]
                FileJournal(store, author="").append([Draft(Memory(text=side), m, (first or head.id,))])
                first = first or head.id
        before = {record.id for record in records(store)}
        process.start([sys.executable, "-c", DYING, op, moment], __version__)
        with Session.open(laid) as session:
            told = doing(session, m)[op]()
            assert session.through_daemon is False, f"{op} {moment}: the daemon answered"
        new = [record for record in records(store) if record.id not in before]
        assert Counter(record.kind for record in new) == EXPECTED[op], f"{op} {moment}"
        if op == "record":
            generation = next(record for record in new if record.kind == "generation")
            assert isinstance(told, dict) and told["generation"] == generation.m and told["lines"] == 2
        if op == "forget":
            assert [record.op for record in new] == ["del"]
        if op == "settle":
            assert isinstance(told, dict) and told["record"] == new[0].id and len(told["parents"]) == 2
        if op == "remember":
            assert told == new[0].m
        for record in new:  # the next moment begins with a path that nobody has generated
            FileJournal(store, author="").delete(record.m)
    tell(f"{op}: {len(moments)} daemons killed between writing and answering, 0 lost, 0 doubled")


def test_a_spooled_event_whose_taking_was_cut_short_is_recorded_once(laid: Path) -> None:
    place = find(laid)
    said = {**SAID, "cwd": str(laid), "tool_input": {"file_path": str(laid / "sums.py"), "content": WROTE}}
    file = spool.write(place.store / "spool", "agent", "claude-code", json.dumps(said).encode())
    payload = file.read_bytes()
    engine = Engine(place)
    assert engine.drain() == 1
    file.write_bytes(payload)  # as if it had been killed before it could take the file away
    engine.close()
    again = Engine(place)
    assert again.drain() == 1
    again.close()
    kinds = Counter(record.kind for record in records(place.store))
    assert kinds["generation"] == 1 and kinds["execution"] == 1
    assert not file.exists()


def test_a_request_that_came_half_way_is_completed(laid: Path) -> None:
    journal = FileJournal(find(laid).store, author="Ada <ada@example.org>")
    first, second = Draft(Feedback(of="0" * 32, verdict="good")), Draft(Verdict(of="0" * 32, verdict="good"))
    one = journal.append([first], request="r")
    both = journal.append([first, second], request="r")
    assert both[0].id == one[0].id
    assert [each.m for each in both] == [memory_of("r", 0), memory_of("r", 1)]
    assert [each.id for each in journal.append([first, second], request="r")] == [each.id for each in both]
    assert journal.append([first], request="another")[0].id != one[0].id


def test_what_was_forgotten_by_one_request_is_not_found_by_another(laid: Path) -> None:
    engine = Engine(find(laid))
    m = engine.handle("remember", {"text": "Sums"})["id"]
    told = engine.handle("forget", {"id": m, "request": "r"})
    assert engine.handle("forget", {"id": m, "request": "r"}) == told
    with pytest.raises(CortexError):
        engine.handle("forget", {"id": m, "request": "another"})
    engine.close()


def test_what_one_request_settled_is_not_settled_by_another_nor_named_in_the_next_version(laid: Path) -> None:
    engine = Engine(find(laid))
    journal = FileJournal(find(laid).store, author="")
    first = journal.put(Memory(text="Sums"))
    sides = [journal.append([Draft(Memory(text=side), first.m, (first.id,))])[0] for side in ("a", "b")]
    given = {"id": first.m, "take": sides[0].id, "request": "r"}
    told = engine.handle("settle", {**given})
    assert engine.handle("settle", {**given}) == told
    with pytest.raises(CortexError, match="not in conflict"):
        engine.handle("settle", {**given, "request": "another"})
    (head,) = journal.view().heads(first.m)
    assert head.body["request"] == "r" and head.body["text"] == "a"
    assert "request" not in journal.edit(first.m, Memory(text="c")).body
    engine.close()

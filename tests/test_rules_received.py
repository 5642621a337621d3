"""Rules from elsewhere: tried on the repository that receives them, silent before that, and no record says so."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cortex.daemon import receiving
from cortex.daemon.engine import Engine
from cortex.daemon.session import Session
from cortex.learning.rules.arrived import Here, decoded, encoded, follower, judged
from cortex.learning.rules.exchange import Exported, to_json
from cortex.repo.places import find
from cortex.store.journal import FileJournal, create
from cortex.store.kinds import MILLION, Memory, Pattern, RuleEvent
from cortex.store.record import Draft

PATTERN = Pattern("python", "same($A, $B)", "equal($A, $B)", words=("same",))
BODY = Memory(type="rule", title="Say equal", language="python", rule=PATTERN)
OLD, NEW = "same(one, two)\n", "equal(one, two)\n"


@pytest.fixture
def store(repo: Path) -> Path:
    create(find(repo).store)
    return repo


def call(repo: Path, op: str, **args: Any) -> Any:
    with Session.open(repo, daemon=False) as memory:
        return memory.call(op, **args)


def warned(repo: Path) -> int:
    return len(call(repo, "check", text="same(a, b)\n", language="python")["findings"])


def committed(repo: Path, **files: str) -> None:
    for name, text in files.items():
        (repo / f"{name}.py").write_text(text)
    subprocess.run(["git", "add", "."], cwd=repo, check=True)
    subprocess.run(["git", "commit", "-q", "-m", "Write"], cwd=repo, check=True)


def imported(repo: Path) -> str:
    taken: list[str] = call(repo, "rule_import", text=to_json([Exported("a" * 32, BODY)]))["imported"]
    return taken[0]


def count(repo: Path) -> int:
    return FileJournal(find(repo).store, author="Ada Byron <ada@example.org>").view().count


def test_places_of_accepted_code_count_against_and_those_that_follow_count_for() -> None:
    def said(old: int, new: int) -> Here:
        return judged([PATTERN], [("old.py", OLD * old), ("new.py", NEW * new)])[0]

    assert said(0, 1).speaks() and said(0, 0) == Here()
    assert not said(0, 0).speaks() and said(0, 0).speaks(
        vouched=True
    )  # nobody here writes so, and one wants it
    assert said(3, 5) == Here(stood=3, follows=5) and not said(3, 5).speaks(vouched=True)
    assert not said(1, 0).speaks() and said(1, 40).speaks()
    assert not said(40, 400).speaks(vouched=True)  # so many exceptions are another way of saying it
    chances = [Here(stood=n, follows=9).chance for n in range(6)]
    assert chances == sorted(chances, reverse=True) and len(set(chances)) == 6


def test_what_holds_no_name_or_only_a_common_member_is_silent_elsewhere() -> None:
    lax = Pattern("python", "$A == None", "$A is None")
    member = Pattern("python", "$A.get($B)", "$A.fetch_value($B)", words=("get",))
    for pattern in (lax, member):
        (said,) = judged([pattern], [])
        assert not said.speaks(vouched=True) and "elsewhere" in said.reason


def test_what_follows_a_rule_is_found_in_each_language_or_not_looked_for() -> None:
    go = Pattern(
        "go",
        "ioutil.ReadAll($A)",
        "io.ReadAll($A)",
        context="package p\nfunc f() { ioutil.ReadAll($A) }",
        selector="call_expression",
        words=("ioutil", "ReadAll"),
        guards=("bound:ioutil", "import:io/ioutil"),
    )
    text = 'package p\n\nimport "io"\n\nfunc f(r io.Reader) { io.ReadAll(r) }\n'
    assert judged([go], [("a.go", text)]) == [Here(follows=1)]
    assert follower(replace(PATTERN, rewrite="$A")) is None
    assert follower(replace(PATTERN, rewrite="$A + $B")) is None


def test_an_imported_rule_is_silent_where_accepted_code_says_otherwise(store: Path) -> None:
    committed(store, old=OLD * 4)
    rule = imported(store)
    told = call(store, "rule_decide", id=rule, do="accept")["rule"]
    assert told["state"] == "active" and warned(store) == 0
    assert told["here"] == "silent here: 4 like places in accepted code here, 0 as it asks"
    assert call(store, "rules")["rules"][0]["here"] == told["here"]
    before = count(store)
    with Engine(find(store))._lock:  # a new engine reads the same verdict
        assert warned(store) == 0
    assert count(store) == before  # the verdict is no record
    call(store, "feedback", id=rule, verdict="good")
    assert warned(store) == 1 and call(store, "rule_show", id=rule)["rule"]["here"] == ""


def test_an_imported_rule_warns_where_nothing_says_otherwise(store: Path) -> None:
    committed(store, new=NEW * 4)
    rule = imported(store)
    told = call(store, "rule_decide", id=rule, do="accept")["rule"]
    assert told["here"] == "warns here: 0 like places in accepted code here, 4 as it asks"
    assert warned(store) == 1


def test_a_rule_from_elsewhere_is_silent_until_it_was_tried_here(store: Path) -> None:
    committed(store, new=NEW)
    rule = imported(store)
    call(store, "rule_decide", id=rule, do="accept")
    note = find(store).store / "index" / receiving.NOTE
    assert warned(store) == 1
    for damage in (
        lambda: note.unlink(),
        lambda: note.write_bytes(b"{"),
        lambda: note.write_bytes(flipped(note)),
    ):
        damage()
        assert warned(store) == 0
        assert "silent until" in call(store, "rules")["rules"][0]["here"]
        engine = Engine(find(store))
        for _ in range(100):
            if not engine.background(lambda: False, 1.0):
                break
        engine.close()
        assert warned(store) == 1


def flipped(note: Path) -> bytes:
    """The note as a forged one: a verdict changed, its checksum not."""
    return note.read_bytes().replace(b"[0, 1, 0, 0]", b"[0, 2, 0, 0]")


def test_another_text_of_a_rule_is_tried_anew_and_a_rule_of_ones_own_is_not_held_up(store: Path) -> None:
    committed(store, old=OLD * 4, other="alike(a, b)\n")
    own = FileJournal(find(store).store, author="Ada Byron <ada@example.org>")
    event = RuleEvent(
        rule="b" * 32, to_state="active", support=3, commits=2, stood=4, confidence=MILLION, by="person"
    )
    own.append([Draft(BODY, m="b" * 32), Draft(event)])
    assert warned(store) == 1  # learnt here: what stood was counted when its state was decided
    wide = replace(BODY, scope="language")
    (head,) = own.view().heads("b" * 32)
    own.append([Draft(wide, m="b" * 32, parents=(head.id,))])
    assert warned(store) == 0
    call(store, "rule_decide", id="b" * 32, do="accept")
    assert "silent here: 4" in call(store, "rules")["rules"][0]["here"]
    (head,) = own.view().heads("b" * 32)
    other = replace(wide, rule=replace(PATTERN, pattern="similar($A, $B)", words=("similar",)))
    own.append([Draft(other, m="b" * 32, parents=(head.id,))])
    assert "silent until" in call(store, "rules")["rules"][0]["here"]


def test_verdicts_read_back_and_odd_ones_are_none() -> None:
    found = {"a": Here(1, 2, True, False), "b": Here(weak=True)}
    assert decoded(encoded(found)) == found
    odd: list[object] = [None, [], {"a": [1]}, {"a": [1, -1, 0, 0]}, {"a": [True, 0, 0, 0]}, {"a": "1234"}]
    assert all(decoded(each) == {} for each in odd)

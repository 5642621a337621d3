"""What was shown and left as it was lowers a rule at once; what was taken raises it; a person's word does more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cortex.daemon.session import Session
from cortex.learning.rules.backtest import BackTest
from cortex.learning.rules.heeding import place_of, reactions
from cortex.learning.rules.lifecycle import Evidence, chance
from cortex.learning.rules.revising import revise
from cortex.repo.places import find
from cortex.store.journal import FileJournal, create
from cortex.store.kinds import Correction, Reaction
from cortex.store.record import Draft

HEAD = "import requests\n\n\n"


@pytest.fixture
def taught(repo: Path, commit: Any) -> Path:
    """A rule of three corrections, and a first look at the refs."""
    create(find(repo).store)
    own = FileJournal(find(repo).store, author="Ada Byron <ada@example.org>")
    own.append(
        [
            Draft(
                Correction(
                    before=f"requests.get(u{n})",
                    after=f"requests.get(u{n}, timeout=10)",
                    path=f"m{n}.py",
                    language="python",
                    hand="person",
                    agent="claude-code",  # fresh use is the habit that the rule is for, and counts nothing
                    commit=f"{n:040x}",
                    committed=n,
                    bound=("requests",),
                )
            )
            for n in (1, 2, 3)
        ]
    )
    revise(own)
    commit(repo, {"old.py": HEAD + "requests.get(old)\n"})
    call(repo, "learn")
    return repo


def call(repo: Path, op: str, **args: Any) -> Any:
    with Session.open(repo, daemon=False) as memory:
        return memory.call(op, **args)


def rule(repo: Path) -> dict[str, Any]:
    (only,) = call(repo, "rules")["rules"]
    return dict(only)


def stage(repo: Path, name: str, line: str) -> int:
    import subprocess

    (repo / name).write_text(HEAD + line + "\n")
    subprocess.run(["git", "add", name], cwd=repo, check=True)
    return len(call(repo, "check")["findings"])


def told(repo: Path) -> list[tuple[str, str]]:
    view = FileJournal(find(repo).store, author="").view()
    bodies = [record.decoded() for record in view.of_kind("reaction")]
    return [(each.path, each.verdict) for each in bodies if isinstance(each, Reaction)]


def test_each_place_that_was_left_lowers_the_rule_at_once(taught: Path, commit: Any) -> None:
    sure = [rule(taught)["confidence"]]
    assert rule(taught)["state"] == "active"
    for number in range(4):
        if stage(taught, f"a{number}.py", f"requests.get(a{number})") == 0:
            break
        commit(taught, {}, message="Leave it")
        call(taught, "learn")
        sure.append(rule(taught)["confidence"])
    assert sure == sorted(sure, reverse=True) and len(set(sure)) == len(sure) > 1
    assert rule(taught)["state"] != "active", "it has fallen silent"
    history = call(taught, "rule_show", id=rule(taught)["id"])["history"]
    assert "shown and left as it was" in history[-1]["reason"]
    assert {verdict for _, verdict in told(taught)} == {"left"}


def test_a_place_counts_once_and_only_where_the_commit_wrote_it(taught: Path, commit: Any) -> None:
    assert len(call(taught, "check", files=["old.py"])["findings"]) == 1
    commit(taught, {"old.py": HEAD + "requests.get(old)\nx = 1\n"})
    call(taught, "learn")
    assert told(taught) == [], "the commit did not write what it left"
    assert stage(taught, "a.py", "requests.get(a)") == 1
    call(taught, "check")
    commit(taught, {}, message="Leave it")
    call(taught, "learn")
    call(taught, "check", files=["a.py"])
    commit(taught, {"a.py": HEAD + "if a:\n    requests.get(a)\n"})
    call(taught, "learn")
    assert told(taught) == [("a.py", "left")]


def test_what_was_taken_speaks_for_the_rule(taught: Path, commit: Any) -> None:
    before = rule(taught)["confidence"]
    for name in ("a", "b", "c"):
        assert stage(taught, f"{name}.py", f"requests.get({name})") == 1
        commit(taught, {f"{name}.py": HEAD + f"requests.get({name}, timeout=10)\n"})
        call(taught, "learn")
    assert told(taught) == [("a.py", "taken"), ("b.py", "taken"), ("c.py", "taken")]
    assert rule(taught)["confidence"] >= before and rule(taught)["state"] == "active"


@pytest.mark.parametrize(
    ("before", "after", "text", "verdict"),
    [
        ("f(1)", "g(1)", "f(1)\n", "left"),
        ("f(1)", "g(1)", "g(1)\n", "taken"),
        ("f(1)", "g(f(1))", "g(f(1))\n", "taken"),
        ("f(1)", "g(f(1))", "x\nf(1)\n", "left"),
        ("f(1)", "g(1)", "xf(1)\n", ""),
        ("f(1)", "g(1)", "h(1)\n", ""),
        ("f(\n1)", "g(\n1)", "f(\r\n1)\r\n", "left"),
        ("f(1)", "", "x\n", ""),
    ],
)
def test_a_commit_says_what_became_of_a_place(before: str, after: str, text: str, verdict: str) -> None:
    waiting = {place_of("r", "a.py", before): (before, after)}
    found = list(reactions(waiting, "a.py", text, {1, 2}, "c"))
    assert [each.verdict for each in found] == ([verdict] if verdict else [])
    assert list(reactions(waiting, "b.py", text, {1, 2}, "c")) == []
    assert list(reactions(waiting, "a.py", text, set(), "c")) == []


def test_a_person_s_wrong_weighs_more_than_a_place_that_was_left() -> None:
    known = {"support": 3, "weight": 3.0, "commits": 3}
    quiet, left, wrong, taken = (
        chance(Evidence(**known, **more), BackTest())  # type: ignore[arg-type]
        for more in ({}, {"shown_left": 1}, {"wrong": 1}, {"shown_taken": 1})
    )
    assert wrong < left < quiet < taken

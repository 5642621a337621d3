"""A rule that several repositories of a person confirmed rises in scope, and comes back when they do not any more."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from cortex.daemon import rising
from cortex.daemon.session import Session
from cortex.learning.rules.revising import revise
from cortex.repo.places import find
from cortex.store.journal import FileJournal, create
from cortex.store.kinds import Correction, Feedback, Scope
from cortex.store.record import Draft


def taught(repo: Path, *, origin: str = "") -> Path:
    """A repository in which three corrections made a rule."""
    if origin:
        subprocess.run(["git", "remote", "add", "origin", origin], cwd=repo, check=True)
    create(find(repo).store)
    own = FileJournal(find(repo).store, author="Ada Byron <ada@example.org>")
    for n in (1, 2, 3):
        told = Correction(
            before=f"requests.get(u{n})", after=f"requests.get(u{n}, timeout=10)", path=f"m{n}.py",
            language="python", hand="person", commit=f"{n:040x}", committed=n, bound=("requests",),
        )  # fmt: skip
        own.append([Draft(told)])
    revise(own)
    return repo


@pytest.fixture
def three(tmp_path: Path, commit: Any) -> list[Path]:
    made = []
    for name in ("one", "two", "three"):
        folder = tmp_path / name
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        commit(folder, {"a.py": "x = 1\n"})
        made.append(taught(folder))
    return made


def call(repo: Path, op: str, **args: Any) -> Any:
    with Session.open(repo, daemon=False) as memory:
        return memory.call(op, **args)


def asked(repo: Path, number: int) -> None:
    (find(repo).store / "config.toml").write_text(f"[rules]\nscope_repositories = {number}\n")


def scope(repo: Path) -> str:
    (rule,) = call(repo, "rules")["rules"]
    return str(rule["scope"])


def moves(repo: Path) -> list[Scope]:
    view = FileJournal(find(repo).store, author="").view()
    bodies = [record.decoded() for record in view.of_kind("scope")]
    return [each for each in bodies if isinstance(each, Scope)]


def test_the_third_repository_raises_a_rule_and_a_record_says_why(three: list[Path]) -> None:
    for repo in three:
        call(repo, "learn")
    assert [scope(repo) for repo in three] == ["project", "project", "language"]
    call(three[0], "learn")
    assert scope(three[0]) == "language"
    (move,) = moves(three[0])
    assert (move.who, move.why) == (rising.WHO, "confirmed in 3 repositories")
    call(three[0], "learn")
    assert len(moves(three[0])) == 1, "the same again writes nothing"


def test_a_rule_that_is_confirmed_no_longer_comes_back(three: list[Path]) -> None:
    for repo in (*three, three[0]):
        call(repo, "learn")
    (rule,) = call(three[1], "rules")["rules"]
    call(three[1], "rule_decide", id=rule["id"], do="disable", reason="not here")
    for repo in (three[1], three[0]):
        call(repo, "learn")
    assert scope(three[0]) == "project"
    assert moves(three[0])[-1].why == "confirmed in 2 of 3 repositories now"


def test_what_a_person_said_of_a_scope_stands(three: list[Path]) -> None:
    (rule,) = call(three[0], "rules")["rules"]
    own = FileJournal(find(three[0]).store, author="Ada Byron <ada@example.org>")
    own.append([Draft(Scope(who="Ada Byron", what=rule["id"], scope="project", why="only here"))])
    for repo in (*three, three[0]):
        call(repo, "learn")
    assert scope(three[0]) == "project" and len(moves(three[0])) == 1


def test_clones_of_one_repository_confirm_nothing_to_each_other(three: list[Path]) -> None:
    for repo in three:
        subprocess.run(["git", "remote", "add", "origin", "https://example.org/a.git"], cwd=repo, check=True)
    for repo in (*three, three[0]):
        call(repo, "learn")
    assert [scope(repo) for repo in three] == ["project"] * 3


def test_the_setting_says_how_many_and_a_damaged_note_confirms_nothing(three: list[Path]) -> None:
    for repo in three:
        asked(repo, 0)
        call(repo, "learn")
    assert [scope(repo) for repo in three] == ["project"] * 3
    for note in (rising.state_folder() / rising.FOLDER).glob("*.json"):
        note.write_bytes(b"[1, {")
    for repo in three[:2]:
        asked(repo, 3)
        call(repo, "learn")
    assert [scope(repo) for repo in three[:2]] == ["project"] * 2


def test_a_rule_called_wrong_twice_confirms_nothing_elsewhere(three: list[Path]) -> None:
    (rule,) = call(three[1], "rules")["rules"]
    own = FileJournal(find(three[1]).store, author="Ada Byron <ada@example.org>")
    own.append([Draft(Feedback(of=rule["id"], verdict="wrong"))])
    for repo in (*three, three[0]):
        call(repo, "learn")
    assert scope(three[0]) == "project"


def test_a_repository_that_was_removed_confirms_nothing(three: list[Path]) -> None:
    for repo in three[:2]:
        call(repo, "learn")
    assert len(list((rising.state_folder() / rising.FOLDER).glob("*.json"))) == 2
    rising.forget(find(three[0]).common)
    rising.forget(find(three[0]).common)
    call(three[2], "learn")
    assert scope(three[2]) == "project"

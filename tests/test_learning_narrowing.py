"""Rules that people declined at some places are kept from such places, where something tells them apart."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from cortex.analyzers.patterns import compile
from cortex.daemon.session import Session
from cortex.learning.rules.exchange import Exported, from_json, to_ast_grep, to_json
from cortex.learning.rules.narrowing import MOST, Where, is_kept_out, narrowed
from cortex.learning.rules.revising import revise
from cortex.repo.places import find
from cortex.store.journal import FileJournal, create
from cortex.store.kinds import Correction, Memory, Pattern, Reaction
from cortex.store.record import Draft

HEAD = "import requests\n\n\n"
GET = Pattern(
    language="python",
    pattern="requests.get($A)",
    rewrite="requests.get($A, timeout=10)",
    words=("requests", "get"),
)
KEPT = [Where(f"src/m{n}.py", f"requests.get(u{n})", "load", ("requests",)) for n in range(3)]


@pytest.mark.parametrize(
    ("left", "guard"),
    [
        ([Where("src/a.py", "requests.get(local)"), Where("b.py", "requests.get(local, x)")], "lacks:local"),
        ([Where("src/a.py", "", "T.setUp"), Where("src/b.py", "", "setUp")], "not-in:setUp"),
        ([Where("tests/a.py", "x1"), Where("tests/deep/b.py", "x2")], "not-path:tests/*"),
        ([Where(f"src/{n}.py", "", "", ("requests", "mock")) for n in range(3)], "not-import:mock"),
    ],
)
def test_what_counter_examples_share_becomes_a_guard(left: list[Where], guard: str) -> None:
    found = narrowed(GET, KEPT, left)
    assert found is not None and found[0].guards == (guard,)
    assert found[1].startswith("narrowed: not ") and "left as it was" in found[1]
    assert all(is_kept_out(found[0], each) for each in left)
    assert not any(is_kept_out(found[0], each) for each in KEPT)
    assert narrowed(found[0], KEPT, left) is None, "nothing is left that speaks against it"


def test_one_place_or_what_the_examples_share_narrows_nothing() -> None:
    assert narrowed(GET, KEPT, [Where("tests/a.py", "requests.get(local)", "setUp", ("mock",))]) is None
    same = [Where("src/a.py", "requests.get(u1)", "load", ("requests",))] * 2
    assert narrowed(GET, KEPT, same) is None
    two = [Where(f"src/{n}.py", "", "", ("mock",)) for n in range(2)]
    assert narrowed(GET, KEPT, two) is None, "two imports are alike by chance"
    assert narrowed(GET, KEPT, []) is None


def test_eight_examples_may_say_by_themselves_where_a_rule_holds() -> None:
    left = [Where("web/a.py", "requests.get(x)", "", ("flask",))]
    many = [Where(f"src/m{n}.py", f"requests.get(u{n})", "", ("aiohttp",)) for n in range(8)]
    found = narrowed(GET, many, left)
    assert found is not None and found[0].guards == ("path:src/*",)
    assert narrowed(GET, many[:7], left) is None


def test_a_rule_that_was_narrowed_too_often_only_falls() -> None:
    pattern = Pattern(language="python", pattern="f($A)", guards=tuple(f"lacks:w{n}" for n in range(MOST)))
    left = [Where("tests/a.py", "f(1)"), Where("tests/b.py", "f(2)")]
    assert narrowed(pattern, KEPT, left) is None


def test_the_guards_hold_where_the_pattern_is_matched() -> None:
    code = HEAD + "def setUp():\n    requests.get(a)\n\n\ndef load():\n    requests.get(b)\n"
    for guards, wanted in (
        ((), 2),
        (("not-in:setUp",), 1),
        (("not-path:tests/*",), 0),
        (("not-import:requests",), 0),
        (("not-import:mock",), 2),
    ):
        compiled = compile(Pattern(**{**GET.__dict__, "guards": guards}))
        assert compiled is not None
        assert len(compiled.find(code, path="tests/a.py")) == wanted, guards


def test_learnt_guards_travel_with_a_rule() -> None:
    guards = ("not-in:setUp", "not-path:tests/*", "not-import:mock")
    rule = Exported(
        "0" * 32, Memory(type="rule", title="t", rule=Pattern(**{**GET.__dict__, "guards": guards}))
    )
    assert from_json(to_json([rule]))[0].body.rule == rule.body.rule
    told = to_ast_grep([rule])
    assert "ignores:" in told and "setUp" in told and "mock" in told


@pytest.fixture
def taught(repo: Path, commit: Any) -> Path:
    """A rule of three corrections, and a first look at the refs."""
    create(find(repo).store)
    own = FileJournal(find(repo).store, author="Ada Byron <ada@example.org>")
    for n in (1, 2, 3):
        told = Correction(
            before=f"requests.get(u{n})", after=f"requests.get(u{n}, timeout=10)", path=f"src/m{n}.py",
            language="python", hand="person", agent="claude-code", commit=f"{n:040x}", committed=n,
            bound=("requests",),
        )  # fmt: skip
        own.append([Draft(told)])
    revise(own)
    commit(repo, {"src/m1.py": HEAD + "requests.get(u1, timeout=10)\n"})
    call(repo, "learn")
    return repo


def call(repo: Path, op: str, **args: Any) -> Any:
    with Session.open(repo, daemon=False) as memory:
        return memory.call(op, **args)


def staged(repo: Path, files: dict[str, str]) -> int:
    for name, line in files.items():
        (repo / name).parent.mkdir(exist_ok=True)
        (repo / name).write_text(HEAD + line + "\n")
        subprocess.run(["git", "add", name], cwd=repo, check=True)
    return len(call(repo, "check")["findings"])


def test_places_that_were_left_narrow_the_rule_and_a_record_says_why(taught: Path, commit: Any) -> None:
    assert staged(taught, {"tests/a.py": "requests.get(a)", "tests/b.py": "requests.get(b)"}) == 2
    commit(taught, {}, message="Leave them")
    call(taught, "learn")
    (rule,) = call(taught, "rules")["rules"]
    shown = call(taught, "rule_show", id=rule["id"])
    assert rule["state"] == "active" and "not-path:tests/*" in shown["guards"]
    assert "narrowed: not in tests/, left as it was twice" in shown["history"][-1]["reason"]
    records = len(list(FileJournal(find(taught).store, author="").records()))
    call(taught, "learn")
    assert len(list(FileJournal(find(taught).store, author="").records())) == records
    assert staged(taught, {"tests/c.py": "requests.get(c)"}) == 0
    assert staged(taught, {"src/d.py": "requests.get(d)"}) == 1


def test_a_reaction_says_what_was_around_its_place(taught: Path, commit: Any) -> None:
    line = "class T:\n    def setUp(self):\n        requests.get(a)"
    assert staged(taught, {"tests/a.py": line}) == 1
    commit(taught, {}, message="Leave it")
    call(taught, "learn")
    bodies = [
        record.decoded() for record in FileJournal(find(taught).store, author="").view().of_kind("reaction")
    ]
    (reaction,) = [each for each in bodies if isinstance(each, Reaction)]
    assert (reaction.enclosing, reaction.imports) == ("T.setUp", ("requests",))

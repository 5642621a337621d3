"""What the guard leaves unsaid, and what makes it stop a commit: comments, the baseline, renames, merge bases."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cortex.daemon.session import Session
from cortex.learning.guard.suppress import is_suppressed, suppressions
from cortex.repo.places import find
from cortex.store.journal import FileJournal, create
from cortex.store.kinds import MILLION, Memory, Pattern, RuleEvent
from cortex.store.record import Draft

Commit = Callable[..., str]
BAD = "requests.get(u)\n"


def git(repo: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=repo, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def taught(repo: Path) -> Path:
    create(find(repo).store)
    journal = FileJournal(find(repo).store, author="Ada Byron <ada@example.org>")
    pattern = Pattern("python", "requests.get($A)", "requests.get($A, timeout=10)", words=("requests",))
    rule = journal.append([Draft(Memory(type="rule", title="Use a timeout", rule=pattern))])[0].m
    journal.append(
        [Draft(RuleEvent(rule=rule, to_state="active", support=3, commits=2, confidence=MILLION * 9 // 10))]
    )
    return repo


def call(repo: Path, op: str, **args: Any) -> Any:
    with Session.open(repo, daemon=False) as memory:
        return memory.call(op, **args)


def places(result: Any) -> list[tuple[str, int]]:
    return [(each["path"], each["line"]) for each in result["findings"]]


def stage(repo: Path, **files: str) -> None:
    for name, text in files.items():
        (repo / f"{name}.py").write_text(text)
    git(repo, "add", "-A")


RULE = "a1b2c3d4" * 4


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "f()  # cortex: ignore[a1b2c3d4] known\n"),
        ("python", "# cortex: ignore[ffff0000, a1b2c3d4] known\nf()\n"),
        ("python", "x = 1  # type: ignore  # cortex: ignore\nf()\n".replace("x = 1", "f()")),
        ("python", "# cortex: ignore[a1b2c3d4] two of them\n# cortex: ignore[ffff0000]\nf()\n"),
        ("go", "package m\n// cortex: ignore[a1b2c3d4] known\nvar x = f()\n"),
        ("go", "package m\nvar x = f() /* cortex: ignore[a1b2c3d4] known */\n"),
        ("javascript", "f(); // cortex: ignore\n"),
        ("javascript", "/* cortex: ignore[a1b2c3d4] */\nf();\n"),
        ("typescript", "const x: T = f(); // cortex: ignore[a1b2c3d4]: because\n"),
        ("tsx", "const x = <p>\n  {/* cortex: ignore[a1b2c3d4] */}\n  <q a={f()} />\n</p>;\n"),
    ],
)
def test_a_comment_silences_its_line_or_the_next_in_each_language(language: str, text: str) -> None:
    line = next(n for n, each in enumerate(text.split("\n"), 1) if "f()" in each)
    marks = suppressions(text, language)
    assert is_suppressed(marks, RULE, range(line, line + 1))
    assert not is_suppressed(marks, RULE, range(line + 1, line + 2))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "f('# cortex: ignore')\n"),
        ("python", 'x = """\n# cortex: ignore\nf()\n"""\n'),
        ("javascript", "f(`// cortex: ignore`)\n"),
        ("go", 'package m\nvar x = f("/* cortex: ignore */")\n'),
    ],
)
def test_what_only_looks_like_a_comment_silences_nothing(language: str, text: str) -> None:
    assert suppressions(text, language) == {}


def test_a_comment_without_a_reason_or_with_no_such_rule_is_noted(taught: Path) -> None:
    rule = call(taught, "log", kind="rule")["memories"][0]["id"]
    stage(
        taught,
        a=f"requests.get(u)  # cortex: ignore[{rule[:8]}]\n",
        b=f"requests.get(u)  # cortex: ignore[{rule[:8]}] the caller waits\n",
        c="requests.get(u)  # cortex: ignore[deadbeef] never there\n",
    )
    result = call(taught, "check")
    assert places(result) == [("c.py", 1)]
    assert [each.partition(": ")[0] for each in result["notes"]] == ["a.py:1", "c.py:1"]
    assert "no given reason" in result["notes"][0] and "no such rule" in result["notes"][1]


def test_the_baseline_holds_what_stands_when_its_lines_move(taught: Path, commit: Commit) -> None:
    commit(taught, {"a.py": "x = 1\n" + BAD, "b.py": BAD + BAD})
    assert places(call(taught, "check", files=["."])) == [("a.py", 2), ("b.py", 1), ("b.py", 2)]
    written = call(taught, "baseline", do="write")
    assert written["findings"] == 3 and len(written["entries"]) == 2
    result = call(taught, "check", files=["."])
    assert places(result) == [] and result["hidden"] == 3
    assert len(places(call(taught, "check", files=["."], baseline=False))) == 3
    # Moved, indented: the same. One more of it, or one elsewhere, is told.
    stage(taught, a="x = 1\ny = 2\nif x:\n    " + BAD, c=BAD)
    assert places(call(taught, "check")) == [("c.py", 1)]
    stage(taught, b=BAD + BAD + BAD)
    assert places(call(taught, "check")) == [("b.py", 3), ("c.py", 1)]
    assert call(taught, "fix", files=["a.py"])["files"] == []
    assert call(taught, "baseline")["findings"] == 3
    assert call(taught, "baseline", do="clear")["findings"] == 3
    assert ("a.py", 4) in places(call(taught, "check")) and call(taught, "baseline")["written"] == 0


@pytest.mark.parametrize("text", ["{", "[]", '{"entries": [1, {"rule": 2}]}', '{"entries": 3}', "\x00"])
def test_a_baseline_that_cannot_be_read_hides_nothing(taught: Path, text: str) -> None:
    (find(taught).store / "baseline.json").write_text(text)
    stage(taught, a=BAD)
    assert places(call(taught, "check")) == [("a.py", 1)]
    assert call(taught, "baseline")["findings"] == 0


def test_since_is_where_the_branch_left_and_a_file_that_moved_keeps_its_lines(
    taught: Path, commit: Commit
) -> None:
    lines = "".join(f"line_{n} = {n}\n" for n in range(30))
    commit(taught, {"a.py": BAD + lines, "b.py": BAD})
    git(taught, "switch", "--quiet", "--create", "topic")
    (taught / "new").mkdir()
    git(taught, "mv", "a.py", "new/a.py")
    commit(taught, {"new/a.py": BAD + lines + "v = " + BAD})
    git(taught, "switch", "--quiet", "main")
    commit(taught, {"b.py": "requests.get(u, timeout=1)\n"}, message="Mend b meanwhile")
    git(taught, "switch", "--quiet", "topic")
    assert places(call(taught, "check", since="main")) == [("new/a.py", 32)]
    found = call(taught, "fix", since="main")["files"]
    assert [(each["path"], [one["line"] for one in each["edits"]]) for each in found] == [("new/a.py", [32])]
    assert places(call(taught, "check")) == []


@pytest.mark.parametrize(
    ("settings", "blocked"),
    [
        ({}, False),
        ({"CORTEX_GUARD_BLOCK_RULES": "RULE"}, False),
        ({"CORTEX_GUARD_MODE": "block"}, True),
        ({"CORTEX_GUARD_MODE": "block", "CORTEX_GUARD_BLOCK_CONFIDENCE": "0.95"}, False),
        (
            {
                "CORTEX_GUARD_MODE": "block",
                "CORTEX_GUARD_BLOCK_CONFIDENCE": "0.95",
                "CORTEX_GUARD_BLOCK_RULES": "ffff0000, RULE",
            },
            True,
        ),
        (
            {
                "CORTEX_GUARD_MODE": "block",
                "CORTEX_GUARD_BLOCK_CONFIDENCE": "1",
                "CORTEX_GUARD_BLOCK_RULES": "ffff0000 ,a",
            },
            False,
        ),
    ],
)
def test_only_block_mode_blocks_by_rule_or_by_confidence(
    taught: Path, settings: dict[str, str], blocked: bool
) -> None:
    stage(taught, a=BAD)
    rule = call(taught, "log", kind="rule")["memories"][0]["id"]
    environment = {name: value.replace("RULE", rule[:8]) for name, value in settings.items()}
    with Session.open(taught, daemon=False, environment=environment) as memory:
        result = memory.check()
    assert result["blocked"] is blocked
    assert [each["blocks"] for each in result["findings"]] == [blocked]
    assert json.dumps(result)


def test_settings_that_cannot_be_read_are_named_since_they_block_nothing(taught: Path):
    stage(taught, new=BAD)
    (find(taught).store / "config.toml").write_text('[guard]\nmode = "block"\nmode = \n')
    result = call(taught, "check")
    assert not result["blocked"]
    assert any("config.toml" in note for note in result["notes"])
    (find(taught).store / "config.toml").write_text('[guard]\nmode = "block"\n')
    result = call(taught, "check")
    assert result["blocked"]
    assert not result["notes"]

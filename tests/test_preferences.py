"""Preferences counted over real repositories, fixes and decisions read from them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pygit2
import pytest

from cortex.learning.noticed.configured import configured
from cortex.learning.noticed.decided import decisions, read
from cortex.learning.noticed.mended import mended
from cortex.learning.noticed.preferences import Preference, memory, notable, preferences, wilson
from cortex.learning.noticed.survey import Tally, survey


def counted(repo: Path, **options: int) -> Tally:
    tally = Tally()
    for _ in survey(pygit2.Repository(str(repo)), tally, **options):
        pass
    return tally


def found(repo: Path) -> dict[str, Preference]:
    return {f"{each.language}:{each.topic}": each for each in preferences(counted(repo))}


def code(quote: str, number: int) -> str:
    rows = "\n".join(f"    {quote}text {row}{quote}," for row in range(8))
    return f"def read_it_{number}(path):\n    return [\n{rows}\n    ]\n"


def modules(quote: str, *numbers: int) -> dict[str, str]:
    return {f"src/pkg/module{number}.py": code(quote, number) for number in numbers}


def test_what_nearly_all_code_does_is_a_preference(repo, commit) -> None:
    commit(repo, modules('"', *range(6)))
    quotes = found(repo)["python:quotes"]
    assert (quotes.strong, quotes.value, quotes.count, quotes.total, quotes.files) == (
        True,
        "double",
        48,
        48,
        6,
    )
    said = memory(quotes)
    assert said.title == "Write string literals with double quotes (Python)"
    assert "100% of 48 string literals" in said.text and "95% confidence" in said.reason
    assert (said.support, said.against, said.language) == (48, 0, "python")
    assert said.examples[0].path.startswith("src/pkg/module") and '"text 0"' in said.examples[0].after


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (modules('"', 1), "too few files"),
        ({**modules('"', 1, 2, 3), **modules("'", 4, 5, 6)}, "50% chose it"),
        (
            {**modules('"', *range(9)), **{f"b{n}.py": "A = 'x'\n" for n in range(4)}},
            "files differ",
        ),
    ],
)
def test_what_is_not_strong_is_no_preference(repo, commit, files, why) -> None:
    commit(repo, files)
    assert found(repo)["python:quotes"].why == why


@pytest.mark.parametrize(
    "configuration",
    [
        {"pyproject.toml": "[tool.black]\n"},
        {"pyproject.toml": '[tool.ruff.lint]\nselect = [\n  "E", # it\'s ]\n  "Q",\n]\n'},
        {".pre-commit-config.yaml": "repos:\n- hooks:\n  - id: ruff-format\n"},
        {"pyproject.toml": '[tool.poe.tasks]\nformat = "ruff format"\n'},
    ],
)
def test_what_a_formatter_or_linter_says_is_left_to_it(repo, commit, configuration) -> None:
    commit(repo, {**modules('"', *range(6)), **configuration})
    assert found(repo)["python:quotes"].why.startswith("it is left to ")


@pytest.mark.parametrize(
    ("path", "text", "language", "topic", "says"),
    [
        (".prettierrc", "{}", "typescript", "semicolons", True),
        (".eslintrc.json", '{"rules": {"eqeqeq": "error"}}', "javascript", "equality", True),
        (".eslintrc.json", '{"rules": {"eqeqeq": "off"}}', "javascript", "equality", False),
        ("eslint.config.js", 'rules: {"sort-quotes": "error"}', "javascript", "quotes", False),
        (".golangci.yml", "linters:\n  enable:\n    - errorlint\n", "go", "errors.wrap", True),
        (".golangci.yml", "linters:\n  disable:\n    - errorlint\n", "go", "errors.wrap", False),
        ("pyproject.toml", "[tool.mypy]\nstrict = true\n", "python", "typing", True),
        (".editorconfig", "[*]\nmax_line_length = 100\n", "go", "width", True),
    ],
)
def test_configurations_are_read_for_what_they_turn_on(path, text, language, topic, says) -> None:
    assert ((language, topic) in configured(lambda name: text if name == path else None)) is says


def test_a_package_with_settings_of_its_own_leaves_to_them_what_they_say(repo, commit) -> None:
    files = {f"ui/src/file{n}.ts": "const a = 'x'\n" * 9 for n in range(6)}
    commit(repo, files)
    assert found(repo)["typescript:semicolons"].strong
    commit(repo, {"ui/.prettierrc": "{}"})
    assert found(repo)["typescript:semicolons"].why == "it is left to ui/.prettierrc"


def later(repo: Path, days: int) -> None:
    """Let time go by: the last commit again, that much later."""
    then = int(subprocess.check_output(["git", "log", "-1", "--format=%ct"], cwd=repo)) + days * 86_400
    date = f"{then} +0000"
    environment = {**os.environ, "GIT_COMMITTER_DATE": date, "GIT_AUTHOR_DATE": date}
    subprocess.run(["git", "commit", "-q", "--amend", "--no-edit"], cwd=repo, env=environment, check=True)


def test_new_code_that_does_otherwise_ends_a_preference(repo, commit) -> None:
    commit(repo, modules("'", *range(40)))
    commit(repo, modules('"', 50, 51, 52, 53))
    later(repo, 400)
    quotes = found(repo)["python:quotes"]
    assert quotes.share > 0.9 and (quotes.recent, quotes.recent_total) == (0, 32)
    assert quotes.why == "new code does otherwise: 0%" and quotes.trend == "fading"


def test_code_that_only_moved_is_not_new(repo, commit) -> None:
    commit(repo, modules("'", *range(6)))
    commit(repo, {"src/pkg/module1.py": None, "src/pkg/moved.py": code("'", 1)})
    later(repo, 400)
    quotes = found(repo)["python:quotes"]
    assert quotes.compared and quotes.recent_total == 0


def test_a_sample_is_the_same_every_time(repo, commit) -> None:
    commit(repo, modules('"', *range(30)))
    assert counted(repo, most=7).read == 7
    assert counted(repo, most=7).uses == counted(repo, most=7).uses


def test_code_that_is_missing_binary_or_generated_is_passed_over(repo, commit) -> None:
    commit(
        repo,
        {"a.py": b"\0\1", "b.py": "# @generated\nA = 'x'\n", "c.py": b"A = '\xff'\n", "d.py": "A = 'x'\n"},
    )
    assert counted(repo).uses["python", "quotes", "single"] >= 1
    folder = subprocess.check_output(["git", "rev-parse", "HEAD:d.py"], cwd=repo, text=True).strip()
    (repo / ".git" / "objects" / folder[:2] / folder[2:]).unlink()
    counted(repo)


def test_the_repositorys_own_library_is_no_choice(repo, commit) -> None:
    files = {f"cmd/{n}.go": 'package cmd\n\nimport _ "github.com/spf13/cobra"\n' for n in range(6)}
    commit(repo, {**files, "go.mod": "module github.com/me/tool\n"})
    assert found(repo)["go:library.cli"].strong
    commit(repo, {"go.mod": "module github.com/spf13/cobra\n"})
    assert "go:library.cli" not in found(repo)


def test_wilsons_interval_is_that_of_the_literature() -> None:
    low, high = wilson(9, 10)
    assert (round(low, 3), round(high, 3)) == (0.596, 0.982)
    assert wilson(0, 0) == (0.0, 1.0)


def test_only_a_notable_change_is_written_anew() -> None:
    first = memory(Preference("python", "quotes", "double", 96, 100, 9))
    assert not notable(first, memory(Preference("python", "quotes", "double", 110, 114, 9)))
    assert notable(first, memory(Preference("python", "quotes", "double", 90, 100, 9)))
    assert notable(first, memory(Preference("python", "quotes", "double", 190, 200, 9)))
    assert notable(first, memory(Preference("python", "quotes", "single", 96, 100, 9)))


def fixes(repo: Path) -> list[tuple[str, str]]:
    each = [one for one in mended(pygit2.Repository(str(repo))) if one is not None]
    return [(one.memory.title, one.memory.reason) for one in each]


def body(call: str) -> str:
    return f"def f(url):\n    answer = {call}\n    return answer\n"


def test_a_small_fix_is_kept_with_both_sides_and_its_reason(repo, commit) -> None:
    commit(repo, {"a.py": body("requests.get(url)")})
    why = "fix: the client hangs for ever (#12)\n\nA server that never answers held the worker.\n\nFixes #12"
    sha = commit(repo, {"a.py": body("requests.get(url, timeout=10)"), "CHANGES.md": "x"}, message=why)
    found = next(one for one in mended(pygit2.Repository(str(repo))) if one is not None)
    assert found.memory.title == "Fixed: The client hangs for ever"
    assert found.memory.reason == "A server that never answers held the worker."
    example = found.memory.examples[0]
    assert (example.commit, example.path, example.line) == (sha, "a.py", 2)
    assert "timeout=10" in example.after and "timeout" not in example.before


@pytest.mark.parametrize(
    ("message", "after"),
    [
        ("Add a timeout to the requests", body("requests.get(url, timeout=10)")),
        ("fix typo in the docs of requests", body("requests.get(url, timeout=10)")),
        ("fix it", body("requests.get(url, timeout=10)")),
        ("fix the client that hangs for ever", body("requests.get( url )")),
        ("fix the client that hangs for ever", body("x\n" * 30 + "requests.get(url, timeout=10)")),
    ],
)
def test_what_is_no_small_instructive_fix_is_left_out(repo, commit, message, after) -> None:
    commit(repo, {"a.py": body("requests.get(url)")})
    commit(repo, {"a.py": after}, message=message)
    assert fixes(repo) == []


def test_what_was_taken_back_is_kept_where_it_says_why(repo, commit) -> None:
    commit(repo, {"a.py": body("f(1)")}, message="Use the faster parser for everything")
    title = 'Revert "Use the faster parser for everything"\n\nThis reverts commit 1234567.\n'
    commit(repo, {"a.py": body("f(2)")}, message=title)
    commit(
        repo, {"a.py": body("f(4)")}, message=title + '\nRevert "Use the faster parser for everything (#12)"'
    )
    assert fixes(repo) == []
    commit(repo, {"a.py": body("f(3)")}, message=title + "\nIt loses comments at the end of a file.")
    assert fixes(repo) == [
        ("Taken back: Use the faster parser for everything", "It loses comments at the end of a file.")
    ]


NYGARD = """# 7. Use plain SQL

Date: 2024-01-02

## Status

Superceded by [9. Use an ORM](0009-use-an-orm.md)

## Context

Queries were slow.

## Decision

We will write **plain SQL** through `db.query()`.

## Consequences

More text.
"""


def test_a_record_in_nygards_form_is_read() -> None:
    found = read("doc/adr/0007-sql.md", NYGARD)
    assert found is not None and found.title == "Use plain SQL"
    assert found.decision == "We will write plain SQL through `db.query()`."
    assert found.by == "Use an ORM" and not found.holds and found.context == "Queries were slow."


def test_a_record_in_madrs_form_is_read() -> None:
    text = "---\nstatus: accepted\n---\n# Use Markdown\n\n## Context and Problem Statement\n\nWhich?\n\n"
    found = read("docs/decisions/0001-md.md", text + "## Decision Outcome\n\nChosen option: Markdown.\n")
    assert found is not None and (found.status, found.decision) == ("accepted", "Chosen option: Markdown.")
    assert found.holds and found.context == "Which?"


def test_a_short_record_is_its_title_and_first_paragraph() -> None:
    found = read(
        "docs/decisions/0002-x.md", "# 2. One lock for each store\nSo that nobody waits twice.\n\nMore.\n"
    )
    assert found is not None and found.title == "One lock for each store"
    assert found.decision == "So that nobody waits twice."


@pytest.mark.parametrize(
    "text", ["", "No title\n", "# Title\n", "# How to write\n\n## First\n\nx\n\n## Then\n\ny\n"]
)
def test_what_decides_nothing_is_no_record(text: str) -> None:
    assert read("docs/adr/x.md", text) is None


def test_records_are_found_by_their_folder_or_their_headings(repo, commit) -> None:
    commit(
        repo,
        {
            "docs/adr/0007-sql.md": NYGARD,
            "notes/sql.md": NYGARD.replace("plain SQL", "no SQL"),
            "docs/adr/template.md": NYGARD,
            "docs/guide.md": "# Guide\n\n## Status\n\nfine\n",
            "node_modules/x/adr/1.md": NYGARD,
        },
    )
    tree = pygit2.Repository(str(repo)).revparse_single("HEAD").peel(pygit2.Tree)
    assert [each.path for each in decisions(tree)] == ["docs/adr/0007-sql.md", "notes/sql.md"]

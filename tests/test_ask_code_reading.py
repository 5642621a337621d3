"""What a question to code names, what it asks for, and what of the answer is shown: real git, real models."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cortex.analyzers.passages import passages
from cortex.cli import render
from cortex.daemon.session import Session
from cortex.recall import codesignals
from cortex.recall.codepacking import CUT, telling
from cortex.recall.codequery import read_query

WATCH = """package conf

// Watch looks for changes of the file behind all links.
// It never returns.
func (c *Conf) Watch() {
	started := make(chan bool)
	go func() {
		started <- true
	}()
	<-started
	before := c.path()
	for {
		now := resolveSymlink(c.path())
		if now != before {
			c.reload()
		}
		before = now
	}
}

// Watch looks for changes.
func Watch() { shared.Watch() }

var LIMITS = map[string]int{
	"small": 10,
	"medium": 100,
	"large": 1000,
}
"""
LEDGER = '''def close_the_year(ledger):
    """Add up each account, and carry what is left into the next year."""
    return {name: sum(lines) for name, lines in ledger.items()}


def read_amount(text):
    return int(text.replace(".", ""))
'''
CASES = """import { parse } from './parse';

function make(kind) {
  return { kind };
}

test('a coupon is refused after its last day', () => {
  const coupon = make('spring');
  expect(parse(coupon, '2020-01-02')).toBe(null);
});
"""
FILES = {
    "conf/watch.go": WATCH,
    "books/ledger.py": LEDGER,
    "shop/coupon.test.js": CASES,
    "docs/testing.md": "# Testing\n\n## Run the tests\n\nCall `make check` before each push.\n",
}
Commit = Callable[..., str]


@pytest.fixture
def memory(repo: Path, commit: Commit, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")
    commit(repo, FILES, message="Lay down the first modules")
    commit(
        repo,
        {"books/ledger.py": "# Accounts.\n\n" + LEDGER},
        message="Fix the ledger of the year\n\nThe accounts were closed twice.\n\nSigned-off-by: Ada <ada@example.org>",
    )
    subprocess.run(
        [sys.executable, "-m", "cortex", "init", "--no-history"], cwd=repo, check=True, capture_output=True
    )
    with Session.open(repo, daemon=False) as opened:
        yield opened


@pytest.mark.parametrize("form", ["what does {} do?", "fix a bug in {}", "rename {} and update the ledger"])
def test_what_is_named_comes_first(memory: Session, form: str):
    for name, place in (("read_amount", "books/ledger.py:8"), ("Conf.Watch", "conf/watch.go:5")):
        first = memory.recall(form.format(name), sources="code,history")["memories"][0]
        assert first["id"] == place


@pytest.mark.parametrize("path", sorted(FILES))
def test_of_a_file_that_is_named_something_comes_first(memory: Session, path: str):
    for form in ("what is in {}?", "tidy {}"):
        assert memory.recall(form.format(path), sources="code,history")["memories"][0]["path"] == path


def test_a_name_that_fits_many_points_at_none():
    asked = read_query("what does `get` do?")
    names = [f"Box{number}.get" for number in range(codesignals.FEW + 1)]
    paths = [f"a{number}.py" for number in range(codesignals.FEW + 1)]
    called = {"get": range(len(names))}
    assert not codesignals.pointed(asked, names, paths, called).any()
    few = {"get": range(codesignals.FEW)}
    assert codesignals.pointed(asked, names[1:], paths[1:], few).tolist() == [2] * codesignals.FEW
    both = codesignals.pointed(read_query("what does `get` in a3.py do?"), names[1:], paths[1:], few)
    assert both.tolist() == [2, 2, 3, 2, 2, 2], "a file that is named too comes before the others"


@pytest.mark.parametrize(
    "text", ["fix it", "make it faster", "update the docs", "add tests", "clean up the code", "and then?"]
)
def test_what_fits_anything_gets_no_answer_and_is_told_why(memory: Session, text: str):
    told = memory.recall(text, sources="code,history", explain=True)
    assert told["abstained"] and any("names no function" in note for note in told["notes"])
    assert told["explanation"]["understood"]["asks"] == ["nothing"]
    assert {each["reason"] for each in told["explanation"]["left"]} <= {"vague"}
    printed = render.ask(told, lambda _, text: text)
    assert "Nothing in memory, code or history is close enough" in printed


def test_how_tests_are_run_is_a_question(memory: Session):
    told = memory.recall("how do I run the tests?", sources="code,history")
    assert told["memories"][0]["path"] == "docs/testing.md"
    assert all(each["kind"] != "commit" for each in told["memories"]), "any commit could hold such words"


@pytest.mark.parametrize(
    ("text", "past", "place", "testing"),
    [
        ("why was the ledger closed twice?", True, False, False),
        ("when did we drop the coupon?", True, False, False),
        ("which commit changed the limits?", True, False, False),
        ("why does it no longer return?", True, False, False),
        ("where are the limits?", False, True, False),
        ("which function reads an amount?", False, True, False),
        ("how do we test the coupons?", False, True, True),
        ("add a limit", False, False, False),
    ],
)
def test_what_is_asked_for(text: str, past: bool, place: bool, testing: bool):
    asked = read_query(text)
    assert (asked.past, asked.place, asked.testing) == (past, place, testing)


def test_where_the_past_is_asked_for_commits_come_first(memory: Session):
    kinds = [
        memory.recall(text, sources="code,history")["memories"][0]["kind"]
        for text in ("why was the ledger of the year fixed?", "where is the year of the ledger closed?")
    ]
    assert kinds == ["commit", "function"]


def test_tables_and_cases_between_functions_are_found(memory: Session):
    found = {unit.name: unit for unit in passages("conf/watch.go", WATCH.encode()) if unit.kind == "lines"}
    assert list(found) == ["LIMITS"] and found["LIMITS"].first == 24
    wish = "how do we test that a coupon is refused after its last day?"
    case = memory.recall(wish, sources="code")["memories"][0]
    assert (case["kind"], case["path"], case["line"]) == ("lines", "shop/coupon.test.js", 7)
    assert case["title"] == "a coupon is refused after its last day"


def test_imports_comments_and_brackets_are_no_place_of_their_own():
    code = b"// Copyright\n// All rights\n\nimport { a } from './a';\nimport b from 'b';\n\nfunction c() {}\n"
    assert [unit.name for unit in passages("c.js", code)] == ["c"]


def test_of_a_long_function_the_lines_that_tell_are_shown(memory: Session):
    told = memory.recall("reload when the symlink of the file changes", sources="code")
    context = told["context"]
    assert "conf/watch.go:5 Conf.Watch" in context
    assert "| // Watch looks for changes of the file behind all links." in context
    assert f"    | {CUT}\n" in context and "resolveSymlink" in context
    assert "conf/watch.go:22 Watch" not in context, "what only calls the other of its name is no second place"


def test_lines_that_tell():
    lines = ["def f():", "    a", "    b", "    c", "    wanted", "    d"]
    assert telling(lines, 6, ["want"]) == lines
    assert telling(lines, 4, ["want"]) == ["def f():", CUT, "    c", "    wanted"]
    assert telling(lines, 4, []) == lines[:4] and telling(lines, 0, ["want"]) == []


def test_a_commit_names_its_places_as_they_stand_now(memory: Session, repo: Path, commit: Commit):
    commit(repo, {"books/ledger.py": "# Accounts.\n\n\n\n\n\n" + LEDGER}, message="Leave room")
    context = memory.recall("why was the ledger of the year fixed?", sources="code,history")["context"]
    first = context.splitlines()[1]
    assert first.startswith("- commit") and "books/ledger.py:3" not in first
    assert "Signed-off-by" not in context and "The accounts were closed twice." in context


def test_what_was_taken_back_comes_behind_what_took_it_back(memory: Session, repo: Path, commit: Commit):
    subject = "Round the amounts of the ledger up (#12)"
    commit(repo, {"books/ledger.py": LEDGER.replace("sum", "up")}, message=subject)
    back = commit(repo, {"books/ledger.py": LEDGER}, message=f'Revert "{subject}" (#14)')
    told = memory.recall("round the amounts of the ledger up", sources="history")["memories"]
    assert [each["title"] for each in told[:2]] == [f'Revert "{subject}" (#14)', subject]
    assert told[0]["id"] == back and sum(told[0]["why"].values()) == pytest.approx(told[0]["score"], abs=1e-4)


def test_a_description_does_not_point_at_what_it_names():
    names, paths, called = ["get", "get_async"], ["a.py", "a.py"], {"get": [0], "get_async": [1]}
    assert not codesignals.pointed(read_query("Like `get`, but asynchronous."), names, paths, called).any()
    for text in ("how does `get` wait?", "fix a crash in `get`", "the answer of `get` is wrong"):
        assert codesignals.pointed(read_query(text), names, paths, called).tolist() == [2, 0]


def test_what_was_passed_over_is_told_where_something_is_missing():
    answer = {
        "context": "- a.py:1 a",
        "memories": [],
        "tokens": 3,
        "abstained": False,
        "timings_ms": {"search": 1.0},
    }
    answer |= {
        "task": {"type": "question", "confidence": 1.0},
        "notes": ["passed over: 1 binary", "history is being read"],
    }
    told = render.ask(answer, lambda _, text: text)
    assert "history is being read" in told and "passed over" not in told
    for shown in (
        render.ask(answer, lambda _, text: text, "why"),
        render.ask(answer | {"abstained": True}, lambda _, text: text),
    ):
        assert "passed over: 1 binary" in shown


@pytest.mark.parametrize("part", ["a", "_a", "a-", "a.", "a/", "is x ", "Ab", "`a", "f(", "please it "])
def test_odd_questions_are_read_at_once(part: str):
    started = time.process_time()
    read_query(part * (20_000 // len(part)))
    assert time.process_time() - started < 0.5  # a tenth of that, where no pattern goes back and forth

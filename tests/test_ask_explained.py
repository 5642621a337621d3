"""`ask --explain`: how a question was read, what each feature gave, what fell short; and what is noted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from cortex.cli.explained import columns, explained
from cortex.cli.render import Paint
from cortex.daemon.contracts import asking
from cortex.daemon.session import Session
from cortex.learning.rules import heeding
from cortex.recall import explanation
from cortex.recall.ranking import Ranked, Weights
from cortex.store.fold import View
from cortex.store.items import Item
from cortex.store.kinds import Exposure

RETRY = '''import time


def call_with_backoff(send, attempts=5):
    """Send a request again after a growing pause until it succeeds."""
    for number in range(attempts):
        try:
            return send()
        except ConnectionError:
            time.sleep(2**number)
    raise ConnectionError("gave up")
'''
NOTES = (
    "Requests are sent again with a growing pause, never at once.",
    "Times are stored in UTC, as integers in milliseconds.",
    "Session cookies are signed with the key of the deployment.",
)
QUESTION = "send a request again with a growing pause"
Commit = Callable[..., str]


@pytest.fixture
def memory(repo: Path, commit: Commit, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")
    commit(repo, {"net/retry.py": RETRY}, message="Send requests again after a growing pause")
    done = [sys.executable, "-m", "cortex", "init", "--no-history"]
    subprocess.run(done, cwd=repo, check=True, capture_output=True)
    with Session.open(repo, daemon=False) as opened:
        for text in NOTES:
            opened.remember(text)
        yield opened


def said(memory: Session, question: str, width: int = 80, **more: Any) -> list[str]:
    """What is printed of an explanation."""
    result = memory.recall(question, explain=True, **more)
    return explained(result, Paint(sys.stdout, {"NO_COLOR": "1"}), width).splitlines()


def noted(memory: Session) -> list[Exposure]:
    """The exposure records, the oldest first."""
    return [body for record in memory.records() if isinstance(body := record.decoded(), Exposure)]


def test_nothing_is_explained_unless_it_is_asked_for(memory: Session):
    assert memory.recall(QUESTION)["explanation"] is None


@pytest.mark.parametrize("sources", ["memories", "memories,code,history", "code"])
def test_an_explanation_keeps_its_contract(memory: Session, sources: str):
    answer = memory.recall(QUESTION, sources=sources, explain=True)
    told = answer["explanation"]
    assert told is not None and set(told) == set(get_type_hints(asking.Explanation))
    assert set(told["understood"]) == set(get_type_hints(asking.Understanding))
    assert [each["id"] for each in told["shown"]] == [each["id"] for each in answer["memories"]]
    for shown in told["shown"]:
        assert set(shown) == set(get_type_hints(asking.Measured))
        assert shown["had"] >= shown["needed"] > 0
    for left in told["left"]:
        assert set(left) == set(get_type_hints(asking.LeftOut))
        assert sum(left["why"].values()) == pytest.approx(left["score"], abs=1e-4)
        assert (left["had"] < left["needed"]) == (left["reason"] == "weak")
    json.dumps(answer)


def test_an_abstention_says_what_was_nearest_and_what_it_lacked(memory: Session):
    answer = memory.recall("rotate the tyres of the delivery van", explain=True)
    told = answer["explanation"]
    assert answer["abstained"] and told is not None
    assert len(told["left"]) == len(NOTES)
    assert told["needed"]["evidence"] == pytest.approx(Weights().threshold(len(NOTES)))
    lines = said(memory, "rotate the tyres of the delivery van")
    nearest = told["left"][0]
    assert any(nearest["title"][:40] in line for line in lines)
    short = f"{nearest['needed'] - nearest['had']:.3f} short of {nearest['needed']:.3f}"
    assert short in " ".join(" ".join(lines).split())


def test_how_the_question_was_read_is_said(memory: Session):
    told = memory.recall("fix `call_with_backoff` in net/retry.py for Python", explain=True)["explanation"]
    assert told is not None
    read = told["understood"]
    assert read["symbols"] == ["call_with_backoff"] and read["paths"] == ["net/retry.py"]
    assert (read["kind"], read["named"], read["languages"]) == ("code", ["python"], [])
    called = memory.recall("how do we call requests.get?", explain=True)["explanation"]
    assert called is not None
    assert (called["understood"]["symbols"], called["understood"]["paths"]) == (["requests.get"], [])
    filtered = memory.recall("dial", path="net/retry.py", explain=True)["explanation"]
    assert filtered is not None and filtered["understood"]["languages"] == ["python"]
    assert filtered["understood"]["file"] == "net/retry.py"


def test_a_word_without_end_does_not_fill_the_explanation(memory: Session):
    told = memory.recall(f"pause {'a' * 5_000} again", explain=True)["explanation"]
    assert told is not None and max(len(word) for word in told["understood"]["words"]) <= 80


@pytest.mark.parametrize("width", [40, 50, 80])
def test_no_line_is_wider_than_the_terminal_and_the_table_adds_up(memory: Session, width: int):
    memory.remember(
        "Züge und 日本語の長い題名は端末の幅を超えてはならないので切り詰めて表示する request pause again growing"
    )
    lines = said(memory, QUESTION, width, sources="memories,code,history")
    from unicodedata import east_asian_width

    assert max(sum(1 + (east_asian_width(c) in "WF") for c in line) for line in lines) <= width
    rows = [line.split() for line in lines]
    total, sums = 0.0, []
    for line, row in zip(lines, rows, strict=True):
        if (
            line[:2] == "  "
            and len(row) > 1
            and line[14:15] in "+-" + " "
            and line[16:20].strip()[:1].isdigit()
        ):
            number = float(line[14:21])
            if "= score" in line:
                sums.append((total, number))
                total = 0.0
            elif "█" in line or "░" in line:
                total += number
    assert sums and all(made == pytest.approx(score, abs=0.006) for made, score in sums)


def test_an_explanation_cannot_move_the_cursor(memory: Session):
    memory.remember(
        "A growing pause \x1b[2J again before a request is sent", title="pause\x1b[2J again request"
    )
    assert not any("\x1b" in line for line in said(memory, QUESTION))


def test_the_width_is_that_of_the_environment_within_bounds():
    assert columns({"COLUMNS": "50"}) == 50
    assert columns({"COLUMNS": "7"}) == 40
    assert columns({"COLUMNS": "1000"}) == 100
    assert 40 <= columns({"COLUMNS": "wide"}) <= 100


def test_the_gate_that_is_told_is_the_one_that_closed():
    weights, item = Weights(), Item("a", "a", "note")
    least = explanation.Bars(0.4, 1.0, weights)
    turned_away = {
        "evidence": {"similarity": 0.2, "words": 0.1},
        "similarity": {"similarity": 0.01, "words": 0.5},
        "words": {"similarity": 0.6, "words": 0.01},
        "score": {"similarity": 0.5, "words": 0.2},
    }
    for measure, why in turned_away.items():
        gate = explanation.gate(Ranked(item, 0.2, why, "weak"), least)
        assert gate.measure == measure and gate.had < gate.needed
    tied = Ranked(item, 0.0, {"similarity": 0.1, "words": 0.0, "graph": 0.45})
    assert explanation.gate(tied, least).had == pytest.approx(0.55)


def test_what_is_found_in_code_and_history_leaves_a_record(memory: Session, repo: Path):
    answer = memory.recall(QUESTION, sources="code,history")
    last = noted(memory)[-1]
    assert (last.channel, last.abstained, last.tokens) == ("python", False, answer["tokens"])
    shown = [each for each in last.items if each.rank]
    assert [each.rank for each in shown] == list(range(1, len(answer["memories"]) + 1))
    place = next(each for each in shown if each.source == "code")
    assert (place.memory, place.path, place.line) == ("", "net/retry.py", 4)
    blob = subprocess.run(
        ["git", "rev-parse", "HEAD:net/retry.py"], cwd=repo, check=True, capture_output=True, text=True
    ).stdout.strip()
    assert place.blob == blob and place.last >= place.line and dict(place.features)["chance"] > 0
    commit = next(each for each in last.items if each.source == "history")
    assert commit.memory == "" and len(commit.commit) == 40 and commit.path == ""


def test_one_answer_leaves_one_record_with_all_that_it_showed(memory: Session, repo: Path):
    before = len(noted(memory))
    answer = memory.recall(QUESTION, sources="memories,code,history")
    records = noted(memory)
    assert len(records) == before + 1
    shown = [each for each in records[-1].items if each.rank]
    assert [each.memory or f"{each.path}:{each.line}" for each in shown if not each.commit] == [
        each["id"] for each in answer["memories"] if each["kind"] != "commit"
    ]
    assert {each.source for each in shown} >= {"", "code"}


def test_places_that_were_shown_are_no_warnings(memory: Session):
    memory.recall(QUESTION, sources="code,history")
    view = View(memory.records())
    assert list(view.of_kind(Exposure.KIND)) and heeding.shown(view, "", 0) == {}
    writer = next(record.w for record in view.of_kind(Exposure.KIND))
    assert heeding.shown(view, writer, 0) == {} and dict(heeding.answered(view, writer)) == {}


def test_the_command_explains_in_words_and_as_data(memory: Session, repo: Path):
    run = [sys.executable, "-m", "cortex", "ask", "--explain", QUESTION]
    environment = {**os.environ, "COLUMNS": "60", "NO_COLOR": "1"}
    words = subprocess.run(run, cwd=repo, env=environment, check=True, capture_output=True, text=True).stdout
    assert "How it was looked for" in words and "= score" in words and "Left out" in words
    data = subprocess.run(
        [*run, "--json"], cwd=repo, env=environment, check=True, capture_output=True, text=True
    )
    assert json.loads(data.stdout)["explanation"]["shown"]


def test_the_two_sides_of_a_long_line_are_shown_where_they_differ(memory: Session):
    result = memory.recall(QUESTION, explain=True)
    long = "exit_status, output = run_the_command(the_command_that_was_given, error_print=self.io.tool_error"
    one = {
        "commit": "",
        "path": "a.py",
        "author": "",
        "time": 0,
        "before": f"    {long})",
        "after": f"    {long}, cwd=here)",
    }
    result["memories"][0]["evidence"] = [one]  # type: ignore[list-item]
    lines = explained(result, Paint(sys.stdout, {"NO_COLOR": "1"}), 60).splitlines()
    sides = [line.strip() for line in lines if line.strip()[:2] in ("- ", "+ ")]
    assert len(sides) == 2 and "cwd=here" in sides[1] and sides[0][2:] != sides[1][2:]
    assert all(len(line) <= 60 for line in lines)

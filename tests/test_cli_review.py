"""`cortex review`: a few corrections, one key each, on a real terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cortex.daemon.session import Session
from cortex.store.kinds import MILLION, Correction, Feedback
from cortex.store.record import Draft

NOW = int(time.time() * 1000)


@pytest.fixture
def store(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with three unsure corrections, and one that is surely the feature going on."""
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")
    subprocess.run([sys.executable, "-m", "cortex", "init"], cwd=repo, check=True, capture_output=True)
    with Session.open(repo, daemon=False) as session:
        journal = session.engine._state.journal
        journal.append(
            [
                Draft(_correction("fetch(url)", "get(url)", "", 500_000, committed=NOW), m="a" * 32),
                Draft(_correction("total", "count", "", 560_000, committed=NOW), m="b" * 32),
                Draft(_correction("x = f()\ny", "x = g()\ny", "bug", 550_000, committed=NOW), m="c" * 32),
                Draft(_correction("one()", "two()", "evolution", 990_000, committed=NOW), m="d" * 32),
            ]
        )
    return repo


def _correction(before: str, after: str, category: str, confidence: int, committed: int = 0) -> Correction:
    return Correction(
        before=before,
        after=after,
        path="app/\x1b[2Jnet.py",
        line=7,
        language="python",
        category=category,
        confidence=confidence,
        hand="person",
        commit="c" * 40,
        committed=committed,
        subject="Tidy the client",
    )


class Terminal:
    """A command with a terminal of its own."""

    def __init__(self, cwd: Path, *words: str) -> None:
        self.pid, self._end = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.environ["TERM"] = "xterm-256color"
            os.execv(sys.executable, [sys.executable, "-m", "cortex", *words])
        self.text = ""

    def until(self, word: str, most: float = 30.0) -> str:
        """What is printed up to the next `word`, which is taken off."""
        end = time.monotonic() + most
        while word not in self.text:
            assert time.monotonic() < end, f"no {word!r} in {self.text!r}"
            if not self._read():
                break
        found, _, self.text = self.text.partition(word)
        return found

    def press(self, key: str) -> None:
        os.write(self._end, key.encode())

    def close(self) -> tuple[str, int]:
        """The rest, and the exit status."""
        while self._read(2.0):
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self._end)
        return self.text, os.waitstatus_to_exitcode(status)

    def _read(self, most: float = 0.2) -> bool:
        if not select.select([self._end], [], [], most)[0]:
            return most < 1
        try:
            data = os.read(self._end, 65_536)
        except OSError:  # Linux says so when the other side is closed
            return False
        self.text += data.decode("utf-8", "replace")
        return bool(data)


def answers(repo: Path) -> dict[str, tuple[str, int]]:
    with Session.open(repo, daemon=False) as session:
        view = session.engine._state.view()
        found = {}
        for record in view.of_kind("correction"):
            body = record.decoded()
            assert isinstance(body, Correction)
            found[record.m[0]] = (body.category, body.confidence)
        return found


def feedbacks(repo: Path) -> list[Feedback]:
    with Session.open(repo, daemon=False) as session:
        bodies = [record.decoded() for record in session.engine._state.view().of_kind("feedback")]
        return [body for body in bodies if isinstance(body, Feedback)]


def test_each_key_is_an_answer_that_wins_over_the_guess(store: Path) -> None:
    terminal = Terminal(store, "review")
    first = terminal.until("quit")
    assert "1 of 3" in first and "Tidy the client" in first and "unsure: 50%" in first
    assert "\x1b[2J" not in first and "\x1b[31m" in first and "\x1b[32m" in first
    terminal.press("p")
    second = terminal.until("quit")
    assert "preference" in second and "2 of 3" in second and "unsure: 56%" in second
    terminal.press("k")
    assert "guessed: bug, 55% sure" in terminal.until("quit")
    terminal.press("e")
    rest, status = terminal.close()
    assert status == 0 and "2 answers kept" in rest and "1 correction unsure" in rest
    assert answers(store)["a"] == ("preference", MILLION)
    assert answers(store)["c"] == ("evolution", MILLION)
    assert answers(store)["b"] == ("", 560_000)
    told = {each.of[0]: each for each in feedbacks(store)}
    assert (told["c"].category, told["c"].guess, told["c"].guessed) == ("evolution", "bug", 550_000)
    listed = _cortex(store, "log", "--json", "--limit", "0")
    assert {each["id"][0]: each["category"] for each in listed["memories"]} == {"a": "preference", "b": ""}


def test_an_answer_can_be_taken_back(store: Path) -> None:
    terminal = Terminal(store, "review")
    assert "undo" not in terminal.until("quit")
    terminal.press("b")
    assert "undo" in terminal.until("quit")
    terminal.press("u")
    assert "taken back" in terminal.until("quit")
    terminal.press("q")
    rest, status = terminal.close()
    assert status == 0 and "nothing was answered" in rest
    assert answers(store)["a"] == ("", 500_000)
    assert [each["id"][0] for each in _cortex(store, "review", "--json")["corrections"]] == ["a", "b", "c"]


def test_the_keys_are_explained(store: Path) -> None:
    terminal = Terminal(store, "review", "--limit", "1")
    terminal.until("quit")
    terminal.press("?")
    assert "another way that this project wants" in terminal.until("after Ctrl-C")
    terminal.press("x")
    terminal.until("? shows what the keys mean")
    terminal.press("u")
    terminal.until("there is no answer to take back")
    terminal.press("q")
    assert terminal.close()[1] == 0


@pytest.mark.parametrize("end", ["\x03", "\x04", "signal"])
def test_nothing_is_lost_when_it_is_broken_off(store: Path, end: str) -> None:
    terminal = Terminal(store, "review")
    terminal.until("quit")
    terminal.press("s")
    terminal.until("quit")
    if end == "signal":
        os.kill(terminal.pid, signal.SIGINT)
    else:
        terminal.press(end)
    rest, status = terminal.close()
    assert status == 0 and "1 answer kept" in rest
    assert answers(store)["a"] == ("style", MILLION)


def test_without_a_terminal_it_says_what_to_do(store: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "cortex", "review"], cwd=store, capture_output=True, text=True, check=False
    )
    assert run.returncode == 2 and "cortex review --json" in run.stderr
    listed = _cortex(store, "review", "--json")
    assert listed["total"] == 3 and [each["id"][0] for each in listed["corrections"]] == ["a", "b", "c"]
    assert listed["corrections"][0]["commits"] == 1


def test_what_was_answered_elsewhere_is_not_asked_again(store: Path) -> None:
    _cortex(store, "feedback", "aaaa", "--category", "bug", "--json")
    assert "a" not in [each["id"][0] for each in _cortex(store, "review", "--json")["corrections"]]


def test_with_nothing_to_ask_it_says_so(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")
    subprocess.run([sys.executable, "-m", "cortex", "init"], cwd=repo, check=True, capture_output=True)
    run = subprocess.run(
        [sys.executable, "-m", "cortex", "review"], cwd=repo, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0 and "Nothing is unsure" in run.stdout


def _cortex(repo: Path, *words: str) -> dict:
    run = subprocess.run(
        [sys.executable, "-m", "cortex", *words], cwd=repo, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)

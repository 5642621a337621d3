"""A question that finds no daemon: what its process loads, and that it ends without a word too many."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = "Sign session cookies with the key of the settings, never with a constant."
#: What takes long to import, and is for other commands, other sources or other texts.
OTHERS = (
    *("detect_secrets", "requests", "duckdb", "tokenizers", "pathspec", "sqlite_utils", "ast_grep_py"),
    *(
        "cortex.daemon.guarding",
        "cortex.daemon.noticing",
        "cortex.daemon.teaching",
        "cortex.daemon.searching",
    ),
    *("cortex.daemon.process", "cortex.recall.codesearch", "cortex.hooks.standing"),
)
LOADED = f"""
import json, sys
from cortex.cli.entry import main
status = main(sys.argv[1:])
print(json.dumps([status, [each for each in {OTHERS} if each in sys.modules]]))
"""


@pytest.fixture
def asked(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one memory, where no daemon runs and none is started."""
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")
    for words in (["init", "--no-history", str(repo)], ["remember", "-C", str(repo), TEXT]):
        cortex("-m", "cortex", *words)
    monkeypatch.delenv("CORTEX_NO_DAEMON")
    config = repo / ".cortex" / "config.toml"
    config.write_text(config.read_text().replace("# autostart = true ", "autostart = false "))
    return repo


def cortex(*words: str) -> str:
    """What a process of Python says on standard output; it says nothing else."""
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_question_with_no_daemon_loads_nothing_that_it_does_not_need(asked: Path) -> None:
    question = ("ask", "-C", str(asked), "--json", "how are session cookies signed?")
    cortex("-c", LOADED, *question)  # the kept rules are noted by now
    *said, last = cortex("-c", LOADED, *question).splitlines()
    answer = json.loads("\n".join(said))
    assert json.loads(last) == [0, []]
    assert [each["title"] for each in answer["memories"]] == [TEXT] and answer["tokens"] > 10


@pytest.mark.parametrize(
    "words", [["ask", "cookies"], ["ask", "--in", "code,history", "x"], ["status"], ["check"]]
)
def test_a_command_with_no_daemon_ends_without_a_word_on_standard_error(
    asked: Path, words: list[str]
) -> None:
    assert cortex("-m", "cortex", words[0], "-C", str(asked), *words[1:])


def test_what_was_noted_for_the_next_process_changes_no_answer(asked: Path) -> None:
    question = ("-m", "cortex", "ask", "-C", str(asked), "--json", "how are session cookies signed?")
    notes = Path(os.environ["CORTEX_HOME"]) / "kept-rules.json"
    notes.unlink(missing_ok=True)
    first, second = (json.loads(cortex(*question)) for _ in range(2))
    assert notes.is_file() and first["context"] == second["context"] != ""
    assert first["tokens"] == second["tokens"]

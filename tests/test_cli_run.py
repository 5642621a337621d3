"""`cortex run` and `cortex record --tests`: a command runs as if Cortex were not there, and how it went is noted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cortex.analyzers.junit import read_junit
from cortex.daemon.session import Session
from cortex.repo.errors import UsageError
from cortex.store.kinds import Execution, Outcome, Trial

CODE = "def f(path):\n    return open(path).read()\n"
JUNIT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="s" tests="4">
<testcase classname="tests.a" name="one" time="0.25"/>
<testcase classname="tests.a" name="two" time="0.5"><failure message="no">text</failure></testcase>
<testcase classname="tests.a" name="three"><skipped/></testcase>
<testcase classname="tests.a" name="four"><system-out>x</system-out></testcase>
</testsuite></testsuites>
"""


def cortex(repo: Path, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cortex", *words],
        cwd=repo,
        env={**os.environ, "CORTEX_NO_DAEMON": "1"},
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


@pytest.fixture
def ready(repo: Path) -> Path:
    assert cortex(repo, "init", "--no-history").returncode == 0
    return repo


def bodies(repo: Path, kind: type) -> list[Any]:
    with Session.open(repo, daemon=False) as memory:
        view = memory.engine._state.view()
        return [record.decoded() for record in view.of_kind(kind.KIND)]  # type: ignore[attr-defined]


def generate(repo: Path, path: str = "a.py", task: str = "read a file") -> str:
    with Session.open(repo, daemon=False) as memory:
        return memory.record(path, CODE, task=task, conversation="c", prompt=task)["generation"]


def test_a_command_keeps_its_output_its_input_and_its_exit_status(ready: Path) -> None:
    script = "import sys; print(sys.stdin.read().upper(), end=''); print('err', file=sys.stderr); sys.exit(7)"
    done = cortex(ready, "run", "--", sys.executable, "-c", script, input="abc")
    assert (done.returncode, done.stdout, done.stderr) == (7, "ABC", "err\n")


def test_a_command_that_ends_by_a_signal_ends_us_by_the_same(ready: Path) -> None:
    done = cortex(ready, "run", "--", "sh", "-c", "kill -TERM $$")
    assert done.returncode == -signal.SIGTERM


def test_a_signal_to_us_reaches_the_command(ready: Path) -> None:
    script = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('told', flush=True), sys.exit(5)))\n"
        "print('ready', flush=True)\ntime.sleep(60)\n"
    )
    running = subprocess.Popen(
        [sys.executable, "-m", "cortex", "run", "--", sys.executable, "-c", script],
        cwd=ready,
        env={**os.environ, "CORTEX_NO_DAEMON": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None and running.stdout.readline() == "ready\n"
    running.send_signal(signal.SIGTERM)
    assert running.communicate(timeout=60)[0] == "told\n" and running.returncode == 5


def test_a_signal_of_the_terminal_is_left_to_the_command(ready: Path) -> None:
    script = (
        "import time\nprint('ready', flush=True)\n"
        "try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    raise SystemExit(9)"
    )
    running = subprocess.Popen(
        [sys.executable, "-m", "cortex", "run", "--", sys.executable, "-c", script],
        cwd=ready,
        env={**os.environ, "CORTEX_NO_DAEMON": "1"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stdout is not None and running.stdout.readline() == "ready\n"
    time.sleep(0.2)
    os.killpg(running.pid, signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode == 9


@pytest.mark.parametrize(("word", "status"), [("no-such-command-here", 127), ("./README.md", 126)])
def test_a_command_that_cannot_be_started_says_so_as_a_shell_does(
    ready: Path, word: str, status: int
) -> None:
    done = cortex(ready, "run", "--", word)
    assert done.returncode == status and word in done.stderr
    assert not bodies(ready, Trial)


def test_how_it_went_is_noted_for_what_was_generated_since_the_last_commit(ready: Path, commit: Any) -> None:
    made = generate(ready)
    assert cortex(ready, "run", "--", "sh", "-c", "exit 3").returncode == 3
    (trial,) = bodies(ready, Trial)
    assert (trial.source, trial.status, trial.generations) == ("run", 3, (made,))
    (execution,) = bodies(ready, Execution)
    assert execution.tests == "failed" and execution.task == "read a file"
    assert cortex(ready, "run", "--", "true").returncode == 0
    (execution,) = bodies(ready, Execution)
    assert execution.tests == "passed"
    with Session.open(ready, daemon=False) as memory:
        commit(ready, {"a.py": CODE})
        memory.learn()
    (outcome,) = bodies(ready, Outcome)
    assert outcome.verdict == "accepted" and outcome.tests > 0 and outcome.reward > outcome.diff


def test_nothing_is_noted_where_nothing_was_generated_and_outside_a_repository(
    ready: Path, tmp_path: Path
) -> None:
    assert cortex(ready, "run", "--", "true").returncode == 0
    assert not bodies(ready, Trial)
    plain = tmp_path / "plain"
    plain.mkdir()
    done = cortex(plain, "run", "--", "sh", "-c", "echo hi; exit 4")
    assert (done.returncode, done.stdout, done.stderr) == (4, "hi\n", "")
    assert list(plain.iterdir()) == []


def test_tests_that_fail_after_the_commit_change_its_reward(ready: Path, commit: Any) -> None:
    generate(ready)
    with Session.open(ready, daemon=False) as memory:
        commit(ready, {"a.py": CODE})
        memory.learn()
    (before,) = bodies(ready, Outcome)
    (ready / "report.xml").write_text(JUNIT)
    done = cortex(ready, "record", "--tests", "report.xml", "--json")
    told = json.loads(done.stdout)
    assert (told["result"], told["passed"], told["failed"], told["skipped"]) == ("failed", 2, 1, 1)
    assert told["paths"] == ["a.py"] and told["generations"] == 1
    with Session.open(ready, daemon=False) as memory:
        memory.learn()
    (after,) = bodies(ready, Outcome)
    assert after.tests < 0 and after.reward < before.reward and after.verdict == before.verdict
    (trial,) = bodies(ready, Trial)
    assert trial.failing == ("tests.a::two",) and trial.duration == 750


def test_a_path_and_a_conversation_narrow_what_tests_speak_of(ready: Path) -> None:
    first, second = generate(ready, "a.py", "one"), generate(ready, "b.py", "two")
    (ready / "report.xml").write_text(JUNIT)
    cortex(ready, "record", "--tests", "report.xml", "--path", "b.py")
    (trial,) = bodies(ready, Trial)
    assert trial.generations == (second,) != (first,)
    done = cortex(ready, "record", "--tests", "report.xml", "--conversation", "another")
    assert done.returncode == 0 and "nothing is noted" in done.stdout


def test_trials_and_reasons_never_leave_the_machine() -> None:
    from cortex.store.kinds import Reason, is_private

    assert is_private(Trial()) and is_private(Reason())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        b"<html/>",
        b"<testsuite/>",
        b"<testsuite><testcase></testsuite>",
        b'<!DOCTYPE t [<!ENTITY a "b">]><testsuite><testcase name="&a;"/></testsuite>',
        b'<!DOCTYPE t SYSTEM "other.dtd"><testsuite><testcase/></testsuite>',
        b"<testsuite>" + b"<a>" * 200 + b"</a>" * 200 + b"<testcase/></testsuite>",
        b'<?xml version="1.0" encoding="no-such"?><testsuite><testcase/></testsuite>',
        b"\xff\xfe\x00<\x00t",
    ],
)
def test_what_is_no_report_or_is_not_safe_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError):
        read_junit(data)


def test_a_report_is_counted_by_its_cases() -> None:
    found = read_junit(JUNIT.encode())
    assert (found.passed, found.failed, found.errors, found.skipped, found.duration) == (2, 1, 0, 1, 750)
    odd = b'<testsuite><testcase name="a" time="nan"><error/><failure/></testcase></testsuite>'
    assert (read_junit(odd).errors, read_junit(odd).failed, read_junit(odd).duration) == (1, 0, 0)

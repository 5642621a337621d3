"""The contracts: what is printed has the fields that are promised, and the page names each of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from cortex.daemon import contracts
from cortex.daemon.contracts import asking, checking, keeping, ruling
from cortex.daemon.session import Session

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "contracts.md").read_text(encoding="utf-8")
MISTAKE = "import requests\n\n\ndef {name}({arg}):\n    return requests.get({call}).json()\n"


def run(repo: Path, *words: str, stdin: str = "") -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "cortex", *words, "--json"],
        cwd=repo,
        input=stdin,
        env={**os.environ, "CORTEX_NO_DAEMON": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def taught(repo: Path, commit: Any) -> Path:
    """A repository in which three corrections of one kind have become a rule that warns."""
    run(repo, "init", "--no-history")
    with Session.open(repo, daemon=False) as memory:
        for number, (name, arg, call) in enumerate(
            (("a", "url", "url"), ("b", "page", "page"), ("c", "x", "x + '/y'"))
        ):
            wrote = MISTAKE.format(name=name, arg=arg, call=call)
            memory.record(f"m{number}.py", wrote, task="fetch a page")
            corrected = wrote.replace(f"get({call})", f"get({call}, timeout=10)")
            commit(repo, {f"m{number}.py": corrected}, message=f"Add {name}")
            memory.learn()
    (repo / "m9.py").write_text(MISTAKE.format(name="d", arg="q", call="q"))
    subprocess.run(["git", "add", "m9.py"], cwd=repo, check=True)
    return repo


def fits(value: Any, shape: Any) -> None:
    """Whether a dictionary has exactly the fields of a TypedDict, of the right types."""
    hints = get_type_hints(shape)
    assert set(value) == set(hints), shape.__name__
    for name, hint in hints.items():
        if hint in (int, str, bool):
            assert type(value[name]) is hint, (shape.__name__, name)
        elif hint is float:
            assert isinstance(value[name], (int, float)), (shape.__name__, name)


def test_ask_keeps_its_contract(taught: Path):
    answer = run(taught, "ask", "how do we call requests.get?")
    fits(answer, asking.AskResult)
    assert answer["schema"] == 1 and not answer["abstained"] and 0 < answer["tokens"] <= 500
    for memory in answer["memories"]:
        fits(memory, asking.RecalledMemory)
        assert sum(memory["why"].values()) == pytest.approx(memory["score"], abs=1e-4)
        for each in memory["evidence"]:
            fits(each, contracts.Evidence)
    empty = run(taught, "ask", "what is the capital of France?")
    assert empty["abstained"] and empty["context"] == "" and empty["tokens"] == 0 and empty["memories"] == []


def test_check_keeps_its_contract(taught: Path):
    result = run(taught, "check")
    fits(result, checking.CheckResult)
    (finding,) = result["findings"]
    fits(finding, checking.FindingResult)
    assert (finding["path"], finding["line"], finding["column"]) == ("m9.py", 5, 12)
    assert (finding["support"], finding["status"]) == (3, "active")
    assert finding["before"] == "requests.get(q)" and finding["after"] == "requests.get(q, timeout=10)"
    assert set(finding["backtest"]) == {"matched", "stood", "changed"}
    assert (
        result["patch"] == ""
        and "+    return requests.get(q, timeout=10)" in run(taught, "check", "--patch")["patch"]
    )


def test_fix_and_baseline_keep_their_contract(taught: Path):
    result = run(taught, "fix")
    fits(result, checking.FixResult)
    (file,) = result["files"]
    fits(file, checking.FixedFile)
    fits(file["edits"][0], checking.Edit)
    fits(file["findings"][0], checking.FindingResult)
    assert not result["applied"] and (taught / "m9.py").read_text() == MISTAKE.format(
        name="d", arg="q", call="q"
    )
    written = run(taught, "baseline", "write")
    fits(written, checking.BaselineResult)
    assert written["findings"] == 0 and written["written"] > 0


@pytest.mark.parametrize(
    ("mode", "least", "code"), [("warn", "0.5", 0), ("block", "0.5", 1), ("block", "1", 0)]
)
def test_only_block_mode_ends_with_1_and_only_for_a_rule_that_is_sure_enough(
    taught: Path, mode: str, least: str, code: int
):
    environment = {
        **os.environ,
        "CORTEX_NO_DAEMON": "1",
        "CORTEX_GUARD_MODE": mode,
        "CORTEX_GUARD_BLOCK_CONFIDENCE": least,
    }
    words = [sys.executable, "-m", "cortex", "check"]
    done = subprocess.run(words, cwd=taught, env=environment, capture_output=True, check=False)
    assert done.returncode == code
    assert b"1 finding" in done.stdout


def test_log_and_show_keep_their_contract(taught: Path):
    log = run(taught, "log")
    fits(log, keeping.LogResult)
    for memory in log["memories"]:
        fits(memory, keeping.MemoryResult)
    rule = next(memory for memory in log["memories"] if memory["kind"] == "rule")
    shown = run(taught, "show", rule["id"])
    assert set(rule) | {
        "schema",
        "body",
        "record",
        "conflict",
        "versions",
        "deleted",
        "rule",
        "history",
    } == set(shown)
    assert shown["history"][-1]["to"] == "active" and shown["history"][-1]["support"] == 3


def test_daemon_status_keeps_its_contract(repo: Path):
    done = subprocess.run(
        [sys.executable, "-m", "cortex", "daemon", "status", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert told["pid"] is None and {"schema", "version", "repositories", "queue"} <= set(told)


def test_python_returns_what_the_command_prints(taught: Path):
    with Session.open(taught, daemon=False) as memory:
        answer = memory.recall("how do we call requests.get?")
        fits(answer, asking.AskResult)
        fits(memory.check(text="import requests\nrequests.get(u)\n", language="python"), checking.CheckResult)
        fits(memory.learn(), keeping.LearnResult)
        m = memory.remember("Use UTC for all timestamps.")
        assert m in {record.m for record in memory.records()}


@pytest.mark.parametrize(
    "shape",
    [
        asking.AskResult,
        checking.BaselineEntry,
        checking.BaselineResult,
        checking.CheckResult,
        checking.Edit,
        asking.Explanation,
        checking.FindingResult,
        checking.FixResult,
        checking.FixedFile,
        asking.GraphNode,
        asking.GraphResult,
        asking.LeftOut,
        asking.Measured,
        keeping.MemoryResult,
        checking.OtherResult,
        ruling.RuleEntry,
        ruling.RuleImport,
        ruling.RulePlace,
        ruling.RuleResult,
        ruling.RulesResult,
        ruling.RuleStep,
        ruling.RuleTest,
        asking.Understanding,
    ],
)
def test_the_page_names_every_field(shape: Any):
    for name in get_type_hints(shape):
        assert f"`{name}`" in PAGE, name

"""`cortex status`: what is watched, learnt and pending."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..daemon import process
from . import render
from .frame import command, json_option, repo_option, session, show


@command(
    "status",
    examples="""
cortex status
cortex status --json | jq .problems
""",
    codes=(4,),
)
@json_option
@repo_option
def status(as_json: bool, repo: str) -> None:
    """Show what Cortex watches here, what it has learnt, what waits, and what is wrong."""
    with session(repo) as opened:
        result = dict(opened.call("report"))
    daemon = process.status()
    result["daemon"] = {
        "pid": daemon.pid,
        "used": opened.through_daemon,
        "problem": daemon.problem,
        "starting": daemon.starting,
    }
    if daemon.starting:
        result["problems"] = [*result["problems"], f"the daemon is not ready yet: {_change(daemon)}"]
    elif daemon.problem:
        waits = "hooks spool, and the daemon takes it in when it can be reached"
        result["problems"] = [
            *result["problems"],
            f"the daemon cannot be reached from here ({daemon.problem}): {waits}",
        ]
    elif daemon.pid is None and os.environ.get("CORTEX_NO_DAEMON", "") in ("", "0"):
        why = process.obstacle()
        said = f"no daemon can run: {why}" if why else "the daemon is not running: `cortex daemon start`"
        result["problems"] = [*result["problems"], said]
    show(result, as_json, words)


def words(result: Mapping[str, Any], paint: render.Paint) -> str:
    """The status in words."""
    pid = result["daemon"]["pid"]
    figures = result["figures"]
    rows = [
        ("repository", render.safe(result["repository"])),
        ("daemon", f"running, pid {pid}" if pid else paint("yellow", _down(result))),
        ("memories", _counts(result["memories"]) or "none yet"),
        (
            "rules",
            ", ".join(f"{number:,} {state}" for state, number in result["rules"].items()) or "none yet",
        ),
        *(
            [("conflicts", paint("yellow", render.in_conflict(disputed)))]
            if (disputed := result["conflicts"])
            else []
        ),
        ("generations", f"{figures['kinds'].get('generation', 0):,}" if "kinds" in figures else "unknown"),
        ("outcomes", _outcomes(result["outcomes"])),
        ("changes", render.changes(result["changes"])),
        ("redacted", render.count(figures.get("redacted", 0), "secret")),
        ("pending", render.count(result["pending"]["spool"], "event")),
        ("journal", _bytes(sum(result["sizes"][name] for name in ("wal", "seg", "private")))),
        ("index", _index(result)),
        ("models", f"{result['models']['set']} ({', '.join(result['models']['loaded']) or 'not loaded'})"),
        ("last sync", render.when(result["last_sync"])),
        *([("sweep", _sweep(result["sweep"]))] if result["sweep"] else []),
    ]
    lines = [render.table(rows, paint)]
    lines += [f"{paint('yellow', 'problem')}  {render.safe(problem)}" for problem in result["problems"]]
    return "\n".join(lines)


def _sweep(places: int) -> str:
    return f"the last commit's change fits {render.count(places, 'more place')}: `cortex sweep HEAD`"


def _outcomes(found: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in found.items() if number) or "none yet"


def _change(daemon: process.Status) -> str:
    """What is under way, when one daemon comes or takes over from another."""
    if daemon.problem:
        return daemon.problem
    return f"version {daemon.version} runs, and another takes over"


def _down(result: Mapping[str, Any]) -> str:
    return "starting" if result["daemon"].get("starting") else "not running"


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(
        render.count(number, name, render.MANY.get(name, ""))
        for name, number in sorted(found.items(), key=lambda pair: -pair[1])
    )


def _index(result: Mapping[str, Any]) -> str:
    """Its size, what it lacks, and what had to be made again."""
    parts = [_bytes(result["sizes"]["index"])]
    if behind := result["index"]["behind"]:
        found = "they are found by their words" if behind > 1 else "it is found by its words"
        parts.append(f"{render.count(behind, 'memory', 'memories')} still to be taken in: until then {found}")
    return "; ".join([*parts, *(render.safe(note) for note in result["index"]["notes"])])


def _bytes(size: int) -> str:
    amount = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    raise AssertionError("unreachable")

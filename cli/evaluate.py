"""`cortex evaluate`: what Cortex would have been worth in this repository, by replaying its history."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from types import FrameType
from typing import Any

import click

from ..repo.errors import UsageError
from . import render
from .frame import command, json_option, paint, repo_option
from .progress import Progress

_LABELS = {"learnable": "all that can be learnt"}


@command(
    "evaluate",
    examples="""
cortex evaluate
cortex evaluate --since 2025-06-01 --html report.html
cortex evaluate --limit 2000 --seed 7 --json
""",
)
@click.option("--since", default="", metavar="DATE", help="Leave out what came before this day (YYYY-MM-DD).")
@click.option("--limit", default=0, type=click.IntRange(0), metavar="N", help="The newest N commits alone.")
@click.option("--seed", default=0, type=int, metavar="N", help="What is drawn by chance is drawn by this.")
@click.option(
    "--html",
    default="",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write the report as one page, with plots.",
)
@json_option
@repo_option
def evaluate(since: str, limit: int, seed: int, html: str, as_json: bool, repo: str) -> None:
    """Say honestly what Cortex would have been worth here.

    The history is replayed in time order, knowing at each commit only what was corrected before it: which
    corrections had an earlier like one, which recall or the guard would have caught, what that would have cost,
    and what chance does. Nothing is written into the repository, and neither the daemon nor `cortex init` is
    needed. Ctrl-C ends with what was seen so far.
    """
    from ..evaluation.replay import replay
    from ..evaluation.report import report
    from ..models import load_classifier, load_counter, load_encoder
    from ..repo.open import open_repository
    from ..repo.places import find

    start = _day(since)
    repository = open_repository(find(repo))
    with Progress("replaying", quiet=as_json) as progress, _until_interrupted() as asked_to_stop:
        seen = replay(
            repository,
            lambda: (load_encoder(), load_classifier(), load_counter()),
            since=start,
            limit=limit,
            seed=seed,
            stop=asked_to_stop.is_set,
            tell=progress,
        )
    result = report(seen)
    if html:
        from ..evaluation.page import page

        _replace(Path(html), page(result, Path(repo).resolve().name))
    render.say(render.as_json(result) if as_json else words(result, paint()))
    if html and not as_json:
        render.say(paint()("dim", f"the same with plots: {render.safe(html)}"))


def _replace(file: Path, text: str) -> None:
    """Write a file whole or not at all."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        fresh.write_bytes(text.encode("utf-8", "replace"))
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


def _day(given: str) -> int | None:
    if not given:
        return None
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", given):
        raise UsageError(f"{given} is no day", "Write it as 2025-06-01.")
    try:
        return int(datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=timezone.utc).timestamp())
    except ValueError:
        raise UsageError(f"{given} is no day", "Write it as 2025-06-01.") from None


@contextmanager
def _until_interrupted() -> Iterator[threading.Event]:
    """Set once on Ctrl-C; the second one interrupts as it always does."""
    asked = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def interrupted(number: int, frame: FrameType | None) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, interrupted)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def words(result: Mapping[str, Any], paint: render.Paint) -> str:
    """The report on one screen."""
    from ..evaluation.report import interval, percent

    commits, found = result["commits"], result["corrections"]
    lines = [paint("bold", each) for each in result["verdict"]]
    if not found["total"]:
        return "\n".join([*lines, *(paint("dim", note) for note in result["notes"])])
    who = "agents" if result["written_by"] == "agents" else "people"
    kinds = ", ".join(f"{number:,} {render.safe(kind)}" for kind, number in found["by_category"].items())
    lines += [
        "",
        f"{render.count(commits['looked_at'], 'commit')}, {commits['wrote']:,} by {who} that wrote code; "
        f"{render.count(found['total'], 'correction')}: {kinds}",
        "",
        paint(
            "dim", f"{'':26}{'had a twin':>14}{'in memory':>12}{'recalled':>11}{'BM25':>8}{'by chance':>11}"
        ),
    ]
    for name, group in result["groups"].items():
        row = (group["at_writing"], group["kept"], group["recalled"], group["bm25"], group["shuffled"])
        cells = [percent(share["share"]) if share["n"] else "–" for share in row]
        label = render.safe(_LABELS.get(name, name.partition(": ")[2]))[:18]
        lines.append(
            f"{label:<19}{group['at_writing']['n']:>7,}{cells[0]:>14}{cells[1]:>12}{cells[2]:>11}{cells[3]:>8}{cells[4]:>11}"
        )
    all_of = result["groups"].get("learnable")
    if all_of:
        near = [
            all_of[name] for name in ("related_at_writing", "related", "related_bm25", "related_shuffled")
        ]
        cells = [percent(share["share"]) if share["n"] else "–" for share in near]
        lines.append(
            paint(
                "dim",
                f"{'the same interface':<26}{cells[0]:>14}{'':>12}{cells[1]:>11}{cells[2]:>8}{cells[3]:>11}",
            )
        )
        lines.append(
            paint(
                "dim",
                f"95%: a twin {interval(all_of['at_writing'])}, recalled {interval(all_of['recalled'])}",
            )
        )
    tokens = result["recall"]["tokens"]
    if tokens["drawn"]:
        lines += [
            "",
            f"Tokens    {percent(tokens['answered']['share'])} of tasks get an answer; "
            f"{tokens['mean']:,} tokens a task, {tokens['mean_of_answers'] or 0:,} an answer",
        ]
    guard, controls = result["guard"], result["controls"]
    lines.append(_guard("Guard", guard["warnings"], guard["lift"]))
    if guard["silent_too"]["flags"] > guard["warnings"]["flags"]:
        lines.append(
            paint("dim", _guard("  if silent rules spoke too", guard["silent_too"], guard["lift_silent_too"]))
        )
    exact, lift = controls["exact_words"], controls["exact_words_lift"]
    lines.append("Controls  " + "; ".join(_controls(controls, exact, lift)))
    lines += [paint("dim", note) for note in result["notes"]]
    return "\n".join(lines)


def _guard(label: str, said: Mapping[str, Any], lift: Mapping[str, Any] | None) -> str:
    from ..evaluation.report import interval, percent

    if not said["flags"]:
        return f"{label:<10}no warning"
    right, caught = said["right"], said["caught"]
    line = (
        f"{label:<10}{render.count(said['flags'], 'warning')} by {render.count(said['rules'], 'rule')}: "
        f"{percent(right['share'])} right ({interval(right)}), {said['changed_otherwise']:,} changed otherwise, "
        f"{said['stood']:,} stood; caught {percent(caught['share'] or 0)} of corrections"
    )
    return line + _lifted(lift)


def _lifted(lift: Mapping[str, Any] | None) -> str:
    return f"; lift {lift['lift']} ({lift['low']} to {lift['high']})" if lift else ""


def _controls(
    controls: Mapping[str, Any], exact: Mapping[str, Any], lift: Mapping[str, Any] | None
) -> Iterator[str]:
    from ..evaluation.report import percent

    base = controls["unflagged_corrected"]
    if base["n"]:
        yield f"{percent(base['share'])} of unflagged hunks were corrected"
    if exact["n"]:
        yield f"exact words: {exact['k']:,} of {exact['n']:,} flags right" + _lifted(lift)
    else:
        yield "exact words: no flag"
    shuffled = controls["shuffled_right"]
    yield (
        f"shuffled pairs: {render.count(controls['shuffled_rules'], 'rule')}, {shuffled['k']:,} of "
        f"{shuffled['n']:,} flags right"
    )

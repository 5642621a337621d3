"""`cortex evaluate`: what Cortex would have been worth in this repository, by replaying its history."""

from __future__ import annotations

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
from ..repo.files import write_whole
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
    if html and not Path(html).absolute().parent.is_dir():
        raise UsageError(f"there is no folder for {html}", "Make it first: a replay takes minutes.")
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

        shown = page(result, Path(repo).resolve().name).encode("utf-8", "replace")
        write_whole(Path(html), shown, mode=0o666, durable=False)
    render.say(render.as_json(result) if as_json else words(result, paint()))
    if html and not as_json:
        render.say(paint()("dim", f"the same with plots: {render.safe(html)}"))


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
    from ..evaluation.report import percent

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
        *_groups(result["groups"], paint),
    ]
    tokens = result["recall"]["tokens"]
    if tokens["drawn"]:
        lines += [
            "",
            f"Tokens    {percent(tokens['answered']['share'])} of tasks get an answer; "
            f"{tokens['mean']:,} tokens a task, {tokens['mean_of_answers'] or 0:,} an answer",
        ]
    guard, controls = result["guard"], result["controls"]
    lines += _guard("Guard", guard["warnings"], guard["lift"])
    if guard["silent_too"]["flags"] > guard["warnings"]["flags"]:
        silent = _guard("Unproven", guard["silent_too"], guard["lift_silent_too"])
        lines += [
            paint("dim", line) for line in (*silent, "          if the rules that were silent spoke too")
        ]
    said = list(_controls(controls, controls["exact_words"], controls["exact_words_lift"]))
    lines += [f"{'' if at else 'Controls':<10}{line}" for at, line in enumerate(said)]
    lines += [paint("dim", note) for note in result["notes"]]
    return "\n".join(lines)


_COLUMNS = (("at_writing", "had a twin"), ("kept", "in memory"), ("recalled", "recalled"))
_CONTROLS = (("bm25", "BM25"), ("shuffled", "by chance"))
_RELATED = ("related_at_writing", "", "related", "related_bm25", "related_shuffled")


def _groups(groups: Mapping[str, Any], paint: render.Paint) -> Iterator[str]:
    """A row for each kind of correction, and below it the looser measure."""
    from ..evaluation.report import interval, percent

    columns = (*_COLUMNS, *_CONTROLS)
    yield ""
    yield paint("dim", f"{'':32}" + "".join(f"{title:>12}" for _, title in columns))
    hands = sum(name.startswith("hand") for name in groups)
    for name, group in groups.items():
        if name.startswith("hand") and hands < 2:
            continue
        label = render.safe(_LABELS.get(name, "  " + name.partition(": ")[2]))[:24]
        cells = [percent(group[key]["share"]) if group[key]["n"] else "–" for key, _ in columns]
        yield f"{label:<24}{group['at_writing']['n']:>8,}" + "".join(f"{cell:>12}" for cell in cells)
    all_of = groups.get("learnable")
    if all_of:
        cells = [percent(all_of[key]["share"]) if key and all_of[key]["n"] else "" for key in _RELATED]
        yield paint("dim", f"{'of the same interface':<32}" + "".join(f"{cell:>12}" for cell in cells))
        yield paint(
            "dim",
            f"a twin is the same change of other code, known before; 95%: {interval(all_of['at_writing'])}, "
            f"recalled {interval(all_of['recalled'])}",
        )


def _guard(label: str, said: Mapping[str, Any], lift: Mapping[str, Any] | None) -> list[str]:
    from ..evaluation.report import interval, percent

    if not said["flags"]:
        return [f"{label:<10}no warning"]
    right, caught = said["right"], said["caught"]
    return [
        f"{label:<10}{render.count(said['flags'], 'warning')} by {render.count(said['rules'], 'rule')}: "
        f"{percent(right['share'])} right ({interval(right)}), {said['changed_otherwise']:,} changed otherwise, "
        f"{said['stood']:,} stood",
        f"{'':10}{percent(caught['share'] or 0)} of corrections caught{_lifted(lift)}",
    ]


def _lifted(lift: Mapping[str, Any] | None) -> str:
    if not lift:
        return ""
    return f"; corrected {lift['lift']:.2f} × as often as hunks of like size ({lift['low']:.2f} to {lift['high']:.2f})"


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

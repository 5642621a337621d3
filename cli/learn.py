"""`cortex learn`: learn from new commits now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from . import render
from .frame import command, json_option, redactions, repo_option, session, show
from .progress import Progress


@command(
    "learn",
    examples="""
cortex learn
cortex learn --since v2.0
cortex learn --all
""",
    codes=(4,),
)
@click.option("--since", default="", metavar="REV", help="Go back to this revision, through history too.")
@click.option("--all", "everything", is_flag=True, help="Go through the whole history again.")
@json_option
@repo_option
def learn(since: str, everything: bool, as_json: bool, repo: str) -> None:
    """Learn from what was committed since the last time.

    The daemon does this by itself after each commit. Learning twice from the same commits changes nothing.
    """
    with session(repo) as opened, Progress("learning", quiet=as_json) as progress:
        result = opened.call("learn", since=since, everything=everything, progress=progress, timeout=86_400)
    show(result, as_json, words)


def words(result: Mapping[str, Any], paint: render.Paint) -> str:
    """What was learnt, in words."""
    lines = [
        f"{render.count(result['commits'], 'commit')} read, "
        f"{render.count(result['corrections'], 'correction')} learnt ({result['elapsed_s']:.1f} s)"
    ]
    lines += [paint("dim", line) for line in history_words(result)]
    if memories := ", ".join(
        render.count(number, kind, render.MANY.get(kind, "")) for kind, number in result["memories"].items()
    ):
        lines.append(f"noted from code, history and documents: {memories}")
    outcomes = ", ".join(f"{number} {verdict}" for verdict, number in result["outcomes"].items() if number)
    if outcomes:
        lines.append(paint("dim", f"generations: {outcomes}"))
    for rule in result["rules"]:
        change = f"rule {rule['id'][:12]}: {rule['from'] or 'new'} → {rule['to']}"
        lines.append(f"{paint('cyan', change)} {paint('dim', render.safe(rule['reason']))}")
    return "\n".join(lines) + redactions(result)


def history_words(result: Mapping[str, Any]) -> list[str]:
    """What a walk through the past noticed, and what it passed over and why."""
    return [
        f"{head}: " + ", ".join(f"{number:,} {name}" for name, number in result[key].items())
        for head, key in (("noticed", "noticed"), ("passed over", "passed"))
        if result.get(key)
    ]

"""`cortex baseline`: findings that stand today and are not told again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from . import render
from .frame import command, json_option, repo_option, session, show


@command(
    "baseline",
    examples="""
cortex baseline                   # what is in it
cortex baseline write             # what stands at HEAD is not told again
cortex baseline clear
""",
    codes=(4,),
)
@click.argument("do", type=click.Choice(["show", "write", "clear"]), default="show")
@json_option
@repo_option
def baseline(do: str, as_json: bool, repo: str) -> None:
    """Keep what stands today out of the findings: `write`, `show` or `clear` it.

    What is kept is addressed by the rule, the file and what stands there, so that it holds when lines move. One
    more of the same in a file is told. `cortex check` says how many it hides, and `--no-baseline` shows them.
    """
    with session(repo) as opened:
        result = opened.call("baseline", do=do)
    words = {"show": _shown, "write": _written, "clear": _cleared}[do]
    show(result, as_json, words)


def _written(result: Mapping[str, Any], paint: render.Paint) -> str:
    return paint("green", f"{render.count(result['findings'], 'finding')} of HEAD will not be told again")


def _cleared(result: Mapping[str, Any], paint: render.Paint) -> str:
    return paint("green", f"{render.count(result['findings'], 'finding')} will be told again")


def _shown(result: Mapping[str, Any], paint: render.Paint) -> str:
    if not result["written"]:
        return paint("dim", "There is no baseline: `cortex baseline write` makes one of what stands at HEAD.")
    lines = [
        f"{paint('cyan', each['rule'][:12])}  {render.safe(each['path'])}"
        + (paint("dim", f"  {render.times(each['count'])}") if each["count"] > 1 else "")
        for each in result["entries"]
    ]
    held = f"{render.count(result['findings'], 'finding')}, written {render.when(result['written'])}"
    return "\n".join([*lines, paint("dim", held)])

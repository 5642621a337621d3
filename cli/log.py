"""`cortex log` and `cortex show`: the memories, with their evidence."""

from __future__ import annotations

import click

from . import render
from .frame import command, json_option, repo_option, session
from .frame import show as print_result

KINDS = ("correction", "rule", "note", "decision", "pattern", "preference", "fix", "task")


@command(
    "log",
    examples="""
cortex log
cortex log --kind rule
cortex log --conflicts
cortex log --json --limit 0 | jq '.memories[].title'
""",
    codes=(4,),
)
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="How many; 0 for all.")
@click.option("--kind", type=click.Choice(KINDS), default=None, help="Only this kind.")
@click.option("--language", default="", help="Only this language.")
@click.option(
    "--conflicts", is_flag=True, help="Only what was changed in two places at once, both sides of it."
)
@json_option
@repo_option
def log(limit: int, kind: str | None, language: str, conflicts: bool, as_json: bool, repo: str) -> None:
    """List the memories, newest first; what is in conflict is marked, and settled with `cortex settle`."""
    with session(repo) as opened:
        result = opened.call("log", limit=limit, kind=kind or "", language=language)
    if conflicts:
        held = {each["id"] for each in result["conflicts"]}
        kept = [memory for memory in result["memories"] if memory["id"] in held]
        result = {**result, "memories": kept, "total": len(kept)}
    print_result(result, as_json, render.conflicts if conflicts else render.memories)


@command(
    "show",
    examples="""
cortex show 3f2a91c0
cortex show --json 3f2a91c0
""",
    codes=(4,),
)
@click.argument("id")
@json_option
@repo_option
def show(id: str, as_json: bool, repo: str) -> None:
    """Show one memory whole: both sides of the correction, commit, author, counts; a rule's history.

    ID is what `cortex log` prints, or its first four or more characters.
    """
    with session(repo) as opened:
        result = opened.call("show", id=id)
    print_result(result, as_json, render.memory)

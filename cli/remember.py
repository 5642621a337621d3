"""`cortex remember`, `forget`, `feedback`: memories by a person's own word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from ..repo.errors import UsageError
from . import render
from .frame import command, json_option, paint, redactions, repo_option, session

TYPES = ("note", "decision", "pattern", "preference", "fix", "task")
SCOPES = ("universal", "language", "framework", "project", "user")


@command(
    "remember",
    examples="""
cortex remember "Times are stored in UTC, as integers in milliseconds."
cortex remember --type decision --title "No ORM" --reason "see ADR 7" "Use plain SQL through db.query()."
cortex remember --supersedes 3f2a91c0 "Times are stored in UTC, as ISO 8601 text."
""",
    codes=(4,),
)
@click.argument("text")
@click.option("--title", default="", help="A short title; the first line by default.")
@click.option("--type", "type_", type=click.Choice(TYPES), default="note", show_default=True)
@click.option("--scope", type=click.Choice(SCOPES), default="project", show_default=True)
@click.option("--language", default="", help="The language it is about.")
@click.option("--reason", default="", help="Why.")
@click.option("--private", is_flag=True, help="Keep it on this machine.")
@click.option("--supersedes", multiple=True, metavar="ID", help="A memory in whose place this one is.")
@click.option("--requires", multiple=True, metavar="ID", help="A memory that comes along with this one.")
@click.option("--causes", multiple=True, metavar="ID", help="A memory that comes of this one.")
@json_option
@repo_option
def remember(
    text: str,
    title: str,
    type_: str,
    scope: str,
    language: str,
    reason: str,
    private: bool,
    supersedes: tuple[str, ...],
    requires: tuple[str, ...],
    causes: tuple[str, ...],
    as_json: bool,
    repo: str,
) -> None:
    """Write a memory down by hand."""
    with session(repo) as opened:
        result = opened.call(
            "remember",
            text=text,
            title=title,
            type=type_,
            scope=scope,
            language=language,
            reason=reason,
            private=private,
            supersedes=list(supersedes),
            requires=list(requires),
            causes=list(causes),
        )
    _done(result, as_json, f"remembered as {result['id'][:12]}")


@command(
    "forget",
    examples="""
cortex forget 3f2a91c0
""",
    codes=(4,),
)
@click.argument("id")
@json_option
@repo_option
def forget(id: str, as_json: bool, repo: str) -> None:
    """Forget a memory, here and, after the next sync, everywhere.

    The record that it was forgotten stays; the record itself remains in sealed segments, but is never
    shown, recalled or used again.
    """
    with session(repo) as opened:
        result = opened.call("forget", id=id)
    _done(result, as_json, f"forgot {result['id'][:12]}")


@command(
    "feedback",
    examples="""
cortex feedback 3f2a91c0 good
cortex feedback 3f2a91c0 wrong --remark "only in tests"
cortex feedback 3f2a91c0 --category bug
""",
    codes=(4,),
)
@click.argument("id")
@click.argument("verdict", type=click.Choice(["good", "bad", "wrong"]), required=False)
@click.option(
    "--category",
    type=click.Choice(["bug", "style", "preference", "evolution"]),
    help="What kind of correction it is.",
)
@click.option("--remark", default="", help="In your words; stays on this machine.")
@json_option
@repo_option
def feedback(
    id: str, verdict: str | None, category: str | None, remark: str, as_json: bool, repo: str
) -> None:
    """Say whether a memory is good, bad or wrong; a rule that is wrong steps down at once."""
    if not verdict and not category:
        raise UsageError("say something of it", "Give a verdict (good, bad, wrong) or --category.")
    with session(repo) as opened:
        result = opened.call("feedback", id=id, verdict=verdict or "", category=category or "", remark=remark)
    steps = "".join(f"\n{rule['id'][:12]}: {rule['from']} → {rule['to']}" for rule in result["rules"])
    _done(result, as_json, f"noted for {result['id'][:12]}{steps}")


def _done(result: Mapping[str, Any], as_json: bool, words: str) -> None:
    render.say(render.as_json(result) if as_json else paint()("green", words) + redactions(result))

"""`cortex settle`: which side of a conflict is right."""

from __future__ import annotations

import click

from . import render
from .frame import command, json_option, paint, redactions, repo_option, session


@command(
    "settle",
    examples="""
cortex log --conflicts
cortex settle 3f2a91c0
cortex settle 3f2a91c0 --take theirs
cortex settle 3f2a91c0 --take 7b1e04aa
cortex settle 3f2a91c0 --text "Times are stored in UTC, in seconds."
""",
    codes=(4,),
)
@click.argument("id")
@click.option(
    "--take", default="", metavar="VERSION", help="The version that is right: its id, mine, or theirs."
)
@click.option("--text", default="", help="A text in place of both.")
@json_option
@repo_option
def settle(id: str, take: str, text: str, as_json: bool, repo: str) -> None:
    """Settle a conflict: a memory that was changed in two places at once.

    Without --take and --text it shows both sides, with who wrote them and when. What you choose is written as a new
    version in place of all of them, and reaches the others with the next sync. Nothing is lost: the versions
    stay in the journal.
    """
    with session(repo) as opened:
        if not take and not text:
            shown = opened.call("show", id=id)
            if as_json:
                render.say(render.as_json({key: shown[key] for key in ("schema", "id", "kind", "versions")}))
            else:
                render.say(render.conflict(shown, paint()))
            return
        result = opened.call("settle", id=id, take=take, text=text)
    if as_json:
        render.say(render.as_json(result))
        return
    became = "deleted" if result["deleted"] else f"version {result['record'][:12]}"
    said = f"settled {result['id'][:12]}: {became}, in place of {render.count(len(result['parents']), 'version')}"
    render.say(paint()("green", said) + redactions(result))

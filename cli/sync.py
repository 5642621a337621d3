"""`cortex sync`: share memories through the branch cortex/memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from . import render
from .frame import command, json_option, repo_option, session, show


@command(
    "sync",
    examples="""
cortex sync
cortex sync --remote upstream
""",
    codes=(4,),
)
@click.option("--remote", default="", help="The remote; by default the current branch's, else origin.")
@json_option
@repo_option
def sync(remote: str, as_json: bool, repo: str) -> None:
    """Fetch, verify, unite and push the branch `cortex/memory`.

    Only shared records travel: corrections, rules, notes. What was generated, the tasks and the prompts
    stay on this machine. No file of the work tree is touched.
    """
    with session(repo) as opened:
        result = opened.call("sync", remote=remote, timeout=600)
    show(result, as_json, words)


def words(result: Mapping[str, Any], paint: render.Paint) -> str:
    """What the exchange did, in words."""
    if not result["remote"]:
        return f"no remote: what is shared is on the branch {result['branch']}, for you to push"
    lines = [
        f"{paint('green', 'synced')} with {render.safe(result['remote'])}: "
        f"{render.count(result['fetched'], 'segment')} fetched with {render.count(result['records'], 'new record')}, "
        f"{result['pushed']} pushed"
    ]
    lines += [
        paint("yellow", render.safe(f"not taken: {each['path']}: {each['reason']}"))
        for each in result["rejected"]
    ]
    return "\n".join(lines)

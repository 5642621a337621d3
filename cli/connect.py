"""`cortex connect` and `cortex disconnect`: an agent's own settings."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from ..agents import AGENTS, Scope, agent
from ..repo.errors import DAMAGED
from ..repo.places import find
from . import render
from .frame import command, json_option, paint, repo_option

AGENT = click.argument("name", metavar="AGENT", type=click.Choice(sorted(AGENTS)))
PROJECT = click.option(
    "--project",
    "scope",
    flag_value="project",
    default="project",
    help="This repository's settings [default].",
)
USER = click.option("--user", "scope", flag_value="user", help="Your own settings, for all repositories.")
DRY = click.option("--dry-run", is_flag=True, help="Show the change, make none.")


@command(
    "connect",
    examples="""
cortex connect claude-code
cortex connect claude-code --user
cortex connect claude-code --dry-run
""",
    codes=(DAMAGED,),
)
@AGENT
@PROJECT
@USER
@DRY
@json_option
@repo_option
def connect(name: str, scope: str, dry_run: bool, as_json: bool, repo: str) -> None:
    """Connect AGENT: what it writes is recorded, lessons reach its prompt, warnings follow its writes.

    Its settings are edited with a backup beside them; connecting twice changes nothing.
    """
    _change(name, scope, dry_run, as_json, repo, connecting=True)


@command(
    "disconnect",
    examples="""
cortex disconnect claude-code
cortex disconnect claude-code --user
""",
    codes=(DAMAGED,),
)
@AGENT
@PROJECT
@USER
@DRY
@json_option
@repo_option
def disconnect(name: str, scope: str, dry_run: bool, as_json: bool, repo: str) -> None:
    """Take Cortex out of AGENT's settings again; the rest of them stays as it is."""
    _change(name, scope, dry_run, as_json, repo, connecting=False)


def _change(name: str, scope: str, dry_run: bool, as_json: bool, repo: str, *, connecting: bool) -> None:
    root = find(repo).require_root() if scope == "project" else None
    chosen = agent(name)
    change = (chosen.connect if connecting else chosen.disconnect)(
        cast(Scope, scope), root, Path.home(), dry_run
    )
    if as_json:
        render.say(
            render.as_json(
                {
                    "schema": 1,
                    "agent": name,
                    "path": str(change.path),
                    "changed": change.changed,
                    "backup": str(change.backup) if change.backup else None,
                    "diff": change.diff,
                }
            )
        )
        return
    colours = paint()
    if change.diff:
        render.say(render.safe(change.diff.rstrip("\n")))
    if connecting and scope == "project" and not find(repo).initialised:
        render.say(colours("yellow", "nothing is captured here before `cortex init`"))
    if not change.changed:
        render.say(f"{render.safe(change.path)}: nothing to change")
    elif dry_run:
        render.say(colours("dim", "a dry run: nothing was written"))
    else:
        render.say(
            f"{colours('green', 'connected' if connecting else 'disconnected')} {name} in {render.safe(change.path)}"
        )
        if change.backup:
            render.say(colours("dim", f"the settings from before: {render.safe(change.backup)}"))

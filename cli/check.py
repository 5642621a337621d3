"""`cortex check`: the guard."""

from __future__ import annotations

import os

import click

from ..repo.errors import FINDINGS
from . import render
from .frame import command, json_option, paint, repo_option, say_patch, session


@command(
    "check",
    examples="""
cortex check                      # what is staged
cortex check --since origin/main  # what a merge request adds
cortex check src/client.py        # one file, staged or not
cortex check --patch | git apply  # all that is offered, into the work tree
""",
    codes=(1, 4),
)
@click.argument("files", nargs=-1)
@click.option(
    "--since", default="", metavar="REV", help="Check what the index adds to where it left this revision."
)
@click.option("--patch", is_flag=True, help="Print all rewrites as one diff of what was checked, alone.")
@click.option(
    "--baseline/--no-baseline",
    default=True,
    help="Leave out what `cortex baseline` holds (the default), or not.",
)
@click.option("--verbose", is_flag=True, help="Show what less sure rules would write, too.")
@json_option
@repo_option
@click.pass_context
def check(
    ctx: click.Context,
    files: tuple[str, ...],
    since: str,
    patch: bool,
    baseline: bool,
    verbose: bool,
    as_json: bool,
    repo: str,
) -> None:
    """Check the lines that a change adds against the rules that were learnt.

    By default the index is read, as a commit would take it; nothing is ever changed (`cortex fix` does that). A
    comment `cortex: ignore[RULE] reason` silences a rule on its line, or on the next. Findings are warnings: the
    exit status is 1 only with `guard.mode = "block"` and a finding that is sure enough, or of a rule that
    `guard.block_rules` names.
    """
    with session(repo) as opened:
        result = opened.call(
            "check", files=list(files) or None, since=since, cwd=os.getcwd(), baseline=baseline, patch=patch
        )
    if as_json:
        render.say(render.as_json(result))
    elif patch:
        say_patch(result["patch"])
    else:
        render.say(render.check(result, paint(), verbose))
    if result["blocked"]:
        ctx.exit(FINDINGS)

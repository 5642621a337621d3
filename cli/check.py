"""`cortex check`: the guard."""

from __future__ import annotations

import os

import click

from ..repo.errors import FINDINGS
from . import render
from .frame import command, json_option, repo_option, session, show


@command(
    "check",
    examples="""
cortex check                      # what is staged
cortex check --since origin/main  # what a merge request adds
cortex check src/client.py        # one file, staged or not
""",
    codes=(1, 4),
)
@click.argument("files", nargs=-1)
@click.option("--since", default="", metavar="REV", help="Check what the index adds since this revision.")
@json_option
@repo_option
@click.pass_context
def check(ctx: click.Context, files: tuple[str, ...], since: str, as_json: bool, repo: str) -> None:
    """Check the lines that a change adds against the rules that were learnt.

    By default the index is read, as a commit would take it; nothing is ever changed. Findings are warnings:
    the exit status is 1 only with `guard.mode = "block"` and a finding that is sure enough.
    """
    with session(repo) as opened:
        result = opened.call("check", files=list(files) or None, since=since, cwd=os.getcwd())
    show(result, as_json, render.check)
    if result["blocked"]:
        ctx.exit(FINDINGS)

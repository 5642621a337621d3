"""`cortex hook`: what the shims in `.cortex/hooks` call when an answer is waited for."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..hooks import spool
from ..repo.errors import FINDINGS
from . import render
from .frame import paint, session


@click.command("hook", hidden=True)
@click.argument("kind", type=click.Choice(["git", "agent"]))
@click.argument("name")
@click.option("--spooled", type=click.Path(path_type=Path), help="The event's file in the spool.")
@click.pass_context
def hook(ctx: click.Context, kind: str, name: str, spooled: Path | None) -> None:
    """Answer a git hook or an agent's hook whose event lies in the spool."""
    if kind == "git":
        if name == "pre-commit":
            _pre_commit(ctx, spooled)
        return
    payload = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    with session(".") as opened:
        told = opened.call("hook", agent=name, payload=payload, file=str(spooled or ""), timeout=5.0)
    if told["reply"]:
        render.say(told["reply"])


def _pre_commit(ctx: click.Context, spooled: Path | None) -> None:
    event = spool.GitEvent.parse(sys.stdin.buffer.read())
    if spooled is not None:
        spooled.unlink(missing_ok=True)  # it has been heard; nothing is learnt from it
    with session(".") as opened:
        result = opened.call("check", index_file=event.index, timeout=10.0)
    if result["findings"]:
        render.say(render.check(result, paint()))
    else:
        render.notes(result)
    if result["blocked"]:
        ctx.exit(FINDINGS)

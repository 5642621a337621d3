"""`cortex run`: run a command, and note how it went for what was generated since the last commit."""

from __future__ import annotations

import click

from ..repo.errors import UsageError
from . import running
from .frame import command


@command(
    "run",
    examples="""
cortex run -- pytest -q
cortex run -- make test
cortex run -- npm test -- --watch=false
""",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND [ARGUMENTS]…")
@click.pass_context
def run(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Run a command and note whether it passed, and how long it took, for what was generated since the last commit.

    Its input, output, signals and exit status are its own: 127 says that there is no such command, 126 that it may
    not be run. The note is private, and is made after the command has ended; outside a repository with Cortex
    nothing is noted.
    """
    status = running.run(["--", *words])
    if status is None:
        raise UsageError("which command?", "Give it behind two dashes: `cortex run -- pytest -q`.")
    ctx.exit(status)

"""What all commands share: how their help is laid out, the options they have in common, how they print."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from .. import __version__
from ..daemon.session import Session
from ..repo.errors import EXIT_CODES, INTERRUPTED, OK, PLACE, USAGE
from ..repo.places import find
from . import render

F = TypeVar("F", bound=Callable[..., Any])


class Command(click.Command):
    """A command whose help ends with examples and exit codes."""

    def __init__(self, *args: Any, examples: str = "", codes: tuple[int, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples.strip()
        self.codes = tuple(sorted({OK, USAGE, PLACE, INTERRUPTED, *codes}))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the two closing sections."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples.splitlines():
                    formatter.write(f"{' ' * formatter.current_indent}{line}\n")
        with formatter.section("Exit status"):
            formatter.write_dl([(str(code), EXIT_CODES[code]) for code in self.codes])


def command(
    name: str, *, examples: str, codes: tuple[int, ...] = (), **kwargs: Any
) -> Callable[[F], Command]:
    """Declare a command with its examples and the exit codes beyond 0, 2, 3 and 130."""

    def declare(function: F) -> Command:
        return click.command(name, cls=Command, examples=examples, codes=codes, **kwargs)(function)

    return declare


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON (see docs/contracts.md).")
repo_option = click.option(
    "-C", "--repo", "repo", default=".", metavar="PATH", help="The repository; the current folder by default."
)


def session(repo: str) -> Session:
    """The session of a command: it may use the daemon, and the environment's settings hold.

    Where no daemon of this version answers, one is started in passing, for the commands that come after.
    """
    wanted = os.environ.get("CORTEX_NO_DAEMON", "") in ("", "0")
    return Session.open(repo, daemon=wanted, environment=os.environ, start=lambda: _start(repo))


def _start(repo: str) -> None:
    from ..repo import config

    if config.load(find(repo), os.environ).flag("daemon.autostart"):
        from ..daemon import process

        process.start_soon([sys.executable, "-m", "cortex", "daemon", "start"], __version__)


def paint(stream: Any = None) -> render.Paint:
    """The colours of a stream (standard output by default)."""
    return render.Paint(stream or sys.stdout, os.environ)


def show(
    result: Mapping[str, Any], as_json: bool, text: Callable[[Mapping[str, Any], render.Paint], str]
) -> None:
    """Print a result as JSON or as words."""
    render.say(render.as_json(result) if as_json else text(result, paint()))


def say_patch(text: str) -> None:
    """Print a diff byte for byte, for `git apply`: on a terminal, without what moves its cursor."""
    if sys.stdout.isatty():
        render.say(render.safe(text.replace("\r\n", "\n")).rstrip("\n"))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def redactions(result: Mapping[str, Any]) -> str:
    """What is said of secrets that were taken out of what was written; empty when there were none."""
    count = result.get("redacted", 0)
    if not count:
        return ""
    words = "was redacted; rotate it if it" if count == 1 else "were redacted; rotate them if they"
    return "\n" + paint()("yellow", f"{render.count(count, 'secret')} {words} ever left this machine")

"""`cortex daemon`: the background process."""

from __future__ import annotations

import gc
import os
import sys

import click

from .. import __version__
from ..daemon import process
from ..repo.errors import EXIT_CODES, FINDINGS, OK, PLACE, USAGE
from ..repo.places import Place
from . import render
from .frame import Command, json_option, paint


class Verbs(click.Group):
    """A group whose help says where examples and exit codes are: with each of its verbs."""

    command_class = Command

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the closing sections."""
        with formatter.section("Examples"):
            for verb in self.commands:
                formatter.write(f"{' ' * formatter.current_indent}{ctx.command_path} {verb}\n")
        with formatter.section("Exit status"):
            formatter.write_dl([(str(code), EXIT_CODES[code]) for code in (OK, FINDINGS, USAGE, PLACE)])


def program() -> list[str]:
    """The command that becomes the daemon."""
    return [sys.executable, "-m", "cortex", "daemon", "run"]


@click.group("daemon", cls=Verbs)
def daemon() -> None:
    """Run, start, stop and ask the daemon: one a person, for all repositories.

    It watches repositories, takes in what hooks left, learns from new commits, and answers quickly. All
    commands work without it as well.
    """


@daemon.command("run", cls=Command, examples="cortex daemon run   # in the foreground, for a service manager")
def run() -> int:
    """Be the daemon, in the foreground, until it is stopped."""
    # Before numpy is loaded. Two threads of its products wait for one another longer than they work, and the
    # machine is the person's.
    for name in ("OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        os.environ.setdefault(name, "1")
    from ..daemon.engine import Engine
    from ..daemon.state import Models
    from ..models.sessions import keep_little

    keep_little()
    # Of the thousands of objects that an answer makes few stay, and none in a cycle: to look at each of them as often
    # as Python does takes a tenth of the answer.
    gc.set_threshold(20_000, 20, 20)
    models = Models()

    def work(place: Place) -> Engine:
        return Engine(place, models, behind=True)

    return process.run(work, __version__, foreground=sys.stderr.isatty())


@daemon.command("start", cls=Command, examples="cortex daemon start")
@json_option
def start(as_json: bool) -> None:
    """Start the daemon unless it runs; returns when it answers."""
    told = process.start(program(), __version__)
    words = f"the daemon runs: pid {told.pid}, version {told.version}"
    render.say(render.as_json({"schema": 1, **told.plain()}) if as_json else paint()("green", words))


@daemon.command("stop", cls=Command, examples="cortex daemon stop")
@click.option("--force", is_flag=True, help="Kill it if it does not end by itself.")
@json_option
def stop(force: bool, as_json: bool) -> None:
    """Stop the daemon; what was acknowledged is on disk, what waits stays in the spool."""
    told = process.stop(force=force)
    if as_json:
        render.say(render.as_json({"schema": 1, "pid": told.pid, "killed": told.killed, "queue": told.queue}))
        return
    if told.pid is None:
        render.say("the daemon was not running")
        return
    waits = "waits" if told.queue == 1 else "wait"
    waiting = f"; {render.count(told.queue, 'event')} {waits} on disk" if told.queue else ""
    render.say(f"stopped the daemon (pid {told.pid}){' by force' if told.killed else ''}{waiting}")


@daemon.command("status", cls=Command, codes=(FINDINGS,), examples="cortex daemon status --json")
@json_option
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Say whether the daemon runs and what it watches; exit status 1 when it does not run."""
    told = process.status()
    if as_json:
        render.say(render.as_json({"schema": 1, **told.plain()}))
    elif told.pid is None:
        render.say(
            "the daemon is starting" if told.starting else "the daemon is not running: `cortex daemon start`"
        )
    else:
        colours = paint()
        render.say(
            f"{colours('green', 'running')}: pid {told.pid}, version {told.version}, {told.queue} waiting"
        )
        if told.problem:
            render.say(colours("yellow", render.safe(told.problem)))
        elif told.version != __version__:
            words = "a new one is on its way" if told.starting else "the next command replaces it"
            render.say(colours("yellow", f"this is version {__version__}: {words}"))
        for each in told.repositories:
            words = f"  {render.safe(each.get('path', ''))}"
            render.say(words + colours("dim", f"  {render.safe(each.get('watching') or 'not watched yet')}"))
            if each.get("problem"):
                render.say(colours("yellow", f"    {render.safe(each['problem'])}"))
    ctx.exit(OK if told.pid is not None else FINDINGS)


@daemon.command("logs", cls=Command, examples="cortex daemon logs -f")
@click.option("-n", "--lines", "count", type=click.IntRange(1), default=50, show_default=True)
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines as they come.")
def logs(count: int, follow: bool) -> None:
    """Show the daemon's log."""
    for line in process.log(count, follow):
        render.say(render.safe(line))


def autostart() -> bool:
    """Start the daemon when a command needs one, unless `CORTEX_NO_DAEMON` is set; whether one runs."""
    if os.environ.get("CORTEX_NO_DAEMON", "") not in ("", "0"):
        return False
    return process.ensure(program(), __version__).pid is not None

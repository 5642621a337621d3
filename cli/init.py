"""`cortex init` and `cortex uninit`: bring Cortex into a repository, and out of it again."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..daemon import client
from ..daemon.session import Session
from ..hooks.install import HooksReport, install, uninstall
from ..repo import config, mirrors
from ..repo.errors import CortexError, PlaceError
from ..repo.layout import LayoutReport, lay_down, take_away
from ..repo.places import Place, find, state_folder
from . import render
from .daemon import autostart
from .frame import command, json_option, paint
from .learn import history_words
from .progress import Progress

TEMPLATE = Path(__file__).resolve().parent.parent / ".cortex-template"
#: What `init` takes at most for the past, in seconds; with the rest it stays below the 30 s that it promises.
HISTORY_S = 16.0


@command(
    "init",
    examples="""
cortex init
cortex init ~/src/project --no-history
cortex init --since v2.0 --wait
""",
    codes=(4,),
)
@click.argument("path", default=".", required=False)
@click.option("--no-history", is_flag=True, help="Do not learn from the past.")
@click.option("--since", default="", metavar="REV", help="Go back to this revision only.")
@click.option("--wait", is_flag=True, help="Return when the whole past is learnt.")
@json_option
def init(path: str, no_history: bool, since: str, wait: bool, as_json: bool) -> None:
    """Bring Cortex into the repository around PATH.

    Lays down `.cortex` (a link into the git folder, hidden from git), installs hooks beside those that are
    there, registers the repository with the daemon, and learns from its history, newest first. It returns
    within 30 seconds; the daemon does the rest. Safe to repeat.
    """
    started = time.monotonic()
    place = find(path)
    place.require_root()
    from ..repo.open import open_repository
    from ..store.journal import create

    open_repository(place)  # one that libgit2 cannot read is refused before anything is touched
    laid, hooked = _lay(place, create)
    running = _start(place)
    history: Mapping[str, Any] | None = None
    if no_history:
        # The choice is kept: the daemon would otherwise read the past in the background.
        config.write(place.store / "config.toml", "learn.history", False)
    elif since:
        config.write(place.store / "config.toml", "learn.since", since)
    settings = config.load(place, os.environ)
    with Session.open(path, daemon=running, environment=os.environ) as opened:
        opened.call("learn")  # what the refs show now is where live learning begins
        if settings.flag("learn.history"):
            with Progress("learning from history", quiet=as_json) as progress:
                history = opened.call(
                    "history",
                    budget_s=86_400 if wait else HISTORY_S - (time.monotonic() - started),
                    progress=progress,
                    timeout=90_000,
                )
        found = opened.call("report")
    result = {
        "schema": 1,
        "repository": str(place.root),
        "store": str(place.store),
        "hooks": {hook.name: hook.state for hook in hooked.hooks},
        "notes": [*laid.notes, *hooked.notes, *mirrors.warnings(place)],
        "daemon": running,
        "history": history,
        "memories": found["memories"],
        "rules": found["rules"],
        "elapsed_s": round(time.monotonic() - started, 3),
    }
    render.say(render.as_json(result) if as_json else words(result, paint()))


@command(
    "uninit",
    examples="""
cortex uninit
cortex uninit --discard
""",
    codes=(4,),
)
@click.argument("path", default=".", required=False)
@click.option("--discard", is_flag=True, help="Delete the memories too, instead of setting them aside.")
@json_option
def uninit(path: str, discard: bool, as_json: bool) -> None:
    """Take Cortex out of the repository around PATH: hooks, link, exclude line and store are gone after this.

    The memories are moved into your own state folder first, unless --discard says otherwise.
    """
    place = find(path)
    if not place.store.is_dir():  # one without a writer is what a killed `init` or `uninit` left
        place.require_store()
    try:
        client.call("unregister", str(place.root or place.gitdir), {}, timeout=30)
    except (client.NoDaemon, client.Wedged):
        _unregister(place)
    from ..store.blobs import Blobs

    Blobs(place).drop()
    hooked = uninstall(place)
    aside = None if discard else _aside(place)
    taken = take_away(place, TEMPLATE, aside=aside)
    notes = [*hooked.notes, *taken.notes]
    if (place.common / "refs" / "heads" / "cortex" / "memory").exists():
        notes.append("the shared branch stays: `git branch -D cortex/memory` removes it here")
    notes += [
        f"this project's settings for {name} still call Cortex, to no effect: `cortex disconnect {name}` mends them"
        for name in _connected(place)
    ]
    if as_json:
        render.say(
            render.as_json(
                {"schema": 1, "store": str(place.store), "aside": str(aside or ""), "notes": notes}
            )
        )
        return
    render.say(f"{paint()('green', 'Cortex is out of')} {render.safe(place.root or place.gitdir)}")
    if aside is not None:
        render.say(paint()("dim", f"the memories are in {render.safe(aside)}"))
    for note in notes:
        render.say(f"{paint()('yellow', 'note')}  {render.safe(note)}")


def words(result: Mapping[str, Any], colours: render.Paint) -> str:
    """What `init` did and found, in words."""
    lines = [
        f"{colours('green', 'Cortex is in')} {render.safe(result['repository'])} "
        + colours("dim", f"({result['elapsed_s']:.1f} s)")
    ]
    history = result["history"]
    if history is not None:
        more = "" if history["finished"] else "; the daemon goes on with the rest"
        commits = render.count(history["commits"], "commit")
        if history["finished"] and not history["files"] and not history["elapsed_s"]:
            lines.append(f"history: {commits}, read before this; what was learnt stands below")
        else:
            lines.append(
                f"history: {commits}, {render.count(history['files'], 'changed file')}, "
                f"{render.count(history['corrections'], 'correction')} worth keeping{more}"
            )
            lines += [colours("dim", line) for line in history_words(history)]
    memories = ", ".join(
        render.count(number, kind, render.MANY.get(kind, "")) for kind, number in result["memories"].items()
    )
    rules = ", ".join(f"{number:,} {status}" for status, number in result["rules"].items())
    lines.append(f"memories: {memories or 'none yet'}{f' (rules: {rules})' if rules else ''}")
    heard = [name for name, state in result["hooks"].items() if state != "left"]
    lines.append(
        f"hooks: {', '.join(heard) or 'none'}" + ("; the daemon watches" if result["daemon"] else "")
    )
    if not result["daemon"]:
        lines.append(
            colours("yellow", "the daemon does not run: commits are learnt from when you run `cortex learn`")
        )
    lines += [f"{colours('yellow', 'note')}  {render.safe(note)}" for note in result["notes"]]
    lines.append(
        colours(
            "dim",
            "next: `cortex connect claude-code`, then work as usual; `cortex log` shows what was learnt",
        )
    )
    return "\n".join(lines)


def _lay(place: Place, create: Any) -> tuple[LayoutReport, HooksReport]:
    laid = lay_down(place, TEMPLATE)
    create(place.store)
    return laid, hook_in(place)


def hook_in(place: Place) -> HooksReport:
    """Write the shim and put its call into each hook, with the settings that hold."""
    return install(place, program(), deadline=config.load(place, os.environ).number("guard.deadline"))


def _start(place: Place) -> bool:
    """Have the daemon watch the repository; a daemon that does not come up must not spoil `init`."""
    if os.environ.get("CORTEX_NO_DAEMON", "") not in ("", "0"):
        return False
    try:
        if config.load(place, os.environ).flag("daemon.autostart"):
            autostart()
        client.call("register", str(place.root), {}, timeout=10)
    except client.NoDaemon:
        return False
    except CortexError as error:
        render.say(f"{paint(sys.stderr)('yellow', 'note')}  {render.safe(error.message)}", sys.stderr)
        return False
    return True


def program() -> Path:
    """The `cortex` program for the hooks: the one beside this Python, else the one that was called."""
    beside = Path(sys.executable).parent / "cortex"
    if beside.exists():
        return beside
    called = Path(sys.argv[0]).resolve()
    if called.name == "cortex" and os.access(called, os.X_OK):
        return called
    raise PlaceError("the program `cortex` is not beside its Python", "Install it with pip, pipx or uv.")


def _unregister(place: Place) -> None:
    from ..daemon import rising
    from ..daemon.registry import Registry

    Registry(state_folder()).remove(place.common)
    with contextlib.suppress(OSError):  # what stays is the name of a rule, and no more than that
        rising.forget(place.common)


def _connected(place: Place) -> list[str]:
    """The agents whose settings in this work tree call Cortex."""
    from ..agents import AGENTS, agent

    found = []
    for name in AGENTS:
        with contextlib.suppress(CortexError):  # settings that cannot be read are not ours to judge here
            if place.root and agent(name).disconnect("project", place.root, Path.home(), True).changed:
                found.append(name)
    return found


def _aside(place: Place) -> Path:
    name = (place.root or place.common).name
    found = first = state_folder() / "set-aside" / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    number = 1
    while os.path.lexists(found):  # two of one name within a second
        number += 1
        found = first.with_name(f"{first.name}-{number}")
    return found

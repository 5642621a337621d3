"""`cortex service`: the daemon on login."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..daemon import process
from ..daemon import service as platform
from ..repo.errors import FINDINGS, OK
from . import render
from .daemon import Verbs, program
from .frame import Command, json_option, paint

#: What the daemon needs of the person's environment: where git is, and where its own folder is.
KEPT = ("PATH", "CORTEX_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")


@click.group("service", cls=Verbs)
def service() -> None:
    """Start the daemon on every login: a systemd user unit, a launchd agent, or else a line in ~/.profile."""


@service.command("install", cls=Command, examples="cortex service install")
@json_option
def install(as_json: bool) -> None:
    """Install the service, and start the daemon through it; safe to repeat."""
    process.stop()
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    start = [*program()[:-1], "start"]
    _show(platform.install(program(), start, environment, Path.home()), as_json, "installed")


@service.command("uninstall", cls=Command, examples="cortex service uninstall")
@json_option
def uninstall(as_json: bool) -> None:
    """Take the service out again, byte for byte; the daemon that it had started ends."""
    undone = platform.uninstall(Path.home())
    if as_json:
        render.say(render.as_json({"schema": 1, "uninstalled": [each.plain() for each in undone]}))
    elif undone:
        for each in undone:
            render.say(f"{paint()('green', 'uninstalled')} {render.safe(each.file)}")
    else:
        render.say("no service was installed")


@service.command("status", cls=Command, codes=(FINDINGS,), examples="cortex service status --json")
@json_option
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Say whether the service is installed and runs; exit status 1 when it is not installed."""
    found = platform.status(Path.home())
    _show(found, as_json, "installed" if found.installed else "not installed")
    ctx.exit(OK if found.installed else FINDINGS)


def _show(found: platform.Service, as_json: bool, verb: str) -> None:
    told: Mapping[str, Any] = {"schema": 1, **found.plain()}
    if as_json:
        render.say(render.as_json(told))
        return
    running = {True: ", running", False: ", not running", None: ""}[found.running]
    render.say(f"{verb}: {found.kind} ({render.safe(found.file)}){running}")
    if found.detail and found.detail not in ("active", "inactive"):
        render.say(paint()("dim", render.safe(found.detail)))

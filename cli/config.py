"""`cortex config`: show and change settings."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from ..repo import config as settings
from ..repo.errors import PlaceError, UsageError
from ..repo.places import Place, find, user_config
from . import render
from .frame import command, json_option, paint, repo_option


@command(
    "config",
    examples="""
cortex config
cortex config recall.k
cortex config guard.mode block
cortex config --user recall.budget 300
cortex config --unset guard.mode
""",
)
@click.argument("key", required=False)
@click.argument("value", required=False)
@click.option("--user", is_flag=True, help="Change your own file, for all repositories.")
@click.option("--unset", is_flag=True, help="Take the value out of the file.")
@click.option("--trust", is_flag=True, help="Trust the team's .cortex.toml as it is now.")
@json_option
@repo_option
def config(
    key: str | None, value: str | None, user: bool, unset: bool, trust: bool, as_json: bool, repo: str
) -> None:
    """Show settings and where each comes from, or change one.

    Flag > environment (CORTEX_SECTION_NAME) > .cortex/config.toml > the team's .cortex.toml, once trusted >
    your own file > default.
    """
    try:
        place: Place | None = find(repo)
    except PlaceError:
        if trust or (not user and (value is not None or unset)):
            raise
        place = None
    if trust:
        assert place is not None
        digest = settings.trust(place)
        render.say(f"trusted {settings.TEAM_FILE} with SHA-256 {digest[:16]}…; a change asks again")
        return
    if value is not None or unset:
        _change(place, key, value, user, unset)
    _show(place, key, as_json)


def _change(place: Place | None, key: str | None, value: str | None, user: bool, unset: bool) -> None:
    if key is None or (unset and value is not None):
        raise UsageError(
            "which setting?", "Name one: cortex config recall.k 3, cortex config --unset recall.k"
        )
    option = settings.option(key)
    if user or place is None:
        file: Path = user_config()
    else:
        file = place.require_store() / "config.toml"
    settings.write(file, key, None if value is None else settings.parse(option, value))


def _show(place: Place | None, key: str | None, as_json: bool) -> None:
    found = settings.load(place, os.environ)
    chosen = [settings.option(key).key] if key else list(settings.OPTIONS)
    if as_json:
        rows = [
            {
                "key": name,
                "value": found[name].value,
                "source": found[name].source,
                "help": found[name].option.help,
            }
            for name in chosen
        ]
        render.say(render.as_json({"schema": 1, "settings": rows, "warnings": list(found.warnings)}))
        return
    colours = paint()
    for name in chosen:
        setting = found[name]
        source = f"  {'' if setting.source == 'default' else 'from '}{setting.source}"
        shown = str(setting.value).lower() if isinstance(setting.value, bool) else repr(setting.value)
        render.say(f"{colours('cyan', name)} = {shown}{colours('dim', source)}")
        render.say(colours("dim", f"    {setting.option.help}"))
    for warning in found.warnings:
        render.say(f"{paint(sys.stderr)('yellow', 'warning:')} {render.safe(warning)}", sys.stderr)

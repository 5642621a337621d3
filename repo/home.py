"""Where the person's own folders are, told without pathlib: the quick path of the command line reads this."""

from __future__ import annotations

import os
import sys


def state_folder() -> str:
    """The person's folder for the daemon: its registry, log and settings. `CORTEX_HOME` moves it."""
    if chosen := os.environ.get("CORTEX_HOME"):
        return chosen
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Application Support/cortex")
    return os.path.join(os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state"), "cortex")


def runtime_folder() -> str:
    """Where the daemon's socket lies: a folder of the person's own, with a path short enough for a socket."""
    chosen = os.environ.get("XDG_RUNTIME_DIR", "")
    if chosen.startswith("/") and len(os.fsencode(chosen)) <= 64:
        try:
            usable = os.stat(chosen).st_uid == os.getuid() and os.access(chosen, os.W_OK | os.X_OK)
        except OSError:
            usable = False
        if usable:
            return f"{chosen}/cortex"
    return f"/tmp/cortex-{os.getuid()}"  # noqa: S108 - its owner and mode are checked before it is used


def user_config() -> str:
    """The person's own settings, for all repositories."""
    if chosen := os.environ.get("CORTEX_HOME"):
        return os.path.join(chosen, "config.toml")
    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return os.path.join(folder, "cortex", "config.toml")

"""What is written into hook files: the marked block, and how to tell what an existing hook is."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

HEADER = b"#!/bin/sh\n"
SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "busybox"})

_NOTE = "# Cortex notes here what happened, and goes on; `cortex uninit` takes these lines out again.\n"
_BEFORE_COMMIT = """\
if [ -f "$cortex_run" ]; then
    cortex_status=0
    /bin/sh "$cortex_run" git pre-commit "$@" </dev/null || cortex_status=$?
    [ "$cortex_status" != 1 ] || exit 1
fi
"""
_AFTER = """\
if [ -f "$cortex_run" ]; then
    /bin/sh "$cortex_run" git {name} "$@" </dev/null || :
fi
"""
# The standard input is read here and given back to the hook that follows.
_REWRITE = """\
if [ -f "$cortex_run" ]; then
    cortex_lines=$(cat)
    printf '%s\\n' "$cortex_lines" | /bin/sh "$cortex_run" git post-rewrite "$@" || :
    exec <<cortex_lines_end
$cortex_lines
cortex_lines_end
fi
"""
_KEPT = """\
# The hook that was here is not a shell script: it is kept beside this folder, whole, and runs from there.
cortex_kept="${{0%/*}}{suffix}/{name}"
[ ! -x "$cortex_kept" ] || exec "$cortex_kept" "$@"
"""

KEPT_SUFFIX = ".cortex"


def body(name: str, folder: Path, common: Path, *, kept: bool = False) -> str:
    """The lines between the marks for the hook `name` in `folder`; `kept`: they end by running that one."""
    if os.path.realpath(folder) == str(common / "hooks"):
        run = '"${0%/*}/../cortex/hooks/run"'  # the clone can be moved
    else:
        run = shlex.quote(str(common / "cortex" / "hooks" / "run"))
    middle = {"pre-commit": _BEFORE_COMMIT, "post-rewrite": _REWRITE}.get(name, _AFTER).replace(
        "{name}", name
    )
    tail = _KEPT.format(suffix=KEPT_SUFFIX, name=name) if kept else ""
    return f"{_NOTE}cortex_run={run}\n{middle}{tail}"


def offset(text: bytes) -> int:
    """Where the block goes: after the `#!` line where there is one, else first."""
    if not text.startswith(b"#!"):
        return 0
    end = text.find(b"\n")
    return len(text) if end < 0 else end + 1


def is_shell(text: bytes) -> bool:
    """Whether a hook is a shell's script, where the block can stand; one without `#!` git gives to sh."""
    if b"\0" in text[:8192]:
        return False
    if not text.startswith(b"#!"):
        return True
    words = text[2 : offset(text)].decode("utf-8", "replace").split()
    names = [word.rpartition("/")[2] for word in words if not word.startswith("-") and "=" not in word]
    if names[:1] == ["env"]:
        names = names[1:]
    return bool(names) and re.sub(r"[\d.]+$", "", names[0]) in SHELLS


def runs_kept(text: bytes) -> bool:
    """Whether this is the wrapper that runs a kept hook."""
    return b"\ncortex_kept=" in text


def broken_line_end(text: bytes) -> bool:
    """Whether the `#!` line ends with a carriage return, so that no system can start the hook."""
    return text.startswith(b"#!") and text[: offset(text)].endswith(b"\r\n")

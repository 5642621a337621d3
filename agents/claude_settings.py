"""Claude Code's settings file: putting the hooks in and taking them out, everything else left as it is."""

from __future__ import annotations

import contextlib
import difflib
from pathlib import Path

from ..repo import marked
from ..repo.errors import DamagedError, UsageError
from . import jsontext
from .base import Change, Scope

#: No path of a machine stands in it, so a project can share it: it does something only in a clone where
#: `cortex init` has run. The setting keeps git from taking a folder of the work tree for a bare repository.
COMMAND = (
    'cd "${CLAUDE_PROJECT_DIR:-.}" 2>/dev/null && '
    "d=$(git -c safe.bareRepository=explicit rev-parse --git-common-dir 2>/dev/null) && "
    '[ -f "$d/cortex/hooks/run" ] && exec sh "$d/cortex/hooks/run" agent claude-code; exit 0'
)
_MARK = "cortex/hooks/run"
_HOOK = {"type": "command", "command": COMMAND, "timeout": 10}
#: Event → the group of hooks that Cortex adds to it.
GROUPS: dict[str, dict[str, object]] = {
    "PostToolUse": {"matcher": "Write|Edit|MultiEdit|NotebookEdit", "hooks": [_HOOK]},
    "UserPromptSubmit": {"hooks": [_HOOK]},
}
_BACKUP = ".cortex-backup"
_EMPTY = "{}\n"


def connect(scope: Scope, root: Path | None, home: Path, dry_run: bool = False) -> Change:
    """Add the hooks to the settings; what was there is kept beside on the first change.

    Raises `DamagedError` when the settings are no JSON, `PlaceError` when they cannot be written.
    """
    path = _path(scope, root, home)
    backup = path.with_name(path.name + _BACKUP)
    old = path.read_bytes() if path.exists() else None
    new = _with_hooks(path, old)
    change = _change(path, old, new, backup if old is not None else None)
    if dry_run or not change.changed:
        return change
    path.parent.mkdir(parents=True, exist_ok=True)
    if old is not None and not backup.exists():
        facts = path.stat()
        marked.write(backup, old, facts.st_mode & 0o7777, facts.st_mtime_ns)
    marked.write(path, new, path.stat().st_mode & 0o7777 if old is not None else 0o644)
    return change


def disconnect(scope: Scope, root: Path | None, home: Path, dry_run: bool = False) -> Change:
    """Take the hooks out: the file is as it was, byte for byte, unless something else in it changed since."""
    path = _path(scope, root, home)
    backup = path.with_name(path.name + _BACKUP)
    if not dry_run:
        marked.sweep(path)
    old = path.read_bytes() if path.exists() else None
    if old is None:
        return Change(path, "", None, False)
    was = backup.read_bytes() if backup.is_file() else None
    mtime = 0
    if was is not None and _with_hooks(path, was) == old:
        new: bytes | None = was
        mtime = backup.stat().st_mtime_ns
    else:
        new = _without_hooks(path, old)
        if was is None and new != old and new.decode("utf-8").split() == ["{}"]:
            new = None  # the file was made by us
    change = _change(path, old, new, backup if was is not None else None)
    if dry_run or not change.changed:
        return change
    if new is None:
        path.unlink()
        if scope == "project":
            with contextlib.suppress(OSError):  # something else is in there
                path.parent.rmdir()
    else:
        marked.write(path, new, path.stat().st_mode & 0o7777, mtime)
    backup.unlink(missing_ok=True)
    return change


def _path(scope: Scope, root: Path | None, home: Path) -> Path:
    if scope == "user":
        return home / ".claude" / "settings.json"
    if root is None:
        raise UsageError(
            "there is no work tree for a project's settings", "Use --user, or go into a work tree."
        )
    return root / ".claude" / "settings.json"


def _change(path: Path, old: bytes | None, new: bytes | None, backup: Path | None) -> Change:
    a, b = ((data or b"").decode("utf-8", "replace").splitlines(keepends=True) for data in (old, new))
    lines = difflib.unified_diff(a, b, fromfile=str(path), tofile=str(path))
    diff = "".join(line if line.endswith("\n") else line + "\n" for line in lines)
    return Change(path, diff, backup, old != new)


def _with_hooks(path: Path, data: bytes | None) -> bytes:
    """The settings with our hooks in; equal to `data` when they are in as they should be."""
    text = _text(path, data or _EMPTY.encode())
    if _ours(jsontext.parse(text)) == {event: [group] for event, group in GROUPS.items()}:
        return data or b""
    text = _stripped(text)
    for event, group in GROUPS.items():
        text = _added(path, text, event, group)
    return _bytes(data, text)


def _without_hooks(path: Path, data: bytes) -> bytes:
    text = _text(path, data)
    return _bytes(data, _stripped(text)) if _ours(jsontext.parse(text)) else data


def _text(path: Path, data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
        text = text if text.strip() else _EMPTY
        top = jsontext.parse(text)
    except ValueError as error:
        raise DamagedError(
            f"{path} is not JSON: {error}", "Mend it by hand, then run this again; it was not touched."
        ) from None
    hooks = top.members.get("hooks")
    groups = hooks.members.values() if hooks else ()
    if top.kind != "{" or (hooks and hooks.kind != "{") or any(each.kind != "[" for each in groups):
        raise DamagedError(f"{path} does not hold settings as Claude Code writes them", "It was not touched.")
    return text


def _bytes(was: bytes | None, text: str) -> bytes:
    return (b"\xef\xbb\xbf" if was and was.startswith(b"\xef\xbb\xbf") else b"") + text.encode("utf-8")


def _is_ours(group: object) -> bool:
    """Whether all hooks of a group call the shim: one with another hook in it is the person's."""
    hooks = group.get("hooks") if isinstance(group, dict) else None
    if not isinstance(hooks, list) or not hooks:
        return False
    commands = [hook.get("command") if isinstance(hook, dict) else None for hook in hooks]
    return all(isinstance(command, str) and _MARK in command for command in commands)


def _ours(top: jsontext.Node) -> dict[str, list[object]]:
    hooks = top.members.get("hooks")
    found = {
        event: [item.value for item in groups.items if _is_ours(item.value)]
        for event, groups in (hooks.members if hooks else {}).items()
    }
    return {event: groups for event, groups in found.items() if groups}


def _stripped(text: str) -> str:
    """The text without our groups, and without the lists and the object that are empty for it."""
    while True:
        top = jsontext.parse(text)
        hooks = top.members.get("hooks")
        step = _one_step(text, hooks) if hooks else None
        if step is None:
            return text
        text, emptied = step
        if emptied:
            top = jsontext.parse(text)
            if not top.members["hooks"].members:
                text = jsontext.remove(text, top, list(top.members).index("hooks"))


def _one_step(text: str, hooks: jsontext.Node) -> tuple[str, bool] | None:
    for number, groups in enumerate(hooks.members.values()):
        for item_number, item in enumerate(groups.items):
            if _is_ours(item.value):
                if len(groups.items) == 1:
                    return jsontext.remove(text, hooks, number), True
                return jsontext.remove(text, groups, item_number), False
    return None


def _added(path: Path, text: str, event: str, group: object) -> str:
    top = jsontext.parse(text)
    hooks = top.members.get("hooks")
    if hooks is None:
        return jsontext.add(text, top, {event: [group]}, 0, "hooks")
    groups = hooks.members.get(event)
    if groups is None:
        return jsontext.add(text, hooks, [group], 1, event)
    return jsontext.add(text, groups, group, 2)


__all__ = ["COMMAND", "GROUPS", "connect", "disconnect"]

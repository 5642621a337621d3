"""Whether our lines still stand in the hooks, and putting them back where another tool wrote a hook anew.

husky, lefthook and pre-commit replace hook files when they are installed again. Lines that a person took out
of a hook of their own stay out: see `around`.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from ..repo import marked
from ..repo.errors import CortexError
from ..repo.places import Place
from . import around, install, remembered
from .folders import Folder, folders, generated, manager, may_touch

#: How often lines are put back within a day: a tool that takes them out again and again has its way then.
MOST_A_DAY = 5
DAY_MS = 86_400_000


def signature(place: Place) -> tuple[object, ...]:
    """Something that changes whenever a hook or the folder of hooks may have: a dozen stats, and no process."""
    known = {place.common / "hooks", *remembered.read(install.note_of_folders(place))}
    hooks = (folder / name for folder in sorted(known) for name in install.HOOKS)
    seen: list[object] = []
    for path in (place.common / "config", place.gitdir / "config.worktree", *hooks):
        with contextlib.suppress(OSError):
            found = path.stat()
            seen.append((str(path), found.st_mtime_ns, found.st_ino, found.st_size))
    return tuple(seen)


def keep(place: Place, now_ms: int | None = None) -> list[Path]:
    """Put our lines back where another tool dropped them, and note what stands; returns the hooks that were mended.

    Nothing happens where no hooks are wanted: `uninstall` takes the note of their folders away.
    """
    noted = install.note_of_folders(place)
    if place.root is None or not noted.is_file():
        return []
    now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    known, before, done = remembered.read(noted), around.read(place), times(place, now)
    where, mended = folders(place), []
    for folder in where if len(done) < MOST_A_DAY else ():
        for name in install.HOOKS:
            if _dropped(folder, name, folder.path in known, before):
                with contextlib.suppress(CortexError, OSError):  # `status` says which hook is not heard
                    if install.put(place, folder, name).changed:
                        mended.append(folder.path / name)
    if mended:
        done = (*done, now)
        remembered.write(noted, [*known, *(each.parent for each in mended)])
    around.note(place, (folder.path / name for folder in where for name in install.HOOKS), done)
    return mended


def times(place: Place, now_ms: int) -> tuple[int, ...]:
    """When lines were put back in the last day, in ms."""
    return tuple(each for each in around.read(place).times if now_ms - DAY_MS < each <= now_ms)


def renew(place: Place) -> bool:
    """Write the shim anew where it is of another version and calls this installation; whether it did."""
    run = place.store / "hooks" / "run"
    try:
        data = run.read_bytes()
    except OSError:
        return False
    named = install.named(data)
    if named is None or not install.interpreter(named[0]) or install.shim(*named) == data:
        return False
    marked.write(run, install.shim(*named), 0o700)
    return True


def _dropped(folder: Folder, name: str, known: bool, before: around.Around) -> bool:
    """Whether a tool, and no person, dropped our lines from this hook."""
    file = folder.path / name
    if folder.locked or install.calls(file):
        return False
    if not known:  # core.hooksPath names another folder now: that of a tool, or what a person wants instead
        return bool(manager(folder.path)) and may_touch(folder, file)
    # What a tool generates comes back the same each time; nobody edits that by hand.
    by_tool = str(file) in before.digests and generated(file)
    return (by_tool or not before.by_hand(file)) and may_touch(folder, file)

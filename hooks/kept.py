"""Hooks that no block can stand in (other interpreters, programs, links): kept whole beside their folder.

`hooks/pre-commit` goes to `hooks.cortex/pre-commit`: the same depth and the same name, with links to its
neighbours, so that a hook that looks at its own name or beside itself finds what it found before.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from .scripts import KEPT_SUFFIX

_DRAFT = ".{}.cortex-draft"


def beside(folder: Path) -> Path:
    """The folder that keeps the hooks of `folder`."""
    return folder.with_name(folder.name + KEPT_SUFFIX)


def holds(folder: Path, name: str) -> bool:
    """Whether the hook `name` of `folder` is kept."""
    there = beside(folder) / name
    return os.path.lexists(there) and not _mirror(there, folder)


def settle(folder: Path, name: str) -> None:
    """Finish what a killed `wrap` left: a kept hook that is still in its own place is not kept."""
    hook, there = folder / name, beside(folder) / name
    with contextlib.suppress(OSError):
        (folder / _DRAFT.format(name)).unlink()
    if os.path.lexists(hook) and holds(folder, name) and _alike(hook, there):
        there.unlink()


def wrap(folder: Path, name: str, wrapper: bytes) -> None:
    """Keep the hook `name` and put `wrapper` in its place at one stroke: at no moment is there no hook."""
    home = beside(folder)
    home.mkdir(exist_ok=True)
    for entry in folder.iterdir():
        link = home / entry.name
        if not entry.name.endswith(".sample") and not os.path.lexists(link):
            link.symlink_to(os.path.join("..", folder.name, entry.name))
    hook, there = folder / name, home / name
    if _mirror(there, folder):
        there.unlink()
    try:
        os.link(hook, there, follow_symlinks=False)
    except OSError:  # a file system without hard links
        shutil.copy2(hook, there, follow_symlinks=False)
    draft = folder / _DRAFT.format(name)
    draft.write_bytes(wrapper)
    draft.chmod(0o755)
    draft.replace(hook)


def give_back(folder: Path, name: str, to: Path) -> None:
    """Put the kept hook at `to`, in place of the wrapper there."""
    (beside(folder) / name).replace(to)


def clear(folder: Path) -> list[str]:
    """Remove the folder that kept hooks, once none is in it; returns what has to be said."""
    home = beside(folder)
    if not home.is_dir():
        return []
    notes = []
    for entry in sorted(home.iterdir()):
        if _mirror(entry, folder):
            entry.unlink()
        elif not os.path.lexists(folder / entry.name):  # its wrapper is gone: the hook comes home
            entry.replace(folder / entry.name)
        else:
            notes.append(f"{entry} is the hook that was there first; another has taken its place since")
    with contextlib.suppress(OSError):
        home.rmdir()
    return notes


def _alike(hook: Path, there: Path) -> bool:
    if hook.is_symlink() or there.is_symlink():
        return hook.is_symlink() and there.is_symlink() and os.readlink(hook) == os.readlink(there)
    if not (hook.is_file() and there.is_file()):
        return False
    return os.path.samefile(hook, there) or hook.read_bytes() == there.read_bytes()


def _mirror(link: Path, folder: Path) -> bool:
    return link.is_symlink() and os.readlink(link) == os.path.join("..", folder.name, link.name)

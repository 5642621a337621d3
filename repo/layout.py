"""What `cortex init` lays down beside the hooks: the store's folder, the link to it, the exclude line."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import marked
from .errors import PlaceError
from .git import GitError, git
from .places import LINK, STORE, Place

#: The link, and what `cortex connect` keeps of a project's settings: both are this clone's alone.
_EXCLUDE = f"/{LINK}\n/.claude/*.cortex-backup\n"
#: Reading the index must not start what a repository's own configuration names as its file monitor.
_NO_MONITOR = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.fsmonitor", "GIT_CONFIG_VALUE_0": "false"}


@dataclass(frozen=True)
class LayoutReport:
    """What was laid down or taken away (`changed`), and what was left as it was, and why (`notes`)."""

    store: Path
    changed: tuple[Path, ...]
    notes: tuple[str, ...]


def work_trees(place: Place) -> list[Path]:
    """The roots of all work trees of this clone that are there, this one first."""
    roots = [place.root] if place.root else []
    if place.common.name == ".git" and (place.common.parent / ".git").is_dir():
        roots.append(place.common.parent)
    for pointer in sorted(place.common.glob("worktrees/*/gitdir")):
        with contextlib.suppress(OSError):
            named = pointer.read_text(encoding="utf-8", errors="surrogateescape").strip()
            roots.append((pointer.parent / named).parent)
    real = [Path(os.path.realpath(root)) for root in roots]
    return [root for root in dict.fromkeys(real) if (root / ".git").exists()]


def lay_down(place: Place, template: Path) -> LayoutReport:
    """Make the store's folder from `template`, link `.cortex` in each work tree, and hide the link from git.

    A file that is there already is left as it is. Raises `PlaceError` where nothing can be written.
    """
    changed: list[Path] = []
    notes: list[str] = []
    try:
        changed += _fill(place.store, template)
        for root in work_trees(place):
            note = _link(root, place)
            if note:
                notes.append(note)
            elif note is None:
                changed.append(root / LINK)
    except OSError as error:
        raise PlaceError(
            f"cannot write {error.filename or place.store}: {error.strerror}",
            "Make the repository's git folder writable, then run `cortex init` again.",
        ) from error
    exclude = place.common / "info" / "exclude"
    if marked.put_in(exclude, _EXCLUDE):
        changed.append(exclude)
    return LayoutReport(place.store, tuple(changed), tuple(notes))


def relink(place: Place) -> tuple[Path, ...]:
    """Make the link again where it was lost (`git clean -fdx` takes it); returns those that were made.

    Where something else has the name, or nothing can be written, there is no link: the memory needs none.
    """
    made: list[Path] = []
    for root in work_trees(place) if place.initialised else ():
        if not os.path.exists(root / LINK):
            with contextlib.suppress(OSError):
                if _link(root, place) is None:
                    made.append(root / LINK)
    return tuple(made)


def take_away(
    place: Place, template: Path, *, keep_data: bool = False, aside: Path | None = None
) -> LayoutReport:
    """Undo `lay_down`. The store goes with all it holds, or is moved to `aside`; with `keep_data` it stays
    and only what came unchanged from the template goes.
    """
    changed: list[Path] = []
    notes: list[str] = []
    for root in work_trees(place):
        link = root / LINK
        if link.is_symlink() and (_ours(link, place) or _stale(root)):
            link.unlink()
            changed.append(link)
        elif os.path.lexists(link):
            notes.append(f"{link} is not the link that Cortex made: left as it is")
    exclude = place.common / "info" / "exclude"
    if marked.take_out(exclude):
        changed.append(exclude)
    store = place.store
    try:
        if keep_data:
            changed += _unfill(store, template)
        elif aside is not None and store.is_dir():
            aside.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(aside):
                raise PlaceError(f"{aside} is there already", "Name a path that is free.")
            shutil.move(store, aside)
            changed.append(store)
        elif store.is_dir() and not store.is_symlink():
            shutil.rmtree(store)
            changed.append(store)
    except OSError as error:
        raise PlaceError(f"cannot remove {error.filename}: {error.strerror}", "Remove it by hand.") from error
    return LayoutReport(store, tuple(changed), tuple(notes))


def _files(template: Path) -> list[Path]:
    return sorted(path for path in template.iterdir() if path.is_file() and not path.name.startswith("."))


def _fill(store: Path, template: Path) -> list[Path]:
    if store.is_symlink() or (store.exists() and not store.is_dir()):
        raise PlaceError(
            f"{store} is there and is not a folder of Cortex", "Move it away, then run this again."
        )
    store.mkdir(mode=0o700, exist_ok=True)
    made = []
    for source in _files(template):
        target = store / source.name
        if not os.path.lexists(target):
            marked.write(target, source.read_bytes(), 0o600)
            made.append(target)
    return made


def _unfill(store: Path, template: Path) -> list[Path]:
    gone = []
    for source in _files(template):
        target = store / source.name
        if target.is_file() and target.read_bytes() == source.read_bytes():
            target.unlink()
            gone.append(target)
    return gone


def _link(root: Path, place: Place) -> str | None:
    """Make the link in one work tree: None when it was made, "" when it was there, else why it was not."""
    link = root / LINK
    if link.is_symlink() and _ours(link, place):
        return ""
    if _tracked(root):
        return f"{link} is tracked by git: left as it is; the memory itself is in {place.store}"
    if os.path.lexists(link):
        if not _stale(root):
            return f"{link} is there already: left as it is; the memory itself is in {place.store}"
        link.unlink()
    elif _stashed(root, place):
        return f"a stash holds {link}: it comes back with `git stash pop`, which would stumble over another"
    link.symlink_to(_target(root, place), target_is_directory=True)
    return None


def _target(root: Path, place: Place) -> str:
    """Relative where git's own pointer is (the clone can be moved as a whole), else absolute."""
    dot = root / ".git"
    if dot.is_file():
        pointer = dot.read_text(encoding="utf-8", errors="surrogateescape").partition(":")[2].strip()
        if Path(pointer).is_absolute():
            return str(place.store)
    return os.path.relpath(place.store, root)


def _ours(link: Path, place: Place) -> bool:
    return os.path.realpath(link) == os.path.realpath(place.store)


def _stale(root: Path) -> bool:
    """Whether `.cortex` is a link to where a store was before its clone was moved."""
    link = root / LINK
    if not link.is_symlink() or link.exists():
        return False
    return Path(os.readlink(link)).name == STORE and not _tracked(root)


def _stashed(root: Path, place: Place) -> bool:
    """Whether a stash holds the link: `git stash -a` takes it along, and will not pop where another stands."""
    try:
        entries = (place.common / "logs" / "refs" / "stash").read_bytes().splitlines()
    except OSError:
        return False
    stashes = [entry.split(b" ")[1] for entry in entries if entry.count(b" ") > 1]
    asked = b"".join(stash + f"^3:{LINK}\n".encode() for stash in stashes)
    try:
        said = git("cat-file", "--batch-check", cwd=root, stdin=asked)
    except GitError:
        return False
    return any(not line.endswith(b" missing") for line in said.splitlines())


def _tracked(root: Path) -> bool:
    try:
        listed = git("ls-files", "-z", "--", f":(top,literal){LINK}", cwd=root, environment=_NO_MONITOR)
    except GitError:
        return False
    return bool(listed)

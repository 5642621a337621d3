"""Putting Cortex beside whatever hooks a clone has, and taking it out again byte for byte."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..repo import marked
from ..repo.errors import PlaceError
from ..repo.places import Place
from . import around, kept, remembered, scripts
from .folders import Folder, folders, manager, may_touch

HOOKS = ("pre-commit", "post-commit", "post-rewrite", "post-merge", "post-checkout")
#: What answers a hook without the whole program; a path only, since nothing of it is needed here.
QUICK = Path(__file__).resolve().parent.parent / "cli" / "quick.py"
_PROGRAM = re.compile(rb"^program=(.+)$", re.MULTILINE)
_SECONDS = re.compile(rb"^git\.pre-commit\) seconds=(\S+) ;;$", re.MULTILINE)
#: Where other tools put the hook that they found, ours included.
_MOVED = ("", ".legacy", ".old")
#: What a person can do where a hook is not ours to change.
BY_HAND = (
    "commits are found all the same; for the check before a commit, add to your own pre-commit hook: "
    'run="$(git rev-parse --git-common-dir)/cortex/hooks/run"; [ ! -f "$run" ] || sh "$run" git pre-commit'
)


@dataclass(frozen=True)
class Hook:
    """One hook: `state` is new (its file is ours), added (a block in a person's script), wrapped (theirs is
    kept beside), left (as it was; `note` says why), or removed. `changed` says whether this call wrote.
    """

    name: str
    file: Path
    state: str
    changed: bool = False
    note: str = ""


@dataclass(frozen=True)
class HooksReport:
    """What was done with each hook; `manager` names the tool that keeps them, where one is known."""

    hooks: tuple[Hook, ...]
    manager: str = ""
    notes: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return any(hook.changed for hook in self.hooks)

    @property
    def missing(self) -> tuple[Hook, ...]:
        """Hooks that Cortex does not hear of; the scan of the refs finds their commits all the same."""
        return tuple(hook for hook in self.hooks if hook.state == "left")


def install(place: Place, program: Path, *, deadline: float = 2.0) -> HooksReport:
    """Write the shim for `program` (the absolute path of `cortex`), put its call into each hook; idempotent.

    `deadline` is how many seconds a commit waits for the guard. Raises `PlaceError` where the folder of hooks
    cannot be written.
    """
    with _writing(place.store / "hooks"):
        _write_shim(place, program, deadline)
    if place.root is None:
        return HooksReport((), notes=("a bare repository has no commits of its own: no hooks",))
    hooks: list[Hook] = []
    notes: list[str] = []
    where = folders(place)
    for folder in where:
        if folder.locked:
            notes.append(f"{folder.locked}: no hooks there")
        with _writing(folder.path):
            hooks += [put(place, folder, name) for name in HOOKS]
    if any(hook.state == "left" for hook in hooks):
        notes.append(BY_HAND)
    with _writing(place.store / "hooks"):
        note = note_of_folders(place)
        remembered.write(note, [*_remembered(place), *(folder.path for folder in where)])
    around.note(place, (folder.path / name for folder in where for name in HOOKS))
    return HooksReport(
        tuple(hooks), next(filter(None, (manager(each.path) for each in where)), ""), tuple(notes)
    )


def uninstall(place: Place) -> HooksReport:
    """Take out what `install` put in, wherever it was, and give back what it kept."""
    hooks: list[Hook] = []
    notes: list[str] = []
    here = [place.common / "hooks", *(each.path for each in folders(place)), *_remembered(place)]
    for path in dict.fromkeys(here):
        with _writing(path):
            for name in reversed(HOOKS):  # the first one remembers whether the folder was there
                hooks += _take_all(path, name)
            notes += kept.clear(path)
    shim = place.store / "hooks"
    if shim.is_dir():
        with _writing(shim):
            shutil.rmtree(shim)
    return HooksReport(tuple(hooks), notes=(*(hook.note for hook in hooks if hook.note), *notes))


def state(place: Place) -> HooksReport:
    """What is in place now, without writing: `state` is there, left, or scanned (not ours, and not needed)."""
    found = []
    for folder in folders(place):
        for name in HOOKS:
            file = folder.path / name
            if calls(file):
                found.append(Hook(name, file, "there"))
            elif not folder.locked and not may_touch(folder, file):
                # `cortex init` would not put it in either: only the guard is missed, the scan finds the rest.
                note = f"{file} is a file of the work tree: not ours to change; {BY_HAND}"
                found.append(Hook(name, file, "left" if name == "pre-commit" else "scanned", note=note))
            else:
                note = folder.locked or f"{file} does not call Cortex; `cortex init` puts it in"
                found.append(Hook(name, file, "left", note=note))
    return HooksReport(tuple(found))


def shim(program: Path, deadline: float, quick: tuple[str, str] | None = None) -> bytes:
    """What the shim for `program` holds; a commit waits `deadline` seconds for the guard.

    `quick` is the Python that answers without the whole program, and the file that it is given: those of this
    installation by default, two empty strings where `program` is another's.
    """
    template = (Path(__file__).parent / "run.sh").read_text(encoding="utf-8")
    python = interpreter(program)
    python, file = quick or (python, str(QUICK) if python else "")
    said = {"DEADLINE": f"{deadline:g}", "PYTHON": python, "QUICK": file, "PROGRAM": str(program)}
    filled = re.sub("@([A-Z]+)@", lambda found: shlex.quote(said[found[1]]), template)
    return filled.encode("utf-8", "surrogateescape")


def named(data: bytes) -> tuple[Path, float] | None:
    """The program and the seconds in a shim; None where they cannot be told."""
    program, seconds = _PROGRAM.search(data), _SECONDS.search(data)
    if program is None or seconds is None:
        return None
    try:
        (word,) = shlex.split(os.fsdecode(program[1]))
        return Path(word), float(seconds[1])
    except ValueError:
        return None


def interpreter(program: Path) -> str:
    """The Python that `program`, a console script of this very installation, starts; "" where it is another's.

    pip writes `#!/…/python`, and where that line would be too long or holds a space, `#!/bin/sh` and a line
    that only a shell takes for a command, with `exec "/…/python" "$0" "$@"`.
    """
    try:
        with program.open("rb") as file:
            first, second = file.readline(4096), file.readline(4096)
    except OSError:
        return ""
    words: list[str] = []
    if first.startswith(b"#!/bin/sh") and second.startswith(b"'''exec' "):
        with contextlib.suppress(ValueError):
            words = shlex.split(os.fsdecode(second)[len("'''exec' ") :])[:1]
    elif first.startswith(b"#!/"):
        words = [os.fsdecode(first[2:]).rstrip("\r\n")]
    found = "".join(words)
    ours = os.path.dirname(found) == os.path.dirname(sys.executable) and os.access(found, os.X_OK)
    return found if ours and "python" in os.path.basename(found) else ""


def _write_shim(place: Place, program: Path, deadline: float) -> None:
    folder = place.store / "hooks"
    for each in (place.store, folder, place.store / "spool"):
        each.mkdir(mode=0o700, exist_ok=True)
    text = shim(program, deadline)
    run = folder / "run"
    if not run.is_file() or run.read_bytes() != text:
        marked.write(run, text, 0o700)


def calls(file: Path) -> bool:
    """Whether a hook runs the shim: by our block, or by the line that a person added as `BY_HAND` says."""
    if not file.is_file() or not os.access(file, os.X_OK):
        return False
    text = file.read_bytes()
    return marked.OPEN in text or b"cortex/hooks/run" in text


def put(place: Place, folder: Folder, name: str) -> Hook:
    """Put the shim's call into one hook, or say why it was left."""
    file = folder.path / name
    if folder.locked:
        return Hook(name, file, "left", note=folder.locked)
    if not may_touch(folder, file):
        return Hook(name, file, "left", note=f"{file} is a file of the work tree: not ours to change")
    _mend_moved(folder.path, name)
    kept.settle(folder.path, name)
    if kept.holds(folder.path, name) and not os.path.lexists(file):
        kept.give_back(folder.path, name, file)  # its wrapper was deleted
    if not os.path.lexists(file):
        body = scripts.body(name, folder.path, place.common)
        return Hook(name, file, "new", marked.put_in(file, body, header=scripts.HEADER, mode=0o755))
    text = file.read_bytes() if file.is_file() else b""
    try:
        block = marked.find(text, file)
    except marked.MarkError as error:
        return Hook(name, file, "left", note=error.message)
    if block and kept.holds(folder.path, name) and scripts.runs_kept(text):
        body = scripts.body(name, folder.path, place.common, kept=True)
        return Hook(name, file, "wrapped", marked.put_in(file, body))
    if block is None:
        if note := _why_left(file, text):
            return Hook(name, file, "left", note=note)
        if file.is_symlink() or not scripts.is_shell(text):
            if kept.holds(folder.path, name):
                return Hook(
                    name, file, "left", note=f"another hook is kept in {kept.beside(folder.path)} already"
                )
            body = scripts.body(name, folder.path, place.common, kept=True)
            kept.wrap(folder.path, name, marked.whole(scripts.HEADER, body))
            return Hook(name, file, "wrapped", True)
    body = scripts.body(name, folder.path, place.common)
    changed = marked.put_in(file, body, at=scripts.offset)
    return Hook(name, file, "new" if block and block.made else "added", changed)


def _why_left(file: Path, text: bytes) -> str:
    if not file.is_file():
        return f"{file} is no file"
    if not os.access(file, os.X_OK):
        return f"{file} is not executable, so git passes over it: left as it is"
    if scripts.broken_line_end(text):
        return (
            f"{file} has Windows line ends and cannot run: left as it is; mend it and run `cortex init` again"
        )
    return ""


def _mend_moved(folder: Path, name: str) -> None:
    """Another tool put its hook in place of ours and moved ours aside: ours goes back into one place."""
    for moved in _MOVED[1:]:
        with contextlib.suppress(marked.MarkError):
            _take(folder / (name + moved), name)


def _take_all(folder: Path, name: str) -> list[Hook]:
    found = []
    kept.settle(folder, name)
    for moved in _MOVED:
        file = folder / (name + moved)
        marked.sweep(file)
        try:
            if _take(file, name):
                found.append(Hook(name, file, "removed", True))
        except marked.MarkError as error:
            found.append(Hook(name, file, "left", note=error.message))
    return found


def _take(file: Path, name: str) -> bool:
    """Undo one hook file: our block, our file, or our wrapper, for which the kept hook comes back."""
    if not file.is_file() or file.is_symlink():
        return False
    text = file.read_bytes()
    block = marked.find(text, file)
    if block is None:
        return False
    if kept.holds(file.parent, name) and scripts.runs_kept(text):
        rest = text[: block.start] + text[block.end :]
        if rest != scripts.HEADER:  # lines that somebody added to the wrapper
            marked.write(file.with_name(f"{file.name}.added"), rest, 0o644)
        kept.give_back(file.parent, name, file)
        return True
    return marked.take_out(file, scripts.HEADER)


def note_of_folders(place: Place) -> Path:
    """The file that notes where hooks were put."""
    return place.store / "hooks" / remembered.NAME


def _remembered(place: Place) -> list[Path]:
    return remembered.read(note_of_folders(place))


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PlaceError(
            f"cannot write into {path}: {error.strerror}", "Make that folder writable, then run this again."
        ) from error

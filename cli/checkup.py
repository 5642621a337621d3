"""What the doctor looks at beside the journal: the hooks' own files, and what a person may edit."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from ..hooks import remembered
from ..hooks.folders import folders
from ..hooks.install import note_of_folders, shim
from ..repo import config
from ..repo.errors import CortexError, DamagedError
from ..repo.places import Place
from ..store import doctor as medicine
from ..store.durable import SYSTEM, write_file
from ..store.quarantine import Problem
from .init import TEMPLATE, hook_in

_PROGRAM = re.compile(rb"^program=(.+)$", re.MULTILINE)
_SECONDS = re.compile(rb"^git\.pre-commit\) seconds=(\S+) ;;$", re.MULTILINE)
GONE = "calls"
NOT_OURS = "is not what was installed"


def faults(place: Place) -> list[Problem]:
    """What is wrong with these files; changes nothing."""
    found = [Problem(name, 0, why) for name, why in _of_the_template(place.store)]
    found += [Problem("config.toml", 0, each) for each in _of_the_settings(place)]
    if place.root is not None:
        found += [Problem(f"hooks/{name}", 0, why) for name, why in _of_the_hooks(place)]
    return found


def mend(place: Place) -> list[str]:
    """Quarantine what is damaged and write it anew; returns what was done.

    A file that a person may have edited stays as it is, unless but one bit of what `init` laid down is another.
    """
    done = []
    for name, _ in _of_the_template(place.store):
        if _one_bit(place.store / name, TEMPLATE / name):
            medicine.set_aside(place.store, place.store / name, "a bit was flipped in it")
            write_file(SYSTEM, place.store / name, (TEMPLATE / name).read_bytes())
            done.append(f"wrote {name} anew")
    if place.root is not None and (damaged := _of_the_hooks(place)):
        note = note_of_folders(place)
        known = remembered.salvage(note)
        for name, why in damaged:
            path = place.store / "hooks" / name
            if path.exists():
                medicine.set_aside(place.store, path, why)
        hook_in(place)
        remembered.write(note, [*known, *remembered.read(note)])
        done += [f"wrote hooks/{name} anew" for name, _ in damaged]
    return done


def shim_fault(place: Place) -> str:
    """What is wrong with the installed shim; empty when nothing is."""
    path = place.store / "hooks" / "run"
    try:
        data = path.read_bytes()
    except OSError as error:
        return f"cannot be read: {error.strerror}: run `cortex init` again"
    program, seconds = _PROGRAM.search(data), _SECONDS.search(data)
    if program is None or seconds is None:
        return NOT_OURS
    try:
        (named,) = shlex.split(os.fsdecode(program[1]))
        deadline = float(seconds[1])
    except ValueError:
        return NOT_OURS
    if shim(Path(named), deadline) != data:
        return NOT_OURS
    if not os.access(named, os.X_OK):
        return f"{GONE} {named}, which is gone: run `cortex init` again"
    here: tuple[Mapping[str, str], ...] = ({}, os.environ)
    wanted = {config.load(place, each).number("guard.deadline") for each in here}
    if deadline not in wanted:
        return f"gives the guard {deadline:g} s, and the settings {min(wanted):g} s"
    return ""


def _of_the_hooks(place: Place) -> list[tuple[str, str]]:
    found = []
    if why := shim_fault(place):
        found.append(("run", why))
    note = note_of_folders(place)
    try:
        named = remembered.parse(note.read_bytes())
        missing = [each.path for each in folders(place) if each.path not in named]
        if missing:
            found.append((note.name, f"does not name {missing[0]}, where hooks are"))
    except FileNotFoundError:
        found.append((note.name, "is missing"))
    except DamagedError as error:
        found.append((note.name, error.message))
    except OSError as error:
        found.append((note.name, f"cannot be read: {error.strerror}"))
    return found


def _of_the_template(store: Path) -> list[tuple[str, str]]:
    found = []
    for source in sorted(path for path in TEMPLATE.iterdir() if path.is_file()):
        path = store / source.name
        if not path.is_file():
            continue  # it is the person's to delete
        if _one_bit(path, source):
            found.append((source.name, "one bit of what `cortex init` laid down is another"))
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        if "\N{REPLACEMENT CHARACTER}" in text or re.search(r"[\x00-\x08\x0b\x0e-\x1f\x7f]", text):
            found.append((source.name, "holds bytes that are no text: mend it by hand"))
    return found


def _of_the_settings(place: Place) -> list[str]:
    try:
        said = config.load(place, {}).warnings
    except CortexError as error:
        return [error.message]
    return [each for each in said if str(place.store) in each]


def _one_bit(path: Path, source: Path) -> bool:
    """Whether a file is what it was laid down as, but for one bit: nobody edits like that."""
    data, laid = path.read_bytes(), source.read_bytes()
    if len(data) != len(laid):
        return False
    return sum(bin(a ^ b).count("1") for a, b in zip(data, laid, strict=True)) == 1

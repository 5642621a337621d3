"""What the doctor looks at beside the journal: the hooks' own files, and what a person may edit."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from ..hooks import remembered
from ..hooks.folders import folders
from ..hooks.install import named, note_of_folders, shim
from ..repo import config
from ..repo.errors import CortexError, DamagedError
from ..repo.files import read_plain
from ..repo.places import Place
from ..store import doctor as medicine
from ..store import notes
from ..store.durable import SYSTEM, read, write_file
from ..store.layout import BASELINE
from ..store.quarantine import Problem
from .init import TEMPLATE, hook_in

_QUICK = re.compile(rb"^python=(.+)\nquick=(.+)$", re.MULTILINE)
GONE = "calls"
NOT_OURS = "is not what was installed"
_NO_FILE = "is no file"


def faults(place: Place) -> list[Problem]:
    """What is wrong with these files; changes nothing."""
    found = [Problem(name, 0, why) for name, why in _of_the_template(place.store)]
    if "config.toml" not in {each.path for each in found}:
        found += [Problem("config.toml", 0, each) for each in _of_the_settings(place)]
    if _damaged_baseline(place.store / BASELINE):
        found.append(Problem(BASELINE, 0, "its checksum does not fit"))
    if place.root is not None:
        found += [Problem(f"hooks/{name}", 0, why) for name, why in _of_the_hooks(place)]
    return found


def mend(place: Place) -> list[str]:
    """Quarantine what is damaged and write it anew; returns what was done.

    A file that a person may have edited stays as it is, unless but one bit of what `init` laid down is another.
    """
    done = []
    for name, why in _of_the_template(place.store):
        if why == _NO_FILE or _one_bit(place.store / name, TEMPLATE / name):
            said = why if why == _NO_FILE else "a bit was flipped in it"
            medicine.set_aside(place.store, place.store / name, said)
            write_file(SYSTEM, place.store / name, (TEMPLATE / name).read_bytes())
            done.append(f"wrote {name} anew")
    if _damaged_baseline(place.store / BASELINE):
        medicine.set_aside(place.store, place.store / BASELINE, "its checksum does not fit")
        done.append("set the baseline aside: `cortex baseline write` makes one of what stands now")
    if place.root is not None and (damaged := _of_the_hooks(place)):
        note = note_of_folders(place)
        known = remembered.salvage(note)
        for name, why in damaged:
            path = place.store / "hooks" / name
            if os.path.lexists(path):
                medicine.set_aside(place.store, path, why)
        hook_in(place)
        remembered.write(note, [*known, *remembered.read(note)])
        done += [f"wrote hooks/{name} anew" for name, _ in damaged]
    return done


def _damaged_baseline(path: Path) -> bool:
    try:
        return notes.read(read(SYSTEM, path)) is None
    except OSError:
        return False


def shim_fault(place: Place) -> str:
    """What is wrong with the installed shim; empty when nothing is."""
    path = place.store / "hooks" / "run"
    try:
        data = read(SYSTEM, path)
    except OSError as error:
        return f"cannot be read: {error.strerror}: run `cortex init` again"
    found = named(data)
    if found is None:
        return NOT_OURS
    program, deadline = found
    if data not in (shim(program, deadline), shim(program, deadline, _quick(data))):
        return NOT_OURS
    if not os.access(program, os.X_OK):
        return f"{GONE} {program}, which is gone: run `cortex init` again"
    here: tuple[Mapping[str, str], ...] = ({}, os.environ)
    wanted = {config.load(place, each).number("guard.deadline") for each in here}
    if deadline not in wanted:
        return f"gives the guard {deadline:g} s, and the settings {min(wanted):g} s"
    return ""


def _quick(data: bytes) -> tuple[str, str]:
    """The Python and the file of the shim's quick way where both are there: another installation may have put it in."""
    found = _QUICK.search(data)
    if found is None:
        return "", ""
    try:
        (python,), (file,) = (shlex.split(os.fsdecode(each)) for each in found.groups())
    except ValueError:
        return "", ""
    return (python, file) if os.access(python, os.X_OK) and os.path.isfile(file) else ("", "")


def _of_the_hooks(place: Place) -> list[tuple[str, str]]:
    found = []
    if why := shim_fault(place):
        found.append(("run", why))
    note = note_of_folders(place)
    try:
        named = remembered.parse(read(SYSTEM, note))
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
        if not os.path.lexists(path):
            continue  # it is the person's to delete
        if not path.is_file():
            found.append((source.name, _NO_FILE))
            continue
        if _one_bit(path, source):
            found.append((source.name, "one bit of what `cortex init` laid down is another"))
            continue
        text = _of_a_person(path).decode("utf-8", "replace")
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
    data, laid = _of_a_person(path), source.read_bytes()
    if len(data) != len(laid):
        return False
    return sum(bin(a ^ b).count("1") for a, b in zip(data, laid, strict=True)) == 1


def _of_a_person(path: Path) -> bytes:
    """A file that a person may have put there, a link too; nothing is waited for."""
    return read_plain(path, 1 << 20)

"""The rules that are kept in bc-detect-secrets, put into RE2's syntax; noted, because to import them takes long.

Its plugins import a client for HTTP, which we never call: .15 s for twenty patterns.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import logging
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..repo.files import write_whole
from ..repo.places import state_folder
from . import notes
from .durable import SYSTEM, read
from .secret_rules import Rule

logger = logging.getLogger("cortex")
#: The import name of bc-detect-secrets: see docs/decisions/0010-secret-rules.md.
PACKAGE = "detect_secrets"
KEPT = f"{PACKAGE}.plugins"
#: Beside the person's settings: what the package of this content says.
NOTE = "kept-rules.json"

#: Kept rules that only hold with the context which their plugin checks in Python, and one of which ours finds more:
#: `OWN` has them.
_OURS = (
    *("Azure Storage Account access key", "Private Key", "JSON Web Token", "Basic Auth Credentials"),
    "Discord Bot Token",
)
#: What RE2 lacks, and what says the same here: the place before or after a secret is looked at anyway.
_LOOKS = (
    (r"(?:(?<=\W)|(?<=^))", r"(?:\W|^)"),
    (r"(?![a-zA-Z0-9_\-])", ""),
    (r"(?![a-f0-9])", ""),
    (r"(?!\w)", ""),
)


def kept() -> list[Rule]:
    """The kept rules, as the installed package has them; those that cannot be read are passed over."""
    file = state_folder() / NOTE
    made_of = _content()
    found = _noted(file, made_of)
    if found is None:
        found, missed = _imported()
        if made_of and not missed:
            _note(file, made_of, found)
    return found


def _content() -> str:
    """What tells one content of the package, and one way of reading it, from another; empty where it is not found."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return ""
    digest = hashlib.sha256(repr((_OURS, _LOOKS)).encode())
    try:
        for folder in (Path(each) for each in spec.submodule_search_locations):
            for file in sorted([*folder.glob("*.py"), *folder.glob("plugins/*.py")]):
                data = file.read_bytes()
                digest.update(f"{file.name} {len(data)}\n".encode())
                digest.update(data)
    except OSError:
        return ""
    return digest.hexdigest()


def _noted(file: Path, made_of: str) -> list[Rule] | None:
    """What was noted; None where that is damaged, or was read from another content."""
    try:
        said = notes.read(read(SYSTEM, file))
    except OSError:
        return None
    if said is None or not made_of or said.get("made_of") != made_of:
        return None
    try:
        return [
            Rule(str(name), str(pattern), str(kind), float(entropy))
            for name, pattern, kind, entropy in said["rules"]
        ]
    except (KeyError, TypeError, ValueError):
        return None


def _note(file: Path, made_of: str, rules: list[Rule]) -> None:
    said = [[rule.name, rule.pattern, rule.kind, rule.entropy] for rule in rules]
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(file, notes.write({"made_of": made_of, "rules": said}), durable=False)
    except OSError as error:
        logger.debug("the kept rules could not be noted: %s", error)  # they are imported again


def _imported() -> tuple[list[Rule], list[str]]:
    """The rules of the package itself, and the plugins that could not be read."""
    import pkgutil

    rules: list[Rule] = []
    missed = []
    package = importlib.import_module(KEPT)
    for module in pkgutil.iter_modules(package.__path__):
        try:
            plugin = importlib.import_module(f"{KEPT}.{module.name}")
        except (ImportError, AttributeError):
            missed.append(module.name)
            continue
        for found in vars(plugin).values():
            patterns = getattr(found, "denylist", None)
            if (
                isinstance(found, type)
                and found.__module__ == plugin.__name__
                and isinstance(patterns, (list, tuple))
            ):
                rules += _rules(str(getattr(found, "secret_type", module.name)), patterns)
    return rules, missed


def _rules(title: str, patterns: list[Any] | tuple[Any, ...]) -> Iterator[Rule]:
    if title in _OURS:
        return
    name = "-".join(
        "".join(c if c in string.ascii_letters + string.digits else " " for c in title).lower().split()
    )
    for each in patterns:
        pattern, flags = getattr(each, "pattern", None), int(getattr(each, "flags", 0))
        if not isinstance(pattern, str):
            continue
        for theirs, ours in _LOOKS:
            pattern = pattern.replace(theirs, ours)
        letters = "m" + "i" * bool(flags & 2) + "s" * bool(flags & 16)
        # `(?i` with a name beside the secret is a guess, a prefix in its own case is not.
        yield Rule(name, f"(?{letters}){pattern}", "keyed" if flags & 2 else "token", 2.5)

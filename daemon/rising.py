"""A rule that several repositories of a person confirmed rises in scope: to its framework, or to its language.

Each repository keeps a note of the rules that warn in it for what was corrected there, by their ids alone, in the
person's own folder. Who sees a rule in enough of the notes writes down that it rose, and why; when the notes say it no
longer, that it came back. What a person said of a scope stands.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..learning.rules.lifecycle import ACTIVE
from ..repo.files import write_whole
from ..repo.places import state_folder
from ..store.kinds import Memory, RuleEvent, Scope
from ..store.record import Draft
from ..store.wording import count

if TYPE_CHECKING:
    from .state import State

FOLDER = "confirmed"
#: Who moved a rule, where no person did.
WHO = "rules"
LARGEST = 1024 * 1024
MOST = 1_000  # notes that are read
_RULE = re.compile(r"[0-9a-f]{32}")


def rise(state: State, least: int) -> list[Scope]:
    """Note what is confirmed here, and move the rules that `least` repositories agree on; nothing below two."""
    confirmed, moved = _told(state)
    folder, own = state_folder() / FOLDER, _repository(state)
    _note(_file(folder, state.place.common), own, frozenset(confirmed))
    if least < 2:
        return []
    found = []
    others = _others(folder, own)
    for rule, memory in sorted(confirmed.items()):
        agreed = 1 + len({name for name, rules in others if rule in rules})
        last = moved.get(rule)
        ours, now = last is None or last.who == WHO, last.scope if last else memory.scope
        if agreed >= least and now == "project" and ours:
            wider = "framework" if memory.framework else "language"
            found.append(_moved(rule, wider, f"confirmed in {count(agreed, 'repository', 'repositories')}"))
        elif agreed < least and now != "project" and last is not None and ours:
            found.append(_moved(rule, "project", f"confirmed in {agreed} of {least} repositories now"))
    for rule, said in sorted(moved.items()):
        if said.who == WHO and said.scope != "project" and rule not in confirmed:
            found.append(_moved(rule, "project", "it is no longer confirmed here"))
    if found:
        state.journal.append([Draft(each, origin=WHO) for each in found])
    return found


def _moved(rule: str, scope: str, why: str) -> Scope:
    return Scope(who=WHO, what=rule, scope=scope, why=why)


def _told(state: State) -> tuple[dict[str, Memory], dict[str, Scope]]:
    """The rules that corrections of this repository made active, and of each that was moved, how it was last."""
    view, writer = state.view(), state.journal.writer
    last: dict[str, RuleEvent] = {}
    moved: dict[str, Scope] = {}
    for record in view.of_kind(RuleEvent.KIND, Scope.KIND):
        body = record.decoded() if record.w == writer else None
        if isinstance(body, RuleEvent):
            last[body.rule] = body
        elif isinstance(body, Scope):
            moved[body.what] = body
    confirmed: dict[str, Memory] = {}
    for rule, event in last.items():
        record_of = view.current(rule) if event.to_state == ACTIVE and event.by != "import" else None
        memory = record_of.decoded() if record_of is not None else None
        if isinstance(memory, Memory) and not memory.private and event.commits > 1 and _RULE.fullmatch(rule):
            confirmed[rule] = memory
    return confirmed, moved


def forget(common: Path) -> None:
    """Take the note of a clone away: what is removed confirms nothing any more."""
    _file(state_folder() / FOLDER, common).unlink(missing_ok=True)


def _repository(state: State) -> str:
    """One name for all clones of a repository: they confirm nothing to each other."""
    told = str(state.place.common)
    for remote in sorted(state.repository.remotes, key=lambda each: str(each.name)):
        told = re.sub(r"\.git/*$", "", str(remote.url or told))
        if remote.name == "origin":
            break
    return _hash(told)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _file(folder: Path, common: Path) -> Path:
    return folder / f"{_hash(str(common))}.json"


def _note(file: Path, name: str, rules: frozenset[str]) -> None:
    if (name, rules) == _read(file) or not (rules or file.exists()):
        return
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    told = {"repository": name, "rules": sorted(rules)}
    write_whole(file, json.dumps(told).encode("ascii") + b"\n")


def _others(folder: Path, own: str) -> list[tuple[str, frozenset[str]]]:
    """What the notes of other repositories say."""
    try:
        files = sorted(folder.glob("*.json"))[:MOST]
    except OSError:
        return []
    return [(name, rules) for name, rules in map(_read, files) if name and name != own]


def _read(file: Path) -> tuple[str, frozenset[str]]:
    """The repository and the rules of a note; what cannot be read confirms nothing."""
    try:
        told = json.loads(file.read_bytes()) if file.stat().st_size <= LARGEST else None
    except (OSError, ValueError, RecursionError):
        told = None
    rules = told.get("rules") if isinstance(told, dict) else None
    if not isinstance(rules, list) or not isinstance(told, dict):
        return "", frozenset()
    return str(told.get("repository", "")), frozenset(each for each in rules if isinstance(each, str))

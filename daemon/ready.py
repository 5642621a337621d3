"""The rules as the guard needs them, kept ready: a check after an idle hour does not read the whole journal first.

A derived file of the clone. It holds what `active` made of the journal, and says where that stood (`store/marks`).
Where it has only grown since, by records that rules are not made of, the rules are the same; in every other case the
journal is read.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..learning.guard.findings import ActiveRule
from ..repo.files import read_plain
from ..store import marks, notes
from ..store.items import Evidence, Item
from ..store.kinds import Hole, Pattern

FILE = notes.READY
#: Raised when rules are made of the journal in another way.
FORM = 2
LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True)
class Ready:
    """Rules that may warn, the surest first, and the lines that say their items; `head` is what they were made of."""

    head: Mapping[str, Any]
    rules: list[ActiveRule]
    lines: Mapping[str, bytes]
    journal: marks.Follower

    def item(self, rule: str) -> Item:
        """What a rule's warning is told from."""
        said = json.loads(self.lines[rule])
        evidence = tuple(Evidence(**each) for each in said.pop("evidence"))
        return Item(**{**said, "sources": tuple(said["sources"])}, evidence=evidence)


def load(store: Path, writer: str, stamp: object, known: Ready | None = None) -> Ready | None:
    """The rules that are kept, where the journal says nothing else since; None where it has to be read.

    `stamp` is of what else they were made of; those that are `known` stay while they hold.
    """
    try:
        if known is not None and holds(known, writer, stamp):
            return known
        data = read_plain(store / "index" / FILE, LARGEST)
        rest = notes.unsealed(data)
        if rest is None:
            return None
        head, rules, *lines = rest.split(b"\n")
        said = json.loads(head)
        ready = Ready(said, [], {}, marks.Follower(store, writer, said["number"], said["mark"]))
        if not holds(ready, writer, stamp):
            return None
        made = [_rule(each) for each in json.loads(rules)]
        items = {rule.id: line for rule, line in zip(made, lines, strict=True)}
        return Ready(ready.head, made, items, ready.journal)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def holds(ready: Ready, writer: str, stamp: object) -> bool:
    """Whether the rules would be the same if they were made now. Raises `OSError`."""
    return ready.head.get("made") == _made(writer, stamp) and ready.journal.holds()


def keep(
    store: Path,
    writer: str,
    stamp: object,
    journal: Mapping[str, Any],
    rules: Sequence[ActiveRule],
    items: Mapping[str, Item],
) -> None:
    """Keep rules that were made of the `journal`, as `state_of` found it before it was read. Raises `OSError`."""
    from ..store import derived  # numpy comes with it

    head = {"made": _made(writer, stamp), **journal}
    told = [{**dataclasses.asdict(rule), "evidence": ()} for rule in rules]
    said = (head, told, *(dataclasses.asdict(items[rule.id]) for rule in rules))
    rest = b"\n".join(json.dumps(each, ensure_ascii=True).encode() for each in said)
    folder = store / "index"
    folder.mkdir(mode=0o700, exist_ok=True)
    derived.replace(folder / FILE, notes.sealed(rest))


def state_of(store: Path, number: int) -> dict[str, Any]:
    """The journal as it lies on the disk, of which own records up to `number` are known. Raises `OSError`."""
    return {"number": number, "mark": marks.mark(store)}


def _made(writer: str, stamp: object) -> str:
    """By what code the rules were made, for whom, and of what beside the journal."""
    fields = [
        [field.name for field in dataclasses.fields(each)]
        for each in (ActiveRule, Pattern, Hole, Item, Evidence)
    ]
    return hashlib.sha256(repr((FORM, fields, writer, stamp)).encode()).hexdigest()


def _rule(said: dict[str, Any]) -> ActiveRule:
    pattern = said["pattern"]
    holes = tuple(Hole(**{**hole, "values": tuple(hole["values"])}) for hole in pattern.pop("holes"))
    plain: dict[str, Any] = {
        name: tuple(each) if isinstance(each, list) else each for name, each in pattern.items()
    }
    return ActiveRule(**{**said, "pattern": Pattern(**plain, holes=holes), "evidence": ()})

"""One memory as bytes with a checksum, and back."""

from __future__ import annotations

import dataclasses
import json

import google_crc32c

from ..items import Evidence, Item

FIELDS = tuple(each.name for each in dataclasses.fields(Item))
EVIDENCE = tuple(each.name for each in dataclasses.fields(Evidence))
_AT = FIELDS.index("evidence")
_TUPLES = tuple(FIELDS.index(name) for name in ("sources", "supersedes", "requires", "causes"))
CHECK = 4  # bytes of CRC-32C before the JSON


def to_bytes(item: Item) -> bytes:
    """The entry of an item."""
    values: list[object] = [getattr(item, name) for name in FIELDS]
    values[_AT] = [[getattr(each, name) for name in EVIDENCE] for each in item.evidence]
    data = json.dumps(values, separators=(",", ":")).encode("ascii")
    return int(google_crc32c.value(data)).to_bytes(CHECK, "little") + data


def from_bytes(entry: bytes) -> Item | None:
    """The item of an entry; None when a bit of it is another."""
    data = entry[CHECK:]
    if google_crc32c.value(data) != int.from_bytes(entry[:CHECK], "little"):
        return None
    try:
        values = json.loads(data)
        values[_AT] = tuple(Evidence(*each) for each in values[_AT])
        for at in _TUPLES:
            values[at] = tuple(values[at])
        return Item(*values)
    except (ValueError, TypeError, IndexError):
        return None

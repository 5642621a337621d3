"""Small JSON notes with a checksum of their own: a flipped bit makes a lost note of them, never a false one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from .record import crc

#: The rules that may warn, kept ready: sealed, not a note.
READY = "rules.ready"
#: Where the journal stood when no commit was new, and nothing waited for one.
SCANNED = "scanned.json"


def write(said: Mapping[str, object]) -> bytes:
    """The bytes of a note: ASCII, keys sorted, `crc` over the rest as it stands here."""
    return _dump({**said, "crc": crc(_dump(said))})


def read(data: bytes) -> dict[str, Any] | None:
    """What a note says, without `crc`; None when it is damaged. A note of an earlier version has no checksum."""
    try:
        said = json.loads(data)
        if not isinstance(said, dict):
            return None
        given = said.pop("crc", None)
        return said if given is None or given == crc(_dump(said)) else None
    except (ValueError, RecursionError):
        return None


def sealed(rest: bytes) -> bytes:
    """A larger file with the SHA-256 of it as its first line."""
    return hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest


def unsealed(data: bytes) -> bytes | None:
    """What was sealed; None when a bit of it is another."""
    digest, _, rest = data.partition(b"\n")
    return rest if digest == hashlib.sha256(rest).hexdigest().encode() else None


def _dump(said: Mapping[str, object]) -> bytes:
    # A path may hold half of a surrogate pair, which the canonical form of records has no place for.
    return json.dumps(said, ensure_ascii=True, sort_keys=True).encode()

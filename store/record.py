"""Records: the envelope, canonical JSON, checksums and ids; docs/format.md tells it to other programs."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from sys import intern
from types import MappingProxyType
from typing import Any, Literal

import google_crc32c

from ..repo.errors import DamagedError, UsageError
from .codec import decode_any
from .kinds import Body, is_private

VERSION = 1
LIMIT = 2**53  # RFC 8785, 3.2.2.3: beyond it not every reader keeps an integer exact
DEPTH = 32
MAX_SHARED = 64 * 1024  # bytes of one line, without its end
MAX_PRIVATE = 1024 * 1024

_HEX32 = re.compile(r"[0-9a-f]{32}\Z").match
_HEX64 = re.compile(r"[0-9a-f]{64}\Z").match
_OPERATIONS = frozenset({"put", "del"})
_ENVELOPE = frozenset({"author", "body", "crc", "id", "m", "n", "op", "origin", "parents", "t", "v", "w"})


class DamagedLine(DamagedError):  # noqa: N818 - the name says what it is
    """A line that is not a whole and true record; the message says why."""


class NotCanonicalError(UsageError):
    """A value that the canonical form has no place for."""


@dataclass(frozen=True)
class Draft:
    """What a caller hands to `Journal.append`; an empty `m` asks for a new memory id."""

    body: Body
    m: str = ""
    parents: tuple[str, ...] = ()
    op: Literal["put", "del"] = "put"
    author: str = ""
    origin: str = ""


_NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the journal: version `v` of memory `m`, written at `t` (ms) by writer `w` as its `n`-th."""

    id: str
    v: int
    m: str
    op: str
    parents: tuple[str, ...]
    t: int
    w: str
    n: int
    author: str
    origin: str
    body: Mapping[str, object]
    private: bool
    extra: Mapping[str, object] = field(default_factory=dict)

    def decoded(self) -> Body | None:
        """The body as its kind; None for a kind that this version does not know."""
        return decode_any(self.body)

    @property
    def kind(self) -> str:
        """The body's kind; empty for a tombstone without a body."""
        kind = self.body.get("kind")
        return kind if isinstance(kind, str) else ""

    @property
    def order(self) -> tuple[int, str, str]:
        """Where the record stands among all records."""
        return (self.t, self.w, self.id)


def new_memory() -> str:
    """A fresh memory id: 128 random bits, in hex."""
    return secrets.token_hex(16)


def memory_of(request: str, n: int) -> str:
    """The memory id of the `n`-th thing that a request writes: the same when it is asked a second time.

    It is as random as the request's own name.
    """
    return hashlib.sha256(f"{request}\0{n}".encode("utf-8", "surrogateescape")).hexdigest()[:32]


def is_memory_id(text: str) -> bool:
    """Whether a text is a memory id: 32 hex digits."""
    return _HEX32(text) is not None


def canonical(value: object) -> bytes:
    """The one form of a JSON value: RFC 8785, narrowed to what Python's `json` writes the same way.

    Raises `NotCanonicalError` for a float, an integer of 2^53 or more, a key that is not ASCII, a lone
    surrogate, a nesting deeper than 32, or a type that JSON does not have.
    """
    _check(value, 0)
    try:
        return _dump(value)
    except UnicodeEncodeError as error:
        raise NotCanonicalError("a text holds half of a surrogate pair") from error


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _dump(value: object) -> bytes:
    return _ENCODER.encode(value).encode("utf-8")


#: What needs no look within; the exact types, as most values are of one.
_PLAIN = (str, bool, type(None))


def _check(value: object, depth: int) -> None:
    if isinstance(value, _PLAIN):
        return
    if isinstance(value, int):
        if not -LIMIT < value < LIMIT:
            raise NotCanonicalError(f"{value} is not below 2^53")
        return
    if depth >= DEPTH:
        raise NotCanonicalError(f"nested deeper than {DEPTH}")
    if isinstance(value, (list, tuple)):
        for each in value:
            kind = type(each)
            if kind is int and -LIMIT < each < LIMIT:  # looked at here: most of what a record of scores holds
                continue
            if kind not in _PLAIN:
                _check(each, depth + 1)
    elif isinstance(value, (dict, Mapping)):  # `dict` first: asking the abstract class takes long
        for key, each in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise NotCanonicalError(f"the key {key!r} is not ASCII")
            if type(each) not in _PLAIN:
                _check(each, depth + 1)
    else:
        raise NotCanonicalError(f"{type(value).__name__} has no place in a record")


def crc(data: bytes) -> str:
    """CRC-32C (Castagnoli), as 8 hex digits."""
    return f"{google_crc32c.value(data):08x}"


def make(
    draft: Draft,
    *,
    t: int,
    w: str,
    n: int,
    author: str,
    body: Mapping[str, object],
    private: bool | None = None,
) -> Record:
    """The record of a draft, with `body` as the JSON form of the draft's own, redacted.

    `private` decides the class where it is given; otherwise the kind does.

    Raises `NotCanonicalError`.
    """
    return made(draft, t=t, w=w, n=n, author=author, body=body, private=private)[0]


def made(
    draft: Draft,
    *,
    t: int,
    w: str,
    n: int,
    author: str,
    body: Mapping[str, object],
    private: bool | None = None,
) -> tuple[Record, bytes]:
    """What `make` makes, and its line (see `to_line`): the body is looked through and written once for both."""
    envelope = {
        "v": VERSION,
        "m": draft.m or new_memory(),
        "op": draft.op,
        "parents": list(draft.parents),
        "t": t,
        "w": w,
        "n": n,
        "author": draft.author or author,
        "origin": draft.origin,
        "body": dict(body),
    }
    if not is_memory_id(str(envelope["m"])):
        raise NotCanonicalError(f"{draft.m!r} is not a memory id: 32 hex digits")
    if not all(_HEX64(each) for each in draft.parents):
        raise NotCanonicalError("a parent is not a record id: 64 hex digits")
    whole = canonical(envelope)
    identity = hashlib.sha256(whole).hexdigest()
    # The keys are sorted: `crc` and `id` come between `body` and `m`, and what follows these is short.
    tail = b"," + _dump({key: each for key, each in envelope.items() if key > "id"})[1:]
    head, named = whole[: -len(tail)], f'"id":"{identity}"'.encode()
    checked = f',"crc":"{crc(head + b"," + named + tail)}",'.encode()
    record = _record(identity, envelope, is_private(draft.body) if private is None else private, {})
    return record, head + checked + named + tail + b"\n"


def to_line(record: Record) -> bytes:
    """The record's line, with its end."""
    whole = {
        "v": record.v,
        "m": record.m,
        "op": record.op,
        "parents": list(record.parents),
        "t": record.t,
        "w": record.w,
        "n": record.n,
        "author": record.author,
        "origin": record.origin,
        "body": record.body,
        **record.extra,
        "id": record.id,
    }
    whole["crc"] = crc(canonical(whole))
    return _dump(whole) + b"\n"


def from_line(line: bytes, private: bool) -> Record:
    """The record of one line (its end may be there or not).

    A version, an operation, a kind or a field that is not known is no damage. Raises `DamagedLine`.
    """
    line = line.removesuffix(b"\n")
    if len(line) > (MAX_PRIVATE if private else MAX_SHARED):
        raise DamagedLine(f"{len(line)} bytes in one line")
    whole, is_canonical = _parse(line)
    given_crc, given_id = whole.pop("crc", None), whole.get("id")
    fields = f',"crc":"{given_crc}","id":"{given_id}",'.encode("utf-8", "replace")
    at = line.find(fields) if is_canonical else -1
    if at > 0:
        # What the two were made of is the line without them. These bytes stand in it once: quotes in texts
        # are escaped, and nothing can hold its own SHA-256.
        head, tail = line[:at], line[at + len(fields) - 1 :]
        with_id, without = head + f',"id":"{given_id}"'.encode() + tail, head + tail
    else:
        with_id = _dump(whole)
        without = _dump({key: each for key, each in whole.items() if key != "id"})
    if given_crc != crc(with_id):
        raise DamagedLine("its checksum does not fit")
    if given_id != hashlib.sha256(without).hexdigest():
        raise DamagedLine("its id is not the hash of its content")
    if len(whole) == len(_ENVELOPE) - 1:
        extra: dict[str, object] = {}
    else:
        extra = {key: each for key, each in whole.items() if key not in _ENVELOPE}
    _check_envelope(whole)
    return _record(str(given_id), whole, private, extra)


def _parse(line: bytes) -> tuple[dict[str, Any], bool]:
    """The object of a line, and whether the line is its canonical form."""
    try:
        text = line.decode("utf-8")
        whole = _QUICK.decode(text)
        is_canonical = isinstance(whole, dict) and _dump(whole) == line
        if not is_canonical:
            whole = _STRICT.decode(text)  # which finds what the quick one lets pass
        if not isinstance(whole, dict):
            raise DamagedLine("not a JSON object")
        if not (is_canonical and _plain(line)):
            _check(whole, 0)
    except NotCanonicalError as error:
        raise DamagedLine(f"not in canonical form: {error.message}") from None
    except (ValueError, RecursionError) as error:
        raise DamagedLine(f"not JSON as it must be: {error}") from None
    return whole, is_canonical


def _plain(line: bytes) -> bool:
    """Whether a canonical line needs no look inside: it is ASCII, and has too few brackets to nest deep."""
    return line.isascii() and line.count(b"{") + line.count(b"[") <= DEPTH


def _no_float(text: str) -> float:
    raise ValueError(f"the number {text[:20]} is not an integer")


def _integer(text: str) -> int:
    if len(text) < 16 and text != "-0":
        return int(text)
    if len(text) > 17 or not -LIMIT < int(text) < LIMIT or text == "-0":
        raise ValueError(f"the number {text[:20]} is not below 2^53")
    return int(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice")
    return made


_QUICK = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float, parse_int=_integer)
_STRICT = json.JSONDecoder(
    parse_float=_no_float, parse_constant=_no_float, parse_int=_integer, object_pairs_hook=_unique
)


def _check_envelope(whole: Mapping[str, Any]) -> None:
    get = whole.get
    for key in ("v", "t", "n"):
        value = get(key)
        if type(value) is not int or value < 0:
            raise DamagedLine(f"`{key}` is not a number")
    for key in ("m", "w"):
        value = get(key)
        if type(value) is not str or not _HEX32(value):
            raise DamagedLine(f"`{key}` is not 32 hex digits")
    for key in ("op", "author", "origin"):
        if type(get(key)) is not str:
            raise DamagedLine(f"`{key}` is not a text")
    parents = get("parents")
    if type(parents) is not list or not all(type(each) is str and _HEX64(each) for each in parents):
        raise DamagedLine("`parents` are not record ids")
    if type(get("body")) is not dict:
        raise DamagedLine("`body` is not an object")
    if whole["v"] < 1 or (whole["v"] == VERSION and whole["op"] not in _OPERATIONS):
        raise DamagedLine(f"`op` {whole['op'][:20]!r} is none of version {whole['v']}")


def _record(identity: str, whole: Mapping[str, Any], private: bool, extra: Mapping[str, object]) -> Record:
    """The record; what thousands of records say alike (names of fields, writers, authors) is kept once."""
    return Record(
        id=identity,
        v=whole["v"],
        m=whole["m"],
        op=intern(whole["op"]),
        parents=tuple(whole["parents"]),
        t=whole["t"],
        w=intern(whole["w"]),
        n=whole["n"],
        author=intern(whole["author"]),
        origin=intern(whole["origin"]),
        body={intern(key): each for key, each in whole["body"].items()},
        private=private,
        extra=extra or _NOTHING,
    )

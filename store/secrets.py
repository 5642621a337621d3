"""Looking for secrets in text, on RE2: in time linear in its length, whatever it holds."""

from __future__ import annotations

import functools
import itertools
import json
import math
import string
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .secret_rules import OWN, Rule, kept

MARK = "[redacted:"
#: No rule is met by less.
SHORTEST = 6

_ALNUM = frozenset((string.ascii_letters + string.digits).encode())
_HEX = frozenset(string.hexdigits)
#: A value with one of these stands for a secret, and is none.
_STANDS_FOR = ("example", "placeholder", "changeme", "change_me", "change-me", "redacted", "dummy", "replace")
_STANDS_FOR_TOKEN = (*_STANDS_FOR, "xxxxx", "your_", "your-", "....", "1234567890", "0000000000")
_STANDS_FOR_VALUE = (
    *_STANDS_FOR,
    *("sample", "insert", "default", "undefined", "1234567", "abcdef12", "abcdefg", "qwerty", "foobar"),
    *("...", "***", "${", "{{", "}}", "%(", "#{", "$(", "://", "\\", "<"),
)
#: The same, where it is not by chance in a long one.
_SHORT_WORDS = ("test", "fake", "todo", "your", "xxxx", "%s", "mock")
_CHANCE = 32
_WELL_KNOWN = frozenset(
    {"password", "passwd", "pass", "pwd", "secret", "token", "admin", "root", "guest", "user", "username"}
    | {
        "postgres",
        "postgresql",
        "mysql",
        "redis",
        "rabbitmq",
        "mongo",
        "mypassword",
        "mysecret",
        "foo",
        "bar",
    }
    | {"none", "null", "nil", "true", "false", "string", "str", "value", "key", "empty", "optional", "hidden"}
)
#: A name with one of these beside a value: the value is a digest, or it is public.
_NO_SECRET = (
    *("hash", "sha1", "sha2", "sha5", "md5", "digest", "checksum", "integrity", "fingerprint", "etag"),
    *(
        "public",
        "commit",
        "revision",
        "_uri",
        "_url",
        "endpoint",
        "regex",
        "pattern",
        "tokenizer",
        "next_token",
    ),
)


@dataclass(frozen=True)
class Secret:
    """Where a text holds a secret, by which rule; `start` and `end` count characters."""

    rule: str
    start: int
    end: int


def find(text: str) -> list[Secret]:
    """The secrets in a text, in order; none overlaps another."""
    return scanner().find(text) if len(text) >= SHORTEST else []


def redact(text: str) -> tuple[str, int]:
    """The text with `[redacted:<rule>]` in place of each secret, and how many they were.

    Redacting twice changes nothing.
    """
    count = 0
    # What stands beside a secret can look like one once the secret is gone.
    while found := find(text):
        parts, done = [], 0
        for each in found:
            parts += [text[done : each.start], f"{MARK}{each.rule}]"]
            done = each.end
        text = "".join(parts) + text[done:]
        count += len(found)
    return text, count


def redact_lines(text: str) -> str:
    """The text redacted, with as many lines as before: each stays under its number."""
    parts, done = [], 0
    for each in find(text):
        parts += [
            text[done : each.start],
            f"{MARK}{each.rule}]",
            "\n" * text.count("\n", each.start, each.end),
        ]
        done = each.end
    return "".join(parts) + text[done:]


def clean(value: Any) -> tuple[Any, int]:
    """A JSON value with all its texts redacted, and how many secrets were taken out. Ids stay: see `is_id`."""
    if isinstance(value, str):
        return (value, 0) if is_id(value) else redact(value)
    if isinstance(value, Mapping):
        cleaned = {key: clean(each) for key, each in value.items()}
        return {key: each for key, (each, _) in cleaned.items()}, sum(n for _, n in cleaned.values())
    if isinstance(value, (list, tuple)):
        pairs = [clean(each) for each in value]
        return [each for each, _ in pairs], sum(n for _, n in pairs)
    return value, 0


def count_in_lines(text: str) -> int:
    """How many secrets lines of records hold: each text of a record is looked at as it was before it was written."""
    count = 0
    for line in text.split("\n"):
        try:
            record = json.loads(line) if line else None
        except ValueError:
            record = line
        count += clean(record)[1]
    return count


def is_id(value: str) -> bool:
    """Whether a text is a memory, object or record id: random by nature, and no secret."""
    return len(value) in {32, 40, 64} and all(letter in "0123456789abcdef" for letter in value)


@functools.cache
def scanner() -> Scanner:
    """The scanner with all rules, compiled when it is first asked for."""
    return Scanner([*OWN, *kept()])


class Scanner:
    """Rules compiled on RE2 behind one prefilter: their literal parts, looked for in a single pass.

    Rules in a syntax that RE2 does not have are left out and named in `unread`.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        import re2

        options = re2.Options()
        # One byte a character: a character beyond ASCII is in no token, and offsets need no conversion.
        options.encoding = re2.Options.Encoding.LATIN1
        options.log_errors = False
        self._filter = re2.Filter()
        self.rules: list[Rule] = []
        self.unread: list[str] = []
        for rule in rules:
            try:
                self._filter.Add(rule.pattern.encode("ascii"), options)
                self.rules.append(rule)
            except (re2.error, UnicodeEncodeError):
                self.unread.append(rule.name)
        self._filter.Compile()
        self.expressions = [self._filter.re(number) for number in range(len(self.rules))]

    def find(self, text: str) -> list[Secret]:
        """The secrets in a text, in order; where several rules meet, the first of them gives the name."""
        data = text.encode("ascii", "replace")
        spans: list[tuple[int, int, int]] = []
        for number in self.candidates(data):
            spans += [(start, end, number) for start, end in self._matches(number, data)]
        found: list[tuple[int, int, int]] = []
        for start, end, number in sorted(spans):
            if found and start < found[-1][1]:
                first, last, before = found[-1]
                found[-1] = (first, max(last, end), min(before, number))
            else:
                found.append((start, end, number))
        return [Secret(self.rules[number].name, start, end) for start, end, number in found]

    def candidates(self, data: bytes) -> list[int]:
        """The rules whose literal parts are there: the others cannot match, and do not run."""
        return list(self._filter.Match(data, potential=True) or ())

    def _matches(self, number: int, data: bytes) -> Iterator[tuple[int, int]]:
        rule, expression = self.rules[number], self.expressions[number]
        place = 0
        while (match := expression.search(data, place)) is not None:
            start, end = _secret(match)
            if holds(rule, data, match.start(), start, end):
                yield start, end
                place = max(end, place + 1)
            else:
                # The value of one name may be the name of the next; a token that is none holds none.
                place = max(match.end() if rule.kind in ("token", "block") else start, place + 1)


def holds(rule: Rule, data: bytes, start: int, first: int, last: int) -> bool:
    """Whether what a rule matched (from `start`) is a secret (`first` to `last`) by all else that must hold."""
    if rule.kind == "block":
        return True
    value = data[first:last].decode("ascii")
    if rule.kind == "token":
        return (
            _stands_alone(data, first, last)
            and not any(word in value.lower() for word in _STANDS_FOR_TOKEN)
            and entropy(value) >= rule.entropy
        )
    if _is_placeholder(value) or _is_digest(data, first, value) or entropy(value) < rule.entropy:
        return False
    if rule.kind == "url":
        return not data[start:first].endswith(f"/{value}:".encode("ascii"))
    if rule.kind == "password":
        return not _is_words(value) if any(mark in value for mark in "_-./:") else _is_mixed(value)
    name = data[max(0, start - 24) : first].rpartition(b"\n")[2].decode("ascii").lower()
    if any(word in name for word in _NO_SECRET):
        return False
    return len(value) >= 8 and _is_mixed(value) and not _is_words(value) and not _is_uuid(value)


def entropy(value: str) -> float:
    """Shannon's entropy, in bits a character."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values()) if size else 0.0


def _secret(match: Any) -> tuple[int, int]:
    """The span of the secret in a match: the longest group if it can be one, else all of it."""
    spans = [match.span(number) for number in range(1, match.re.groups + 1)]
    start, end = max(spans, key=lambda span: span[1] - span[0], default=(0, 0))
    return (
        (start, end)
        if start >= 0 and end - start >= 3 and end - start > (match.end() - match.start()) // 8
        else match.span()
    )


def _stands_alone(data: bytes, start: int, end: int) -> bool:
    """Whether a token is no piece of a longer word. `\\n`, `\\t` and `%3D` before it are escapes, not words."""
    if end < len(data) and data[end] in _ALNUM and data[end - 1] in _ALNUM:
        return False
    if start == 0 or data[start - 1] not in _ALNUM or data[start] not in _ALNUM:
        return True
    return data[start - 2 : start - 1] == b"\\" or data[start - 3 : start - 2] == b"%"


def _is_placeholder(value: str) -> bool:
    low = value.lower()
    return (
        low in _WELL_KNOWN
        or any(word in low for word in _STANDS_FOR_VALUE)
        or (len(low) < _CHANCE and any(word in low for word in _SHORT_WORDS))
        or low[0] in "$%{<[(@&)]}>"
        or ("{" in low and "}" in low)
        or any(c.isspace() for c in low)
        or low.startswith(("./", "~/", "os.", "self.", "process.", "env.", "env:"))
        or (low.startswith("0x") and set(low[2:]) <= _HEX)
    )


def _is_digest(data: bytes, start: int, value: str) -> bool:
    """Whether the value is a digest and says so: `sha512-…` in a lock file, `sha256:…` of an image."""
    before = data[max(0, start - 8) : start].lower()
    return value.lower().startswith(("sha1", "sha2", "sha3", "sha5", "md5")) or any(
        each in before for each in (b"sha1", b"sha256", b"sha384", b"sha512", b"md5")
    )


def _is_mixed(value: str) -> bool:
    """Letters and digits, or letters and signs, or capitals anywhere: what a program makes up, not a word."""
    if not any(c.isalpha() for c in value):
        return False
    return any(c.isdigit() or c in "!@#$%^&*+=~?" for c in value) or (
        len(value) >= 20 and value.isalpha() and len(value) < 2.6 * _runs(value, capitals=True)
    )


def _is_words(value: str) -> bool:
    """Whether a value is made of words and small numbers: `access_token_v2`, `utf-8`, `py3-none-any`."""
    parts = value
    for mark in "-./:,;=|+@!?*&":
        parts = parts.replace(mark, "_")
    return all(_is_word(part) for part in parts.split("_"))


def _is_word(part: str) -> bool:
    letters = part.strip(string.digits)
    if len(part) - len(letters) <= 5 and not any(c.isdigit() for c in letters):
        # Capitals begin words, or all are: `someLongName`, not `aXbQz`.
        return letters.isupper() or sum(c.isupper() for c in letters) <= 1 + len(letters) // 4
    return not part.islower() and not part.isupper() and len(part) >= 3.9 * _runs(part)


def _runs(part: str, capitals: bool = False) -> int:
    """Into how many runs of small letters, capitals or digits a word falls.

    `Ed25519PrivateKey` has four, seven where a capital is a run of its own.
    """
    kinds = ["d" if c.isdigit() else "u" if c.isupper() else "l" for c in part]
    return 1 + sum(
        one != other and (capitals or (one, other) != ("u", "l")) for one, other in itertools.pairwise(kinds)
    )


def _is_uuid(value: str) -> bool:
    parts = value.split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and set("".join(parts)) <= _HEX

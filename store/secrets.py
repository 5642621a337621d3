"""Looking for secrets in text, on RE2: in time linear in its length, whatever it holds."""

from __future__ import annotations

import functools
import itertools
import json
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import secret_values as values
from .secret_kept import kept
from .secret_rules import OWN, Rule

MARK = "[redacted:"
#: In place of a rule's name, where a value is a secret by what was found elsewhere.
KNOWN = "secret"
#: No rule is met by less.
SHORTEST = 6

_ALNUM = frozenset((string.ascii_letters + string.digits).encode())


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


def redact_all(texts: Sequence[str], known: Iterable[str] = ()) -> tuple[list[str], int]:
    """Texts that are written together, redacted. What is a secret in one of them, by what stands beside it, is
    taken out of the others too, and so is what is `known` to be one.
    """
    rules = dict.fromkeys(known, KNOWN)
    for text in texts:
        rules.update(secrets_of(text))
    if not rules:
        return list(texts), 0
    pairs = [_redact_known(*redact(text), rules) for text in texts]
    return [text for text, _ in pairs], sum(count for _, count in pairs)


def secrets_of(text: str) -> dict[str, str]:
    """The secrets of a text themselves, each with its rule: to be looked for elsewhere, and kept nowhere."""
    return {text[each.start : each.end]: each.rule for each in find(text)}


def redact_lines(text: str, secrets: set[str] | None = None) -> str:
    """The text redacted, with as many lines as before: each stays under its number. `secrets` takes what was in it."""
    parts, done = [], 0
    found = find(text)
    if secrets is not None:
        secrets.update(text[each.start : each.end] for each in found)
    for each in found:
        parts += [
            text[done : each.start],
            f"{MARK}{each.rule}]",
            "\n" * text.count("\n", each.start, each.end),
        ]
        done = each.end
    return "".join(parts) + text[done:]


def clean(value: Any, known: Iterable[str] = ()) -> tuple[Any, int]:
    """A JSON value with all its texts redacted together (see `redact_all`), and how many secrets were taken out.
    Ids stay: see `is_id`.
    """
    texts: list[str] = []
    _collect(value, texts)
    cleaned, count = redact_all(texts, known)
    return (_put_back(value, iter(cleaned)) if count else value), count


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

    Rules in a syntax that RE2 does not have are left out and named in `unread`. What has a loose form is compiled in
    that form, and as it is once that matches: to compile all counts takes ten times as long as most answers have.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        import re2

        self._compile = re2.compile
        self._options = options = re2.Options()
        # One byte a character: a character beyond ASCII is in no token, and offsets need no conversion.
        options.encoding = re2.Options.Encoding.LATIN1
        options.log_errors = False
        self._filter = re2.Filter()
        self.rules: list[Rule] = []
        self.unread: list[str] = []
        for rule in rules:
            try:
                self._filter.Add((rule.loose or rule.pattern).encode("ascii"), options)
                self.rules.append(rule)
            except (re2.error, UnicodeEncodeError):
                self.unread.append(rule.name)
        self._filter.Compile()
        self._expressions: dict[int, Any] = {}

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

    def expression(self, number: int) -> Any:
        """A rule as it is, compiled."""
        found = self._expressions.get(number)
        if found is None:
            rule = self.rules[number]
            found = self._filter.re(number)
            if rule.loose:
                found = self._compile(rule.pattern.encode("ascii"), self._options)
            self._expressions[number] = found
        return found

    def _matches(self, number: int, data: bytes) -> Iterator[tuple[int, int]]:
        if number not in self._expressions and self._filter.re(number).search(data) is None:
            return
        rule, expression = self.rules[number], self.expression(number)
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
            and not values.stands_for_token(value)
            and values.entropy(value) >= rule.entropy
        )
    if rule.kind == "lines":
        # A value over several lines; in a text inside JSON, they end in two characters.
        value = "".join(value.replace("\\n", "\n").split())
    if (
        values.is_placeholder(value)
        or values.is_digest(data, first, value)
        or values.entropy(value) < rule.entropy
    ):
        return False
    if rule.kind == "url":
        return not data[start:first].endswith(f"/{value}:".encode("ascii"))
    name = data[max(0, start - 24) : first].rpartition(b"\n")[2].decode("ascii")
    made = values.is_made(value) or values.is_typed(value)
    if rule.kind == "password":
        return made or values.is_passphrase(value, 3) if set(value) & set("_-./:") else values.is_mixed(value)
    if len(value) < 8 or values.says_public(name) or values.is_uuid(value):
        return False
    if made or rule.kind == "given":
        return made or values.is_passphrase(value, 3)
    if rule.kind == "prose":
        return "-" in value and values.is_passphrase(value, 4)
    # Where code stands, too, three words may be a name: less so in quotes or right behind the sign, joined by `-`.
    tight = data[first - 1 : first] in (b'"', b"'", b"`", b"=") or not value.islower()
    return values.is_passphrase(value, 3 if tight and "-" in value else 4)


def _collect(value: Any, texts: list[str]) -> None:
    if isinstance(value, str):
        if not is_id(value):
            texts.append(value)
    elif isinstance(value, Mapping):
        for each in value.values():
            _collect(each, texts)
    elif isinstance(value, (list, tuple)):
        for each in value:
            _collect(each, texts)


def _put_back(value: Any, texts: Iterator[str]) -> Any:
    if isinstance(value, str):
        return value if is_id(value) else next(texts)
    if isinstance(value, Mapping):
        return {key: _put_back(each, texts) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_put_back(each, texts) for each in value]
    return value


def _redact_known(text: str, count: int, rules: Mapping[str, str]) -> tuple[str, int]:
    # The longest first: one may be a part of another.
    for secret in sorted(rules, key=len, reverse=True):
        if len(secret) < SHORTEST or secret not in text or MARK in secret:
            continue
        parts = text.split(secret)
        text = parts[0]
        for before, after in itertools.pairwise(parts):
            if _within_word(before[-1:], secret, after[:1]):
                text += secret + after
            else:
                text, count = f"{text}{MARK}{rules[secret]}]{after}", count + 1
    return text, count


def _within_word(before: str, secret: str, after: str) -> bool:
    """Whether a text goes on beside the secret as a word does: then it is another word."""
    return (before.isalnum() and secret[0].isalnum()) or (after.isalnum() and secret[-1].isalnum())


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

"""Inputs made wrong at random, and what must hold of each parser that reads them: shared by the tests of row 8."""

from __future__ import annotations

import contextlib
import json
import random
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

MOST_SECONDS = 1.0  # of processor time, for one input
MOST_MIB = 256  # that a whole run may add to the process

#: What trips readers: ends of containers, halves of escapes, numbers at their limits, names that mean something.
_WORDS = rb"""{ " ' { } [ ] , : \ \u \ud800 = # ../ / $A $$$ {} [] '' null true NaN Infinity -0 1e999 1.5 -1
    9007199254740992 9999999999999999999999999999999999999999"""
_BYTES = (b"\n", b"\r\n", b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xe2\x80\xa8")
TOKENS = (*_WORDS.split(), *_BYTES)
_NUMBERS = (0, -1, 1, 2**31, 2**53, 2**63, 10**39, 0.5, 1e308, float("inf"), float("nan"))
_TEXTS = ("", "x", "\0", "\ud800", "\u2028", "../../x", "/etc/passwd", "\U0001f600", "a" * 300)
ODD: tuple[object, ...] = (None, True, False, *_NUMBERS, *_TEXTS, [], {}, [[]], [None], {"": 1})


def sizes(each_run: int, nightly: int) -> pytest.MarkDecorator:
    """How many inputs there are each time, and by night."""
    return pytest.mark.parametrize(
        "count", [each_run, pytest.param(nightly, marks=pytest.mark.nightly)], ids=["sample", "nightly"]
    )


class Mutator:
    """Inputs from seeds: a few bytes changed, cut, doubled, or taken from another seed; seldom one token very often."""

    def __init__(self, seed: int, seeds: Sequence[bytes], tokens: Sequence[bytes] = ()) -> None:
        self.chance = random.Random(seed)
        self._seeds = list(seeds)
        self._tokens = (*TOKENS, *tokens)

    def __call__(self) -> bytes:
        """The next input."""
        pick = self.chance.random
        seeds, tokens = self._seeds, self._tokens
        data = bytearray(seeds[int(pick() * len(seeds))])
        for _ in range(1 + int(pick() * pick() * 6)):
            at, what = int(pick() * (len(data) + 1)), pick()
            if what < 0.3:
                data[at : at + 1] = bytes((int(pick() * 256),))
            elif what < 0.45:
                del data[at : at + 1 + int(pick() * 20)]
            elif what < 0.65:
                data[at:at] = tokens[int(pick() * len(tokens))]
            elif what < 0.75:
                data[at : at + int(pick() * 12)] = tokens[int(pick() * len(tokens))]
            elif what < 0.85:
                begin = int(pick() * len(data))
                data[at:at] = data[begin : begin + int(pick() * 40)]
            elif what < 0.93:
                other = seeds[int(pick() * len(seeds))]
                begin = int(pick() * len(other))
                data[at:at] = other[begin : begin + int(pick() * 80)]
            elif what < 0.97:
                del data[at:]
            elif what > 0.998:
                at = 0 if pick() < 0.5 else at
                token = tokens[int(pick() * len(tokens))]
                data[at:at] = token * int(pick() * 60_000 / len(token))
        return bytes(data)


def odd(chance: random.Random, value: Any) -> Any:
    """A copy of a JSON value with something in it that is of the wrong type, missing, or there too often."""
    if chance.random() < 0.25 or not isinstance(value, (dict, list)) or not value:
        if chance.random() < 0.02:
            return nested(chance.randrange(400))
        return chance.choice(ODD)
    if isinstance(value, dict):
        key = chance.choice(list(value))
        what = chance.random()
        if what < 0.1:
            return {name: each for name, each in value.items() if name != key}
        if what < 0.2:
            return {**value, chance.choice(["", "x", "é", "\0", key + "x"]): value[key]}
        return {**value, key: odd(chance, value[key])}
    at = chance.randrange(len(value))
    if chance.random() < 0.2:
        return value[:at] + [value[at]] * chance.randrange(5) + value[at + 1 :]
    return [*value[:at], odd(chance, value[at]), *value[at + 1 :]]


def nested(depth: int) -> Any:
    """A list in a list, so many times."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def dumped(value: object) -> bytes:
    """JSON as a stranger may write it: with half surrogates and with numbers that are none."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def hold(
    name: str,
    count: int,
    make: Callable[[], Any],
    parse: Callable[[Any], object],
    refused: type[Exception] | tuple[type[Exception], ...],
) -> str:
    """Give `count` inputs to a parser: it reads each, or refuses it as documented, in time and in little memory.

    Time is that of the processor, so that a busy machine fails nothing. Returns a line that tells the counts.
    """
    before = _peak(reset=True)
    read, slowest, clock = 0, 0.0, time.thread_time
    for number in range(count):
        given = make()
        began = clock()
        try:
            parse(given)
            read += 1
        except refused:
            pass
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a panic of a native library is no Exception
            raise AssertionError(f"{name}: input {number}, {_shown(given)}: {error!r}") from error
        took = clock() - began
        if took > slowest:
            slowest = took
            assert took < MOST_SECONDS, f"{name}: input {number} took {took:.2f} s: {_shown(given)}"
    grown = (_peak() - before) / 1024
    assert grown < MOST_MIB, f"{name}: {grown:.0f} MiB more"
    most = f"{slowest * 1000:.0f} ms and {grown:.0f} MiB at most"
    return f"fuzz, {name}: {count:,} inputs, {read:,} read, 0 crashes; {most}"


def _shown(given: object) -> str:
    text = repr(given)
    return text if len(text) < 3000 else f"{text[:2000]}… ({len(text):,} characters) …{text[-500:]}"


def _peak(reset: bool = False) -> int:
    """The most memory (KiB) that this process has held, since the last reset where Linux allows one."""
    if reset:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    with contextlib.suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
        if found:
            return int(found[1])
    return 0

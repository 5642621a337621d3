"""What a tree cannot say: a change of tokens between the tokens that stood around it, as a text to search for.

Comments, strings, lists of arguments, base classes, a name that changed by itself. A context rule is read from the
changed lines and a few around them; white space between its tokens is free, and what it writes keeps its own.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ...store.ends import common_ends

#: How many tokens of context are held on the left and on the right; from the widest search to the narrowest.
WIDTHS = (
    (0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (2, 1), (1, 2), (2, 2), (3, 0), (0, 3), (3, 3), (5, 0), (5, 5),
)  # fmt: skip
AROUND = 2  # lines around a changed run that lend it context
MAX_TOKENS = 24  # that went or came: a longer change does not come again
MAX_JOINED = 80  # in several differences taken together, with what stands between them
MAX_HUNK = 400
_TOKEN = re.compile(r"\w+|[^\w\s]")
_NAME = re.compile(r"[A-Za-z_]\w+\Z")


@dataclass(frozen=True)
class Hunk:
    """A run of lines that changed, with `AROUND` lines of context: texts, and the line (from 1) where it was."""

    before: str
    after: str
    line: int
    line_after: int
    lines: int
    lines_after: int


@dataclass(frozen=True)
class Context:
    """A rule of tokens: between `left` and `right` stood `gone`, and `came` is written there, as it was written."""

    left: tuple[str, ...]
    gone: tuple[str, ...]
    right: tuple[str, ...]
    came: str
    indent: str

    @property
    def said(self) -> str:
        """Its first token that is no mere context, else its last one before."""
        return (self.gone or self.left[-1:] or self.right)[0]

    @property
    def words(self) -> tuple[str, ...]:
        """The words that a text must hold."""
        return tuple(dict.fromkeys(each for each in self.left + self.gone + self.right if _NAME.match(each)))

    @cached_property
    def _search(self) -> re.Pattern[str]:
        parts = [_joined(self.left), _joined(self.gone), _joined(self.right)]
        gaps = [_gap(self.left, self.gone or self.right), _gap(self.gone or self.left, self.right)]
        if not self.gone:
            gaps[1] = ""
        first, last = (self.left + self.gone + self.right)[0], (self.left + self.gone + self.right)[-1]
        begin = r"(?<!\w)" if _is_word(first) else ""
        end = r"(?!\w)" if _is_word(last) else ""
        return re.compile(f"{begin}({parts[0]}){gaps[0]}({parts[1]}){gaps[1]}({parts[2]}){end}")

    @cached_property
    def _came(self) -> re.Pattern[str] | None:
        """What an insertion brings: a place that has it beside it already was seen to."""
        tokens = tuple(_TOKEN.findall(self.came))
        if self.gone or not tokens:
            return None
        said = _joined(tokens)
        return re.compile(r"\s*" + said if self.left else f"(?:{said})" + r"\s*\Z")

    def _stands(self, text: str, at: int) -> bool:
        if self._came is None:
            return False
        if self.left:
            return self._came.match(text, at) is not None
        return self._came.search(text[max(0, at - 2 * len(self.came) - 80) : at]) is not None

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Start, end and rewrite of each place; none where what would be inserted stands already."""
        for found in self._search.finditer(text):
            if self.gone and (self.came or not (self.left or self.right)):
                start, end = found.span(2)
            elif self.gone and self.left:
                start, end = found.end(1), found.end(2)
            elif self.gone:
                start, end = found.start(2), found.start(3)
            elif self.left:
                start = end = found.end(1)
            else:
                start = end = found.start(3)
            if self._stands(text, start):
                continue
            came = self.came
            if "\n" in came:
                line = text[text.rfind("\n", 0, start) + 1 : start]
                indent = line[: len(line) - len(line.lstrip())]
                came = came.replace("\n" + self.indent, "\n" + indent)
            yield start, end, came

    def is_settled(self) -> bool:
        """Whether its own rewrite is not found again."""
        left, right = " ".join(self.left), " ".join(self.right)
        done = f"{left} {self.came} {right}" if self.gone else f"{left}{self.came} {right}"
        return not any(True for _ in self.find(done))


def _is_word(token: str) -> bool:
    return token[0].isalnum() or token[0] == "_"


def _joined(tokens: tuple[str, ...]) -> str:
    out = ""
    for at, token in enumerate(tokens):
        if at:
            out += _gap(tokens[at - 1 : at], tokens[at : at + 1])
        out += re.escape(token)
    return out


def _gap(one: tuple[str, ...], other: tuple[str, ...]) -> str:
    if not one or not other:
        return ""
    return r"\s+" if _is_word(one[-1]) and _is_word(other[0]) else r"\s*"


def hunks(before: str, after: str) -> list[Hunk]:
    """The runs of lines in which two texts differ."""
    old, new = before.split("\n"), after.split("\n")
    first, last = common_ends(old, new)
    mid_old, mid_new = old[first : len(old) - last], new[first : len(new) - last]
    if len(mid_old) * len(mid_new) > 4_000_000:
        return []
    out = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, mid_old, mid_new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        i1, i2, j1, j2 = i1 + first, i2 + first, j1 + first, j2 + first
        head, tail = min(AROUND, i1, j1), AROUND
        out.append(
            Hunk(
                "\n".join(old[i1 - head : i2 + tail]),
                "\n".join(new[j1 - head : j2 + tail]),
                i1 + 1,
                j1 + 1,
                i2 - i1,
                j2 - j1,
            )
        )
    return out


def contexts(hunk: Hunk) -> Iterator[tuple[int, int, Context]]:
    """The rules that a hunk may stand for, from the widest: each with how many tokens of context it has, and how many
    other differences the hunk has. Each leaves its own rewrite alone, and opens and closes as many brackets as it
    takes away.
    """
    old, new = list(_TOKEN.finditer(hunk.before)), list(_TOKEN.finditer(hunk.after))
    if len(old) + len(new) > MAX_HUNK:
        return
    a, b = [each[0] for each in old], [each[0] for each in new]
    codes = difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    parts = [each[1:] for each in codes if each[0] != "equal"]
    lines = [hunk.before.count("\n", 0, old[i1].start()) if i1 < len(old) else -1 for i1, _, _, _ in parts]
    for first, last in _groups(lines):
        i1, i2, j1, j2 = parts[first][0], parts[last][1], parts[first][2], parts[last][3]
        if i2 - i1 + j2 - j1 > (MAX_TOKENS if first == last else MAX_JOINED):
            continue
        named = any(_NAME.match(each) for each in (*a[i1:i2], *b[j1:j2]))
        if _open(a[i1:i2]) != _open(b[j1:j2]):
            continue
        at = old[i1].start() if i1 < len(old) else len(hunk.before)
        line = hunk.before[hunk.before.rfind("\n", 0, at) + 1 :]
        indent = line[: len(line) - len(line.lstrip())]
        for left, right in WIDTHS:
            if i1 < left or i2 + right > len(a) or (i1 == i2 and not left + right):
                continue
            held = tuple(a[i1 - left : i1]), tuple(a[i1:i2]), tuple(a[i2 : i2 + right])
            names = sum(bool(_NAME.match(each)) for part in held for each in part)
            if names < (1 if named else 2):  # punctuation alone is told by the words beside it
                continue
            start = new[j1].start() if j2 > j1 else 0
            end = new[j2 - 1].end() if j2 > j1 else 0
            if i1 == i2:
                start = new[j1 - 1].end() if left and j1 else start
                end = end if left else new[j2].start() if j2 < len(new) else end
            found = Context(*held, hunk.after[start:end], indent)
            if found.is_settled():
                yield left + right, len(parts) - (last - first + 1), found


def _groups(lines: list[int]) -> list[tuple[int, int]]:
    """The differences by themselves, those of one line together, and all of them, as first and last."""
    out = {(k, k): None for k in range(len(lines))}
    for line in dict.fromkeys(lines):
        here = [k for k, each in enumerate(lines) if each == line]
        out[here[0], here[-1]] = None
    if lines:
        out[0, len(lines) - 1] = None
    return list(out)


def _open(tokens: list[str]) -> str:
    """The brackets that the tokens leave open, or close without having opened them, in their order."""
    out = ""
    for sign in tokens:
        if sign in "([{" or (sign in ")]}" and out[-1:] != "([{"[")]}".index(sign)]):
            out += sign
        elif sign in ")]}":
            out = out[:-1]
    return out

"""Pairs from source files: doc comments, names and inline comments with the code that they speak of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from records import Pair, squeezed

from cortex.analyzers.functions import Unit, units_of
from cortex.analyzers.languages import is_generated, language_of

#: At most so many pairs of a kind from one source: no project is to be most of the data.
CAPS = {"doc": 14_000, "name": 7_000, "type": 3_000, "comment": 8_000}
_LONGEST_CODE = 1_600
_LARGEST = 200_000
_PASSED = re.compile(
    r"(^|/)(_?vendor(ed)?|node_modules|third_party|extern|dist|umd|cjs|esm\d?|fixtures?|testdata|__snapshots__)/"
    r"|\.min\.|\.pb\.go$|_pb2|zz_generated|\.d\.ts$|\.bundle\."
)
_TESTS = re.compile(
    r"(^|/)(tests?|testing|spec|__tests__|e2e|examples?|bench(marks?)?)/|_test\.go$|[._]test\.|[._]spec\.|/test_",
    re.I,
)
_BREAK = re.compile(
    r"@(?!desc)|:param|:return|:rtype|:type|Args:|Arguments:|Parameters\b|Returns?:|Raises:|Yields:|>>>|\.\. "
    r"|-{3,}|={3,}|Example|eslint|type:"
)
_SENTENCE = re.compile(r"(.+?[.!?])(\s+[A-Z(\"']|$)")
_NO_COMMENT = re.compile(
    r"[;{}=<>\\].*[;(){}=]|^(type|noqa|pylint|eslint|nolint|pragma|prettier|istanbul|@|tslint|\$|!)|copyright|https?:",
    re.I,
)
_MARK = {"python": re.compile(r"\s*#\s?(.*)")}
_SLASHES = re.compile(r"\s*//\s?(.*)")
_WORD = re.compile(r"[A-Za-z]{2,}")


def taken(path: str) -> bool:
    """Whether a file is code that a person of this project wrote, and no test of it."""
    return language_of(path) is not None and not _PASSED.search(path) and not _TESTS.search(path)


def said(text: str, least: int) -> bool:
    """Whether a text is prose of at least so many words, mostly ASCII."""
    return len(_WORD.findall(text)) >= least and sum(ord(each) > 127 for each in text) <= 0.15 * len(text)


def paragraph(doc: str) -> str:
    """The first paragraph of a doc comment, in one line, without its list of parameters."""
    kept: list[str] = []
    for line in (each.strip() for each in doc.splitlines()):
        if line.startswith("@desc"):
            line = line.partition(" ")[2]
        if not line or _BREAK.match(line):
            if kept:
                break
            continue
        kept.append(line)
    return " ".join(" ".join(kept).split())[:400]


def sentence(text: str) -> str:
    """The first sentence of a paragraph."""
    match = _SENTENCE.match(text)
    return (match.group(1) if match else text).strip()


def nameless(text: str, name: str) -> str:
    """A doc comment without the name that it begins with, as Go's do."""
    first, _, rest = text.partition(" ")
    return rest if rest and first.strip("(),.:`").split(".")[-1] == name else text


def mined(files: Iterable[tuple[str, str]]) -> Iterator[Pair]:
    """The pairs of a source's files, each once, each kind up to its cap."""
    counts: Counter[str] = Counter()
    seen: set[bytes] = set()
    for path, text in files:
        language = language_of(path)
        if (
            language is None
            or not taken(path)
            or len(text) > _LARGEST
            or is_generated(path, text.encode()[:9000])
        ):
            continue
        for pair in _of_file(text, language):
            key = squeezed(pair.code) if pair.kind != "comment" else squeezed(pair.text)
            if counts[pair.kind] < CAPS[pair.kind] and key not in seen:
                seen.add(key)
                counts[pair.kind] += 1
                yield pair


def _of_file(text: str, language: str) -> Iterator[Pair]:
    for unit in units_of(text.encode(), language):
        pair = of_unit(unit, language)
        if pair is not None:
            yield pair
    yield from comments(text, language)


def of_unit(unit: Unit, language: str) -> Pair | None:
    """The pair that a function or a type makes: with its doc comment, or else with its name alone."""
    name, code = unit.name.split(".")[-1], unit.code[:_LONGEST_CODE]
    doc = nameless(paragraph(unit.doc), name)
    if not said(doc, 3):
        doc = ""
    if unit.kind == "type":
        return Pair("type", language, name, doc, code) if doc else None
    if unit.kind != "function" or len(code) < 25:
        return None
    if doc:
        return Pair("doc", language, name, doc, code)
    if len(name) < 5 or name.startswith("__") or len(code) < 60 or code.count("\n") < 2:
        return None
    return Pair("name", language, name, "", code)


def comments(text: str, language: str) -> Iterator[Pair]:
    """Indented comments, each with the lines that it stands above."""
    mark = _MARK.get(language, _SLASHES)
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        start, told = at, []
        while at < len(lines) and (match := mark.match(lines[at])):
            told.append(match.group(1).strip())
            at += 1
        if not told:
            at += 1
            continue
        comment = " ".join(told).strip()
        indent = len(lines[start]) - len(lines[start].lstrip())
        if indent < 2 or not 18 <= len(comment) <= 300 or _NO_COMMENT.search(comment) or not said(comment, 4):
            continue
        body = []
        for line in lines[at : at + 8]:
            if not line.strip() or len(line) - len(line.lstrip()) < indent or mark.match(line):
                break
            body.append(line)
        code = "\n".join(body)
        if len(code) >= 25:
            yield Pair("comment", language, "", comment, code[:800])

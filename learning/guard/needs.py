"""The names that a rewrite uses and its file does not have: told with the offer, with the import where that is certain.

Read from text, not from trees, so that it is cheap for each place: a name that stands anywhere in the code of a file,
other than as a member, is taken for one that the file has.
"""

from __future__ import annotations

import builtins
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from ...analyzers.imports import names_of
from ...analyzers.languages import words
from ..rules.naming import is_keyword

LACKS = 0.8  # of the chance is left to a rewrite that uses a name the file does not have
_LINE = r"\"(?:[^\"\\\n]|\\.?)*\"?|'(?:[^'\\\n]|\\.?)*'?"
#: Strings and comments, from the left; one that nothing closes goes to the end, so that each is read once.
_SAID = {
    "python": re.compile(r"\"{3}(?:.*?\"{3}|.*)|'{3}(?:.*?'{3}|.*)|" + _LINE + r"|#[^\n]*", re.DOTALL),
    "": re.compile(_LINE + r"|`(?:[^`\\]|\\.?)*`?|//[^\n]*|/\*(?:.*?\*/|.*)", re.DOTALL),
}
_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_STAR = re.compile(r"^from\s+[\w.]+\s+import\s+\*", re.MULTILINE)
_DEFINED = re.compile(
    r"\b(?:def|class|func|function|const|let|var|type|for|as|lambda|import)\s+([A-Za-z_$][\w$]*)"
    r"|([A-Za-z_$][\w$]*)\s*(?::=|=>|=(?![=>]))"
)
_PARAMETERS = re.compile(r"\b(?:def|func|function)\b[^(]*\(([^)]*)\)|\(([^()]*)\)\s*=>|\blambda\b([^:]*):")
_ANYWHERE = words(
    """self cls this super arguments undefined NaN Infinity console window document process module exports require
    global globalThis Object Array String Number Boolean Symbol Math JSON Date Promise RegExp Error TypeError
    RangeError SyntaxError Map Set WeakMap WeakSet Proxy Reflect parseInt parseFloat isNaN setTimeout setInterval
    clearTimeout clearInterval Buffer URL Intl BigInt any never unknown string number boolean object void readonly
    keyof infer is of get set true false null nil iota append cap clear close complex copy delete imag len make max
    min new panic print println real recover bool byte error float32 float64 int int8 int16 int32 int64 rune uint
    uint8 uint16 uint32 uint64 uintptr comparable complex64 complex128 __name__ __file__ __all__"""
)
_SCRIPTS = ("javascript", "typescript", "tsx")
_PYTHON_FROM = re.compile(r"from\s+(\S+)\s+import\s+([^(#]+?)\s*(?:#.*)?\Z")
_PYTHON_IMPORT = re.compile(r"import\s+([\w.]+)(?:\s+as\s+(\w+))?\s*(?:#.*)?\Z")
_SCRIPT_NAMED = re.compile(
    r"(import\s*(?:type\s*)?|(?:const|let|var)\s*)\{([^{}]*)\}(\s*(?:from|=\s*require\s*\().*)\Z"
)
_SCRIPT_WHOLE = re.compile(
    r"import\s+(?:\*\s+as\s+)?([\w$]+)\s+from\s*[\"'][^\"']+[\"'];?\Z"
    r"|(?:const|let|var)\s+([\w$]+)\s*=\s*require\s*\(\s*[\"'][^\"']+[\"']\s*\);?\Z"
)
_MODULE = re.compile(r"[\"']([^\"']+)[\"']")
_GO_SPEC = re.compile(r"(?:import\s+)?((?:[\w.]+\s+)?\"[^\"]+\")\Z")


@dataclass(frozen=True)
class Insert:
    """A line to put in: the offset of a line's beginning, and the text with its line end."""

    start: int
    text: str


def bare(text: str, language: str) -> str:
    """The text without what its strings and comments say."""
    said = _SAID.get(language) or _SAID[""]
    return said.sub(lambda found: '""' if found[0][0] in "\"'`" else " ", text)


def brought(before: str, after: str, language: str) -> tuple[str, ...]:
    """The names that an edit begins to use: no members, no names of arguments, none that it defines itself."""
    old, new = set(_NAME.findall(bare(before, language))), bare(after, language)
    own = {name for each in _DEFINED.findall(new) for name in each}
    for each in _PARAMETERS.findall(new):
        own.update(name for part in each for name in _NAME.findall(part))
    out = []
    for found in _NAME.finditer(new):
        name = found[0]
        if name in old or name in own or is_keyword(name) or _is_everywhere(name, language):
            continue
        head, tail = new[: found.start()].rstrip(), new[found.end() :].lstrip()
        if (head.endswith(".") and not head.endswith("...")) or head.endswith("@type"):
            continue
        if tail[:1] == ":" and language != "python" and "?" not in head:
            continue  # the key of an object, the field of a struct
        if language == "go" and not tail.startswith(".") and not name[0].isupper() and "." not in new:
            continue  # a name of the package: another of its files may define it
        out.append(name)
    return tuple(dict.fromkeys(out))


def _is_everywhere(name: str, language: str) -> bool:
    return name in _ANYWHERE or name == "_" or (language == "python" and hasattr(builtins, name))


class Code:
    """A file's text, and what it says outside of strings and comments, which is made when it is asked for."""

    def __init__(self, text: str, language: str) -> None:
        self.text = text
        self.language = language

    @cached_property
    def _code(self) -> str:
        # Of Go's imports only the strings say which names they bind.
        named = " ".join(names_of(self.text, "go")) if self.language == "go" else ""
        return bare(self.text, self.language) + "\n" + named

    def lacking(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of the names that the file neither imports nor defines, nor uses already."""
        out = [name for name in names if name not in self.text or not _said(name).search(self._code)]
        return () if out and self.language == "python" and _STAR.search(self.text) else tuple(out)


def lacking(names: Iterable[str], text: str, language: str) -> tuple[str, ...]:
    """Those of the names that a text neither imports nor defines, nor uses already."""
    return Code(text, language).lacking(names)


@lru_cache(maxsize=1024)
def _said(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w$.]){re.escape(name)}(?![\w$])")


def import_lines(text: str, language: str) -> dict[str, str]:
    """The names that the simple imports of a text bind → a line that imports just that one.

    Simple is what stands on one line of its own at the top, of a form that can be split by names.
    """
    out: dict[str, str] = {}
    within = False  # Go's import ( … )
    for raw in text.split("\n")[:2_000]:
        line = raw.rstrip("\r")
        if language == "go":
            within = (within or line.startswith("import (")) and not line.startswith(")")
            spec = _GO_SPEC.match(line.strip()) if within or line.startswith("import ") else None
            if spec is not None:
                said = f"import {spec[1]}"
                out.update((name, said) for name in names_of(said, "go"))
        elif language == "python" and line[:1] in "fi":
            out.update(_python_lines(line.rstrip()))
        elif language in _SCRIPTS and line[:1] in "iclv":
            out.update(_script_lines(line.rstrip()))
    return out


def _python_lines(line: str) -> Mapping[str, str]:
    if many := _PYTHON_FROM.match(line):
        parts = [part.strip() for part in many[2].split(",")]
        return {part.split()[-1]: f"from {many[1]} import {part}" for part in parts if part and part != "*"}
    if one := _PYTHON_IMPORT.match(line):
        return {one[2] or one[1].partition(".")[0]: line.partition("#")[0].rstrip()}
    return {}


def _script_lines(line: str) -> Mapping[str, str]:
    if many := _SCRIPT_NAMED.match(line):
        parts = [part.strip() for part in many[2].split(",")]
        return {
            re.split(r"[\s:]+", part)[-1]: f"{many[1].rstrip()} {{ {part} }}{many[3]}"
            for part in parts
            if part
        }
    if one := _SCRIPT_WHOLE.match(line):
        return {one[1] or one[2]: line}
    return {}


def came_along(before: str, after: str, language: str) -> dict[str, str]:
    """The simple imports that an edit of a file brought: name → line."""
    old = import_lines(before, language)
    return {name: line for name, line in import_lines(after, language).items() if name not in old}


def insert(line: str, text: str, language: str, source: str, path: str) -> Insert | None:
    """Where a file takes an import line; None where that is not certain: a path that is relative to another folder, a
    file that imports nothing so far, or in another way.
    """
    module = _MODULE.search(line)
    relative = line.startswith("from .") or (
        language in _SCRIPTS and module is not None and module[1].startswith(".")
    )
    if relative and posixpath.dirname(source) != posixpath.dirname(path):
        return None
    end = "\r\n" if "\r\n" in text else "\n"
    if language == "go":
        return _into_go(line, text, end)
    last = None
    at = 0
    lines = text.splitlines(keepends=True)[:2_000]
    for number, row in enumerate(lines):
        if _is_import(row, line, language):
            close = number
            if language == "python" and "(" in row.partition("#")[0] and ")" not in row:
                close = next((k for k in range(number, len(lines)) if ")" in lines[k]), number)
            elif row.rstrip().endswith("\\"):
                return None
            last = at + sum(map(len, lines[number : close + 1]))
        elif language == "python" and re.match(r"(?:async\s+)?def\s|class\s|@", row):
            break
        at += len(row)
    if last is None or text[last - 1 : last] != "\n":
        return None
    return Insert(last, line + end)


def _is_import(row: str, line: str, language: str) -> bool:
    """Whether a row is a whole import of the same way as the line."""
    if language == "python":
        return bool(re.match(r"(?:from\s+[\w.]+\s+)?import\s", row))
    if line.startswith("import"):
        return bool(re.match(r"import\s.*[\"'];?\s*\Z", row))
    return bool(re.match(r"(?:const|let|var)\s.*\brequire\s*\([^()]*\);?\s*\Z", row))


def _into_go(line: str, text: str, end: str) -> Insert | None:
    block = re.search(r"^import \(\r?\n((?:[^)]*\n)?)\)", text, re.MULTILINE)
    if block is not None:
        spec = line.removeprefix("import ").strip()
        module = _MODULE.search(spec)
        standard = module is not None and "." not in module[1].partition("/")[0]
        # gofmt keeps what is set apart by an empty line: the standard library comes first, others last.
        return Insert(block.start(1) if standard else block.end(1), f"\t{spec}{end}")
    one = list(re.finditer(r"^import (?:[\w.]+ )?\"[^\"]+\"\r?\n", text, re.MULTILINE))
    return Insert(one[-1].end(), line + end) if one else None

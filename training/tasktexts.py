"""Labelled texts for the classifier of task types: subjects, bodies and changelog entries of histories."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pygit2
from clones import clone, files, messages
from sources import Source

SEED = 11
CAP = 700  # subjects of one label from one repository: no project's habits may dominate
CAP_BODIES = 150
CAP_ENTRIES = 300
_LONGEST = 300  # characters of a body: what it is about is said at its start

_SUBJECT = re.compile(r"^(?P<type>[A-Za-z]+)(?:\((?P<scope>[^)]*)\))?!?:\s+(?P<text>.+)$")
_TYPES = {
    "feat": "feature", "feature": "feature", "enh": "feature", "fix": "bug fix", "bugfix": "bug fix",
    "bug": "bug fix", "perf": "performance", "docs": "docs", "doc": "docs", "refactor": "refactor",
    "style": "refactor", "cln": "refactor", "ref": "refactor", "sty": "refactor", "test": "test",
    "tests": "test", "tst": "test", "build": "build", "ci": "build", "bld": "build",
}  # fmt: skip
#: A scope that says more than the type: `fix(docs)` is work on the documentation.
_SCOPES = (
    ("docs", re.compile(r"^(docs?|documentation|readme|website|changelog)$", re.I)),
    ("test", re.compile(r"^(tests?|testing|e2e|spec)$", re.I)),
    ("build", re.compile(r"^(deps|deps-dev|dev-deps|build|ci|release|docker|packaging|lint)$", re.I)),
    ("performance", re.compile(r"^perf$", re.I)),
)
_MIGRATION = re.compile(
    r"^(migrat\w+|port|convert|switch (?:from|to|over)|upgrade to|move (?:from|to) \S+ to)\b", re.I
)
_BUMP = re.compile(r"^(bump|update|upgrade|pin)\b.*\b(from|to|v?\d)", re.I)
_NOISE = re.compile(r"\(?#\d+\)?|\(?\b[0-9a-f]{7,40}\b\)?|https?://\S+|\[skip ci\]", re.I)
#: What is no prose in a body: trailers, lists (of squashed commits, mostly), tables, code, ticked boxes.
_NO_PROSE = re.compile(
    r"^(?:[-*+>|#`<\[]|\d+[.)]|[A-Z][\w-]+(?: [a-z]+)?: |\w+\([^)]*\)!?: |(?:fix|clos|resolv)\w* #)"
)
_CHANGELOG = re.compile(r"(?:^|/)(?:changelog|changes|history|news)(?:\.(?:md|rst|txt))?$", re.I)
_HEADINGS = (
    ("bug fix", re.compile(r"^(?:bug ?-?fix(?:es)?|bugs? fixed|fix(?:es|ed)?|bugs?)\b", re.I)),
    ("performance", re.compile(r"^perf", re.I)),
    ("feature", re.compile(r"^(?:(?:new )?features?|added|enhancements?|additions?)\b", re.I)),
    ("docs", re.compile(r"^(?:improved )?doc(?:s|umentation)?\b", re.I)),
    ("refactor", re.compile(r"^(?:code )?(?:refactor|clean-?up)", re.I)),
    ("test", re.compile(r"^(?:tests?|testing)\b", re.I)),
    ("build", re.compile(r"^(?:build|continuous integration|ci\b|dependenc|packaging)", re.I)),
)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True)
class Example:
    """One labelled text and where it is from; `kind` is subject, body, entry, seed, typed or prompt."""

    text: str
    label: str
    source: str
    kind: str


def clean(text: str) -> str:
    """A text without numbers of issues, hashes of commits and addresses."""
    return " ".join(_NOISE.sub(" ", text).split()).strip(" .,-")


def enough(text: str) -> bool:
    """Whether a text has three words or more."""
    return len(re.findall(r"[A-Za-z]{2,}", text)) >= 3


def labelled(subject: str) -> tuple[str, str] | None:
    """(text without its prefix, label) of a Conventional-Commit subject; None where it says too little."""
    match = _SUBJECT.match(subject)
    if not match:
        return None
    kind, scope = match["type"].lower(), match["scope"] or ""
    text = clean(match["text"])
    if not enough(text):
        return None
    label = _TYPES.get(kind)
    by_scope = next((label for label, pattern in _SCOPES if pattern.match(scope)), None)
    if label in ("feature", "bug fix", "refactor") or kind == "chore":
        label = by_scope or label
    if label in ("refactor", "build") or kind == "chore":
        label = "migration" if _MIGRATION.match(text) else label
    return (text, label) if label else None


def prose(message: str) -> str | None:
    """The first paragraph of a message's body, where it is prose of six words or more."""
    for paragraph in re.split(r"\n\s*\n", message.replace("\r", "").strip())[1:3]:
        lines = paragraph.strip().split("\n")
        if not any(_NO_PROSE.match(line.strip()) for line in lines):
            text = clean(" ".join(lines)[:_LONGEST])
            if len(re.findall(r"[A-Za-z]{2,}", text)) >= 6:
                return text
    return None


def entries(text: str) -> Iterator[tuple[str, str]]:
    """(text, label) of each entry of a changelog that stands under a heading that names a type."""
    label = None
    for line in text.split("\n"):
        line = line.strip()
        heading = re.match(r"^(?:#{2,5} |\*\*)(?P<words>[^*]+)(?:\*\*:?)?$", line)
        if heading:
            words = re.sub(r"^[^A-Za-z]+", "", heading["words"])
            label = next((name for name, pattern in _HEADINGS if pattern.match(words)), None)
        elif label and (entry := re.match(r"^[-*+]\s+(.*)$", line)):
            said = clean(_LINK.sub(r"\1", entry[1]).replace("`", "").replace("**", ""))[:200]
            said = re.sub(r"^\[?[\w@/, *-]+\]?:\s+", "", said)
            if enough(said):
                yield said, label


def read(source: Source, folder: Path) -> list[Example]:
    """The labelled texts of a source: each text once, version bumps rarely, at most a cap of each label."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    seen = set()

    def add(text: str, label: str, kind: str) -> None:
        key = re.sub(r"[\d.]+", "0", text.lower())
        if _BUMP.match(text):
            key = " ".join(key.split()[:2])
        if key not in seen:
            seen.add(key)
            found[kind, label].append(text)

    repository = clone(source, folder)
    for message in messages(repository, source.commit):
        pair = labelled(message.split("\n", 1)[0])
        if pair is not None:
            add(*pair, "subject")
            if said := prose(message):
                add(said, pair[1], "body")
    for text, label in _noted(repository, source.commit):
        add(text, label, "entry")
    caps = {"subject": CAP, "body": CAP_BODIES, "entry": CAP_ENTRIES}
    chance = random.Random(f"{SEED} {source.repository}")
    out = []
    for (kind, label), texts in sorted(found.items()):
        chance.shuffle(texts)
        out += [Example(text, label, source.repository, kind) for text in texts[: caps[kind]]]
    return out


def _noted(repository: pygit2.Repository, commit: str) -> Iterator[tuple[str, str]]:
    for path, text in files(repository, commit, _CHANGELOG):
        if not re.search(r"(?:^|/)(?:vendor|testdata|fixtures?|__fixtures__|examples?)/", path):
            yield from entries(text)

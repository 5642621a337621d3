"""Decisions: architecture decision records of the tree, read into title, decision, status and what replaced them.

Read are Nygard's form (headings Status, Context, Decision), MADR (Decision Outcome, front matter), and short
records that are a title and a few paragraphs, in the folders where such records are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pygit2

from ...repo import trees
from ...store.kinds import Example, Memory
from ...store.secrets import secrets_of
from ..past.candidates import identity

LARGEST, FILES = 128 * 1024, 500
_FOLDER = re.compile(
    r"(^|/)(adrs?|decisions|decision-records|decision-log|architecture-decisions)/[^/]+\.(md|markdown)$", re.I
)
_MARKDOWN = re.compile(r"\.(md|markdown)$", re.I)
#: Elsewhere a document is a record by its headings; so many are looked into.
_STATUS, _DECISION = re.compile(rb"^#{1,4} +Status\b", re.M), re.compile(rb"^#{1,4} +Decision\b", re.M)
OTHERS = 1_000
_OTHERS_CODE = re.compile(r"(^|/)(node_modules|vendor|testdata|fixtures)$")
_NO_RECORD = re.compile(
    r"(^|/)(readme|index|template|.*[-_]template|\d*-?template[^/]*)\.(md|markdown)$", re.I
)
_NUMBER = re.compile(r"^(?:ADR[-\s:]*)?\d{1,6}\s*[.:–—-]\s*|^ADR[-\s]*\d*\s*[:–—-]\s*", re.I)
_HEADING = re.compile(r"^(#{1,4})\s+(.+?)\s*#*\s*$")
_FIELD = re.compile(
    r"^[*\-\s]*\**(status|super[sc]eded[ -]by|super[sc]edes|deciders|date)\**\s*:\**\s*(.+)$", re.I
)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_SUPERSEDED = re.compile(r"(?:super[sc]eded|replaced|obsoleted)\s+by:?\s*(.+)", re.I)
_SUPERSEDES = re.compile(
    r"^[*\-\s]*(?:.*[.;,]\s+|this (?:record )?)?(?:super[sc]edes|obsoletes):?\s+(.+)", re.I | re.M
)
#: What a reference names: a link's file, and else a number that is no part of a date.
_TARGET, _REFERRED = (
    re.compile(r"\]\(\s*([^)\s#]+)"),
    re.compile(r"(?<![\w.-])(?:ADR[-\s#]*)?0*(\d{1,6})(?![\w-]*\d|\.\d)", re.I),
)
_NUMBERED = re.compile(r"(?:^|/)(?:adr[-_ ]?)?0*(\d{1,6})[^/]*$", re.I)
_GONE = re.compile(r"super[sc]eded|deprecat|obsolet|replac|reject|withdrawn|declin|draft|propos")
_LONGEST = 400


@dataclass(frozen=True)
class Decision:
    """One record: `status` in lower case, empty where none is given; `by` is what replaced it.

    `successors` and `predecessors` are what it refers to as such: names of files, or numbers.
    """

    path: str
    title: str
    decision: str
    status: str = ""
    by: str = ""
    context: str = ""
    successors: tuple[str, ...] = ()
    predecessors: tuple[str, ...] = ()

    @property
    def m(self) -> str:
        """The memory's id: one for each file."""
        return identity("decision", self.path)

    @property
    def holds(self) -> bool:
        """Whether it is what to do now: neither replaced nor withdrawn, and not merely proposed."""
        return not self.by and _GONE.match(self.status) is None


def decisions(
    tree: pygit2.Tree, ignored: Callable[[str], bool] = lambda _: False, secrets: set[str] | None = None
) -> Iterator[Decision]:
    """The decision records of a tree; `secrets` takes those that they hold."""
    for path, blob in sorted(_documents(tree), key=lambda each: each[0])[:FILES]:
        if not ignored(path):
            text = blob.data.decode("utf-8", "replace")
            found = read(path, text)
            if found is not None:
                if secrets is not None:
                    secrets.update(secrets_of(text))
                yield found


def _documents(tree: pygit2.Tree) -> Iterator[tuple[str, pygit2.Blob]]:
    others = 0
    for path, blob in trees.files(tree, lambda path: path.count("/") < 6 and not _OTHERS_CODE.search(path)):
        if not _MARKDOWN.search(path) or _NO_RECORD.search(path) or blob.size > LARGEST:
            continue
        if _FOLDER.search(path):
            yield path, blob
        elif others < OTHERS:
            others += 1
            if _STATUS.search(blob.data) and _DECISION.search(blob.data):
                yield path, blob


def read(path: str, text: str) -> Decision | None:
    """One record; None for a document that decides nothing."""
    front, text = _front(text)
    title, sections, fields = "", {"": ""}, dict(front)
    under = ""
    fenced = False
    for row in text.splitlines():
        fenced ^= row.lstrip().startswith(("```", "~~~"))
        heading = None if fenced else _HEADING.match(row)
        if heading and not title and len(heading[1]) == 1:
            title = heading[2]
        elif heading:
            under = heading[2].strip().lower().rstrip(":")
            sections.setdefault(under, "")
        else:
            field = _FIELD.match(row) if not fenced and under in ("", "status", "metadata") else None
            if field:
                fields.setdefault(field[1].lower().replace(" ", "-"), field[2].strip())
            else:
                sections[under] += row + "\n"
    title = _NUMBER.sub("", _plain(title or fields.get("title", ""))).strip()
    headed = next(
        (name for name in sections if re.match(r"decision( outcome)?$|the decision$|outcome$", name)), ""
    )
    if not title or (not headed and len(sections) > 1 and not fields.get("status")):
        return None
    decision = _first(sections[headed]) or _first(sections[""])
    status = _plain(_first(sections.get("status", "")) or fields.get("status", ""))
    by = successor = fields.get("superseded-by", "") or fields.get("superceded-by", "")
    said = sections.get("status", "") or fields.get("status", "")
    if match := _SUPERSEDED.search(_LINK.sub(r"\1", sections.get("status", "")) or status):
        by = match[1]
    if match := _SUPERSEDED.search(said):
        successor = match[1]
    if not decision:
        return None
    context = next((sections[name] for name in sections if name.startswith("context")), "")
    older = [fields.get("supersedes", ""), fields.get("supercedes", ""), *_SUPERSEDES.findall(said)]
    return Decision(
        path, title, decision, status.lower()[:80], _plain(by).strip(" .")[:120], _first(context),
        references(successor), tuple(dict.fromkeys(one for each in older for one in references(each))),
    )  # fmt: skip


def references(text: str) -> tuple[str, ...]:
    """What a text refers to, the files that it links or else the numbers in it: `0009-x.md`, `9`."""
    targets = [target.rpartition("/")[2] for target in _TARGET.findall(text) if _MARKDOWN.search(target)]
    return tuple(dict.fromkeys(targets or _REFERRED.findall(text.partition("\n")[0])))


def successions(found: Sequence[Decision]) -> dict[str, tuple[str, ...]]:
    """Memory id → the ids of those that it supersedes, by what either of the two records says.

    A reference is to the same folder. Two that each claim to supersede the other are left as they are.
    """
    named: dict[tuple[str, str], Decision] = {}
    for each in found:
        folder, _, name = each.path.rpartition("/")
        named.setdefault((folder, name), each)
        if number := _NUMBERED.search(name):
            named.setdefault((folder, number[1]), each)
    pairs: set[tuple[str, str]] = set()
    for each in found:
        folder = each.path.rpartition("/")[0]
        pairs |= {(named[folder, one].m, each.m) for one in each.successors if (folder, one) in named}
        pairs |= {(each.m, named[folder, one].m) for one in each.predecessors if (folder, one) in named}
    out: dict[str, tuple[str, ...]] = {}
    for new, old in sorted(pairs):
        if new != old and (old, new) not in pairs:
            out[new] = (*out.get(new, ()), old)
    return out


def memory(found: Decision, private: bool = False, supersedes: tuple[str, ...] = ()) -> Memory:
    """A decision as it is remembered, in the place of those that it `supersedes`."""
    told = f" Status: {found.status}." if found.status else ""
    if found.by and found.by.lower() not in found.status:
        told += f" Superseded by {found.by}."
    return Memory(
        type="decision",
        title=found.title[:200],
        text=f"{found.title[:200]}: {found.decision}{told}",
        path=found.path,
        reason=found.context,
        examples=(Example(path=found.path),),
        private=private,
        supersedes=supersedes,
    )


def _front(text: str) -> tuple[dict[str, str], str]:
    """The plain fields of YAML front matter, and the rest of the document."""
    if not text.startswith("---\n"):
        return {}, text
    head, mark, rest = text[4:].partition("\n---")
    if not mark:
        return {}, text
    rows = (
        row.partition(":") for row in head.splitlines() if ":" in row and not row.startswith((" ", "#", "-"))
    )
    return {key.strip().lower(): value.strip().strip("\"'") for key, _, value in rows}, rest.partition("\n")[
        2
    ]


def _first(text: str) -> str:
    """The first paragraph of a section, on one line, cut behind a sentence where it is long."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        said = _plain(paragraph)
        if not said or said.startswith(("```", "|", "![")):
            continue
        if len(said) <= _LONGEST:
            return said
        end = max(said.rfind(mark, 0, _LONGEST) for mark in (". ", "; ", ": "))
        return said[: end + 1] if end > 40 else said[: _LONGEST - 1].rstrip() + "…"
    return ""


def _plain(text: str) -> str:
    """Markdown on one line, without links, emphasis and list marks."""
    text = _LINK.sub(r"\1", text)
    text = re.sub(r"\*\*|__", "", text)
    return (
        " ".join(re.sub(r"^\s*([*+-]|\d+\.)\s+", "", row) for row in text.split("\n"))
        .strip()
        .replace("  ", " ")
    )

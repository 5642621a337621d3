"""Corrections that may be worth remembering once they recur: kept beside the index, derived and bounded."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...store.codec import decode, encode
from ...store.kinds import Correction

#: The oldest go when there are more.
LIMIT = 100_000
#: A key that begins so is of edits that teach something only when they come often: in so many commits.
SELDOM = "~"
_SELDOM_COMMITS = 3
#: An edit that changes more words than this never comes again in the same form.
_MANY_WORDS = 24
_TOKEN = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`[^`]*`|[A-Za-z_]\w*|\d[\w.]*|[^\w\s]")
_NAME = re.compile(r"[A-Za-z_]\w{2,}\Z")
_LITERAL = re.compile(r"[\"'`\d]|(?:true|false|True|False|None|null|nil)\Z")
#: Words that nearly any edit holds: alone they make no key.
_COMMON = frozenset(
    """and any args assert async await bool break case catch char class const continue def default del
    dict elif else err except false False finally float for from func function global import int interface
    lambda let list map new nil none None nonlocal not null number object pass print raise range return
    self set static str string struct super switch this throw true True try tuple type undefined var void
    while with yield""".split()  # noqa: SIM905 - a hundred quotes would hide the words
)


def identity(*parts: str) -> str:
    """A memory id that is always the same for the same thing, so that learning twice writes nothing new."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def key_of(correction: Correction) -> str:
    """What alike corrections have in common: the language, and the words that went and came.

    Of an edit of literals alone, what is called, and the literals. Empty when the edit says too little to come
    again (literals of nothing that is called, punctuation, common words), or too much.
    """
    values = _values(correction.before, correction.after)
    if values:
        return identity(correction.language, *values)
    went, came = _difference(correction.before, correction.after)
    words = [word for word in (*went, *came) if _NAME.match(word) and word not in _COMMON]
    if not words or not went or not came or len(went) + len(came) > _MANY_WORDS:
        return ""
    return identity(correction.language, " ".join(went), "\n", " ".join(came))


def _difference(before: str, after: str) -> tuple[list[str], list[str]]:
    old, new = Counter(map(_plain, _TOKEN.findall(before))), Counter(map(_plain, _TOKEN.findall(after)))
    return sorted((old - new).elements()), sorted((new - old).elements())


def _values(before: str, after: str) -> tuple[str, ...]:
    """Of an edit that changes one literal of a call: what is called, the literal that went and the one that
    came (`WriteFile`, `0644`, `0600`); else nothing.
    """
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    changed = [at for at, (x, y) in enumerate(zip(old, new, strict=False)) if x != y]
    if len(old) != len(new) or len(changed) != 1:
        return ()
    went, came = old[changed[0]], new[changed[0]]
    if not (_LITERAL.match(went) and _LITERAL.match(came)):
        return ()
    open_ = 0
    for at in range(changed[0] - 1, 0, -1):
        open_ += (old[at] in ("(", "[", "{")) - (old[at] in (")", "]", "}"))
        if open_ > 0:
            called = old[at - 1] if old[at] == "(" and _NAME.match(old[at - 1]) else ""
            return (called, went, came) if called else ()
    return ()


def _plain(token: str) -> str:
    return "STRING" if token[0] in "\"'`" else token


@dataclass(frozen=True)
class Candidate:
    """One correction that is kept in case it recurs; `time` is its commit's, in ms."""

    m: str
    key: str
    time: int
    correction: Correction


class Candidates:
    """The candidates of one repository, in an SQLite file that can be deleted at any time."""

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self._limit = limit
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._base = self._open(path)
        except sqlite3.DatabaseError:  # damaged: it is derived, so begin again
            path.unlink(missing_ok=True)
            try:
                self._base = self._open(path)
            except sqlite3.OperationalError:
                from ...store.derived import probe  # numpy comes with it

                probe(path.parent)  # raises what the disk has against it, by its name
                raise

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        base = sqlite3.connect(path)
        try:
            base.execute("PRAGMA journal_mode=WAL")
            base.execute("PRAGMA synchronous=OFF")
            base.execute(
                "CREATE TABLE IF NOT EXISTS candidate (m TEXT PRIMARY KEY, key TEXT NOT NULL,"
                " edit TEXT NOT NULL, commit_id TEXT NOT NULL, time INTEGER NOT NULL, body TEXT NOT NULL,"
                " recorded INTEGER NOT NULL)"
            )
            base.execute("CREATE INDEX IF NOT EXISTS by_key ON candidate (key)")
        except sqlite3.DatabaseError:
            base.close()
            raise
        return base

    def add(self, found: Iterable[Candidate]) -> None:
        """Keep these; one that is there already stays as it is."""
        rows = [
            (
                each.m,
                each.key,
                identity(each.correction.path, each.correction.before, each.correction.after),
                each.correction.commit,
                each.time,
                json.dumps(encode(each.correction)),
            )
            for each in found
            if each.key
        ]
        with self._base:
            self._base.executemany("INSERT OR IGNORE INTO candidate VALUES (?, ?, ?, ?, ?, ?, 0)", rows)
            over = len(self) - self._limit
            if over > 0:
                self._base.execute(
                    "DELETE FROM candidate WHERE m IN (SELECT m FROM candidate ORDER BY time, m LIMIT ?)",
                    (over,),
                )

    def recurring(self, commits: int = 2) -> Iterator[Candidate]:
        """Those not yet recorded whose key came in so many commits.

        A commit that was picked to another branch counts once. Edits that seldom teach have to come more often.
        """
        rows = self._base.execute(
            "SELECT m, key, time, body FROM candidate WHERE recorded = 0 AND key IN ("
            "SELECT key FROM candidate GROUP BY key"
            " HAVING MIN(COUNT(DISTINCT commit_id), COUNT(DISTINCT edit))"
            " >= CASE WHEN key LIKE ? THEN ? ELSE ? END"
            ") ORDER BY time DESC, m",
            (SELDOM + "%", max(commits, _SELDOM_COMMITS), commits),
        ).fetchall()
        for m, key, time, body in rows:
            yield Candidate(m, key, time, decode(Correction, json.loads(body)))

    def mark_recorded(self, ids: Iterable[str]) -> None:
        """These are in the journal now."""
        with self._base:
            self._base.executemany("UPDATE candidate SET recorded = 1 WHERE m = ?", [(m,) for m in ids])

    def __len__(self) -> int:
        (count,) = self._base.execute("SELECT COUNT(*) FROM candidate").fetchone()
        return int(count)

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

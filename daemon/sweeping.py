"""The sweep, as the daemon does it: what a change did, the rest of the work tree, and what a person said of it."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pygit2

from ..analyzers.imports import imports_of
from ..analyzers.languages import language_of
from ..learning.sweep.offers import SURE, Offer, offers, parses, place_id
from ..learning.sweep.readings import Changed, Found, readings, telling
from ..learning.sweep.search import search
from ..repo.errors import CortexError, UsageError
from ..repo.files import read_plain, write_whole
from ..repo.git import GitError, git
from ..store import notes
from ..store.kinds import Correction, Feedback, Verdict
from ..store.record import Draft
from ..store.secrets import clean
from .contracts import SCHEMA
from .contracts.checking import SweepPlace, SweepResult
from .state import State

LARGEST = 512 * 1024
MOST_FILES = 300  # of a change: a larger one was not made by hand
LIMIT = 50
BUDGET_S = 20.0
AFTER_COMMIT_S = 2.0
#: After a commit only what is this sure is told unasked.
TELLING = 0.75
ORIGIN = "sweep"
_NOTE = "sweep.json"


def sweep(
    state: State,
    *,
    commit: str = "",
    worktree: bool = False,
    staged: bool = False,
    limit: int = LIMIT,
    least: float = SURE,
    stop: Callable[[], bool] = lambda: False,
) -> SweepResult:
    """The places of the work tree where a change would fit as well, the surest first.

    The change is that of a commit, of the index, or of the work tree since HEAD; by default the work tree's where it
    has one, else HEAD's. Raises `UsageError` for an unknown revision, and for more than one of them.
    """
    began = time.perf_counter()
    if bool(commit) + worktree + staged > 1:
        raise UsageError("a commit, --worktree or --staged", "Name one of them.")
    root = state.place.require_root()
    end = time.monotonic() + BUDGET_S
    late = _Late(lambda: stop() or time.monotonic() > end)
    changes, source = _changes(state, commit, worktree, staged)
    told = readings(changes)
    texts: dict[str, str] = {}
    places = search(told, changes, _files(state, root, {telling(each) for each in told}, texts), late)
    refused, votes = _answers(state)
    kept = offers(_lowered(places, votes, refused), least)
    kept = [
        each
        for each in kept
        if each.place not in refused
        and parses(each.path, texts[each.path], each)
        and _is_shown(each, texts[each.path])
    ]
    return {
        "schema": SCHEMA,
        "source": source,
        "edits": len({each.number for each in told}),
        "places": [_place(each, texts[each.path]) for each in kept[: max(0, limit)]],
        "more": max(0, len(kept) - max(0, limit)),
        "files": len(texts),
        "finished": not late.said,
        "elapsed_ms": round((time.perf_counter() - began) * 1000, 3),
    }


class _Late:
    """A question that remembers whether it was ever answered with yes."""

    def __init__(self, stop: Callable[[], bool]) -> None:
        self._stop = stop
        self.said = False

    def __call__(self) -> bool:
        self.said = self.said or self._stop()
        return self.said


def _place(each: Offer, text: str) -> SweepPlace:
    start, end = _line_around(each, text)
    whole = text[start:end]
    return {
        "id": each.place,
        "path": each.path,
        "line": each.line,
        "end_line": each.end_line,
        "start": each.start,
        "end": each.end,
        "before": each.before,
        "after": each.after,
        "line_before": whole,
        "line_after": whole[: each.start - start] + each.after + whole[each.end - start :],
        "chance": round(each.chance, 4),
        "rule": each.rule,
        "like": {"path": each.like, "line": each.like_line},
        "needs": list(each.needs),
        "imports": [{"start": x.start, "text": x.text} for x in each.imports],
        "read": hashlib.sha256(text.encode("utf-8")).hexdigest(),
    }


def _line_around(each: Offer, text: str) -> tuple[int, int]:
    """Start and end of the lines that a place stands on."""
    end = text.find("\n", each.end)
    return text.rfind("\n", 0, each.start) + 1, end if end >= 0 else len(text)


def _is_shown(each: Offer, text: str) -> bool:
    """Whether nothing that looks like a secret stands there: such a line is neither printed nor recorded."""
    start, end = _line_around(each, text)
    return clean([text[start:end], each.after])[1] == 0


def _changes(state: State, commit: str, worktree: bool, staged: bool) -> tuple[list[Changed], str]:
    """The files of the change that is meant, and what it is called."""
    root, repository = state.place.require_root(), state.repository
    if staged:
        return list(_indexed(state, repository)), "staged"
    if not commit:
        found = list(_in_work_tree(state, root, repository))
        if found or worktree:
            return found, "worktree"
    try:
        one = repository.revparse_single(commit or "HEAD").peel(pygit2.Commit)
    except (KeyError, ValueError, pygit2.GitError):
        if not commit:
            return [], "worktree"
        raise UsageError(f"there is no revision {commit}", "Name a commit, a branch or a tag.") from None
    return list(_committed(state, repository, one)), str(one.id)


def _tree(repository: pygit2.Repository) -> pygit2.Tree | None:
    try:
        return repository.revparse_single("HEAD").peel(pygit2.Tree)
    except (KeyError, pygit2.GitError):
        return None


def _committed(state: State, repository: pygit2.Repository, one: pygit2.Commit) -> Iterator[Changed]:
    if len(one.parent_ids) != 1:
        return
    try:
        diff = one.parents[0].tree.diff_to_tree(one.tree)
    except (KeyError, pygit2.GitError):
        return  # a shallow clone ends here
    for old, new in _modified(state, diff):
        before, after = _blob(repository, old), _blob(repository, new)
        if before is not None and after is not None:
            yield Changed(new.path, before, after)


def _indexed(state: State, repository: pygit2.Repository) -> Iterator[Changed]:
    tree = _tree(repository)
    if tree is None:
        return
    repository.index.read(False)
    for old, new in _modified(state, tree.diff_to_index(repository.index)):
        before, after = _blob(repository, old), _blob(repository, new)
        if before is not None and after is not None:
            yield Changed(new.path, before, after)


def _in_work_tree(state: State, root: Path, repository: pygit2.Repository) -> Iterator[Changed]:
    if _tree(repository) is None:
        return
    told = git(
        "-c", "core.fsmonitor=false", "diff-index", "--name-only", "-z", "--diff-filter=M", "HEAD", cwd=root,
        timeout=30,
    )  # fmt: skip
    names = [each for each in told.decode("utf-8", "surrogateescape").split("\0") if each]
    tree = _tree(repository)
    for name in names[:MOST_FILES]:
        if tree is None or state.ignored.matches(name):
            continue
        try:
            held = tree[name]
        except (KeyError, ValueError):
            continue
        after = _read(root / name)
        if isinstance(held, pygit2.Blob) and held.size <= LARGEST and after is not None:
            before = _decoded(held.data)
            if before is not None and before != after.replace("\r\n", "\n") and before != after:
                yield Changed(name, before, after)


def _modified(state: State, diff: pygit2.Diff) -> Iterator[tuple[pygit2.DiffFile, pygit2.DiffFile]]:
    deltas = [each for each in diff.deltas if each.status_char() == "M"]
    for delta in deltas[:MOST_FILES]:
        if not state.ignored.matches(delta.new_file.path):
            yield delta.old_file, delta.new_file


def _blob(repository: pygit2.Repository, file: pygit2.DiffFile) -> str | None:
    held = repository.get(file.id)
    return _decoded(held.data) if isinstance(held, pygit2.Blob) and held.size <= LARGEST else None


def _decoded(data: bytes) -> str | None:
    try:
        return None if b"\0" in data[:8192] else data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _read(file: Path) -> str | None:
    if file.is_symlink():
        return None
    try:
        data = read_plain(file, LARGEST + 1)
    except (OSError, CortexError):
        return None
    return _decoded(data) if len(data) <= LARGEST else None


def _files(state: State, root: Path, words: set[str], texts: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The files of the work tree that hold one of the words, by git's own search; each is kept in `texts`."""
    words.discard("")
    if not words:
        return
    terms = [part for word in sorted(words) for part in ("-e", word)]
    try:
        told = git(
            *(
                "-c",
                "core.fsmonitor=false",
                "grep",
                "-l",
                "-z",
                "-I",
                "-F",
                "--untracked",
                "--full-name",
                *terms,
            ),
            cwd=root,
        )
    except GitError as error:
        if error.status == 1:  # none holds any
            return
        raise
    for name in told.decode("utf-8", "surrogateescape").split("\0"):
        if not name or state.ignored.matches(name):
            continue
        text = _read(root / name)
        if text is not None:
            texts[name] = text
            yield name, text


def _answers(state: State) -> tuple[set[str], Counter[tuple[str, str]]]:
    """The places that the person refused, and what they said of each rule."""
    refused: set[str] = set()
    votes: Counter[tuple[str, str]] = Counter()
    for record in state.view().of_kind(Feedback.KIND):
        if record.origin != ORIGIN or record.w != state.journal.writer:
            continue
        body = record.decoded()
        if isinstance(body, Feedback):
            votes[body.of, body.verdict] += 1
            if body.verdict == "wrong":
                refused.add(body.of)
    return refused, votes


def _lowered(
    places: Sequence[Found], votes: Mapping[tuple[str, str], int], refused: set[str]
) -> Sequence[Found]:
    """The places with the chance that answers leave them: a refusal lowers at once all that the same lines were read
    to mean. A refused place comes first: no other reading of the edit takes it over once it is left out.
    """
    said: dict[tuple[str, int], tuple[int, int]] = {}
    for each in places if votes else ():
        bad, good = (votes.get((each.reading.rule, verdict), 0) for verdict in ("wrong", "good"))
        was = said.get((each.reading.path, each.reading.run), (0, 0))
        said[each.reading.path, each.reading.run] = (max(was[0], bad), max(was[1], good))
    for each in places if votes else ():
        bad, good = said[each.reading.path, each.reading.run]
        if place_id(each) in refused:
            each.chance = 1.0
        elif bad:
            each.chance *= (1 + good) / (1 + good + bad)
    return places


def swept(
    state: State,
    *,
    accepted: Sequence[Mapping[str, object]] = (),
    refused: Sequence[Mapping[str, object]] = (),
    request: str = "",
) -> dict[str, object]:
    """Note which places (as `sweep` told them) were taken and which were not.

    A taken one is a correction by hand like the one it follows; a refused one is never offered again, and its
    rewrite loses a vote: a rule that says the same steps down.
    """
    head = state.head()
    drafts: list[Draft] = [Draft(_correction(state, place, head), origin=ORIGIN) for place in accepted]
    rules: dict[str, Counter[str]] = {}
    for verdict, group in (("good", accepted), ("wrong", refused)):
        for place in group:
            drafts.append(Draft(Feedback(of=str(place.get("id", "")), verdict=verdict), origin=ORIGIN))
            rules.setdefault(str(place.get("rule", "")), Counter())[verdict] += 1
    for rule, said in rules.items():
        drafts += [
            Draft(Feedback(of=rule, verdict=verdict), origin=ORIGIN)
            for verdict in ("good", "wrong")
            for _ in range(said[verdict])
        ]
        if len(said) == 1:
            drafts.append(Draft(Verdict(of=rule, verdict=next(iter(said))), origin=ORIGIN))
    if drafts:
        state.journal.append(drafts, request)
        from .teaching import revise_rules

        revise_rules(state)
    return {"schema": SCHEMA, "accepted": len(accepted), "refused": len(refused)}


def _correction(state: State, place: Mapping[str, object], head: str) -> Correction:
    path, line = str(place.get("path", "")), place.get("line", 0)
    language = language_of(path) or ""
    sides = [str(place.get(name, "")).strip() for name in ("line_before", "line_after")]
    text = _read(state.place.require_root() / path) or ""
    made = Correction(
        before=sides[0], after=sides[1], path=path, line=line if isinstance(line, int) else 0,
        language=language, hand="person", commit=head, author=state.journal.author,
        committed=state.clock() if head else 0,
    )  # fmt: skip
    return replace(made, imports=imports_of(text, language or None)) if text else made


def after_commit(state: State) -> int:
    """Look, for at most two seconds, where else the commit at HEAD would fit; how many places are sure.

    What was found is kept beside the index, for `status` and the next hook to tell; it is derived, and may go.
    """
    head = state.head()
    file = state.place.store / "index" / _NOTE
    if not head or _noted(file).get("commit") == head:
        return 0
    end = time.monotonic() + AFTER_COMMIT_S
    result = sweep(state, commit=head, least=TELLING, stop=lambda: time.monotonic() > end)
    sure = len(result["places"]) + result["more"] if result["finished"] else 0
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, notes.write({"commit": head, "places": sure}))
    return sure


def waiting(state: State) -> int:
    """How many places the change of the commit at HEAD fits as well, as `after_commit` found."""
    noted = _noted(state.place.store / "index" / _NOTE)
    places = noted.get("places")
    return places if isinstance(places, int) and noted.get("commit") == state.head() else 0


def note(state: State) -> str:
    """What is said of those places; empty for none."""
    places = waiting(state)
    where = "place" if places == 1 else "places"
    return f"the last commit's change fits {places} more {where}: `cortex sweep HEAD`" if places else ""


def _noted(file: Path) -> Mapping[str, object]:
    try:
        return notes.read(file.read_bytes()) or {}
    except OSError:
        return {}

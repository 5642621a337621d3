"""Learning from new commits: what became of each generation, and what a person changed in it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pygit2

from ..analyzers.languages import is_generated
from ..repo.open import open_repository
from ..repo.places import Place
from ..store.kinds import MILLION, Body, Correction, Outcome, Reason
from ..store.protocols import Journal
from ..store.record import Draft
from .candidates import identity
from .committed import Committed, Worktrees, holds, reverts, versions
from .corrections import corrections
from .history import walk
from .marks import Marks, message, signature
from .moved import NAME
from .ownership import Change, commit_at, text_blob
from .pairing import ALIKE, MOVED, NOBODY, Fate, Replay, bare, changed_ranges, dropped, loses, normal, names, ranges, rows
from .past import stands_alone
from .piece import Blobs, Piece, Pieces
from .reward import scored

ORIGIN = "live"
DIRECTED_WEIGHT = MILLION // 2
#: A text that holds more than one in so many lines of a generation is later than it.
_PART = 6
#: Of so many lines that only went, nothing is learnt.
_WHOLE = 3
#: With fewer words a generation is not known again by them.
_KNOWN = 4
#: A bare line that is shorter may be anybody's.
_LONG = 8


@dataclass(frozen=True)
class LiveReport:
    """What new commits taught. `waiting` generations are in no commit yet; `expired` ones no longer wait."""

    commits: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)  # by verdict
    corrections: int = 0
    second_thoughts: int = 0
    waiting: int = 0
    expired: int = 0


@dataclass
class _Learnt:
    """What one commit taught, before it is written."""

    outcomes: dict[str, tuple[Outcome, tuple[str, ...]]] = field(default_factory=dict)
    corrections: dict[str, Correction] = field(default_factory=dict)
    owner: dict[str, Piece] = field(default_factory=dict)  # of each correction, by its id
    reasons: dict[str, Reason] = field(default_factory=dict)  # of directed corrections, by their ids
    secrets: set[str] = field(default_factory=set)  # of the versions that were compared
    second_thoughts: int = 0


def learn_commits(
    place: Place,
    journal: Journal,
    blobs: Blobs,
    commits: Sequence[pygit2.Oid | str],
    *,
    now: int | None = None,
) -> LiveReport:
    """Pair what assistants wrote with these commits (ids, oldest first); `now` in ms since the epoch.

    Learning the same commits twice writes nothing new. Proposals that a person altered before accepting them
    are learnt from even when `commits` is empty.
    """
    moment = time.time_ns() // 1_000_000 if now is None else now
    return _Live(place, journal, blobs, moment).learn([str(oid) for oid in commits])


class _Live:
    def __init__(self, place: Place, journal: Journal, blobs: Blobs, now: int) -> None:
        self._repository = open_repository(place)
        self._journal, self._blobs = journal, blobs
        self._marks = Marks(self._repository)
        self._worktrees = Worktrees(self._repository, place.root)
        self._pieces = Pieces(journal.view(), blobs, now)
        self._tips: list[pygit2.Oid] | None = None
        self._gone: dict[str, bool] = {}
        self._known: set[tuple[str, str, str, str]] = set()
        self._batch: list[str] = []
        self._ahead: dict[str, list[tuple[int, pygit2.Oid]]] = {}  # path -> its versions in this batch

    def learn(self, commits: Sequence[str]) -> LiveReport:
        outcomes: Counter[str] = Counter()
        corrected = self._write(self._altered())
        read = thoughts = 0
        self._batch = list(commits)
        for oid in commits:
            commit = commit_at(self._repository, oid)
            if commit is None:
                continue
            read += 1
            learnt = self._commit(commit)
            corrected += self._write(learnt)
            outcomes.update(outcome.verdict for outcome, _ in learnt.outcomes.values())
            thoughts += learnt.second_thoughts
        if read:
            corrected += self._write(self._agent_commits(commits))
        self._write(self._said_since())
        waiting = sum(1 for each in self._pieces if each.outcome is None)
        return LiveReport(read, outcomes, corrected, thoughts, waiting, self._pieces.expired)

    def _write(self, learnt: _Learnt) -> int:
        """Append what is new, all at once; how many corrections that were."""
        view = self._journal.view()
        drafts: list[Draft] = []
        for m, (outcome, parents) in learnt.outcomes.items():
            drafts.append(Draft(body=outcome, m=m, parents=parents, origin=ORIGIN))
        new: list[tuple[str, Body]] = [
            (m, body) for m, body in learnt.corrections.items() if not view.heads(m)
        ]
        drafts.extend(Draft(body=body, m=m, origin=ORIGIN) for m, body in new)
        drafts.extend(
            Draft(body=learnt.reasons[m], m=identity("reason", m), origin=ORIGIN)
            for m, _ in new
            if m in learnt.reasons
        )
        if drafts:
            self._journal.beware(learnt.secrets)
            self._journal.append(drafts)
        return len(new)

    def _said_since(self) -> _Learnt:
        """Outcomes whose reward is another by now: tests that were run later, and what the person said."""
        learnt = _Learnt()
        for piece in self._pieces:
            if piece.outcome is not None:
                self._decide(learnt, piece, self._scored(piece, piece.outcome))
        return learnt

    def _altered(self) -> _Learnt:
        """Proposals that the person changed before accepting: corrections that need no commit."""
        learnt = _Learnt()
        for piece in self._pieces:
            if not piece.generation.altered or not piece.generation.proposed or piece.outcome:
                continue
            proposed, after = piece.text(piece.generation.proposed), piece.after
            if proposed is None or after is None:
                continue
            lines = changed_ranges(piece.before or b"", proposed)
            self._correct(learnt, proposed, after, piece.generation.path, lines, [piece], [], "person", None)
        return learnt

    def _commit(self, commit: pygit2.Commit) -> _Learnt:
        learnt = _Learnt()
        said = Committed(self._repository, commit)
        if said.reverts:
            self._revert(learnt, said)
            return learnt
        decided = {piece: piece.outcome.commit for piece in self._pieces if piece.outcome is not None}
        for path, old_path, pieces in self._pairs(said):
            pending, settled = self._sorted(pieces, commit, decided)
            if any(self._within(str(commit.id), decided[piece]) for piece in pieces if piece in decided):
                settled = []  # it was gone through before, and what it changed in them was said then
            if pending:
                self._replay(learnt, said, path, old_path, pending, settled)
            elif settled and not self._marks.of(commit).agent and not said.is_revert:
                self._later(learnt, said, path, old_path, settled)
        return learnt

    def _pairs(self, said: Committed) -> Iterator[tuple[str, str, list[Piece]]]:
        """(new path, old path, generations) for each file of the commit that an assistant wrote to."""
        taken: dict[Change, list[Piece]] = {}
        for change in said.changes:
            here = self._pieces.at(change.new_path) if change.new_path else []
            if change.old_path != change.new_path and change.old_path and said.left(change.old_path):
                here = [*here, *self._pieces.at(change.old_path)]
            if here:
                taken.setdefault(change, []).extend(here)
        changed = {path for change in taken for path in (change.new_path, change.old_path)}
        for path in self._pieces.paths():
            if path in said.gone or path in changed:
                continue
            for piece in self._pieces.at(path):
                # Renamed, moved or split before it was ever committed: found again by what it says.
                new = (not piece.outcome or self._lapsed(piece.outcome)) and not self._still_there(
                    piece, path
                )
                home = said.like(piece.solid(), piece.text_written()) if new else None
                if new and home is None and said.left(path):
                    home = self._come_since(said, piece)
                if home is not None and said.has(path):
                    home = Change(path, path, None, None)  # the file itself is as it was
                if home is not None and piece not in taken.get(home, ()):
                    taken.setdefault(home, []).append(piece)
        for change, pieces in taken.items():
            yield change.new_path, change.old_path, sorted(pieces, key=lambda each: each.order)

    def _come_since(self, said: Committed, piece: Piece) -> Change | None:
        """The file of this commit that is younger than the generation, and holds most of its words.

        A file that was renamed, edited in nearly each line and committed in parts is known by nothing else.
        """
        head = commit_at(self._repository, piece.generation.head) if piece.generation.head else None
        words = set(NAME.findall(piece.text_written())) - set(NAME.findall(piece.before or b""))
        for change in said.changes if len(words) >= _KNOWN else ():
            if change.new_path and not (head is not None and holds(head.tree, change.new_path)):
                text = said.after(change.new_path) or b""
                if len(words & set(NAME.findall(text))) >= MOVED * len(words):
                    return change
        return None

    def _still_there(self, piece: Piece, path: str) -> bool:
        """Whether a work tree has what it wrote, where it wrote it."""
        for text in self._worktrees.texts({path}):
            lines = {bare(line) for line in rows(normal(text))}
            if not piece.solid() or 2 * len(piece.solid() & lines) >= len(piece.solid()):
                return True
        return False

    def _sorted(
        self, pieces: Iterable[Piece], commit: pygit2.Commit, before: Mapping[Piece, str]
    ) -> tuple[list[Piece], list[Piece]]:
        """Those whose fate this commit decides, and those whose fate an ancestor of it decided.

        `before` names the commits that had decided before this one was looked at: it may change several files.
        """
        pending, settled = [], []
        for piece in pieces:
            if piece.after is None or self._within(str(commit.id), piece.generation.head):
                continue  # a commit from before it says nothing of it
            if piece.outcome is None:
                pending.append(piece)
                continue
            decided = before.get(piece, str(commit.id))
            if self._within(str(commit.id), decided):
                continue
            if self._within(decided, str(commit.id)):
                if piece.outcome.verdict != "rejected":
                    settled.append(piece)
            elif self._lapsed(piece.outcome):
                pending.append(piece)  # amended, rebased or squashed away: this commit stands in its place
        return pending, settled

    def _lapsed(self, outcome: Outcome) -> bool:
        """Whether the commit that decided is on no branch any more."""
        return self._off(outcome.commit)

    def _off(self, oid: str) -> bool:
        if oid not in self._gone:
            self._gone[oid] = not any(self._within(oid, str(tip)) for tip in self._heads())
        return self._gone[oid]

    def _heads(self) -> list[pygit2.Oid]:
        if self._tips is None:
            names = [name for name in self._repository.references if name.startswith("refs/heads/")]
            self._tips = [self._repository.references[name].peel().id for name in names]
            if not self._repository.head_is_unborn:
                self._tips.append(pygit2.Oid(hex=str(self._repository.head.target)))
        return self._tips

    def _within(self, old: str, new: str) -> bool:
        """Whether `old` is `new` or an ancestor of it."""
        if old == new or not new:
            return old == new
        try:
            return bool(self._repository.descendant_of(pygit2.Oid(hex=new), pygit2.Oid(hex=old)))
        except (KeyError, ValueError, pygit2.GitError):
            return False  # collected since

    def _replay(
        self,
        learnt: _Learnt,
        said: Committed,
        path: str,
        old_path: str,
        pending: list[Piece],
        settled: list[Piece],
    ) -> None:
        """Go through the versions of a file: as it was, before and after each generation, as committed."""
        parent, committed = said.before(old_path or path), said.after(path)
        if parent is None or committed is None:  # huge or binary
            return
        # A part of it was committed before, or the commit was rewritten: what went before it is older than that,
        # and what was decided meanwhile is gone through again, in its place.
        first = pending[0]
        later = [
            each
            for each in settled
            if each.order > first.order and each.generation.path in (path, old_path) and each.before is not None
        ]
        base = (first.before or b"") if later or _holds(parent, first) else parent
        earlier = [each for each in settled if each not in later]
        written = sorted([*later, *pending], key=lambda each: each.order)
        pieces = [*earlier, *written]
        replay = Replay(base)
        for number, piece in enumerate(earlier):
            replay.wrote(number, _still(piece, base))
        drafts = _Learnt()
        for number, piece in enumerate(written, len(earlier)):
            before, after = piece.before, piece.after or b""
            if before is None or (not before and not replay.text):
                before = replay.text
            if before != replay.text:
                self._step(drafts, replay, before, path, pieces, None, said)
            self._step(drafts, replay, after, path, pieces, number, said)
            replay.wrote(number, piece.generation.ranges if not replay.lines_of([number]) else [])
        wrote = {number: replay.lines_of([number]) for number in range(len(earlier), len(pieces))}
        self._step(drafts, replay, committed, path, pieces, None, said)
        fates = replay.close()
        waits = self._unstaged(said, committed, pending, path)
        for number, piece in enumerate(written, len(earlier)):
            if piece in waits or piece not in pending:
                continue
            fate = fates.get(number, Fate())
            if not fate.written and not wrote[number]:
                fate = Fate()  # it only took lines away
            if fate.verdict == "rejected":
                if self._on_another_line(piece, said):
                    continue
                for m in [m for m, owner in drafts.owner.items() if owner is piece]:
                    drafts.corrections.pop(m, None)  # what stands there now is no edit of it
            self._outcome(learnt, piece, fate, said, path or old_path)
        for m, correction in drafts.corrections.items():
            if drafts.owner[m] not in waits:
                learnt.corrections[m] = correction
                if m in drafts.reasons:
                    learnt.reasons[m] = drafts.reasons[m]
        self._follow(learnt, replay, pieces, settled, path)
        self._edited(learnt, drafts, settled, said, path)
        learnt.secrets |= drafts.secrets

    def _step(
        self,
        learnt: _Learnt,
        replay: Replay,
        after: bytes,
        path: str,
        pieces: Sequence[Piece],
        writer: int | None,
        said: Committed,
    ) -> None:
        """One version on: by a person (`writer` None), or by the generation with this number."""
        homes: frozenset[str] = frozenset()
        touched = replay.touched(after)
        if touched:
            after, homes = said.whole(path, replay.text, after)
        if homes:
            for number in touched:
                pieces[number].homes |= homes
            touched = replay.touched(after)
        elsewhere = said.elsewhere(path) if writer is None and touched else frozenset()
        if writer is not None:
            touched -= {writer}
            directed = {number for number in touched if pieces[writer].new_prompt_after(pieces[number])}
            if any(pieces[writer].same_conversation(pieces[number]) for number in touched - directed):
                pieces[writer].thoughts = 1
            touched = directed
        if touched and path:
            present = rows(replay.text)
            lines = [n for n in replay.lines_of(touched) if bare(present[n - 1]) not in elsewhere]
            whose = [pieces[each] if each != NOBODY else None for each in replay.writers]
            hand = "person" if writer is None else "directed"
            told = None if writer is None else pieces[writer]
            self._correct(learnt, replay.text, after, path, ranges(lines), [], whose, hand, said, homes, told)
        replay.advance(after, NOBODY if writer is None else writer, elsewhere)
        if writer is not None:
            replay.wrote(writer, [])

    def _correct(
        self,
        learnt: _Learnt,
        before: bytes,
        after: bytes,
        path: str,
        lines: Sequence[tuple[int, int]],
        owners: Sequence[Piece],
        whose: Sequence[Piece | None],
        hand: str,
        said: Committed | None,
        homes: Collection[str] = (),
        told: Piece | None = None,
    ) -> None:
        """Add the corrections from one version to the next, of those that the commit kept."""
        if not lines or is_generated(path, before[:8192]):
            return
        try:
            left, right = before.decode(), after.decode()
        except UnicodeDecodeError:
            return
        gone = dropped(before, after)
        commit = said.commit if said else None
        subject = message(commit).strip().partition("\n")[0][:200] if commit else ""
        places = said.places if said else 0
        for each in corrections(
            left, right, path, lines, hand=hand, subject=subject, places=places, secrets=learnt.secrets
        ):
            near = [piece for piece in whose[max(0, each.line - 1) : each.line] if piece] or [
                piece for piece in whose if piece
            ]
            piece = (owners or near)[0]
            writer = self._other_writer(piece, each.after, homes) if hand == "person" else None
            if writer is not None and not writer.new_prompt_after(piece):
                continue
            teller = writer or told
            if not each.after.strip() and each.before.count("\n") >= _WHOLE:
                continue  # that it is not wanted at all is an outcome
            other = each.after.strip() and not names(each.before) & names(each.after)
            if other and (each.line in gone or each.before.count("\n") >= _WHOLE):
                continue  # another thing stands there now
            if said is not None and hand == "person" and piece.restores(each.after):
                continue  # as it was before the assistant came: likewise
            if said is not None and not said.kept((path, *homes), each.after):
                continue
            body = replace(
                each,
                hand="directed" if teller is not None else hand,
                weight=DIRECTED_WEIGHT if teller is not None else MILLION,
                commit=str(commit.id) if commit else "",
                committed=commit.commit_time * 1000 if commit else 0,
                author=signature(commit.author) if commit else "",
                agent=piece.agent,
                subject=subject,
            )
            m = identity("live", piece.m, path, each.before, each.after)
            learnt.corrections[m], learnt.owner[m] = body, piece
            if teller is not None and teller.execution.task:
                learnt.reasons[m] = Reason(m, teller.execution.task, teller.generation.execution)
            self._known.add((body.commit, path, each.before, each.after))

    def _on_another_line(self, piece: Piece, said: Committed) -> bool:
        """Whether the commit never had what the generation began with: it cannot have thrown it away."""
        head = piece.generation.head
        return bool(head) and not self._within(head, str(said.commit.id)) and not self._off(head)

    def _other_writer(self, piece: Piece, after: str, homes: Collection[str]) -> Piece | None:
        """The later generation that wrote these lines, in a file to which a person had moved the earlier ones."""
        lines = {line for row in after.encode("utf-8", "replace").split(b"\n") if len(line := bare(row)) >= _LONG}
        for path in homes if lines else ():
            for other in self._pieces.at(path):
                if other.order > piece.order and lines <= other.solid():
                    return other
        return None

    def _unstaged(
        self, said: Committed, committed: bytes, pending: Sequence[Piece], path: str
    ) -> list[Piece]:
        """Generations of which a part is in a work tree or in a later commit, and not in this: a later one decides."""
        here = {bare(line) for line in rows(committed)}
        waits = []
        for piece in pending:
            lost = piece.solid() - here
            if not lost:
                continue
            paths = {path, piece.generation.path} - {""}
            whole = lost == piece.solid()
            for text in (*self._worktrees.texts(paths), *self._versions_after(said, paths)):
                there = {bare(line) for line in rows(normal(text))}
                if 2 * len(lost & there) >= len(lost) or (whole and _holds(normal(text), piece)):
                    waits.append(piece)
                    break
        for piece in pending:  # what was rewritten by one that waits is not decided before it
            if piece not in waits and piece.solid() and not piece.solid() & here:
                if any(other.order > piece.order and piece.solid() & other.began_with() for other in waits):
                    waits.append(piece)
        return waits

    def _versions_after(self, said: Committed, paths: Iterable[str]) -> Iterator[bytes]:
        """These files as the commits of this batch that follow have them: a part may be committed later."""
        here = str(said.commit.id)
        at = self._batch.index(here) if here in self._batch else len(self._batch)
        for path in sorted(paths):
            if path not in self._ahead:
                self._ahead[path] = versions(self._repository, self._batch, path)
            for number, blob in self._ahead[path]:
                if number > at and self._within(here, self._batch[number]):
                    found = text_blob(self._repository, blob)
                    yield found.data if found is not None else b""

    def _outcome(self, learnt: _Learnt, piece: Piece, fate: Fate, said: Committed, path: str) -> None:
        distance, verdict = fate.distance, fate.verdict
        if verdict == "rejected":
            distance = MILLION
        body = Outcome(
            generation=piece.m,
            commit=str(said.commit.id),
            path=path,
            also=tuple(sorted(piece.homes - {path})),
            verdict=verdict,
            distance=distance,
            took=_took(piece, said),
            second_thoughts=piece.thoughts,
            formatted=fate.formatted,
        )
        self._decide(learnt, piece, self._scored(piece, body))

    def _scored(self, piece: Piece, body: Outcome) -> Outcome:
        return scored(body, piece.execution.tests, self._pieces.remarks.get(piece.m, ""))

    def _decide(self, learnt: _Learnt, piece: Piece, body: Outcome) -> None:
        """One outcome a generation: a changed one is an edit of the same memory."""
        if piece.outcome == body:
            return
        self._pieces.stands_in(piece, (body.path, *body.also))
        m = identity("outcome", piece.m)
        heads = self._journal.view().heads(m)
        if heads and heads[-1].op == "del":
            return
        learnt.outcomes[m] = (body, tuple(head.id for head in heads))
        learnt.second_thoughts += body.second_thoughts if not heads else 0
        piece.outcome = body

    def _later(
        self, learnt: _Learnt, said: Committed, path: str, old_path: str, settled: Sequence[Piece]
    ) -> None:
        """A commit that changes what was generated and committed before it."""
        parent, committed = said.before(old_path or path), said.after(path)
        if not path or parent is None or committed is None:
            return
        replay = Replay(parent)
        for number, piece in enumerate(settled):
            replay.wrote(number, _still(piece, parent))
        drafts = _Learnt()
        self._step(drafts, replay, committed, path, settled, None, said)
        real = {m: body for m, body in drafts.corrections.items() if body.category != "evolution"}
        learnt.corrections.update(real)
        learnt.secrets |= drafts.secrets
        self._follow(learnt, replay, settled, settled, path)
        self._edited(learnt, drafts, settled, said, path)

    def _follow(
        self, learnt: _Learnt, replay: Replay, pieces: Sequence[Piece], settled: Sequence[Piece], path: str
    ) -> None:
        """Note where the lines of those that were committed before are now: what is moved is watched on."""
        for number, piece in enumerate(pieces):
            if piece not in settled or piece.outcome is None:
                continue
            if path != piece.outcome.path and replay.lines_of([number]):
                piece.homes |= {path}
            also = tuple(sorted(piece.homes - {piece.outcome.path}))
            if also != piece.outcome.also:
                self._decide(learnt, piece, replace(piece.outcome, also=also))

    def _edited(
        self, learnt: _Learnt, drafts: _Learnt, settled: Sequence[Piece], said: Committed, path: str
    ) -> None:
        """Say anew what became of those that were committed before, and that a person corrected now."""
        for piece in settled:
            if any(
                drafts.owner[m] is piece and body.category != "evolution" and loses(body.before, body.after)
                for m, body in drafts.corrections.items()
            ):
                fate = _alone(piece, said, path)
                if fate.verdict == "rejected":  # what was corrected was not thrown away
                    fate.left, fate.alike = max(1, fate.left), max(ALIKE, fate.alike)
                self._outcome(learnt, piece, fate, said, path)

    def _revert(self, learnt: _Learnt, said: Committed) -> None:
        """A revert takes back all that a commit brought: a rejection, and no correction.

        Where it takes back what a person had changed later, the generation stands as it did before.
        """
        commit = said.commit
        for piece in self._pieces:
            if piece.outcome is not None and self._takes_back(said, piece.outcome):
                fate = _alone(piece, said, piece.outcome.path)
                if fate.verdict != "rejected":
                    self._outcome(learnt, piece, fate, said, piece.outcome.path)
                    continue
                body = replace(
                    piece.outcome,
                    commit=str(commit.id),
                    verdict="rejected",
                    distance=MILLION,
                    revert=-MILLION,
                    took=_took(piece, said),
                )
                self._decide(learnt, piece, self._scored(piece, body))

    def _takes_back(self, said: Committed, outcome: Outcome) -> bool:
        """Whether the commit reverts what decided, or is such a revert that was rewritten."""
        if outcome.commit in said.reverts:
            return True
        if not outcome.revert or not self._lapsed(outcome):
            return False
        earlier = commit_at(self._repository, outcome.commit)
        return earlier is not None and any(oid in said.reverts for oid in reverts(earlier))

    def _agent_commits(self, commits: Sequence[str]) -> _Learnt:
        """What these commits changed in agents' commits of which no generation was recorded."""
        learnt = _Learnt()
        for found in walk(self._repository, only=frozenset(commits), tips=commits):
            each = found.correction
            said = (each.commit, each.path, each.before, each.after)
            if stands_alone(found) and said not in self._known:
                learnt.corrections[found.m] = each
        return learnt


def _took(piece: Piece, said: Committed) -> int:
    """From the generation to the commit, in ms; none where a clock ran backwards."""
    return max(0, said.commit.commit_time * 1000 - piece.order[0])


def _alone(piece: Piece, said: Committed, path: str) -> Fate:
    """What became of a generation by this commit, whoever wrote beside it."""
    replay = Replay(piece.before or b"")
    replay.advance(piece.after or b"", 0)
    replay.wrote(0, piece.generation.ranges if not replay.lines_of([0]) else [])
    texts = [said.after(each) or b"" for each in dict.fromkeys((path, *piece.homes)) if each]
    present = set(said.elsewhere(path))
    if len(texts) > 1:  # in which order its parts stand is not known
        present |= {line for text in texts for row in rows(text) if len(line := bare(row)) >= _LONG}
    replay.advance(b"".join(texts), NOBODY, present)
    return replay.close().get(0, Fate())


def _holds(text: bytes, piece: Piece) -> bool:
    """Whether `text` is later than the generation: it has lines that came with it."""
    mine = piece.solid() - {bare(line) for line in rows(piece.before or b"")}
    return _PART * len(mine & {bare(line) for line in rows(text)}) > len(mine)


def _still(piece: Piece, text: bytes) -> list[tuple[int, int]]:
    """The lines of `text` that this generation wrote and that still stand."""
    replay = Replay(piece.before or b"")
    replay.advance(piece.after or b"", 0)
    replay.wrote(0, piece.generation.ranges if not replay.lines_of([0]) else [])
    replay.advance(text)
    return ranges(replay.lines_of([0]))

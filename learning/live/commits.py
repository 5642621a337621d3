"""Learning from new commits: what became of each generation, and what a person changed in it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pygit2

from ...repo.open import open_repository
from ...repo.places import Place
from ...store.kinds import MILLION, Body, Correction, Outcome
from ...store.protocols import Journal
from ...store.record import Draft
from ..lineage.branches import Branches
from ..lineage.lines import changed_ranges, loses
from ..lineage.marks import Marks
from ..lineage.ownership import commit_at
from ..lineage.pairing import ALIKE, Fate, Replay
from ..lineage.piece import Blobs, Piece, Pieces
from ..past.candidates import identity
from ..past.history import walk
from ..past.lessons import stands_alone
from .committed import Committed, Worktrees, reverts
from .learnt import Learnt
from .remains import alone, holds_part, still
from .reward import scored
from .steps import Steps
from .whereabouts import Whereabouts

ORIGIN = "live"


@dataclass(frozen=True)
class LiveReport:
    """What new commits taught. `waiting` generations are in no commit yet; `expired` ones no longer wait."""

    commits: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)  # by verdict
    corrections: int = 0
    second_thoughts: int = 0
    waiting: int = 0
    expired: int = 0


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
    ids = [str(oid) for oid in commits]
    return _Live(place, journal, blobs, moment, ids).learn(ids)


class _Live:
    def __init__(
        self, place: Place, journal: Journal, blobs: Blobs, now: int, commits: Sequence[str]
    ) -> None:
        self._repository = open_repository(place)
        self._journal = journal
        self._marks = Marks(self._repository)
        self._pieces = Pieces(journal.view(), blobs, now)
        self._branches = Branches(self._repository)
        worktrees = Worktrees(self._repository, place.root)
        self._where = Whereabouts(self._repository, self._branches, worktrees, self._pieces, commits)
        self._steps = Steps(self._pieces)

    def learn(self, commits: Sequence[str]) -> LiveReport:
        outcomes: Counter[str] = Counter()
        corrected = self._write(self._altered())
        read = thoughts = 0
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

    def _write(self, learnt: Learnt) -> int:
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

    def _said_since(self) -> Learnt:
        """Outcomes whose reward is another by now: tests that were run later, and what the person said."""
        learnt = Learnt()
        for piece in self._pieces:
            if piece.outcome is not None:
                self._decide(learnt, piece, self._scored(piece, piece.outcome))
        return learnt

    def _altered(self) -> Learnt:
        """Proposals that the person changed before accepting: corrections that need no commit."""
        learnt = Learnt()
        for piece in self._pieces:
            if not piece.generation.altered or not piece.generation.proposed or piece.outcome:
                continue
            proposed, after = piece.text(piece.generation.proposed), piece.after
            if proposed is None or after is None:
                continue
            lines = changed_ranges(piece.before or b"", proposed)
            self._steps.correct(
                learnt, proposed, after, piece.generation.path, lines, [piece], [], "person", None
            )
        return learnt

    def _commit(self, commit: pygit2.Commit) -> Learnt:
        learnt = Learnt()
        said = Committed(self._repository, commit)
        if said.reverts:
            self._revert(learnt, said)
            return learnt
        decided = {piece: piece.outcome.commit for piece in self._pieces if piece.outcome is not None}
        for path, old_path, pieces in self._where.pairs(said):
            pending, settled = self._sorted(pieces, commit, decided)
            if any(
                self._branches.within(str(commit.id), decided[piece]) for piece in pieces if piece in decided
            ):
                settled = []  # it was gone through before, and what it changed in them was said then
            if pending:
                self._replay(learnt, said, path, old_path, pending, settled)
            elif settled and not self._marks.of(commit).agent and not said.is_revert:
                self._later(learnt, said, path, old_path, settled)
        return learnt

    def _sorted(
        self, pieces: Iterable[Piece], commit: pygit2.Commit, before: Mapping[Piece, str]
    ) -> tuple[list[Piece], list[Piece]]:
        """Those whose fate this commit decides, and those whose fate an ancestor of it decided.

        `before` names the commits that had decided before this one was looked at: it may change several files.
        """
        pending, settled = [], []
        for piece in pieces:
            if piece.after is None or self._branches.within(str(commit.id), piece.generation.head):
                continue  # a commit from before it says nothing of it
            if piece.outcome is None:
                pending.append(piece)
                continue
            decided = before.get(piece, str(commit.id))
            if self._branches.within(str(commit.id), decided):
                continue
            if self._branches.within(decided, str(commit.id)):
                if piece.outcome.verdict != "rejected":
                    settled.append(piece)
            elif self._branches.off(piece.outcome.commit):
                pending.append(piece)  # amended, rebased or squashed away: this commit stands in its place
        return pending, settled

    def _replay(
        self,
        learnt: Learnt,
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
            if each.order > first.order
            and each.generation.path in (path, old_path)
            and each.before is not None
        ]
        base = (first.before or b"") if later or holds_part(parent, first) else parent
        earlier = [each for each in settled if each not in later]
        written = sorted([*later, *pending], key=lambda each: each.order)
        pieces = [*earlier, *written]
        replay = Replay(base)
        for number, piece in enumerate(earlier):
            replay.wrote(number, still(piece, base))
        drafts = Learnt()
        for number, piece in enumerate(written, len(earlier)):
            before, after = piece.before, piece.after or b""
            if before is None or (not before and not replay.text):
                before = replay.text
            if before != replay.text:
                self._steps.step(drafts, replay, before, path, pieces, None, said)
            self._steps.step(drafts, replay, after, path, pieces, number, said)
            replay.wrote(number, piece.generation.ranges if not replay.lines_of([number]) else [])
        wrote = {number: replay.lines_of([number]) for number in range(len(earlier), len(pieces))}
        self._steps.step(drafts, replay, committed, path, pieces, None, said)
        fates = replay.close()
        waits = self._where.waiting(said, committed, pending, path)
        for number, piece in enumerate(written, len(earlier)):
            if piece in waits or piece not in pending:
                continue
            fate = fates.get(number, Fate())
            if not fate.written and not wrote[number]:
                fate = Fate()  # it only took lines away
            if fate.verdict == "rejected":
                for m in [m for m, owner in drafts.owner.items() if owner is piece]:
                    drafts.corrections.pop(m, None)  # what stands there now is no edit of it
                if self._where.on_another_line(piece, said):
                    continue
            self._outcome(learnt, piece, fate, said, path or old_path)
        for m, correction in drafts.corrections.items():
            if drafts.owner[m] not in waits:
                learnt.corrections[m] = correction
                if m in drafts.reasons:
                    learnt.reasons[m] = drafts.reasons[m]
        self._follow(learnt, replay, pieces, settled, path)
        self._edited(learnt, drafts, settled, said, path)
        learnt.secrets |= drafts.secrets

    def _outcome(self, learnt: Learnt, piece: Piece, fate: Fate, said: Committed, path: str) -> None:
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

    def _decide(self, learnt: Learnt, piece: Piece, body: Outcome) -> None:
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
        self, learnt: Learnt, said: Committed, path: str, old_path: str, settled: Sequence[Piece]
    ) -> None:
        """A commit that changes what was generated and committed before it."""
        parent, committed = said.before(old_path or path), said.after(path)
        if not path or parent is None or committed is None:
            return
        replay = Replay(parent)
        for number, piece in enumerate(settled):
            replay.wrote(number, still(piece, parent))
        drafts = Learnt()
        self._steps.step(drafts, replay, committed, path, settled, None, said)
        real = {m: body for m, body in drafts.corrections.items() if body.category != "evolution"}
        learnt.corrections.update(real)
        learnt.secrets |= drafts.secrets
        self._follow(learnt, replay, settled, settled, path)
        self._edited(learnt, drafts, settled, said, path)

    def _follow(
        self, learnt: Learnt, replay: Replay, pieces: Sequence[Piece], settled: Sequence[Piece], path: str
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
        self, learnt: Learnt, drafts: Learnt, settled: Sequence[Piece], said: Committed, path: str
    ) -> None:
        """Say anew what became of those that were committed before, and that a person corrected now."""
        for piece in settled:
            if any(drafts.owner[m] is piece and _changes(body) for m, body in drafts.corrections.items()):
                fate = alone(piece, said, path)
                if fate.verdict == "rejected":  # what was corrected was not thrown away
                    fate.left, fate.alike = max(1, fate.left), max(ALIKE, fate.alike)
                self._outcome(learnt, piece, fate, said, path)

    def _revert(self, learnt: Learnt, said: Committed) -> None:
        """A revert takes back all that a commit brought: a rejection, and no correction.

        Where it takes back what a person had changed later, the generation stands as it did before.
        """
        commit = said.commit
        for piece in self._pieces:
            if piece.outcome is not None and self._takes_back(said, piece.outcome):
                fate = alone(piece, said, piece.outcome.path)
                if fate.kept and fate.verdict != "rejected":
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
        if not outcome.revert or not self._branches.off(outcome.commit):
            return False
        earlier = commit_at(self._repository, outcome.commit)
        return earlier is not None and any(oid in said.reverts for oid in reverts(earlier))

    def _agent_commits(self, commits: Sequence[str]) -> Learnt:
        """What these commits changed in agents' commits of which no generation was recorded."""
        learnt = Learnt()
        for found in walk(self._repository, only=frozenset(commits), tips=commits):
            each = found.correction
            said = (each.commit, each.path, each.before, each.after)
            if stands_alone(found) and said not in self._steps.known:
                learnt.corrections[found.m] = each
        return learnt


def _took(piece: Piece, said: Committed) -> int:
    """From the generation to the commit, in ms; none where a clock ran backwards."""
    return max(0, said.commit.commit_time * 1000 - piece.order[0])


def _changes(body: Correction) -> bool:
    """Whether it says something else of what was committed; what only went later had served until then."""
    changed = bool(body.after.strip()) and loses(body.before, body.after)
    return changed and body.category != "evolution"

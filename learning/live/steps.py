"""The corrections that lie between two versions of a file, for those who wrote its lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from ...analyzers.languages import is_generated
from ...store.kinds import MILLION, Reason
from ..corrections.extraction import corrections
from ..lineage.lines import bare, dropped, names, ranges, rows
from ..lineage.marks import message, signature
from ..lineage.pairing import NOBODY, Replay
from ..lineage.piece import Piece, Pieces
from ..past.candidates import identity
from .committed import Committed
from .learnt import Learnt
from .remains import LONG

DIRECTED_WEIGHT = MILLION // 2
#: Of so many lines that only went, nothing is learnt.
_WHOLE = 3


class Steps:
    """Goes from version to version, and drafts the corrections on the way."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self.known: set[tuple[str, str, str, str]] = set()  # commit, path and both sides of each correction

    def step(
        self,
        learnt: Learnt,
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
            after, homes = said.put_back(path, replay.text, after)
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
            self.correct(learnt, replay.text, after, path, ranges(lines), [], whose, hand, said, homes, told)
        replay.advance(after, NOBODY if writer is None else writer, elsewhere)
        if writer is not None:
            replay.wrote(writer, [])

    def correct(
        self,
        learnt: Learnt,
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
            left,
            right,
            path,
            lines,
            hand=hand,
            subject=subject,
            places=places,
            whole=said.counted if said else None,
            secrets=learnt.secrets,
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
            # Neither a formatter nor a rename makes another correction of it.
            m = identity("live", piece.m, _plain(each.before), _plain(each.after))
            learnt.corrections[m], learnt.owner[m] = body, piece
            if teller is not None and teller.execution.task:
                learnt.reasons[m] = Reason(m, teller.execution.task, teller.generation.execution)
            self.known.add((body.commit, path, each.before, each.after))

    def _other_writer(self, piece: Piece, after: str, homes: Collection[str]) -> Piece | None:
        """The later generation that wrote these lines, in a file to which a person had moved the earlier ones."""
        lines = {
            line for row in after.encode("utf-8", "replace").split(b"\n") if len(line := bare(row)) >= LONG
        }
        for path in homes if lines else ():
            for other in self._pieces.at(path):
                if other.order > piece.order and lines <= other.solid():
                    return other
        return None


def _plain(text: str) -> str:
    return bare(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

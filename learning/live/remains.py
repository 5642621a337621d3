"""What is left of a generation in a text."""

from __future__ import annotations

from ..lineage.lines import bare, ranges, rows
from ..lineage.pairing import NOBODY, Fate, Replay
from ..lineage.piece import Piece
from .committed import Committed

#: A text that holds more than one in so many lines of a generation is later than it.
_PART = 6
#: A bare line that is shorter may be anybody's.
LONG = 8


def alone(piece: Piece, said: Committed, path: str) -> Fate:
    """What became of a generation by this commit, whoever wrote beside it."""
    replay = Replay(piece.before or b"")
    replay.advance(piece.after or b"", 0)
    replay.wrote(0, piece.generation.ranges if not replay.lines_of([0]) else [])
    texts = [said.after(each) or b"" for each in dict.fromkeys((path, *piece.homes)) if each]
    present = set(said.elsewhere(path))
    if len(texts) > 1:  # in which order its parts stand is not known
        present |= {line for text in texts for row in rows(text) if len(line := bare(row)) >= LONG}
    replay.advance(b"".join(texts), NOBODY, present)
    return replay.close().get(0, Fate())


def holds_part(text: bytes, piece: Piece) -> bool:
    """Whether `text` is later than the generation: it has lines that came with it."""
    mine = piece.solid() - {bare(line) for line in rows(piece.before or b"")}
    return _PART * len(mine & {bare(line) for line in rows(text)}) > len(mine)


def still(piece: Piece, text: bytes) -> list[tuple[int, int]]:
    """The lines of `text` that this generation wrote and that still stand."""
    replay = Replay(piece.before or b"")
    replay.advance(piece.after or b"", 0)
    replay.wrote(0, piece.generation.ranges if not replay.lines_of([0]) else [])
    replay.advance(text)
    return ranges(replay.lines_of([0]))

"""What one commit taught, before it is written."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...store.kinds import Correction, Outcome, Reason
from ..lineage.piece import Piece


@dataclass
class Learnt:
    """What one commit taught, before it is written."""

    outcomes: dict[str, tuple[Outcome, tuple[str, ...]]] = field(default_factory=dict)
    corrections: dict[str, Correction] = field(default_factory=dict)
    owner: dict[str, Piece] = field(default_factory=dict)  # of each correction, by its id
    reasons: dict[str, Reason] = field(default_factory=dict)  # of directed corrections, by their ids
    secrets: set[str] = field(default_factory=set)  # of the versions that were compared
    second_thoughts: int = 0

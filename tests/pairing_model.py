"""What a synthetic sequence is made of: files of blocks, blocks of statements, and each statement's versions.

Every statement has words of its own, so that what was learnt can be told apart.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

PERSON = -1


@dataclass
class Version:
    """One wording of a statement: `call` is the word that an edit changes."""

    writer: int
    call: str


@dataclass
class Statement:
    """One line of code; equal ids in two snapshots are one statement."""

    id: int
    name: str
    words: tuple[str, str]
    versions: list[Version]

    @property
    def now(self) -> Version:
        return self.versions[-1]


@dataclass
class Block:
    """One function; `tidy` once a formatter went over it."""

    name: str
    statements: list[Statement]
    tidy: bool = False


Files = dict[str, list[Block]]


@dataclass
class Said:
    """One commit of the model: what it holds, and what the work tree held beside it."""

    sha: str
    files: Files
    tree: Files
    made: int = 0  # how many generations there were
    reverts: Said | None = None
    formatter: bool = False


@dataclass
class Truth:
    """What is true of one generation: `verdict` is empty while it waits for a commit."""

    verdict: str
    commit: str


@dataclass
class Result:
    """One sequence: what was true and what was found, generation by generation; what of corrections was wrong."""

    seed: int
    operations: list[str]
    told: list[tuple[Truth, Truth]] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    true_corrections: int = 0
    kinds: Counter[str] = field(default_factory=Counter)  # of hand, of the true ones
    thoughts: tuple[int, int] = (0, 0)  # true, found
    again: int = 0  # records written when the same commits were learnt once more


def by_id(files: Files) -> dict[int, Statement]:
    return {each.id: each for blocks in files.values() for block in blocks for each in block.statements}

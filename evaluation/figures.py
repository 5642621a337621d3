"""Shares with their intervals, and the words for them: as ready to say "little" as "much"."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: Two-sided 95% of a normal.
_Z = 1.959964
_WORDS = ((0.01, "next to nothing"), (0.05, "little"), (0.15, "some"), (0.4, "a good part"))


@dataclass
class Share:
    """`k` of `n`."""

    k: int = 0
    n: int = 0

    def add(self, hit: bool) -> None:
        """Count one more."""
        self.n += 1
        self.k += hit

    @property
    def value(self) -> float:
        """k / n; 0 of nothing."""
        return self.k / self.n if self.n else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95% interval (Wilson 1927); from 0 to 1 where there is nothing."""
        if not self.n:
            return 0.0, 1.0
        p, z, n = self.value, _Z, self.n
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, middle - half), min(1.0, middle + half)

    def plain(self) -> dict[str, object]:
        """As JSON takes it; no share of nothing."""
        low, high = self.interval
        return {
            "k": self.k,
            "n": self.n,
            "share": round(self.value, 4) if self.n else None,
            "low": round(low, 4),
            "high": round(high, 4),
        }


def word(share: Share) -> str:
    """What a share amounts to, in a word."""
    if not share.n:
        return "cannot be said"
    if not share.k:
        return "nothing"
    return next((said for limit, said in _WORDS if share.value < limit), "much")


def bootstrap(
    groups: Sequence[Sequence[tuple[float, float]]],
    ratio: Callable[[float, float], float],
    seed: int,
    rounds: int = 500,
) -> tuple[float, float]:
    """The 95% interval of a ratio of two sums, by drawing whole groups again (Efron 1979): what one commit
    holds is not independent. `groups` hold (numerator, denominator) pairs.
    """
    if not groups:
        return 0.0, 0.0
    sums = [(sum(a for a, _ in group), sum(b for _, b in group)) for group in groups]
    chance = random.Random(seed)
    drawn = []
    for _ in range(rounds):
        picked = chance.choices(sums, k=len(sums))
        drawn.append(ratio(sum(a for a, _ in picked), sum(b for _, b in picked)))
    drawn.sort()
    return drawn[int(0.025 * rounds)], drawn[min(rounds - 1, int(0.975 * rounds))]


def size_bin(lines: int) -> int:
    """Hunks of like size: 1, 2, 3 to 4, 5 to 8, … lines."""
    return (max(1, lines) - 1).bit_length()

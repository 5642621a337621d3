"""How well a correction's category is told, against 435 labels made by reading: see `labels/README.md`.

    python benchmarks/categories.py [--half development|"set aside"|"set aside again"] OWNER/NAME=CLONE …

The corrections are cut out of fetched clones again. In the same run: "all learnable", the majority of what
counts as development, and the size of the edit alone, with the threshold that is best there. The weights were fitted
to the first two halves: what is said of these is no measure.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import Counter
from collections.abc import Callable, Sequence

from rebuilt import AGAIN, Label, labels, rebuild

from cortex.learning.corrections.categories import categorise, chances
from cortex.learning.corrections.traits import Seen

CATEGORIES = ("bug", "style", "preference", "evolution")
HALVES = ("development", "set aside", AGAIN)
SEEN = HALVES[:2]
SEED = 20261121
RESAMPLED = 2_000

Row = tuple[Label, Seen]


def learnable(label: Label) -> bool:
    """Whether there is something to learn."""
    return label.label != "evolution"


def nearer(seen: Seen) -> bool:
    """The nearer side, also where the categoriser is unsure."""
    return chances(seen)[0] >= 0.5


def size(seen: Seen) -> int:
    """Characters of both sides."""
    return len(seen.before) + len(seen.after)


def wilson(right: int, n: int) -> tuple[float, float]:
    """The 95% interval of a share (Wilson, 1927)."""
    z, share = 1.96, right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    wide = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return middle - wide, middle + wide


def by_commit(rows: Sequence[Row], guess: Callable[[Seen], bool]) -> tuple[float, float]:
    """The 95% interval when whole commits are drawn again: corrections of one commit are no independent ones."""
    found: dict[str, list[bool]] = {}
    for label, seen in rows:
        found.setdefault(label.commit, []).append(guess(seen) == learnable(label))
    chance, groups, shares = random.Random(SEED), list(found.values()), []
    for _ in range(RESAMPLED):
        drawn = [right for group in chance.choices(groups, k=len(groups)) for right in group]
        shares.append(sum(drawn) / len(drawn))
    shares.sort()
    return shares[RESAMPLED // 40], shares[-RESAMPLED // 40]


def best_size(rows: Sequence[Row]) -> int:
    """The size up to which an edit is called learnable, so that most of these are right."""
    return max(
        sorted({size(seen) for _, seen in rows}),
        key=lambda most: sum((size(seen) <= most) == learnable(label) for label, seen in rows),
    )


def told(name: str, rows: Sequence[Row], guess: Callable[[Seen], bool]) -> None:
    """One line: the accuracy of learnable against evolution."""
    right = sum(guess(seen) == learnable(label) for label, seen in rows)
    low, high = wilson(right, len(rows))
    least, most = by_commit(rows, guess)
    print(
        f"  {name:<28} {right / len(rows):.3f}  ({right} of {len(rows)}; Wilson {low:.2f}-{high:.2f}, "
        f"by commits {least:.2f}-{most:.2f})"
    )


def report(rows: Sequence[Row], limit: int, majority: bool) -> None:
    """The figures of one half."""
    told("the categoriser", rows, nearer)
    told("all learnable", rows, lambda seen: True)
    told("the majority", rows, lambda seen: majority)
    told(f"size alone, at most {limit}", rows, lambda seen: size(seen) <= limit)
    sure = [(label, seen) for label, seen in rows if categorise(seen)[0]]
    print(f"  {len(rows) - len(sure)} of {len(rows)} are left open; of the others:")
    told("the categoriser, where sure", sure, nearer)
    table = Counter((label.label, categorise(seen)[0] or "unsure") for label, seen in rows)
    columns = (*CATEGORIES, "unsure")
    print("  label \\ guess " + "".join(f"{each:>12}" for each in columns))
    for each in CATEGORIES:
        print(f"  {each:<14}" + "".join(f"{table[each, guess]:>12}" for guess in columns))
    told_kind = [(label, categorise(seen)[0]) for label, seen in rows if learnable(label)]
    said = [(label, guess) for label, guess in told_kind if guess and guess != "evolution"]
    if said:
        right = sum(label.label == guess for label, guess in said)
        low, high = wilson(right, len(said))
        print(
            f"  which kind, of learnable ones so called: {right} of {len(said)} (Wilson {low:.2f}-{high:.2f})"
        )
    for least in (0.0, 0.2, 0.4, 0.6, 0.8):
        bin_ = [(label, chances(seen)[0]) for label, seen in rows if least <= chances(seen)[0] < least + 0.2]
        if bin_:
            mean = sum(chance for _, chance in bin_) / len(bin_)
            share = sum(learnable(label) for label, _ in bin_) / len(bin_)
            print(f"  chance said {mean:.2f}, were learnable {share:.2f} (n {len(bin_)})")


def main() -> None:
    """Rebuild the corrections and print the figures of each half that was asked for."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--half", choices=HALVES, action="append")
    options.add_argument("clones", nargs="+", metavar="OWNER/NAME=CLONE")
    given = options.parse_args()
    halves = given.half or HALVES
    clones = dict(each.split("=", 1) for each in given.clones)
    # The baselines are fitted to what counts as development, whichever half is looked at.
    wanted = {*halves, *SEEN}
    rows: dict[str, list[Row]] = {half: [] for half in wanted}
    lost = 0
    for label, seen in rebuild(labels(), clones, lambda label: label.half in wanted):
        if seen is None:
            lost += 1
        else:
            rows[label.half].append((label, seen))
    print(f"{sum(map(len, rows.values()))} corrections found again, {lost} not")
    aside = {label.commit for label in labels() if label.half == AGAIN}
    developed = [row for half in SEEN for row in rows[half] if row[0].commit not in aside]
    limit = best_size(developed)
    majority = 2 * sum(learnable(label) for label, _ in developed) > len(developed)
    for half in halves:
        print(f"{half}: {dict(Counter(label.label for label, _ in rows[half]))}")
        report(rows[half], limit, majority)


if __name__ == "__main__":
    main()

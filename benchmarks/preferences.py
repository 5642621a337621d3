"""What is noticed in repositories, to be judged by a person: preferences, fixes, decisions, and how long it took.

    python benchmarks/preferences.py REPOSITORY… [--all] [--fixes 10]

Right and wrong are not counted here: whoever knows the code says which they are. `--all` prints what was not strong
enough, too, and why.
"""

from __future__ import annotations

import argparse
import time
from itertools import islice
from pathlib import Path

import pygit2

from cortex.learning.noticed.decided import decisions
from cortex.learning.noticed.mended import mended
from cortex.learning.noticed.preferences import memory, preferences
from cortex.learning.noticed.survey import Tally, survey


def main() -> None:
    """Print what would be remembered of each repository."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("repositories", nargs="+", metavar="REPOSITORY")
    options.add_argument("--all", action="store_true", help="also what was not strong enough, and why")
    options.add_argument("--fixes", type=int, default=10, help="how many fixes to print of each")
    given = options.parse_args()
    pygit2.settings.set_extensions(["partialclone"])
    for folder in given.repositories:
        show(Path(folder), given.all, given.fixes)


def show(folder: Path, everything: bool, most: int) -> None:
    """One repository: a line for each memory."""
    repository, tally = pygit2.Repository(str(folder)), Tally()
    began, longest, last = time.process_time(), 0.0, time.perf_counter()
    for _ in survey(repository, tally):
        longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
    took = time.process_time() - began
    found = preferences(tally)
    print(
        f"## {folder}: {tally.read} files in {took:.1f} s of processor time, longest step {longest * 1000:.0f} ms; "
        f"{sum(each.strong for each in found)} of {len(found)} conventions are strong"
    )
    for each in found:
        if each.strong:
            print(f"  {memory(each).text} As in {each.places[0].path}")
        elif everything:
            print(f"    ({each.language} {each.topic} {each.value}: {each.why})")
    fixes = [each for each in mended(repository) if each is not None]
    print(f"  {len(fixes)} fixes")
    for each in islice(fixes, most):
        print(f"    {each.memory.text}")
    tree = repository.revparse_single("HEAD").peel(pygit2.Tree)
    for decision in decisions(tree):
        print(f"    decision in {decision.path}: {decision.title} ({decision.status or 'no status'})")


if __name__ == "__main__":
    main()

"""Runs the benchmarks, each in a process of its own, and prints one Markdown table.

    python benchmarks/run.py [--quick] [--only NAME …] [--history REPOSITORY …]

Nothing passes or fails here; what misses its budget is marked. `docs/benchmarks.md` quotes the tables.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from measuring import Figure, installed, machine, say, table, workplace

HERE = Path(__file__).parent
#: In the order in which they run; `models.py` prints tables of its own and is run by hand (docs/models.md).
NAMES = (
    "commands",
    "hooks",
    "guard",
    "recall",
    "scale",
    "others",
    "threshold",
    "tasks",
    "history",
    "edit_script",
    "ownership",
    "next_correction",
    "pairing",
    "daemon",
    "journal",
    "retrieval",
)
INSTALLED = ("commands", "hooks")
HISTORIES = ("tasks", "history", "edit_script", "ownership", "next_correction", "retrieval")


def main() -> int:
    """Run the chosen ones; 1 when one of them could not be run."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--quick", action="store_true", help="fewer repetitions, smaller stores")
    options.add_argument("--only", action="append", choices=NAMES, help="run this one; may be repeated")
    options.add_argument("--cortex", default="", help="an installed program `cortex`, instead of a fresh one")
    options.add_argument("--history", nargs="*", default=[], metavar="REPOSITORY", help="learn from these")
    given = options.parse_args()
    print(f"{machine()}\n")
    figures: list[Figure] = []
    failed = 0
    with workplace() as folder:
        chosen = [name for name in NAMES if not given.only or name in given.only]
        cortex = str(installed(folder, given.cortex)) if set(chosen) & set(INSTALLED) else ""
        for name in chosen:
            words = [sys.executable, str(HERE / f"{name}.py"), "--json"]
            words += ["--quick"] if given.quick else []
            words += ["--cortex", cortex] if name in INSTALLED else []
            words += [str(Path(each).absolute()) for each in given.history] if name in HISTORIES else []
            say(f"{name} …")
            start = time.monotonic()
            done = subprocess.run(words, stdout=subprocess.PIPE, check=False)
            say(f"{name}: {time.monotonic() - start:.0f} s")
            if done.returncode:
                failed += 1
            else:
                figures += [Figure(**each) for each in json.loads(done.stdout)]
    print(table(figures))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

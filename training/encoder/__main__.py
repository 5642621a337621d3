"""Makes the encoder: collects sources by name, mines pairs, learns, exports, judges, and writes the model card.

    python training/encoder --work FOLDER [--sample] [--kinds git] [--repositories FOLDER] [--start FILE]

What was collected and mined stays in the folder, so that a second run goes on from there. The model is written to
`FOLDER/encoder.onnx` and the card to `--card`; neither replaces what ships: see docs/models/encoder.md.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import bags
import changes
import clones
import collecting
import exporting
import fitting
import judging
import lending
import mining
import numpy
import pygit2
import records
import sifting
import teacher
import torch
import vocabulary
from card import Run, card
from collecting import Brought
from records import Pair

from cortex.models.descriptions import ENCODER, read

_ALL = ("pypi", "npm", "deb", "git")
_SAMPLE_PLAN = fitting.Plan(steps=150, batch=512, warm=20)
_FULL_PLAN = fitting.Plan()
# A file that has learnt gains by a little more, on commits above all, and loses by much more: after 1,200 steps at 2e-3
# nothing of the gain was left (docs/benchmarks.md). Names alone count for little here: the vectors know them.
_TUNED_PLAN = fitting.Plan(
    steps=300, batch=1_024, rate=1.5e-3, warm=50, kept=0.75, shares=(1.0, 0.2, 1.0, 1.0, 1.0)
)


def main() -> None:
    """Every step in order."""
    options = _options()
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    kinds = frozenset(options.kinds or (_ALL[:3] if options.sample else _ALL))
    repositories = options.repositories or work / "repositories"

    failed: list[str] = []
    kept = []
    wanted = collecting.packages(kinds, options.sample)
    print(f"{len(wanted)} sources by name", flush=True)
    for brought in collecting.collected(wanted, work / "packages", repositories, failed):
        licence = brought.licence()
        if licence is None:
            failed.append(f"{brought.package.key} (licence)")
            continue
        mine(brought, work / "pairs")
        kept.append((brought, licence))

    dropped: Counter[str] = Counter()
    apart = sifting.Apart()
    for source in () if options.sample else collecting.APART:
        apart.add_history(clones.clone(source, repositories), source.commit)
    pairs = list(sifting.sifted(_pairs(work, [brought for brought, _ in kept]), apart, dropped))
    counts = {brought.package.key: Counter[str]() for brought, _ in kept}
    for source_key, pair in pairs:
        counts[source_key][pair.kind] += 1
    print(f"{len(pairs):,} pairs of {len(kept)} sources; left out {dict(dropped)}", flush=True)

    plan = _SAMPLE_PLAN if options.sample else _TUNED_PLAN if options.start else _FULL_PLAN
    plan = replace(plan, minutes=options.minutes)
    told = None if options.sample else teacher.Teacher(teacher.brought(work / "teacher"))
    data, started = learnt(pairs, options.start, told, plan, options.seed)
    (work / "encoder.onnx").write_bytes(data)

    chosen = bags.kept_apart(source_key for source_key, _ in pairs)
    questions = [(source_key, pair) for source_key, pair in pairs if source_key in chosen]
    new = judging.judged(judging.opened(data, fitting.WIDTH), questions)
    old = judging.judged(judging.opened(read(ENCODER), ENCODER.width), questions)
    run = Run(
        _command(options, kinds),
        started,
        f"seed {options.seed}, {plan}",
        [(brought.package, licence, counts[brought.package.key]) for brought, licence in kept],
        failed,
        dropped,
        sorted(chosen),
        f"torch {torch.__version__}, numpy {numpy.__version__}, one thread",
    )
    written = card(run, data, new, old)
    (options.card or work / "encoder.md").write_text(written, encoding="utf-8")
    print("\n".join(written.splitlines()[:22]))


def mine(brought: Brought, folder: Path) -> None:
    """Mine one source, unless it was."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{brought.package.key}.jsonl"
    if path.exists():
        return
    began = time.process_time()
    found: Iterator[Pair] = mining.mined(brought.files())
    if brought.package.kind == "git":
        found = chain(found, changes.changed(pygit2.Repository(str(brought.place)), brought.package.commit))
    records.write(path, found)
    print(f"  {brought.package.key}: mined in {time.process_time() - began:.0f} s", flush=True)


def learnt(
    pairs: Sequence[tuple[str, Pair]],
    start: Path | None,
    told: teacher.Teacher | None,
    plan: fitting.Plan,
    seed: int,
) -> tuple[bytes, str]:
    """(the model file, what it began from)."""
    if start is not None:
        begun = start.read_bytes()
        old, pieces = exporting.imported(begun)
        weights = old
        started = f"the model file {start.name} with SHA-256 `{sha256(begun).hexdigest()}`"
        table = bags.table(pairs, pieces)
        if told is not None:
            weights = lending.leaned(weights, pieces, fitting.seen(table), told.encode)
            started += f", its rare words leaning to {teacher.CREDIT}"
    else:
        pieces = vocabulary.made(vocabulary.counted(pair for _, pair in pairs))
        table = bags.table(pairs, pieces)
        weights, started = fitting.fresh(table, seed), "chance"
        old = weights
        if told is not None:
            weights = lending.begun(weights, pieces, told.encode)
            started = f"the words of {teacher.CREDIT}"
    spoken = None if told is None else lending.spoken(table, pairs, told.encode, seed)
    print(f"{len(pieces):,} pieces; learning by {plan}", flush=True)
    new = fitting.fitted(table, weights, plan, seed, spoken)
    return exporting.exported(fitting.between(old, new, plan.kept), pieces), started


def _pairs(work: Path, sources: Sequence[Brought]) -> Iterator[tuple[str, Pair]]:
    for brought in sources:
        for pair in records.read(work / "pairs" / f"{brought.package.key}.jsonl"):
            yield brought.package.key, pair


def _command(options: argparse.Namespace, kinds: frozenset[str]) -> str:
    """The command that would do the same elsewhere: without the places of this machine."""
    said = ["python training/encoder --work FOLDER", f"--seed {options.seed}"]
    said += ["--sample"] if options.sample else [f"--kinds {' '.join(sorted(kinds))}"]
    said += [f"--start {options.start.name}"] if options.start else []
    return " ".join(said)


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--work", type=Path, required=True, help="where downloads, pairs and the result are kept"
    )
    options.add_argument("--sample", action="store_true", help="every step on a handful of packages")
    options.add_argument("--seed", type=int, default=20261121)
    options.add_argument("--kinds", nargs="+", choices=_ALL, help="which kinds of source; all by default")
    options.add_argument("--repositories", type=Path, help="where clones are, or are made")
    options.add_argument("--start", type=Path, help="go on from a model file, with its vocabulary")
    options.add_argument(
        "--minutes", type=float, default=math.inf, help="at most, of the processor, for learning"
    )
    options.add_argument("--card", type=Path, help="where the model card is written")
    return options.parse_args()


if __name__ == "__main__":
    main()

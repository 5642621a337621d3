"""How often the guard's warnings are right, by labels that were given by reading: labels/warnings.jsonl.

python benchmarks/labelled.py
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from measuring import Figure, main

LABELS = Path(__file__).parent / "labels" / "warnings.jsonl"
FIELDS = {"table", "repository", "commit", "path", "line", "rule", "says", "label", "reason"}
RIGHT = 0.80


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """The share of right ones of each table, with its interval."""
    tables: defaultdict[str, list[bool]] = defaultdict(list)
    for each in read(LABELS):
        tables[str(each["table"])].append(each["label"] == "right")
    return [_figure(table, right) for table, right in sorted(tables.items())]


def read(file: Path) -> list[dict[str, object]]:
    """The labels; raises `ValueError` for one that is not as the README says."""
    out = []
    for line in file.read_text(encoding="utf-8").splitlines():
        said = json.loads(line)
        if set(said) != FIELDS or said["label"] not in ("right", "wrong") or not said["reason"]:
            raise ValueError(f"this is no label: {line[:100]}")
        out.append(said)
    return out


def _figure(table: str, right: Sequence[bool]) -> Figure:
    low, high = _wilson(sum(right), len(right))
    return Figure(f"warnings that are right, {table}", sum(right) / len(right), "", RIGHT, True,
                  note=f"{sum(right)} of {len(right)}; 95%: {low:.2f} to {high:.2f}")  # fmt: skip


def _wilson(right: int, all_: int, z: float = 1.96) -> tuple[float, float]:
    share = right / all_
    middle = (share + z * z / (2 * all_)) / (1 + z * z / all_)
    half = z / (1 + z * z / all_) * math.sqrt(share * (1 - share) / all_ + z * z / (4 * all_ * all_))
    return middle - half, middle + half


if __name__ == "__main__":
    main(measure)

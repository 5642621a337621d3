"""Pairing on synthetic sequences with known truth: the smaller form of `benchmarks/pairing.py`."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
COUNT = 25
#: The first sequences of the benchmark, all right or nearly: what fewer than this get wrong is a step back.
LEAST = 0.95


def _beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tests" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # a dataclass looks for its own module
    spec.loader.exec_module(module)
    return module


sequences = _beside("pairing_sequences")


def test_generations_get_the_right_outcome(tmp_path: Path, tell: Callable[[str], None]) -> None:
    results = [sequences.Sequence(tmp_path / str(n), n).run() for n in range(1, COUNT + 1)]
    told = [each for result in results for each in result.told]
    right = sum(truth == got for truth, got in told)
    twice = [each for result in results for each in result.twice]
    true = sum(result.true_corrections for result in results)
    missed = sum(len(result.missed) for result in results)
    tell(f"pairing: {right} of {len(told)} outcomes right, {missed} of {true} corrections missed")
    assert len(told) > 60 and right >= LEAST * len(told)
    assert missed <= 0.1 * true and len(twice) <= 1

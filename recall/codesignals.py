"""What speaks for each place of a repository's code: words by field, vectors, the file around; and one order of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ..store.codeindex import Cosines
from ..store.codewords import BODY, DOC, Units
from ..store.protocols import Floats
from .codequery import CodeQuery

#: BM25's k1, and for each field its weight and its b (BM25F: Robertson, Zaragoza and Taylor 2004).
K1 = 1.2
WEIGHTS: Final = np.array([3.0, 0.7, 1.0, 1.0], np.float32)
B: Final = np.array([0.3, 0.3, 0.75, 0.75], np.float32)
FILE_B = 0.75

SIGNALS = (
    "words",  # BM25F over name, path, doc comment and body
    "share",  # of what the question's words weigh, so much is there
    "file words",  # BM25 over the whole file
    "window",  # the best window of lines
    "whole",  # all of it
    "as code",  # the best window, the question read as code
    "name",  # its name and its file's
    "path",
    "file window",  # the best window of its file
    "history",  # commits with a subject like the question changed the file
    "length",
    "test",
    "depth",
    "named",  # the question names it
)
#: How far these are from the mean of all candidates, in standard deviations; the others count as they are.
STANDARD: Final = np.array([name not in ("test", "depth", "named") for name in SIGNALS])

_HISTORY = SIGNALS.index("history")

#: What each signal gives for a description, and for a task; fitted on the development repositories
#: (docs/benchmarks.md), a question in between gets the mix.
DESCRIPTION: Final = np.array(
    (0.66, -0.24, 0.30, 0.56, 0.09, 0.51, 0.73, -0.54, 0.04, 0.09, -0.27, -5.02, -0.10, 0.48), np.float32
)
TASK: Final = np.array(
    (0.26, 0.18, -0.03, 0.31, 0.13, 0.21, 0.12, 0.33, 0.33, 0.43, 0.83, -2.69, -0.40, 1.67), np.float32
)

#: Where nothing but tests is looked for, being one speaks for a place by so much of what it else speaks against it.
WANTED = -0.3
#: So many places of one name, and files of one ending of a path, can be meant by it.
FEW, FEW_FILES = 6, 2
#: So many names, and so many paths, of a question are looked up: a stack trace holds hundreds.
MOST = 30
#: No commit's word counts for more than this, in standard deviations: where few files were told of, they stood far out.
LOUDEST = 3.0

TEST = re.compile(
    r"""(^|/)(tests?|testing|testdata|spec|__tests__|e2e|benchmarks?|fixtures?|examples?|docs?|sandbox)(/|$)
    |_test\.go$|(^|/)test_[^/]*\.py$|_test\.py$|\.(test|spec)\.[jt]sx?$|conftest\.py$""",
    re.IGNORECASE | re.VERBOSE,
)


def traits(names: Sequence[tuple[str, str]]) -> Floats:
    """Of each place (path, name): whether it is a test, and how deep it stands in others."""
    out = np.zeros((len(names), 2), np.float32)
    for row, (path, name) in zip(out, names, strict=True):
        row[:] = TEST.search(path) is not None, min(3, name.count("."))
    return out


def matched(asked: CodeQuery, names: Sequence[str]) -> Floats:
    """Whether the question names each place."""
    if not asked.named:
        return np.zeros(len(names), np.float32)
    return np.array([name.rpartition(".")[2].lower() in asked.named for name in names], np.float32)


def on_path(asked: CodeQuery, paths: Sequence[str]) -> Floats:
    """Whether the question names each place's file."""
    if not asked.paths:
        return np.zeros(len(paths), np.float32)
    ends = tuple(f"/{each}" for each in asked.paths)
    return np.array([f"/{path}".endswith(ends) for path in paths], np.float32)


def pointed(
    asked: CodeQuery, names: Sequence[str], paths: Sequence[str], called: Mapping[str, Sequence[int]]
) -> npt.NDArray[np.int64]:
    """How exactly the question points at each place: 2 by its name, 1 by its file, 3 by both; what fits many, 0.

    A description points by no name: what it names is mostly beside what it describes ("Like `get`, but …").
    `called` says which places have a name, by the last part of it.
    """
    out = np.zeros(len(names), np.int64)
    for symbol in asked.symbols[:MOST] if asked.points else ():
        inside = f".{symbol}"
        near = called.get(symbol.rpartition(".")[2], ())
        found = [at for at in near if names[at] == symbol or names[at].endswith(inside)]
        if len(found) <= FEW:
            out[found] = 2
    files = list(dict.fromkeys(paths)) if asked.paths else []
    meant: set[str] = set()
    for path in asked.paths[:MOST]:
        there = [path] if path in files else [each for each in files if each.endswith(f"/{path}")]
        meant.update(there if len(there) <= FEW_FILES else ())
    if meant:
        out += np.array([path in meant for path in paths], np.int64)
    return out


def signals(
    asked: CodeQuery,
    units: Units,
    table: Floats,
    cosines: Cosines,
    facts: Floats,
    named: Floats,
    history: Floats,
) -> Floats:
    """Each place's signals, in the order of `SIGNALS`; `table` is that of `units` for the question's words.

    `facts` are `traits`; `history` says for each place how much the past of its file speaks for it.
    """
    anywhere = table.sum(axis=2) > 0
    idf = _idf(anywhere)
    lengths = units.lengths / (units.lengths.mean(axis=0) + 1e-6)
    weighed = ((table * WEIGHTS) / (1 - B + B * lengths)[:, None, :]).sum(axis=2)
    body, size = table[:, :, DOC] + table[:, :, BODY], units.lengths[:, DOC] + units.lengths[:, BODY]
    columns = {
        "words": (weighed / (weighed + K1)) @ idf,
        "share": (anywhere @ idf) / (idf.sum() + 1e-9),
        "file words": _of_files(body, size, units.files),
        "window": cosines.window,
        "whole": cosines.whole,
        "as code": cosines.as_code,
        "name": cosines.name,
        "path": cosines.path,
        "file window": _best(cosines.window, units.files),
        "history": history,
        "length": np.log1p(size),
        "test": facts[:, 0] * (WANTED if asked.testing else not asked.tests),
        "depth": facts[:, 1],
        "named": named,
    }
    return np.stack([np.asarray(columns[name], np.float32) for name in SIGNALS], axis=1)


def standard(values: Floats) -> Floats:
    """Signals as distances from their mean, in standard deviations, where they have to be."""
    if not len(values):
        return values
    apart = (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-6)
    apart[:, _HISTORY] = np.minimum(apart[:, _HISTORY], LOUDEST)
    return np.asarray(np.where(STANDARD, apart, values), np.float32)


def weights(task: float) -> Floats:
    """What each signal gives for a question that is a task with this likeness."""
    return np.asarray((1 - task) * DESCRIPTION + task * TASK, np.float32)


def shares(asked: CodeQuery, values: Floats) -> Floats:
    """What each signal gives to each place; the sum orders them."""
    return np.asarray(standard(values) * weights(asked.task), np.float32)


def _idf(there: npt.NDArray[np.bool_]) -> Floats:
    count, found = len(there), there.sum(axis=0)
    return np.asarray(np.log(1 + (count - found + 0.5) / (found + 0.5)), np.float32)


def _of_files(body: Floats, size: Floats, files: npt.NDArray[np.int64]) -> Floats:
    """BM25 of each place's whole file."""
    many = int(files.max()) + 1 if len(files) else 0
    counts, lengths = np.zeros((many, body.shape[1]), np.float32), np.zeros(many, np.float32)
    np.add.at(counts, files, body)
    np.add.at(lengths, files, size)
    norm = K1 * (1 - FILE_B + FILE_B * lengths / max(float(lengths.mean()) if many else 1.0, 1e-6))
    scores = (counts * (K1 + 1) / (counts + norm[:, None])) @ _idf(counts > 0)
    return np.asarray(scores[files], np.float32)


def _best(values: Floats, files: npt.NDArray[np.int64]) -> Floats:
    best = np.full(int(files.max()) + 1 if len(files) else 0, -1.0, np.float32)
    np.maximum.at(best, files, values)
    return best[files]

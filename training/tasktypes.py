"""Makes the classifier of task types: a linear softmax over hashed words, with a head for prompts; calibrated by kind.

Run `python training/tasktypes.py --clones FOLDER`; it writes models/data/cortex_tasktype.onnx with its
hash. `benchmarks/models.py classifier` measures it. Needs the packages `onnx` and `scipy`.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # sums in another order are other sums

import argparse
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from histories import histories
from onnx import TensorProto, helper, numpy_helper
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, hstack
from seeds import PLACES, THINGS, seeds
from tasktexts import SEED, Example, read
from typed import typed

from cortex.models.labels import LABELS
from cortex.models.taskfeatures import BUCKETS, PROMPT_BUCKETS, features, prompt_features

ROOT = Path(__file__).parents[1]
OUT = ROOT / "models" / "data" / "cortex_tasktype.onnx"
PROMPTS = ROOT / "benchmarks" / "labels" / "prompts.jsonl"
ROUNDS = 120
DECAY = 5e-6
VALIDATION = 6  # every sixth training repository sets the calibration instead
TURNS = 10
#: What an example of each kind counts: a body or an entry is labelled more loosely than a subject.
WEIGHTS = {"subject": 1.0, "body": 0.5, "entry": 0.7, "seed": 3.0}
#: The same for the head, which reads prompts only: real ones are few, and count most.
HEAD_WEIGHTS = {"prompt": 10.0, "typed": 1.0, "seed": 0.2}
HEAD_DECAY = 1.2e-4
#: How much of the general scores the head takes as they are, and by how much it may turn them.
KEPT, LEARNT = 0.7, 0.3
#: The halves of the labelled prompts that have been looked at; what came later is never learnt from.
SEEN = ("development", "set aside", "second set aside")
APART = ("subjects-test", "subjects-apart", "subjects-last")

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
General = Callable[[Sequence[str]], Doubles]


def matrix(
    texts: Sequence[str], read_off: Callable[[str], list[int]] = features, buckets: int = BUCKETS
) -> csr_matrix:
    """The texts as rows of features, each of length one."""
    bags = [read_off(text) for text in texts]
    ends = np.cumsum([0, *map(len, bags)])
    where = np.concatenate([np.array(bag, np.int32) for bag in bags])
    share = np.concatenate([np.full(len(bag), 1 / np.sqrt(max(1, len(bag))), np.float32) for bag in bags])
    return csr_matrix((share, where, ends), shape=(len(texts), buckets))


def targets(labels: Sequence[str]) -> npt.NDArray[np.int64]:
    """Labels as numbers."""
    return np.array([LABELS.index(label) for label in labels])


def log_softmax(rows: Doubles) -> Doubles:
    """Rows of scores to rows of log chances."""
    shifted = rows - rows.max(1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(1, keepdims=True)), np.float64)


def fit(
    found: csr_matrix,
    target: npt.NDArray[np.int64],
    weigh: Doubles,
    decay: float,
    start: Doubles | None = None,
) -> tuple[Floats, Floats]:
    """Weights (columns, labels) and bias, by L-BFGS on the weighted cross-entropy; `start` are scores to add to."""
    turned = found.T.tocsr()
    weigh = weigh / weigh.sum()
    rows, (count, columns) = np.arange(found.shape[0]), found.shape
    size = columns * len(LABELS)
    given = np.zeros((count, len(LABELS))) if start is None else start

    def loss(values: Doubles) -> tuple[float, Doubles]:
        weights = values[:size].reshape(columns, -1).astype(np.float32)
        chances = log_softmax(np.asarray(found @ weights, np.float64) + values[size:] + given)
        cost = -float(weigh @ chances[rows, target]) + 0.5 * decay * float((weights**2).sum())
        error = np.exp(chances)
        error[rows, target] -= 1
        error *= weigh[:, None]
        slope = np.asarray(turned @ error.astype(np.float32), np.float64) + decay * weights
        return cost, np.concatenate([slope.ravel(), error.sum(0)])

    begin = np.zeros(size + len(LABELS))
    done = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS, "maxcor": 8})
    return done.x[:size].reshape(columns, -1).astype(np.float32), done.x[size:].astype(np.float32)


@dataclass(frozen=True)
class Head:
    """What makes the scores of prompts out of those of any text, and of what prompts alone show."""

    weights: Floats
    mix: Floats
    bias: Floats

    def scores(self, texts: Sequence[str], general: Doubles) -> Doubles:
        """Rows of scores for prompts whose scores as any text are `general`."""
        shown = matrix(texts, prompt_features, PROMPT_BUCKETS)
        return np.asarray(general @ self.mix + shown @ self.weights + self.bias, np.float64)


def fit_head(examples: Sequence[Example], general: Doubles) -> Head:
    """The head, from prompts and frames; `general` are their scores as any text."""
    centred = general - general.mean(1, keepdims=True)
    shown = matrix([each.text for each in examples], prompt_features, PROMPT_BUCKETS)
    found = hstack([shown, csr_matrix(centred * LEARNT)]).tocsr().astype(np.float32)
    weigh = np.array([HEAD_WEIGHTS[each.kind] for each in examples])
    target = targets([each.label for each in examples])
    weights, bias = fit(found, target, weigh, HEAD_DECAY, centred * KEPT)
    mix = KEPT * np.eye(len(LABELS)) + LEARNT * weights[PROMPT_BUCKETS:]
    centre = np.eye(len(LABELS)) - 1 / len(LABELS)
    return Head(weights[:PROMPT_BUCKETS], (centre @ mix).astype(np.float32), bias)


def unseen(
    prompts: Sequence[Example], frames: Sequence[Example], general: General
) -> tuple[list[Example], Doubles]:
    """The prompts written last, and their scores by a head that saw only the others: as new ones would be scored."""
    last = [each for each in prompts if each.source == SEEN[-1]]
    seen = [*(each for each in prompts if each.source != SEEN[-1]), *frames]
    head = fit_head(seen, general([each.text for each in seen]))
    texts = [each.text for each in last]
    scores = head.scores(texts, general(texts))
    right = scores.argmax(1) == targets([each.label for each in last])
    print(
        f"the prompts written last, by a head that saw none of them: {right.mean():.3f} of {len(last)} right"
    )
    return last, scores


def calibrated(scores: Doubles, target: npt.NDArray[np.int64]) -> dict[str, object]:
    """What brings scores to chances on texts not trained on: see `Calibration` in models/classifier.py.

    `trust` is fitted on the chances of texts that took no part in the rest, in ten turns.
    """
    rows = np.arange(len(target))

    def best(part: npt.NDArray[np.int64]) -> float:
        def loss(values: Doubles) -> float:
            return -float(log_softmax(scores[part] * values[0])[rows[: len(part)], target[part]].mean())

        return float(minimize(loss, np.array([1.0]), method="L-BFGS-B").x[0])

    turn = np.random.default_rng(SEED).permutation(len(target)) % TURNS
    out = np.zeros_like(scores)
    for number in range(TURNS):
        held_out = rows[turn == number]
        out[held_out] = log_softmax(scores[held_out] * best(rows[turn != number]))
    said, sureness = out.argmax(1), np.clip(np.exp(out.max(1)), 1e-9, 1 - 1e-9)
    odds, right = np.log(sureness / (1 - sureness)), said == target

    def doubt(line: Doubles) -> float:
        lean = np.where(right, 1, -1) * (line[0] + line[1] * odds)
        return float(np.logaddexp(0, -lean).mean())

    trust = minimize(doubt, np.array([0.0, 1.0]), method="L-BFGS-B").x
    return {"sharpness": round(best(rows), 3), "trust": [round(float(value), 3) for value in trust]}


def export(weights: Floats, bias: Floats, head: Head, calibration: dict[str, dict[str, object]]) -> bytes:
    """The model as ONNX, from hashed features (n, t) and their shares to the scores (n, labels) of either kind.

    `features` and `share` make `subject`; that, `prompt_features` and `prompt_share` make `prompt`. A share of 0 is
    padding. What brings scores to chances is in the metadata.
    """
    initial = [
        numpy_helper.from_array(weights.astype(np.float16), "weights"),
        numpy_helper.from_array(bias.astype(np.float32), "bias"),
        numpy_helper.from_array(head.weights.astype(np.float16), "prompt_weights"),
        numpy_helper.from_array(head.bias.astype(np.float32), "prompt_bias"),
        numpy_helper.from_array(head.mix.astype(np.float32), "mix"),
        numpy_helper.from_array(np.array([1], np.int64), "one"),
    ]
    nodes = []
    for kind in ("", "prompt_"):
        nodes += [
            helper.make_node("Gather", [f"{kind}weights", f"{kind}features"], [f"{kind}picked"]),
            helper.make_node("Cast", [f"{kind}picked"], [f"{kind}rows"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", [f"{kind}share", "one"], [f"{kind}wide"]),
            helper.make_node("MatMul", [f"{kind}wide", f"{kind}rows"], [f"{kind}summed"]),
            helper.make_node("Squeeze", [f"{kind}summed", "one"], [f"{kind}flat"]),
        ]
    nodes += [
        helper.make_node("Add", ["flat", "bias"], ["subject"]),
        helper.make_node("MatMul", ["subject", "mix"], ["mixed"]),
        helper.make_node("Add", ["mixed", "prompt_flat"], ["unshifted"]),
        helper.make_node("Add", ["unshifted", "prompt_bias"], ["prompt"]),
    ]
    graph = helper.make_graph(
        nodes,
        "cortex_tasktype",
        [
            helper.make_tensor_value_info("features", TensorProto.INT64, ["n", "t"]),
            helper.make_tensor_value_info("share", TensorProto.FLOAT, ["n", "t"]),
            helper.make_tensor_value_info("prompt_features", TensorProto.INT64, ["n", "u"]),
            helper.make_tensor_value_info("prompt_share", TensorProto.FLOAT, ["n", "u"]),
        ],
        [
            helper.make_tensor_value_info(kind, TensorProto.FLOAT, ["n", len(LABELS)])
            for kind in ("subject", "prompt")
        ],
        initial,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 8
    carried = {"labels": "\n".join(LABELS), "calibration": json.dumps(calibration)}
    for key, value in carried.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def main() -> None:
    """Collect, fit, calibrate, write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--clones", type=Path, required=True, help="a folder for clones of the sources")
    options.add_argument("--out", type=Path, default=OUT)
    given = options.parse_args()
    learnt: list[Example] = []
    validation: list[Example] = []
    for index, source in enumerate(histories("subjects")):
        texts = read(source, given.clones)
        kinds = Counter(each.kind for each in texts)
        print(
            "|",
            source.repository,
            "|",
            source.licence,
            *(f"| {kinds[kind]}" for kind in list(WEIGHTS)[:3]),
            "|",
        )
        (validation if index % VALIDATION == 0 else learnt).extend(texts)
    validation = [each for each in validation if each.kind == "subject"]
    apart = [source for use in APART for source in histories(use)]
    known = {each.text.lower() for source in apart for each in read(source, given.clones)}
    known |= {each.text.lower() for each in validation}
    learnt = [each for each in learnt if each.text.lower() not in known]
    planted = [Example(text, label, "seeds", "seed") for text, label in seeds(random.Random(SEED))]
    written = typed(random.Random(SEED), THINGS, PLACES)
    frames = [*planted, *(Example(text, label, "typed", "typed") for text, label in written)]
    print("learnt from", len(learnt), dict(Counter(each.label for each in learnt)), "frames", len(frames))
    examples = [*learnt, *planted]
    weigh = np.array([WEIGHTS[each.kind] for each in examples])
    found = matrix([each.text for each in examples])
    weights, bias = fit(found, targets([each.label for each in examples]), weigh, DECAY)

    def general(texts: Sequence[str]) -> Doubles:
        return np.asarray(matrix(texts) @ weights + bias, np.float64)

    rows = [json.loads(line) for line in PROMPTS.read_text(encoding="utf-8").splitlines()]
    prompts = [
        Example(row["text"], row["label"], row["half"], "prompt") for row in rows if row["half"] in SEEN
    ]
    everything = [*prompts, *frames]
    head = fit_head(everything, general([each.text for each in everything]))
    calibration = {}
    for kind, (texts, scores) in (
        ("prompt", unseen(prompts, frames, general)),
        ("subject", (validation, general([each.text for each in validation]))),
    ):
        target = targets([each.label for each in texts])
        calibration[kind] = calibrated(scores, target)
        print(kind, len(texts), calibration[kind])
    given.out.write_bytes(export(weights, bias, head, calibration))
    print(
        f"{given.out.name}: {given.out.stat().st_size:,} bytes, {sha256(given.out.read_bytes()).hexdigest()}"
    )


if __name__ == "__main__":
    main()

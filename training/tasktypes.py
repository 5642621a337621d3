"""Makes the classifier of task types: a linear softmax over hashed words, calibrated by kind of text.

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
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from histories import histories
from onnx import TensorProto, helper, numpy_helper
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from seeds import seeds
from tasktexts import SEED, Example, read, spoken

from cortex.models.labels import LABELS
from cortex.models.rules import SURE, named
from cortex.models.taskfeatures import BUCKETS, features

ROOT = Path(__file__).parents[1]
OUT = ROOT / "models" / "data" / "cortex_tasktype.onnx"
PROMPTS = ROOT / "benchmarks" / "labels" / "prompts.jsonl"
ROUNDS = 60
DECAY = 3e-6
VALIDATION = 6  # every sixth training repository sets the calibration instead
SPOKEN = 0.12
TURNS = 10
#: What an example of each kind counts: a body or an entry is labelled more loosely than a subject.
WEIGHTS = {"subject": 1.0, "body": 0.5, "entry": 0.7, "spoken": 1.0, "seed": 3.0}

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


def matrix(texts: Sequence[str]) -> csr_matrix:
    """The texts as rows of features, each of length one."""
    bags = [features(text) for text in texts]
    ends = np.cumsum([0, *map(len, bags)])
    where = np.concatenate([np.array(bag, np.int32) for bag in bags])
    share = np.concatenate([np.full(len(bag), 1 / np.sqrt(max(1, len(bag))), np.float32) for bag in bags])
    return csr_matrix((share, where, ends), shape=(len(texts), BUCKETS))


def targets(labels: Sequence[str]) -> npt.NDArray[np.int64]:
    """Labels as numbers."""
    return np.array([LABELS.index(label) for label in labels])


def log_softmax(rows: Doubles) -> Doubles:
    """Rows of scores to rows of log chances."""
    shifted = rows - rows.max(1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(1, keepdims=True)), np.float64)


def fit(examples: Sequence[Example]) -> tuple[Floats, Floats]:
    """Weights (BUCKETS, labels) and bias, by L-BFGS on the weighted cross-entropy."""
    found = matrix([each.text for each in examples])
    turned = found.T.tocsr()
    target = targets([each.label for each in examples])
    weigh = np.array([WEIGHTS[each.kind] for each in examples])
    weigh /= weigh.sum()
    rows, size = np.arange(len(examples)), BUCKETS * len(LABELS)

    def loss(values: Doubles) -> tuple[float, Doubles]:
        weights = values[:size].reshape(BUCKETS, -1).astype(np.float32)
        chances = log_softmax(np.asarray(found @ weights, np.float64) + values[size:])
        cost = -float(weigh @ chances[rows, target]) + 0.5 * DECAY * float((weights**2).sum())
        error = np.exp(chances)
        error[rows, target] -= 1
        error *= weigh[:, None]
        slope = np.asarray(turned @ error.astype(np.float32), np.float64) + DECAY * weights
        return cost, np.concatenate([slope.ravel(), error.sum(0)])

    start = np.zeros(size + len(LABELS))
    done = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS, "maxcor": 8})
    return done.x[:size].reshape(BUCKETS, -1).astype(np.float32), done.x[size:].astype(np.float32)


def calibrated(
    scores: Doubles, texts: Sequence[str], target: npt.NDArray[np.int64], rules: bool
) -> dict[str, object]:
    """What brings scores to chances on texts not trained on: see `Calibration` in models/classifier.py.

    `trust` is fitted on the chances of texts that took no part in the rest, in ten turns.
    """
    sure, hint = np.zeros_like(scores), np.zeros_like(scores)
    for row, text in enumerate(texts if rules else ()):
        said = named(text)
        if said is not None:
            (sure if said in SURE else hint)[row, LABELS.index(said)] = 1

    def chances(values: Doubles, part: npt.NDArray[np.int64]) -> Doubles:
        added = sure[part] * values[1] + hint[part] * values[2]
        return log_softmax(scores[part] * values[0] + added + values[3:])

    def best(part: npt.NDArray[np.int64]) -> Doubles:
        def loss(values: Doubles) -> float:
            held = 0.02 * float((values[3:] ** 2).sum()) + 0.003 * float((values[1:3] ** 2).sum())
            return held - float(chances(values, part)[np.arange(len(part)), target[part]].mean())

        start = np.array([1.0, 0, 0, *[0.0] * len(LABELS)])
        return np.asarray(minimize(loss, start, method="L-BFGS-B").x, np.float64)

    everything = np.arange(len(target))
    turn = np.random.default_rng(SEED).permutation(len(target)) % TURNS
    out = np.zeros_like(scores)
    for number in range(TURNS):
        held_out = everything[turn == number]
        out[held_out] = chances(best(everything[turn != number]), held_out)
    said, sureness = out.argmax(1), np.clip(np.exp(out.max(1)), 1e-9, 1 - 1e-9)
    odds, right = np.log(sureness / (1 - sureness)), said == target

    def doubt(line: Doubles) -> float:
        lean = np.where(right, 1, -1) * (line[0] + line[1] * odds)
        return float(np.logaddexp(0, -lean).mean())

    trust = minimize(doubt, np.array([0.0, 1.0]), method="L-BFGS-B").x
    rounded = [round(float(value), 3) for value in (*best(everything), *trust)]
    return {
        "sharpness": rounded[0],
        "sure": rounded[1],
        "hint": rounded[2],
        "shift": rounded[3:-2],
        "trust": rounded[-2:],
    }


def export(weights: Floats, bias: Floats, calibration: dict[str, dict[str, object]]) -> bytes:
    """The model as ONNX: `features` int64 and `share` float32, both (n, t), to `scores` (n, labels).

    A share of 0 is padding. What brings scores to chances is in the metadata.
    """
    initial = [
        numpy_helper.from_array(weights.astype(np.float16), "weights"),
        numpy_helper.from_array(bias.astype(np.float32), "bias"),
        numpy_helper.from_array(np.array([1], np.int64), "one"),
    ]
    nodes = [
        helper.make_node("Gather", ["weights", "features"], ["picked"]),
        helper.make_node("Cast", ["picked"], ["rows"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["share", "one"], ["wide"]),
        helper.make_node("MatMul", ["wide", "rows"], ["summed"]),
        helper.make_node("Squeeze", ["summed", "one"], ["flat"]),
        helper.make_node("Add", ["flat", "bias"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "cortex_tasktype",
        [
            helper.make_tensor_value_info("features", TensorProto.INT64, ["n", "t"]),
            helper.make_tensor_value_info("share", TensorProto.FLOAT, ["n", "t"]),
        ],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", len(LABELS)])],
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
    apart = [*histories("subjects-test"), *histories("subjects-apart")]
    known = {each.text.lower() for source in apart for each in read(source, given.clones)}
    known |= {each.text.lower() for each in validation}
    learnt = [each for each in learnt if each.text.lower() not in known]
    planted = [Example(text, label, "seeds", "seed") for text, label in seeds(random.Random(SEED))]
    print("learnt from", len(learnt), dict(Counter(each.label for each in learnt)), "seeds", len(planted))
    weights, bias = fit([*learnt, *spoken(learnt, SPOKEN), *planted])
    rows = [json.loads(line) for line in PROMPTS.read_text(encoding="utf-8").splitlines()]
    prompts = [(row["text"], row["label"]) for row in rows if row["half"] == "development"]
    subjects = [(each.text, each.label) for each in validation]
    calibration = {}
    for kind, pairs in (("prompt", prompts), ("subject", subjects)):
        texts_of = [text for text, _ in pairs]
        scores = np.asarray(matrix(texts_of) @ weights + bias, np.float64)
        calibration[kind] = calibrated(
            scores, texts_of, targets([label for _, label in pairs]), kind == "prompt"
        )
        print(kind, len(pairs), calibration[kind])
    given.out.write_bytes(export(weights, bias, calibration))
    print(
        f"{given.out.name}: {given.out.stat().st_size:,} bytes, {sha256(given.out.read_bytes()).hexdigest()}"
    )


if __name__ == "__main__":
    main()

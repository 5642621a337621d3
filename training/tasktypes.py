"""Makes the classifier of task types: a linear softmax over hashed words, with a head for prompts; calibrated by kind.

Run `python training/tasktypes.py --clones FOLDER --teacher FOLDER`; it writes models/data/cortex_tasktype.onnx with
its hash, and brings the teacher there when it is not there yet. `benchmarks/models.py classifier` measures it. Needs
the packages `onnx`, `scipy` and `torch`.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # sums in another order are other sums

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "encoder"))

import numpy as np
import numpy.typing as npt
import onnx
from histories import histories
from lessons import lessons
from onnx import TensorProto, helper, numpy_helper
from scipy.optimize import minimize
from seeds import PLACES, THINGS, seeds
from softmax import Doubles, Floats, fit, log_softmax, matrix, targets
from student import Head
from tasktexts import SEED, Example, read
from taught import Read, taught
from teacher import Teacher, brought
from typed import typed

from cortex.models.labels import LABELS
from cortex.models.taskfeatures import prompt_features

ROOT = Path(__file__).parents[1]
OUT = ROOT / "models" / "data" / "cortex_tasktype.onnx"
LABELLED = ROOT / "benchmarks" / "labels" / "prompts.jsonl"
WRITTEN = Path(__file__).parent / "prompts.jsonl"
DECAY = 5e-6
VALIDATION = 6  # every sixth training repository sets the calibration instead
TURNS = 10
#: Parts of the prompts, each scored by a head that saw none of it, for the calibration.
PARTS = 4
#: What an example of each kind counts: a body or an entry is labelled more loosely than a subject.
WEIGHTS = {"subject": 1.0, "body": 0.5, "entry": 0.7, "seed": 3.0}
#: The halves of the labelled prompts that have been looked at; what came later is never learnt from.
SEEN = ("development", "set aside", "second set aside", "third set aside")
#: The hand-written frames were written beside these: a head that learnt the frames is too sure of them.
FRAMED = ("development", "set aside")
APART = ("subjects-test", "subjects-apart", "subjects-last")


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
        numpy_helper.from_array(head.weights, "prompt_weights"),
        numpy_helper.from_array(head.scale, "scale"),
        numpy_helper.from_array(head.inner, "inner"),
        numpy_helper.from_array(head.outer, "outer"),
        numpy_helper.from_array(head.bias, "prompt_bias"),
        numpy_helper.from_array(head.mix, "mix"),
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
        helper.make_node("Mul", ["prompt_flat", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "inner"], ["moved"]),
        helper.make_node("Relu", ["moved"], ["hidden"]),
        helper.make_node("MatMul", ["hidden", "outer"], ["said"]),
        helper.make_node("MatMul", ["subject", "mix"], ["mixed"]),
        helper.make_node("Add", ["mixed", "said"], ["unshifted"]),
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


def scored(texts: Sequence[Example], weights: Floats, bias: Floats) -> Doubles:
    """The scores of texts as any text."""
    return np.asarray(matrix([each.text for each in texts]) @ weights + bias, np.float64)


def prompted(
    learnt: Sequence[Example], teacher: Teacher, weights: Floats, bias: Floats
) -> tuple[Head, tuple[list[Example], Doubles]]:
    """The head for prompts; and prompts with their scores, each by a head that saw nothing of it."""
    prompts = [
        *(Example(row["text"], row["label"], row["half"], "prompt") for row in _rows(LABELLED)),
        *(Example(row["text"], row["label"], "written", "prompt") for row in _rows(WRITTEN)),
    ]
    prompts = [each for each in prompts if each.source in (*SEEN, "written")]
    frames = typed(random.Random(SEED), THINGS, PLACES)
    examples = [*prompts, *(Example(text, label, "typed", "typed") for text, label in frames)]
    further = lessons([each.text for each in prompts], learnt, SEED)
    texts = [each.text for each in (*examples, *further)]
    vectors = np.asarray(teacher.encode(texts), np.float32)
    general = np.asarray(matrix(texts) @ weights + bias, np.float32)
    shown = Read([prompt_features(text) for text in texts], vectors, general)
    print("prompts", len(prompts), "frames", len(frames), "lessons", len(further))
    part = np.random.default_rng(SEED).permutation(len(prompts)) % PARTS
    scores = np.zeros((len(prompts), len(LABELS)))
    nothing = np.zeros(len(examples), np.bool_)
    for number in range(PARTS):
        held = nothing.copy()
        held[: len(prompts)] = part == number
        out = np.flatnonzero(held)
        scores[out] = taught(examples, further, shown, held).scores(
            [shown.bags[at] for at in out], general[out]
        )
    right = scores.argmax(1) == targets([each.label for each in prompts])
    for source in (*SEEN, "written"):
        these = [at for at, each in enumerate(prompts) if each.source == source]
        print(f"{source}, by heads that saw none of it: {right[these].mean():.3f} of {len(these)} right")
    kept = [at for at, each in enumerate(prompts) if each.source not in FRAMED]
    return taught(examples, further, shown, nothing), ([prompts[at] for at in kept], scores[kept])


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Collect, fit, calibrate, write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--clones", type=Path, required=True, help="a folder for clones of the sources")
    options.add_argument("--teacher", type=Path, required=True, help="a folder for the teacher's wheel")
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
    print("learnt from", len(learnt), dict(Counter(each.label for each in learnt)), "frames", len(planted))
    examples = [*learnt, *planted]
    weigh = np.array([WEIGHTS[each.kind] for each in examples])
    found = matrix([each.text for each in examples])
    weights, bias = fit(found, targets([each.label for each in examples]), weigh, DECAY)
    head, prompts = prompted(learnt, Teacher(brought(given.teacher)), weights, bias)
    calibration = {}
    for kind, (texts, scores) in (
        ("prompt", prompts),
        ("subject", (validation, scored(validation, weights, bias))),
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

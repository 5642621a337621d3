"""Makes the classifier of task types: a linear softmax over hashed words, with a calibrated temperature.

Run `python training/tasktypes.py --clones FOLDER`; it writes models/data/cortex_tasktype.onnx with its
hash, and measures it on repositories set aside. Needs the package `onnx`.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from clones import clone, subjects
from onnx import TensorProto, helper, numpy_helper
from seeds import seeds
from sources import Source, sources

from cortex.models.labels import LABELS
from cortex.models.tasktext import BUCKETS, features

OUT = Path(__file__).parents[1] / "models" / "data" / "cortex_tasktype.onnx"
SEED = 11
EPOCHS = 12
BATCH = 64
RATE = 0.05
DECAY = 2e-6
CAP = 700  # subjects of one label from one repository: no project's habits may dominate
VALIDATION = 6  # every sixth training repository sets the temperature instead

Floats = npt.NDArray[np.float32]

_SUBJECT = re.compile(r"^(?P<type>[A-Za-z]+)(?:\((?P<scope>[^)]*)\))?!?:\s+(?P<text>.+)$")
_TYPES = {
    "feat": "feature", "feature": "feature", "fix": "bug fix", "bugfix": "bug fix", "bug": "bug fix",
    "perf": "performance", "docs": "docs", "doc": "docs", "refactor": "refactor", "style": "refactor",
    "test": "test", "tests": "test", "build": "build", "ci": "build",
}  # fmt: skip
#: A scope that says more than the type: `fix(docs)` is work on the documentation.
_SCOPES = (
    ("docs", re.compile(r"^(docs?|documentation|readme|website|changelog)$", re.I)),
    ("test", re.compile(r"^(tests?|testing|e2e|spec)$", re.I)),
    ("build", re.compile(r"^(deps|deps-dev|dev-deps|build|ci|release|docker|packaging|lint)$", re.I)),
    ("performance", re.compile(r"^perf$", re.I)),
)
_MIGRATION = re.compile(
    r"^(migrat\w+|port|convert|switch (?:from|to|over)|upgrade to|move (?:from|to) \S+ to)\b", re.I
)
_BUMP = re.compile(r"^(bump|update|upgrade|pin)\b.*\b(from|to|v?\d)", re.I)
_NOISE = re.compile(r"\(?#\d+\)?|\(?\b[0-9a-f]{7,40}\b\)?|https?://\S+|\[skip ci\]", re.I)


@dataclass(frozen=True)
class Example:
    """One labelled text and where it is from."""

    text: str
    label: str
    source: str


def labelled(subject: str) -> tuple[str, str] | None:
    """(text without its prefix, label) of a Conventional-Commit subject; None where it says too little."""
    match = _SUBJECT.match(subject)
    if not match:
        return None
    kind, scope = match["type"].lower(), match["scope"] or ""
    text = " ".join(_NOISE.sub(" ", match["text"]).split()).strip(" .,-")
    if len(re.findall(r"[A-Za-z]{2,}", text)) < 3:
        return None
    label = _TYPES.get(kind)
    by_scope = next((label for label, pattern in _SCOPES if pattern.match(scope)), None)
    if label in ("feature", "bug fix", "refactor") or kind == "chore":
        label = by_scope or label
    if label in ("refactor", "build") or kind == "chore":
        label = "migration" if _MIGRATION.match(text) else label
    return (text, label) if label else None


def read(source: Source, folder: Path) -> list[Example]:
    """The labelled subjects of a source: each text once, version bumps rarely, at most `CAP` of a label."""
    found: dict[str, list[str]] = defaultdict(list)
    seen = set()
    for subject in subjects(clone(source, folder), source.commit):
        pair = labelled(subject)
        if pair is None:
            continue
        text, label = pair
        key = re.sub(r"[\d.]+", "0", text.lower())
        if _BUMP.match(text):
            key = " ".join(key.split()[:2])
        if key not in seen:
            seen.add(key)
            found[label].append(text)
    chance = random.Random(f"{SEED} {source.repository}")
    out = []
    for label, texts in sorted(found.items()):
        chance.shuffle(texts)
        out += [Example(text, label, source.repository) for text in texts[:CAP]]
    return out


def spoken(texts: Sequence[Example], share: float) -> list[Example]:
    """Some of the subjects again as people say them to an assistant."""
    frames = (
        "please {}", "Can you {}?", "could you {} please", "I want you to {}", "we need to {}",
        "{}. Keep it small.", "In this repository, {}", "I'd like to {}", "There is a task: {}",
        "{}, and run the tests when you are done",
    )  # fmt: skip
    chance = random.Random(SEED)
    picked = [example for example in texts if chance.random() < share]
    return [Example(chance.choice(frames).format(each.text), each.label, each.source) for each in picked]


def bags(texts: Sequence[str]) -> list[npt.NDArray[np.int64]]:
    """The features of each text, as indexes."""
    return [np.array(features(text), np.int64) for text in texts]


def logits(weights: Floats, bias: Floats, bag: npt.NDArray[np.int64]) -> Floats:
    """One row of scores: the mean-like sum of the features' rows."""
    return np.asarray(weights[bag].sum(0) / np.sqrt(max(1, len(bag))) + bias, np.float32)


def softmax(rows: Floats) -> Floats:
    """Rows of scores to rows of chances."""
    shifted = np.exp(rows - rows.max(-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(-1, keepdims=True), np.float32)


def fit(examples: Sequence[Example]) -> tuple[Floats, Floats]:
    """Weights (BUCKETS, labels) and bias, by AdaGrad on the cross-entropy; rare labels weigh more."""
    chance = np.random.default_rng(SEED)
    found = bags([example.text for example in examples])
    target = np.array([LABELS.index(example.label) for example in examples])
    counts = np.bincount(target, minlength=len(LABELS))
    weigh = np.sqrt(counts.max() / np.maximum(1, counts)).astype(np.float32)
    weights = np.zeros((BUCKETS, len(LABELS)), np.float32)
    bias = np.zeros(len(LABELS), np.float32)
    speed = np.full_like(weights, 1e-3)
    speed_bias = np.full_like(bias, 1e-3)
    for _ in range(EPOCHS):
        order = chance.permutation(len(examples))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            rows = np.concatenate([found[i] for i in batch])
            owner = np.repeat(np.arange(len(batch)), [len(found[i]) for i in batch])
            size = np.array([1 / np.sqrt(max(1, len(found[i]))) for i in batch], np.float32)
            score = np.zeros((len(batch), len(LABELS)), np.float32)
            np.add.at(score, owner, weights[rows])
            error = softmax(score * size[:, None] + bias)
            error[np.arange(len(batch)), target[batch]] -= 1
            error *= weigh[target[batch]][:, None]
            touched, place = np.unique(rows, return_inverse=True)
            slope = np.zeros((len(touched), len(LABELS)), np.float32)
            np.add.at(slope, place, (error * size[:, None])[owner])
            slope += DECAY * len(examples) / BATCH * weights[touched]
            speed[touched] += slope**2
            weights[touched] -= RATE * slope / np.sqrt(speed[touched])
            speed_bias += error.sum(0) ** 2
            bias -= RATE * error.sum(0) / np.sqrt(speed_bias)
    return weights, bias


def temperature(scores: Floats, target: npt.NDArray[np.int64]) -> float:
    """What to divide scores by so that the chances are right on texts not trained on (least log loss)."""
    best = (float("inf"), 1.0)
    for candidate in np.geomspace(0.3, 5, 60):
        chances = softmax((scores / candidate).astype(np.float32))[np.arange(len(target)), target]
        best = min(best, (float(-np.log(chances + 1e-9).mean()), float(candidate)))
    return best[1]


def export(weights: Floats, bias: Floats, heat: float) -> bytes:
    """The model as ONNX: `features` int64 and `share` float32, both (n, t), to `chances` (n, labels).

    A share of 0 is padding.
    """
    initial = [
        numpy_helper.from_array((weights / heat).astype(np.float16), "weights"),
        numpy_helper.from_array((bias / heat).astype(np.float32), "bias"),
        numpy_helper.from_array(np.array([1], np.int64), "one"),
    ]
    nodes = [
        helper.make_node("Gather", ["weights", "features"], ["picked"]),
        helper.make_node("Cast", ["picked"], ["rows"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["share", "one"], ["wide"]),
        helper.make_node("MatMul", ["wide", "rows"], ["summed"]),
        helper.make_node("Squeeze", ["summed", "one"], ["flat"]),
        helper.make_node("Add", ["flat", "bias"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["chances"], axis=-1),
    ]
    graph = helper.make_graph(
        nodes,
        "cortex_tasktype",
        [
            helper.make_tensor_value_info("features", TensorProto.INT64, ["n", "t"]),
            helper.make_tensor_value_info("share", TensorProto.FLOAT, ["n", "t"]),
        ],
        [helper.make_tensor_value_info("chances", TensorProto.FLOAT, ["n", len(LABELS)])],
        initial,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 8
    entry = model.metadata_props.add()
    entry.key, entry.value = "labels", "\n".join(LABELS)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def report(name: str, scores: Floats, target: npt.NDArray[np.int64]) -> None:
    """Accuracy, calibration and what confidence buys."""
    chances = softmax(scores)
    sure, said = chances.max(1), chances.argmax(1)
    right = said == target
    bins = np.minimum((sure * 10).astype(int), 9)
    gap = sum(
        abs(right[bins == i].mean() - sure[bins == i].mean()) * (bins == i).mean() for i in set(bins.tolist())
    )
    majority = np.bincount(target).max() / len(target)
    print(
        f"{name}: n {len(target)}, majority {majority:.3f}, accuracy {right.mean():.3f}, "
        f"calibration error {gap:.3f}"
    )
    for bar in (0.4, 0.5, 0.6, 0.7):
        kept = sure >= bar
        print(f"  confidence >= {bar}: {kept.mean():.2f} of all, accuracy {right[kept].mean():.3f}")
    for index, label in enumerate(LABELS):
        those = target == index
        if those.any():
            print(
                f"  {label:<12} n {those.sum():>5}  recall {right[those].mean():.2f}"
                f"  precision {right[said == index].mean():.2f}"
            )


def main() -> None:
    """Collect, fit, calibrate, measure, write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--clones", type=Path, required=True, help="a folder for clones of the sources")
    options.add_argument("--out", type=Path, default=OUT)
    given = options.parse_args()
    learnt: list[Example] = []
    validation: list[Example] = []
    for index, source in enumerate(sources("subjects")):
        (validation if index % VALIDATION == 0 else learnt).extend(read(source, given.clones))
    tested = [example for source in sources("subjects-test") for example in read(source, given.clones)]
    known = {example.text.lower() for example in tested + validation}
    learnt = [example for example in learnt if example.text.lower() not in known]
    planted = [Example(text, label, "seeds") for text, label in seeds(random.Random(SEED))]
    print("learnt from", len(learnt), dict(Counter(each.label for each in learnt)), "seeds", len(planted))
    weights, bias = fit([*learnt, *spoken(learnt, 0.5), *planted])

    def scored(examples: Sequence[Example]) -> tuple[Floats, npt.NDArray[np.int64]]:
        rows = np.stack([logits(weights, bias, bag) for bag in bags([each.text for each in examples])])
        return rows, np.array([LABELS.index(each.label) for each in examples])

    heat = temperature(*scored(validation))
    print(f"temperature {heat:.2f}")
    for name, examples in (("validation", validation), ("set aside", tested)):
        rows, target = scored(examples)
        report(name, (rows / heat).astype(np.float32), target)
    given.out.write_bytes(export(weights, bias, heat))
    print(
        f"{given.out.name}: {given.out.stat().st_size:,} bytes, {sha256(given.out.read_bytes()).hexdigest()}"
    )


if __name__ == "__main__":
    main()

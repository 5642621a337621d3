"""The teacher of task types: what a public sentence encoder makes of labelled prompts, handed on to a small head.

The encoder reads whole sentences, and costs a hundred times as much as may be spent on a prompt: it says, for each of
many texts, how likely each label is, and a small model learns from that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from lessons import Lesson
from scipy.sparse import csr_matrix, hstack
from softmax import Doubles, Floats, fit, log_softmax, targets, weighed
from student import Bags, Head, learn
from tasktexts import SEED, Example

from cortex.models.taskfeatures import PROMPT_BUCKETS

DECAY = 1.2e-4
#: How much of the general scores the teacher takes as they are, and by how much it may turn them.
KEPT, LEARNT = 0.7, 0.3
VECTOR = 2.0
#: What an example counts to the teacher, and to the head: frames are many, and prompts are what it is about.
TEACHING = {"prompt": 10.0, "typed": 1.0}
LEARNING = {"prompt": 5.0, "typed": 1.0}
#: How much of what the head learns of a labelled text is its label; the rest is what the teacher says.
LABELLED = 0.5


@dataclass(frozen=True)
class Read:
    """Texts as the teacher and the head see them: features, the encoder's vectors, scores as any text."""

    bags: Bags
    vectors: Floats
    general: Floats


def taught(
    examples: Sequence[Example], further: Sequence[Lesson], read: Read, held: npt.NDArray[np.bool_]
) -> Head:
    """The head, of all examples but those in `held`, and of all lessons that are not made of these.

    `read` has the examples, then the lessons; a lesson's prompts are numbered as the examples are.
    """
    count = len(examples)
    scores = _teacher(examples, read, held)
    chances = np.exp(log_softmax(scores))
    labels = np.eye(chances.shape[1])[targets([each.label for each in examples])]
    chances[:count] = LABELLED * labels + (1 - LABELLED) * chances[:count]
    weigh = [LEARNING[each.kind] for each in examples] + [each.weight for each in further]
    open_to = [not out for out in held] + [not any(held[at] for at in each.made_of) for each in further]
    used = np.flatnonzero(open_to)
    return learn(
        [read.bags[at] for at in used],
        read.general[used],
        chances[used].astype(np.float32),
        np.array(weigh, np.float32)[used],
        PROMPT_BUCKETS,
        SEED,
    )


def _teacher(examples: Sequence[Example], read: Read, held: npt.NDArray[np.bool_]) -> Doubles:
    """The scores of all texts, by what was learnt from the examples that are not in `held`."""
    general = (read.general - read.general.mean(1, keepdims=True)).astype(np.float64)
    real = [each.kind == "prompt" for each in examples]
    vectors = (read.vectors - read.vectors[: len(examples)][real].mean(0)) * VECTOR
    sparse = [weighed(read.bags), csr_matrix(vectors), csr_matrix(general * LEARNT)]
    found = hstack(sparse).tocsr().astype(np.float32)
    open_to = np.flatnonzero(~held)
    weigh = np.array([TEACHING[each.kind] for each in examples])[open_to]
    target = targets([each.label for each in examples])[open_to]
    weights, bias = fit(found[open_to], target, weigh, DECAY, general[open_to] * KEPT)
    return np.asarray(found @ weights + bias + general * KEPT, np.float64)

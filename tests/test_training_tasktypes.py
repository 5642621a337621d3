"""What the head for prompts learns from: hand-written prompts, texts made of them, a teacher that may not see all."""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "training"))

from lessons import lessons, pieces  # noqa: E402
from tasktexts import Example  # noqa: E402

from cortex.models.labels import LABELS  # noqa: E402
from cortex.models.taskfeatures import PROMPT_BUCKETS, prompt_features  # noqa: E402


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_prompts_to_learn_from_are_many_of_each_label_each_once_and_none_that_is_measured_on() -> None:
    written = _rows(ROOT / "training" / "prompts.jsonl")
    counts = Counter(row["label"] for row in written)
    assert set(counts) == set(LABELS)
    assert min(counts.values()) >= 60
    texts = {row["text"].lower() for row in written}
    assert len(texts) == len(written) > 1_000
    assert not texts & {
        row["text"].lower() for row in _rows(ROOT / "benchmarks" / "labels" / "prompts.jsonl")
    }


def test_a_prompt_is_cut_at_its_clauses_and_never_given_whole() -> None:
    prompt = "the list is empty after a reload, please look into it and keep what was there"
    made = pieces(prompt, random.Random(1))
    assert "the list is empty after a reload," in made
    assert prompt not in made
    assert len(set(made)) == len(made)
    assert pieces("fix it", random.Random(1)) == []


def test_a_lesson_says_which_prompts_it_is_made_of() -> None:
    prompts = [
        "rename the store to cache and move it up",
        "why is the sky blue, and who painted it so",
    ]
    told = [Example("keep the last entry of the log", "bug fix", "a/b", "subject")]
    given = lessons(prompts, told, 3)
    assert given == lessons(prompts, told, 3)
    assert given[0].text == told[0].text
    assert not given[0].made_of
    for each in given[1:]:
        words = {word for at in each.made_of for word in prompts[at].split()}
        assert {word.strip(".,-") for word in each.text.split()} <= {word.strip(",") for word in words} | {
            "",
            "and",
        }
    assert {each.made_of for each in given} >= {(0,), (1,), (0, 1)}


def test_the_head_learns_what_the_teacher_says_and_nothing_of_what_is_held_back() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("scipy")
    from taught import Read, taught

    chance = np.random.default_rng(5)
    words = {"bug fix": "crash", "docs": "readme", "test": "coverage"}
    examples = [
        Example(f"{words[label]} {chance.integers(999)} {chance.integers(999)}", label, "x", "prompt")
        for label in words
        for _ in range(80)
    ]
    bags = [prompt_features(each.text) for each in examples]
    shown = Read(
        bags,
        chance.normal(0, 0.05, (len(examples), 8)).astype(np.float32),
        np.zeros((len(examples), len(LABELS)), np.float32),
    )
    held = np.zeros(len(examples), np.bool_)
    held[::4] = True
    head = taught(examples, [], shown, held)
    assert head.weights.shape[0] == PROMPT_BUCKETS
    said = head.scores([bags[at] for at in np.flatnonzero(held)], shown.general[held]).argmax(1)
    expected = [LABELS.index(each.label) for each, out in zip(examples, held, strict=True) if out]
    assert (said == expected).mean() > 0.9
    # Another label on what is held back is another file only where the head looked.
    turned = [
        Example(each.text, "question", "x", "prompt") if out else each
        for each, out in zip(examples, held, strict=True)
    ]
    again = taught(turned, [], shown, held)
    assert (again.weights == head.weights).all()
    assert (again.bias == head.bias).all()

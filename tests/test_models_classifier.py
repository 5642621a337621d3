"""The laws of the classifier of task types."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex.models import Classifier, load_classifier
from cortex.models.classifier import THRESHOLD, TaskClassifier, load
from cortex.models.labels import LABELS, UNSURE
from cortex.models.rules import named
from cortex.models.taskfeatures import PROMPT_BUCKETS, features, prompt_features
from cortex.models.tasktext import looks_written_to_someone, opening, stem
from cortex.models.vocabulary import CLASSES
from cortex.repo.errors import UsageError

PROMPTS = Path(__file__).parents[1] / "benchmarks" / "labels" / "prompts.jsonl"


@pytest.fixture(scope="module")
def classifier() -> TaskClassifier:
    return load("builtin")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Please fix the crash when the config file is empty", "bug fix"),
        ("Add a --json flag to the list command", "feature"),
        ("refactor the importer into smaller functions", "refactor"),
        ("write unit tests for the tokenizer", "test"),
        ("fix typo in README", "docs"),
        ("speed up the search, it scans the whole table", "performance"),
        ("set up GitHub Actions to run the linter", "build"),
        ("migrate from unittest to pytest", "migration"),
        ("How does the session store work?", "question"),
    ],
)
def test_clear_tasks_get_their_label(classifier: Classifier, text: str, label: str) -> None:
    ((said, confidence),) = classifier.classify([text])
    assert said == label
    assert THRESHOLD <= confidence <= 1


def test_no_texts_give_no_answers(classifier: Classifier) -> None:
    assert classifier.classify([]) == []


@pytest.mark.parametrize("text", ["", "   ", "…!?", "修复", "\ud800"])
def test_a_text_without_words_is_unsure(classifier: Classifier, text: str) -> None:
    assert classifier.classify([text]) == [(UNSURE, 0.0)]


def test_one_string_in_place_of_a_list_is_refused(classifier: Classifier) -> None:
    with pytest.raises(UsageError):
        classifier.classify("fix it")


@given(texts=st.lists(st.text(st.characters(blacklist_categories=()), max_size=200), max_size=4))
@settings(max_examples=60, deadline=None)
def test_any_text_gets_the_same_answer_each_time_whatever_is_beside_it(texts: list[str]) -> None:
    model = _shared()
    answers = model.classify(texts)
    assert answers == model.classify(texts)
    assert [label for label, _ in answers] == [model.classify([text])[0][0] for text in texts]
    assert all(label in (*LABELS, UNSURE) and 0 <= confidence <= 1 for label, confidence in answers)


def test_prompts_not_learnt_from_are_answered_rightly_more_often_than_not(classifier: TaskClassifier) -> None:
    rows = [json.loads(line) for line in PROMPTS.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 700
    assert {row["label"] for row in rows} == set(LABELS)
    rows = [row for row in rows if row["half"] == "fourth set aside"]
    said = classifier.best([row["text"] for row in rows])
    assert sum(label == row["label"] for (label, _), row in zip(said, rows, strict=True)) >= 0.74 * len(rows)


def test_what_is_said_with_confidence_is_right_nine_times_in_ten(classifier: TaskClassifier) -> None:
    rows = [json.loads(line) for line in PROMPTS.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["half"] == "fourth set aside"]
    said = classifier.classify([row["text"] for row in rows], kind="prompt")
    sure = [label == row["label"] for (label, p), row in zip(said, rows, strict=True) if p >= 0.7]
    assert sum(sure) >= 0.9 * len(sure)
    assert len(sure) >= len(rows) / 2


def test_the_kind_of_text_is_taken_at_its_word(classifier: TaskClassifier) -> None:
    message = ["could you look at why the importer drops rows? it should keep them"]
    assert looks_written_to_someone(message[0])
    assert classifier.classify(message) == classifier.classify(message, kind="prompt")
    assert classifier.classify(message) != classifier.classify(message, kind="subject")
    bare = ["add retry to the client"]
    (either,), (prompt,), (subject,) = (classifier.best(bare, kind) for kind in (None, "prompt", "subject"))
    assert either[0] == prompt[0] == subject[0] == "feature"
    assert either[1] == pytest.approx((prompt[1] + subject[1]) / 2, abs=1e-5)


@pytest.mark.parametrize(
    "text", ["why does it fail? please fix it", "what is wrong with this, can you repair it"]
)
def test_a_wish_that_begins_as_a_question_is_no_question(text: str) -> None:
    assert named(text) != "question"


def test_courtesy_is_not_the_task() -> None:
    assert opening("Hi, could you please rename the module?") == "rename the module?"
    assert opening("please") == "please"
    assert named("I'd like you to migrate this to Go") == "migration"


def test_features_are_alike_for_forms_of_a_word() -> None:
    assert len(set(features("optimize")) & set(features("optimizing"))) >= 2
    assert features("") == []
    assert prompt_features("") == {}


def test_prompts_with_other_words_of_the_same_kinds_are_alike() -> None:
    one, other, another = map(
        set, map(prompt_features, ("mocha to vitest", "flask to fastapi", "no such thing"))
    )
    assert len(one & other) > len(one & another)
    assert all(0 <= each < PROMPT_BUCKETS for each in one | other | another)


def test_each_sort_of_a_prompts_features_counts_as_much_as_any_other() -> None:
    # Stems, opening, kinds, pairs of stems, pieces of words: of each the squares come to one, but for what collides.
    counts = prompt_features("rename the store to cache, and move it up").values()
    assert sum(count**2 for count in counts) == pytest.approx(5, abs=0.3)
    assert sum(count**2 for count in prompt_features("why").values()) == pytest.approx(4, abs=0.3)


def test_every_stem_of_the_vocabulary_can_be_met() -> None:
    # A stem that `stem` would cut further, and that no word ends in, would never be found.
    endings = (
        "",
        "e",
        "s",
        "ed",
        "es",
        "er",
        "ers",
        "ing",
        "ings",
        "ion",
        "ions",
        "ation",
        "ations",
        "ly",
        "n't",
    )
    unmet = [each for each in CLASSES if each not in {stem(each + ending) for ending in endings}]
    assert unmet == []


_CLASSIFIERS: list[Classifier] = []


def _shared() -> Classifier:
    if not _CLASSIFIERS:
        _CLASSIFIERS.append(load_classifier())
    return _CLASSIFIERS[0]

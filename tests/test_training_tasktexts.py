"""What the classifier of task types learns from: how histories and changelogs are read."""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))

from histories import histories
from seeds import seeds
from tasktexts import entries, labelled, prose

from cortex.models.labels import LABELS


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("fix(cache): keep the last entry (#12)", ("keep the last entry", "bug fix")),
        ("fix(docs): broken links in guide", ("broken links in guide", "docs")),
        ("ENH: add a method for ranks", ("add a method for ranks", "feature")),
        ("chore(deps): bump foo to 2", ("bump foo to 2", "build")),
        ("refactor: migrate the store to sqlite", ("migrate the store to sqlite", "migration")),
        ("feat: it works", None),
        ("Add a method for ranks", None),
        ("release: all of it at once", None),
    ],
)
def test_a_subject_is_labelled_by_its_prefix(subject: str, expected: tuple[str, str] | None) -> None:
    assert labelled(subject) == expected


def test_prose_is_the_first_paragraph_that_is_no_list_and_no_trailer() -> None:
    told = "the loop never ended when the queue was closed while it waited"
    assert prose(f"fix: end the loop\n\n{told}\n\nSigned-off-by: A <a@b.c>") == told
    assert prose("fix: end the loop\n\n* fix: one\n* fix: two\n\nCo-authored-by: A <a@b.c>") is None
    assert prose("fix: end the loop") is None


def test_entries_are_labelled_by_the_heading_above_them() -> None:
    text = """\
## 2.0.0
### Features
* **api:** take more than one file ([#3](https://x.y/3))
### Bug Fixes
- a file without an end is read again
### Contributors
- someone who wrote some words
"""
    assert list(entries(text)) == [
        ("take more than one file", "feature"),
        ("a file without an end is read again", "bug fix"),
    ]


def test_over_a_hundred_repositories_are_learnt_from_and_none_that_is_kept_apart() -> None:
    learnt = {source.repository for source in histories("subjects")}
    apart = {source.repository for use in ("subjects-test", "subjects-apart") for source in histories(use)}
    assert len(learnt) >= 100
    assert len(apart) == 18
    assert not learnt & apart
    known = ("MIT", "MIT-0", "ISC", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT or Apache-2.0")
    for source in (*histories("subjects"), *histories("subjects-apart")):
        assert re.fullmatch(r"[0-9a-f]{40}", source.commit)
        assert source.licence in known


def test_seeds_are_the_same_each_time() -> None:
    assert seeds(random.Random(1)) == seeds(random.Random(1))
    assert {label for _, label in seeds(random.Random(1))} == set(LABELS)

"""The laws of the query router."""

from __future__ import annotations

import pytest

from cortex.models import load_classifier
from cortex.models.labels import LABELS, UNSURE
from cortex.models.routing import ROUTES, route


@pytest.mark.parametrize(
    ("text", "label", "where"),
    [
        ("fix the crash when the config file is empty", "bug fix", "debug"),
        ("add a --json flag to the list command", "feature", "code"),
        ("rename `Manager` to `Scheduler`", "refactor", "code"),
        ("restructure the layers of the backend", "refactor", "architecture"),
        ("fix the typos in the readme", "docs", "docs"),
        ("where is parse_config() called?", "question", "code"),
        ("give me an overview of the modules", "question", "architecture"),
        ("what does this error mean?", "question", "debug"),
        ("what did you change?", "question", "general"),
        ("hm", UNSURE, "general"),
        ("decouple the importer from the store", "refactor", "architecture"),
        ("the importer test is flaky", "test", "debug"),
        ("which options does the importer take?", "question", "docs"),
        ("why do we keep two queues?", "question", "architecture"),
        ("when do I use flask and when fastapi, in general?", "question", "general"),
    ],
)
def test_a_question_goes_where_it_is_best_looked_up(text: str, label: str, where: str) -> None:
    assert route(text, label) == where


@pytest.mark.parametrize("text", ["", "\ud800", "修复", "x" * 100_000])
def test_any_text_has_a_route(text: str) -> None:
    assert all(route(text, label) in ROUTES for label in (*LABELS, UNSURE))


def test_the_route_follows_what_the_classifier_says() -> None:
    text = "it crashes with a traceback when the file is empty, please fix it"
    ((label, _),) = load_classifier("builtin").classify([text])
    assert route(text, label) == "debug"

"""The types of a task, and the word for not being sure."""

from __future__ import annotations

LABELS = (
    "bug fix",
    "feature",
    "refactor",
    "test",
    "docs",
    "performance",
    "build",
    "migration",
    "question",
)
UNSURE = "unsure"

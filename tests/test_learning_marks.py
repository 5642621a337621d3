from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pygit2
import pytest

from cortex.learning.lineage.marks import Mark, Marks, mark, read_note

ADA = "Ada Byron <ada@example.org>"


@pytest.mark.parametrize(
    ("author", "said", "agent"),
    [
        ("Ada Byron (aider) <ada@example.org>", "Fix", "aider"),
        (ADA, "Fix\n\nCo-authored-by: aider (gpt-4o) <noreply@aider.chat>", "aider"),
        (ADA, "Fix\n\nCo-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>", "claude-code"),
        (ADA, "Fix\n\nCo-Authored-By: Claude <noreply@anthropic.com>", "claude-code"),
        (ADA, "Fix\n\nCo-authored-by: Cursor <cursoragent@cursor.com>", "cursor"),
        (ADA, "Fix\n\nCo-authored-by: Copilot <198982749+Copilot@users.noreply.github.com>", "copilot"),
        (ADA, "Fix\n\nCo-authored-by: Codex <noreply@openai.com>", "codex"),
        (
            ADA,
            "Fix\n\nCo-Authored-By: Devin <158243242+devin-ai-integration[bot]@users.noreply.github.com>",
            "devin",
        ),
        (ADA, "Fix\n\nCo-authored-by: Roo Code <roomote@roocode.com>", "roo-code"),
        (ADA, "Fix\n\nEntire-Checkpoint: a1b2c3d4e5f6", "agent"),
        (ADA, "Fix\n\nEntire-Checkpoint: 01ARZ3NDEKTSV4RRFFQ69G5FAV", "agent"),
        ("copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>", "Fix", "copilot"),
    ],
)
def test_an_agents_commit_is_known_by_its_mark(author: str, said: str, agent: str) -> None:
    assert mark(author, author, said).agent == agent


@pytest.mark.parametrize(
    ("author", "said"),
    [
        (ADA, "Fix what Claude wrote"),
        (ADA, "Use the aider configuration"),
        (ADA, "Fix\n\nCo-authored-by: Claude Monet <claude@giverny.example>"),
        ("Claude Shannon <claude@bell.example>", "A theory"),
        (ADA, "Fix\n\nCo-authored-by: Bob <bob@example.org>"),
        (ADA, "Describe\nthe Entire-Checkpoint: trailer"),
    ],
)
def test_a_persons_commit_is_a_persons(author: str, said: str) -> None:
    assert mark(author, author, said) == Mark()


def test_a_plain_bot_is_neither() -> None:
    found = mark("dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>", ADA, "Bump x")
    assert found.bot and not found.agent


NOTE = (
    "src/main.py\n  s_0123456789abcd::t_0123456789abcd 1-10,15\n  h_0123456789abcd 12-13\n---\n"
    + json.dumps(
        {
            "schema_version": "authorship/3.0.0",
            "sessions": {"s_0123456789abcd": {"agent_id": {"tool": "cursor", "id": "x", "model": "m"}}},
        }
    )
)


def test_a_note_says_which_lines_an_agent_wrote() -> None:
    found = read_note(NOTE)
    assert found is not None and found.agent == "cursor" and found.how == "note"
    assert [n for n in range(1, 20) if found.wrote("src/main.py", n)] == [*range(1, 11), 15]
    assert not found.wrote("other.py", 1) and not found.touched("other.py")


def test_an_older_note_names_its_prompts() -> None:
    below = json.dumps({"prompts": {"0123456789abcdef": {"agent_id": {"tool": "claude"}}}})
    found = read_note(f"a.py\n  0123456789abcdef 2\n---\n{below}")
    assert found is not None and found.agent == "claude-code" and found.wrote("a.py", 2)


def test_a_note_without_an_agent_says_that_a_person_wrote() -> None:
    found = read_note("a.py\n  h_0123456789abcd 1\n---\n{}")
    assert found is not None and not found.agent


@pytest.mark.parametrize("text", ["", "words", "a.py\n  x 1\n---\nno json", "a.py\n---\n[]"])
def test_a_note_that_cannot_be_read_says_nothing(text: str) -> None:
    assert read_note(text) is None


def test_a_note_counts_more_than_a_trailer(repo: Path, commit: Callable[..., str]) -> None:
    said = "Add\n\nCo-Authored-By: Claude <noreply@anthropic.com>"
    sha = commit(repo, {"src/main.py": "x\n" * 20}, message=said)
    subprocess.run(
        ["git", "notes", "--ref=ai", "add", "-F", "-", sha],
        cwd=repo,
        input=NOTE.encode(),
        check=True,
        env=dict(os.environ),
    )
    repository = pygit2.Repository(str(repo))
    found = Marks(repository).of(repository[sha].peel(pygit2.Commit))
    assert found.how == "note" and not found.wrote("src/main.py", 12)


def test_a_commit_with_bytes_that_are_no_text_has_a_mark(repo: Path) -> None:
    subprocess.run(
        ["git", "-c", "i18n.commitEncoding=latin1", "commit", "-q", "--allow-empty", "-F", "-"],
        cwd=repo,
        input=b"caf\xe9",
        check=True,
        env=dict(os.environ, GIT_AUTHOR_NAME="x"),
    )
    repository = pygit2.Repository(str(repo))
    assert Marks(repository).of(repository.head.peel(pygit2.Commit)) == Mark()


def test_a_note_that_is_no_note_is_read_as_far_as_it_is_one() -> None:
    def lines(spans: str) -> object:
        found = read_note(
            f'a.py\n  a1 {spans}\n---\n{{"prompts": {{"a1": {{"agent_id": {{"tool": "t"}}}}}}}}'
        )
        return found and found.lines

    assert lines("1-4,9") == {"a.py": ((1, 4), (9, 9))}
    assert lines("²,٣,1-²,2") == {"a.py": ((2, 2),)}  # was a crash: digits, and no number
    assert lines("9" * 5000 + ",2") == {"a.py": ((2, 2),)}  # was a crash: more digits than Python reads
    assert read_note("a.py\n  a1 1\n---\n" + "[" * 200_000) is None  # was a crash


def test_a_note_of_a_hundred_thousand_rows_is_read_at_once() -> None:
    began = time.thread_time()
    found = read_note("a.py\n" + "  a1 1\n" * 100_000 + "---\n{}")
    assert found is not None and found.lines is not None and len(found.lines["a.py"]) == 100_000
    assert time.thread_time() - began < 2

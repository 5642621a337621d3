"""Claude Code's payloads are read for what they say, and nothing in them is fatal."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cortex.agents import AGENTS, agent
from cortex.agents.base import AgentEvent, Wrote
from cortex.repo.errors import USAGE, CortexError, UsageError

claude = agent("claude-code")


def post(tool: str, asked: object, answer: object = None, **more: object) -> AgentEvent:
    given = {
        "session_id": "s-1",
        "transcript_path": "",
        "cwd": "/w",
        "permission_mode": "default",
        "hook_event_name": "PostToolUse",
        "tool_name": tool,
        "tool_use_id": "t-1",
        "tool_input": asked,
        "tool_response": answer,
        **more,
    }
    return claude.parse(json.dumps(given).encode())


def test_a_write_gives_the_whole_file() -> None:
    event = post(
        "Write", {"file_path": "/w/a.py", "content": "x = 1\n"}, {"filePath": "/w/a.py", "success": True}
    )
    assert event == AgentEvent(
        "claude-code",
        "wrote",
        conversation="s-1",
        cwd="/w",
        wrote=(Wrote("/w/a.py", None, "x = 1\n", None, "Write", False),),
    )


def test_a_write_that_says_what_was_there_gives_it() -> None:
    asked = {"file_path": "a.py", "content": "new"}
    assert post("Write", asked, {"type": "create", "originalFile": None}).wrote[0].before == ""
    assert post("Write", asked, {"type": "update", "originalFile": "old"}).wrote[0].before == "old"


def test_an_edit_gives_both_sides() -> None:
    asked = {"file_path": "../up/a.py", "old_string": "b", "new_string": "c", "replace_all": False}
    answer = {
        "filePath": "../up/a.py",
        "originalFile": "a\nb\n",
        "structuredPatch": [],
        "userModified": False,
    }
    assert post("Edit", asked, answer).wrote == (
        Wrote("../up/a.py", "a\nb\n", "a\nc\n", None, "Edit", False),
    )


def test_an_edit_that_the_person_altered_gives_the_proposal_and_leaves_the_file_to_be_read() -> None:
    asked = {"file_path": "a.py", "old_string": "b", "new_string": "c"}
    answer = {"originalFile": "a\nb\n", "userModified": True, "newString": "d"}
    assert post("Edit", asked, answer).wrote == (Wrote("a.py", "a\nb\n", None, "a\nc\n", "Edit", True),)
    written = post("Write", {"file_path": "a.py", "content": "mine\n"}, {"userModified": True})
    assert written.wrote == (Wrote("a.py", None, None, "mine\n", "Write", True),)


@pytest.mark.parametrize(
    ("edit", "after"),
    [
        ({"old_string": "b", "new_string": "c", "replace_all": True}, "a c c\n"),
        ({"old_string": "b", "new_string": "c"}, None),  # which of the two is not said
        ({"old_string": "z", "new_string": "c"}, None),
        ({"old_string": "a ", "new_string": ""}, None),
        ({"old_string": "a", "new_string": 5}, None),
        ({"old_string": "", "new_string": "c"}, None),
    ],
)
def test_what_an_edit_made_is_told_only_where_it_is_sure(edit: dict[str, object], after: str | None) -> None:
    answer = {"originalFile": "a b b\n"}
    assert post("Edit", {"file_path": "a.py", **edit}, answer).wrote[0].after == after


def test_an_edit_without_the_file_before_leaves_both_open() -> None:
    wrote = post("Edit", {"file_path": "a.py", "old_string": "b", "new_string": "c"}, "done").wrote[0]
    assert (wrote.before, wrote.after) == (None, None)


def test_several_edits_are_one_write() -> None:
    edits = [{"old_string": "a", "new_string": "x"}, {"old_string": "b", "new_string": "y"}]
    event = post("MultiEdit", {"file_path": "a.py", "edits": edits}, {"originalFileContents": "a b\n"})
    assert event.wrote == (Wrote("a.py", "a b\n", "x y\n", None, "MultiEdit", False),)


def test_a_notebook_s_file_is_left_to_be_read() -> None:
    event = post("NotebookEdit", {"notebook_path": "n.ipynb", "new_source": "x"})
    assert event.wrote == (Wrote("n.ipynb", None, None, None, "NotebookEdit", False),)


@pytest.mark.parametrize(
    ("tool", "asked"),
    [("Bash", {"command": "ls"}), ("Read", {"file_path": "a"}), ("Write", {}), ("Write", "a"), ("", None)],
)
def test_what_writes_no_file_is_other(tool: str, asked: object) -> None:
    event = post(tool, asked)
    assert (event.event, event.wrote) == ("other", ())


def test_a_prompt_is_a_task() -> None:
    given = {
        "hook_event_name": "UserPromptSubmit",
        "session_id": "s",
        "prompt_id": "p",
        "prompt": "Fix it",
        "cwd": "/w",
    }
    event = claude.parse(json.dumps(given).encode())
    assert event == AgentEvent(
        "claude-code", "asked", conversation="s", prompt_id="p", cwd="/w", task="Fix it"
    )


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({}, "claude-code"),
        ({"cursor_version": "1.7"}, "cursor"),
        ({"transcript_path": "/home/a/.cursor/x.jsonl"}, "cursor"),
        ({"extensionId": "x"}, "copilot"),
        ({"transcript_path": "/home/a/GitHub Copilot/x.jsonl"}, "copilot"),
    ],
)
def test_another_agent_s_payload_is_named_as_its_own(more: dict[str, object], name: str) -> None:
    assert post("Write", {"file_path": "a", "content": ""}, **more).agent == name


@pytest.mark.parametrize("payload", [b"", b"{", b"[1]", b"null", b"\xff\xfe\x00", b"[" * 100_000, b'"text"'])
def test_broken_json_is_wrong_usage_with_a_hint(payload: bytes) -> None:
    with pytest.raises(UsageError) as caught:
        claude.parse(payload)
    assert caught.value.exit_code == USAGE and caught.value.hint


def test_half_a_surrogate_pair_is_no_content() -> None:
    event = post("Write", {"file_path": "a\ud800.py", "content": "x\ud800"})
    assert event.wrote == (Wrote("a?.py", None, None, None, "Write", False),)


# The transcript.


def transcript(folder: Path, *entries: Any) -> str:
    file = folder / "t.jsonl"
    file.write_bytes(
        b"".join((e if isinstance(e, bytes) else json.dumps(e).encode()) + b"\n" for e in entries)
    )
    return str(file)


def user(content: object, **more: object) -> dict[str, object]:
    return {"type": "user", "message": {"role": "user", "content": content}, **more}


def assistant(model: str) -> dict[str, object]:
    return {"type": "assistant", "message": {"role": "assistant", "model": model, "content": []}}


def test_model_and_task_come_from_the_end_of_the_transcript(tmp_path: Path) -> None:
    path = transcript(
        tmp_path,
        user("An old task", uuid="u-0"),
        user([{"type": "text", "text": "Add a "}, {"type": "text", "text": "retry"}], uuid="u-1"),
        assistant("model-x"),
        user([{"type": "tool_result", "content": "ok"}], uuid="u-2"),
        user("<command-name>/clear</command-name>", uuid="u-3"),
        user("Caveat", isMeta=True, uuid="u-4"),
        user("from a helper", isSidechain=True, uuid="u-5"),
        assistant("<synthetic>"),
        b"{broken",
        ["no object"],
    )
    event = post("Write", {"file_path": "a", "content": ""}, transcript_path=path)
    assert (event.model, event.task, event.prompt_id) == ("model-x", "Add a \nretry", "u-1")
    assert (
        post("Write", {"file_path": "a", "content": ""}, transcript_path=path, prompt_id="p").prompt_id == "p"
    )


def test_of_a_long_transcript_only_the_end_is_read(tmp_path: Path) -> None:
    path = transcript(tmp_path, user("first"), "x" * 3_000_000, assistant("model-x"))
    event = post("Write", {"file_path": "a", "content": ""}, transcript_path=path)
    assert (event.model, event.task) == ("model-x", "")


def test_a_transcript_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "secret.txt").write_text(json.dumps(user("secret")) + "\n")
    for name in ("pipe.jsonl", "folder.jsonl", "secret.txt", "missing.jsonl", "nul\0.jsonl"):
        event = post("Write", {"file_path": "a", "content": ""}, transcript_path=str(tmp_path / name))
        assert (event.model, event.task) == ("", "")


# The table, and the answers.


def test_an_unknown_agent_is_wrong_usage_that_lists_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        agent("nobody")
    assert "claude-code" in caught.value.hint
    assert all(name == each.NAME for name, each in AGENTS.items())


def test_answers_are_what_the_agent_reads() -> None:
    said = json.loads(claude.reply_context("Use “timeout”."))["hookSpecificOutput"]
    assert said == {"hookEventName": "UserPromptSubmit", "additionalContext": "Use “timeout”."}
    said = json.loads(claude.reply_warning("w"))["hookSpecificOutput"]
    assert said == {"hookEventName": "PostToolUse", "additionalContext": "w"}
    assert claude.reply_context(" ") == claude.reply_warning("") == ""


def test_no_payload_is_fatal(seed: int, tmp_path: Path, tell: Callable[[str], None]) -> None:
    chance = random.Random(seed)
    whole = json.dumps(
        {
            "session_id": "s",
            "transcript_path": transcript(tmp_path, user("task"), assistant("m")),
            "cwd": "/w",
            "hook_event_name": "PostToolUse",
            "tool_name": "Edit",
            "tool_input": {"file_path": "a", "old_string": "b", "new_string": "c", "edits": [{}]},
            "tool_response": {"originalFile": "b", "userModified": False},
        }
    ).encode()
    odd = [None, 1, [], {}, "", True, [None], {"a": 1}, "x" * 9]
    read = 0
    for _ in range(3000):
        if chance.random() < 0.5:
            data = bytearray(whole)
            for _ in range(chance.randrange(1, 6)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            payload = bytes(data)
        else:
            given = json.loads(whole)
            for place in (given, given["tool_input"], given["tool_response"]):
                place[chance.choice(list(place))] = chance.choice(odd)
                if chance.random() < 0.5:
                    break
            given["tool_name"] = chance.choice(
                ["Write", "Edit", "MultiEdit", "NotebookEdit", given["tool_name"]]
            )
            payload = json.dumps(given).encode()
        try:
            claude.parse(payload)
            read += 1
        except CortexError:
            pass
    tell(f"agent payloads: 3,000 damaged at random, {read:,} read, 0 crashes (seed {seed})")

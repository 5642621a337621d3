"""Row 8: whatever a parser is given, it reads it or refuses it as documented, within a second and 256 MiB."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fuzzing
import pytest

from cortex.agents import agent, jsontext
from cortex.daemon import client, protocol, registry, requests
from cortex.hooks import install, spool
from cortex.learning.lineage import marks
from cortex.learning.past import lessons as past
from cortex.learning.past import refs
from cortex.repo import config
from cortex.repo.errors import CortexError, UsageError
from cortex.store import backup, derived, layout, lock, pulling, quarantine, segments
from cortex.store.codec import decode, encode
from cortex.store.kinds import Hole, Memory, Pattern, RuleEvent
from cortex.store.record import DamagedLine, Draft, crc, from_line, make, to_line

Tell = Callable[[str], None]
W = "000102030405060708090a0b0c0d0e0f"


RULE = Pattern(
    language="python",
    pattern="requests.get($$$A)",
    rewrite="requests.get($$$A, timeout=10)",
    holes=(Hole("A", "string", ("url",)),),
    words=("requests",),
    guards=("lacks:timeout", "import:requests", "path:src/*"),
)
BODIES = (
    encode(Memory(type="rule", title="Use timeout", text="é\n", rule=RULE, provenance=("ab" * 16,))),
    encode(RuleEvent()),
    {"kind": "correction", "before": "x = 1\n", "after": "x = 2\n", "path": "a.py"},
)


def raw(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(
        "utf-8", "replace"
    )


def line(body: Mapping[str, Any], n: int = 1) -> bytes:
    return to_line(make(Draft(Memory()), t=1_700_000_000_000, w=W, n=n, author="Ada", body=body))


def forged(chance: random.Random, body: Mapping[str, Any]) -> bytes:
    """A line with something odd in it, under a right id and a right checksum."""
    whole = json.loads(line(body))
    del whole["id"], whole["crc"]
    whole = fuzzing.odd(chance, whole)
    if isinstance(whole, dict):
        whole["id"] = hashlib.sha256(raw(whole)).hexdigest()
        whole["crc"] = crc(raw(whole))
    return raw(whole)


# What the journal is made of.


@fuzzing.sizes(220_000, 20_000_000)
def test_lines_of_the_journal(count: int, seed: int, tell: Tell) -> None:
    good = [line(body).rstrip(b"\n") for body in BODIES]
    mutated = fuzzing.Mutator(seed, good, [b'"crc":"', b'"id":"', b'"parents":[', b'"body":{"kind":"memory"'])

    whole = [from_line(each, private=False) for each in good]

    def read(given: bytes) -> None:
        assert from_line(given, private=False) in whole  # under a checksum and a hash nothing else passes

    tell(fuzzing.hold("record lines", count, mutated, read, DamagedLine))


@fuzzing.sizes(30_000, 3_000_000)
def test_records_that_are_well_sealed_and_odd_inside(count: int, seed: int, tell: Tell) -> None:
    chance = random.Random(seed)

    def read(given: bytes) -> None:
        record = from_line(given, private=True)
        record.decoded()
        decode(Memory, record.body)
        assert from_line(to_line(record), private=True) == record

    made = lambda: forged(chance, chance.choice(BODIES))  # noqa: E731
    tell(fuzzing.hold("records under a right checksum", count, made, read, DamagedLine))


@fuzzing.sizes(8_000, 800_000)
def test_segments(count: int, seed: int, tell: Tell) -> None:
    good = [b"".join(line(body, n) for n in range(1, 5)) for body in BODIES]
    segment = segments.Segment(False, W, "202311", "")
    mutated = fuzzing.Mutator(seed, good)

    def read(data: bytes) -> None:
        named = segments.Segment(False, W, "202311", f"00000001-{segments.digest(data)}.jsonl")
        found = pulling._verify(named, "", data, 2**53)
        assert found.count <= data.count(b"\n") and found.t <= 2**53
        assert pulling._verify(segment, "", data, 0).count == 0

    tell(fuzzing.hold("segments", count, mutated, read, DamagedLine))


@fuzzing.sizes(60_000, 6_000_000)
def test_names_of_segments_are_exactly_theirs(count: int, seed: int, tell: Tell) -> None:
    good = f"seg/{W}/202311/00000001-0123456789abcdef.jsonl"
    mutated = fuzzing.Mutator(
        seed, [good.encode(), good.replace("seg", "private").encode()], [b"seg", b".git"]
    )

    def read(given: bytes) -> None:
        path = given.decode("utf-8", "surrogateescape")
        segment = segments.parse(path)
        if segment is None:
            raise UsageError("none")
        assert segment.path == path and path.isascii() and ".." not in path and path.count("/") == 3

    tell(fuzzing.hold("names of segments", count, mutated, read, UsageError))


# What comes over the socket, from agents and from hooks.


@fuzzing.sizes(220_000, 20_000_000)
def test_lines_of_the_socket(count: int, seed: int, tell: Tell) -> None:
    args = {"question": "why", "k": 5, "list": [1, [2, {"a": None}]], "at": "/r"}
    good = [
        protocol.request_line("ask", "/r", args, 1500),
        protocol.request_line("record", "/é", {"text": "\0"}),
    ]
    answers = [
        protocol.encode({"ok": True, "result": {"a": [1]}, "ms": 1.5, "version": "1"}),
        protocol.encode(
            {"ok": False, "error": protocol.error_body(UsageError("a", "b")), "ms": 1, "version": ""}
        ),
    ]
    mutated = fuzzing.Mutator(seed, [*good, *answers], [b'"v":1', b'"op":', b'"deadline_ms":', b'"args":{'])

    def read(given: bytes) -> None:
        protocol.rebuilt(protocol.parse(given).get("error"))
        read = requests.parse_request(given)
        again = protocol.request_line(read.op, read.repo, read.args, read.deadline_ms)
        assert requests.parse_request(again) == read

    tell(fuzzing.hold("socket lines", count, mutated, read, protocol.ProtocolError))


def payloads() -> list[dict[str, Any]]:
    common = {"session_id": "s", "transcript_path": "", "cwd": "/w", "hook_event_name": "PostToolUse"}
    edit = {"file_path": "a", "old_string": "b", "new_string": "c", "replace_all": False}
    return [
        {
            **common,
            "tool_name": "Write",
            "tool_input": {"file_path": "a.py", "content": "x"},
            "tool_response": {},
        },
        {
            **common,
            "tool_name": "Edit",
            "tool_input": edit,
            "tool_response": {"originalFile": "b", "userModified": True},
        },
        {**common, "tool_name": "MultiEdit", "tool_input": {"file_path": "a", "edits": [edit, edit]}},
        {**common, "hook_event_name": "UserPromptSubmit", "prompt": "fix it"},
    ]


@fuzzing.sizes(60_000, 6_000_000)
def test_payloads_of_agents(count: int, seed: int, tell: Tell) -> None:
    chance = random.Random(seed)
    good = payloads()
    mutated = fuzzing.Mutator(seed, [fuzzing.dumped(each) for each in good])
    claude = agent("claude-code")

    def made() -> bytes:
        return (
            mutated() if chance.random() < 0.6 else fuzzing.dumped(fuzzing.odd(chance, chance.choice(good)))
        )

    def read(given: bytes) -> None:
        event = claude.parse(given)
        for wrote in event.wrote:
            (wrote.path + (wrote.before or "") + (wrote.after or "") + (wrote.proposed or "")).encode()
        (event.task + event.model + event.cwd + event.conversation).encode()

    tell(fuzzing.hold("agents' payloads", count, made, read, UsageError))


@fuzzing.sizes(60_000, 6_000_000)
def test_settings_of_agents(count: int, seed: int, tell: Tell) -> None:
    good = json.dumps({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "x"}]}]}}, indent=2)
    mutated = fuzzing.Mutator(seed, [good.encode(), good.replace("\n", "\r\n").encode(), b"{}", b"[1, 2]"])

    def read(given: bytes) -> None:
        text = given.decode("utf-8")
        node = jsontext.parse(text)
        if node.kind == "[":
            added = jsontext.add(text, node, {"new": 1}, 0)
            assert jsontext.parse(added) and json.loads(added) == [*json.loads(text), {"new": 1}]
        elif node.kind == "{" and "new" not in node.members:
            added = jsontext.add(text, node, [1], 0, "new")
            assert jsontext.parse(added) and json.loads(added) == {**json.loads(text), "new": [1]}

    tell(fuzzing.hold("agents' settings", count, mutated, read, ValueError))


@fuzzing.sizes(100_000, 8_000_000)
def test_events_of_hooks(count: int, seed: int, tell: Tell) -> None:
    pairs = b"".join(b"%040x %064x\n" % (n, n + 1) for n in range(4))
    good = [
        b"v=1\nhook=post-rewrite\ncwd=/a=b\nhead=x\narg=rebase\narg=two words\nnew=1\n\n" + pairs,
        b"v=1\nhook=pre-commit\ncwd=/\xff\ngit_dir=.git\nindex=/w/.git/index\nref=refs/heads/main\nhead="
        + b"a" * 40,
    ]
    mutated = fuzzing.Mutator(seed, good, [b"\n\n", b"cwd=", b"arg="])

    def read(given: bytes) -> None:
        said = spool.GitEvent.parse(given)
        assert all(len(old) in (40, 64) and len(new) in (40, 64) for old, new in said.rewritten)
        json.dumps([said.cwd, said.ref, said.arguments])

    tell(fuzzing.hold("spooled events of git", count, mutated, read, UsageError))


@fuzzing.sizes(3_000, 300_000)
def test_files_in_the_spool(count: int, seed: int, tmp_path: Path, tell: Tell) -> None:
    names = [b"0a1b2c3d-1.git.post-commit", b"0a1b2c3d-1.agent.claude-code"]
    mutated = fuzzing.Mutator(seed, names, [b".git.", b".agent.", b".draft", b"-"])
    folder = tmp_path / "spool"
    folder.mkdir()

    def read(given: bytes) -> None:
        name = given.replace(b"/", b"|").replace(b"\0", b"0")[:200]
        if name in (b"", b".", b".."):
            return
        file = folder / name.decode("utf-8", "surrogateescape")
        file.write_bytes(given)
        found = spool.pending(folder)
        assert [each.payload for each in found] == ([given] if found else [])
        assert spool.count(folder) == len(found)
        spool.sweep(folder, 0.0)
        for each in found:
            spool.done(each)
        file.unlink(missing_ok=True)

    tell(fuzzing.hold("files in the spool", count, mutated, read, UsageError))


# Small files of JSON, and git-ai's notes.


def small_files(folder: Path, repo: Path) -> dict[str, tuple[str, bytes, Callable[[], object]]]:
    """name → the file's path, what it may hold, and what reads it."""
    folder.mkdir(exist_ok=True)
    (folder / "hooks").mkdir()
    import pygit2

    git = pygit2.Repository(str(repo))
    place = SimpleNamespace(store=folder)
    entry = {"common": "/r/.git", "roots": ["/r"], "added": 5}
    manifest = {
        "schema": 1,
        "form": derived.FORM,
        "encoder": "e",
        "width": 4,
        "rows": ["a"],
        "files": {"a": "b"},
    }
    cursor = {"cursor": {"tips": [str(git.head.target)], "done": 5, "safe": 4}, "since": 3}
    clock = layout._checked({"n": 5, "t": 9})
    return {
        "folders.json": (
            "hooks/folders.json",
            b'["/r/.git/hooks", "/r/x"]',
            lambda: install._remembered(place),
        ),  # type: ignore[arg-type]
        "manifest of the index": ("manifest.json", raw(manifest), lambda: derived.read_manifest(folder)),
        "registry": ("repositories.json", raw({"repositories": [entry]}), registry.Registry(folder).entries),
        "holder of the lock": (lock.HOLDER, raw({"pid": 7, "program": "x"}), lambda: lock.holder(folder)),
        "note of a quarantine": (
            "q.json",
            raw({"path": "a", "line": 3, "reason": "b"}),
            lambda: quarantine.Quarantine(folder)._why(folder / "q.json"),
        ),
        "format.json": (layout.FORMAT_FILE, layout.FORMAT_BYTES, lambda: layout.check_format(folder)),
        "clock": (layout.CLOCK, clock, lambda: layout.read_clock(folder)),
        "writer": (layout.WRITER, W.encode() + b"\n", lambda: layout.read_writer(folder)),
        "known commits": ("refs.json", raw({"known": ["a" * 40]}), lambda: refs._read(folder / "refs.json")),
        "cursor of history": (
            "past.json",
            raw(cursor),
            lambda: past.read_cursor(folder / "past.json", git, 3),
        ),
        "trusted files": ("trusted.json", raw({"/r/.cortex.toml": "a" * 64}), config._trusted),
        "what the daemon says of itself": ("daemon.json", raw({"pid": 5, "socket": "/s"}), client.describe),
    }


@fuzzing.sizes(24_000, 2_400_000)
def test_small_files(
    count: int, seed: int, repo: Path, tmp_path: Path, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORTEX_HOME", str(tmp_path / "files"))
    files = small_files(tmp_path / "files", repo)
    chance = random.Random(seed)
    for name, (path, good, parse) in files.items():
        target = tmp_path / "files" / path
        target.write_bytes(good)
        assert parse() or name == "format.json", f"{name}: as it should be, and nothing is read"
        mutated = fuzzing.Mutator(chance.randrange(2**32), [good])

        def made(mutated: Any = mutated, good: bytes = good, target: Path = target) -> bytes:
            if chance.random() < 0.6 or not good.startswith((b"{", b"[")):
                data = mutated()
            else:
                data = fuzzing.dumped(fuzzing.odd(chance, json.loads(good)))
            target.write_bytes(data)
            return data

        tell(fuzzing.hold(name, count // len(files), made, lambda _, parse=parse: parse(), CortexError))


@fuzzing.sizes(10_000, 1_000_000)
def test_manifests_of_backups(count: int, seed: int, tell: Tell) -> None:
    good = raw({"format": 1, "files": {"writer": [33, "ab" * 32], f"wal/{W}.jsonl": [5, "cd" * 32]}})
    mutated = fuzzing.Mutator(seed, [good])
    read = lambda given: backup._manifest(given, Path("x"))  # noqa: E731
    tell(fuzzing.hold("manifests of backups", count, mutated, read, CortexError))


@fuzzing.sizes(40_000, 4_000_000)
def test_notes_of_git_ai(count: int, seed: int, tell: Tell) -> None:
    facts = {"schema_version": "authorship/3.0.0", "prompts": {"a1b2": {"agent_id": {"tool": "cursor"}}}}
    good = b"src/a.py\n  a1b2 1-4,9\n  s_1::t_2 5\n---\n" + json.dumps(facts).encode()
    mutated = fuzzing.Mutator(
        seed, [good, b"---\n{}", b'"a b.py"\n  h_1 3\n---\n{}'], [b"\n---\n", b"1-99999999999", b"  "]
    )
    read = lambda given: marks.read_note(given.decode("utf-8", "replace"))  # noqa: E731
    tell(fuzzing.hold("git-ai's notes", count, mutated, read, UsageError))


@pytest.mark.parametrize(
    "data", [b"[" * 100_000, b'{"a":' * 50_000, b"9" * 6000], ids=["lists", "objects", "digits"]
)
def test_no_small_file_is_too_deep(
    data: bytes, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six of these readers once ended with a RecursionError."""
    monkeypatch.setenv("CORTEX_HOME", str(tmp_path / "files"))
    for path, _, parse in small_files(tmp_path / "files", repo).values():
        (tmp_path / "files" / path).write_bytes(data)
        with contextlib.suppress(CortexError):
            parse()


def test_a_number_without_end_is_no_process_and_no_format(tmp_path: Path) -> None:
    (tmp_path / lock.HOLDER).write_text('{"pid": Infinity, "program": "x"}')
    assert lock.holder(tmp_path) == ""
    with pytest.raises(CortexError):
        backup._manifest(b'{"files": {}, "format": 1e999}', Path("x"))

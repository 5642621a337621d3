"""Row 8, of what other people and programs write: settings, rules, trees of a pulled branch, messages of MCP."""

from __future__ import annotations

import json
import logging
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fuzzing
import pygit2
import pytest
from pygit2.enums import ObjectType

from cortex.analyzers import patterns
from cortex.analyzers.languages import LANGUAGES
from cortex.cli.mcp import build
from cortex.daemon.session import Session
from cortex.repo import config
from cortex.repo.errors import CortexError, UsageError
from cortex.repo.places import Place, find
from cortex.store import pulling, segments
from cortex.store.codec import decode, encode
from cortex.store.kinds import Hole, Memory, Pattern
from cortex.store.record import Draft, make, to_line

Tell = Callable[[str], None]
W = "ab" * 16


# Settings.

SETTINGS = (
    b'# mine\n[recall]\nk = 3  # few\nbudget = 300\n\n[guard]\nmode = "block"\ndeadline = 1.5\n',
    b"[learn]\nhistory = false\nsince = \"v1\"\n[sync]\nremote = 'origin'\n[daemon]\nautostart = true\n",
    b'recall.k = 2\nguard = { mode = "off", block_confidence = 0.9 }\n[[more]]\na = [1, 2.5, "x", 1979-05-27]\n',
    b'[recall]\r\nk = 0x5\r\n"budget" = 1_00\r\n[guard]\r\nmode = """\nwarn"""\r\n',
)
TOML = (
    *b"""nan inf -inf 1e400 \"\"\" \'\'\' 1979-05-27T07:32:00Z 0x 0b1 \\U0011""".split(),
    *(b"[recall]\n", b"[guard]\n", b"k = ", b"deadline = ", b"[[a]]\n", b"a.b.c = 1\n", b"{ a = "),
    *(b"[" * 60, b"9" * 400, b"9" * 5000),
)


@pytest.fixture
def place(repo: Path) -> Place:
    found = find(repo)
    found.store.mkdir(exist_ok=True)
    return found


@fuzzing.sizes(4_000, 400_000)
def test_settings(count: int, seed: int, place: Place, tell: Tell) -> None:
    chance = random.Random(seed)
    mutated = fuzzing.Mutator(seed, SETTINGS, TOML)
    own, team = place.store / "config.toml", place.require_root() / config.TEAM_FILE
    keys = list(config.OPTIONS)

    def made() -> bytes:
        data = mutated()
        (team if chance.random() < 0.3 else own).write_bytes(data)
        return data

    def read(given: bytes) -> None:
        if chance.random() < 0.2 and team.exists() and len(team.read_bytes()) <= config.MAX_FILE:
            config.trust(place)
        settings = config.load(place)  # which stops at no file, whatever is in it
        for key, option in config.OPTIONS.items():
            assert config.check(option, settings[key].value) == settings[key].value
        assert all(len(each) < 1000 for each in settings.warnings)
        key = chance.choice(keys)
        try:
            config.write(own, key, config.OPTIONS[key].default)
        except UsageError:
            return  # what cannot be read is not written over
        assert config._read(own)[key] == config.OPTIONS[key].default

    tell(fuzzing.hold("settings", count, made, read, ()))


@fuzzing.sizes(20_000, 2_000_000)
def test_values_typed_by_hand(count: int, seed: int, tell: Tell) -> None:
    chance = random.Random(seed)
    mutated = fuzzing.Mutator(
        seed, [b"5", b"0.9", b"warn", b"true", b"origin"], [b"1_0", b"nan", b"inf", b"9" * 5000]
    )
    options = list(config.OPTIONS.values())

    def read(given: bytes) -> None:
        option = chance.choice(options)
        config.check(option, config.parse(option, given.decode("utf-8", "surrogateescape")))

    tell(fuzzing.hold("values of settings", count, mutated, read, UsageError))


# Rules.

CODE = {
    "python": "import requests\n\ndef f(a, *b):\n    x = requests.get(a, b, timeout=3)\n    return f(f(x)) == x\n"
    * 3,
    "go": 'package p\nimport "os"\nfunc f(a int) {\n\tx := exec.Command("a", b)\n\tx.Close(); f(f(a))\n}\n',
    "javascript": "import a from 'b';\nconst x = f(a, ...b);\nif (x == null) { f({c: 1}, `d${x}`) }\n",
    "typescript": "import {a} from 'b';\nconst x: number = f<string>(a, b!);\n",
    "tsx": "const A = () => <B c={f(1, 2)}>d</B>;\n",
}
RULES = (
    Pattern(language="python", pattern="requests.get($$$A)", rewrite="requests.get($$$A, timeout=10)",
            holes=(Hole("A", "string", ("url",)),), words=("requests",), guards=("lacks:timeout", "import:requests")),
    Pattern(language="python", pattern="$A == $B", rewrite="$A is $B", guards=("path:src/*",)),
    Pattern(language="go", pattern="exec.Command($$$A)", rewrite="exec.CommandContext(ctx, $$$A)",
            context="package p\nfunc f() {\nexec.Command($$$A)\n}", selector="call_expression"),
    Pattern(language="javascript", pattern="f($A, $$$B)", rewrite="g($$$B, $A)", words=("f",)),
    Pattern(language="tsx", pattern="<B c={$A}>$$$B</B>", rewrite="<C>{$A}</C>"),
)  # fmt: skip
SYNTAX = (
    *b"$A $B $$$A $$$ $_ $$ f( ) (((( { } => <B> </ lambda: path:*a*b*c* path:[! (a+)+$ .*.*.* if /* '''".split(),
    *(b"lacks:", b"import:", b"path:", b":\n    "),
)


@fuzzing.sizes(8_000, 800_000)
def test_rules_of_others(count: int, seed: int, tell: Tell) -> None:
    """As they are pulled: a record's body, decoded; then compiled and matched, whoever wrote them."""
    chance = random.Random(seed)
    texts = [each.encode() for rule in RULES for each in (rule.pattern, rule.rewrite, rule.context) if each]
    mutated = fuzzing.Mutator(seed, texts, SYNTAX)
    plain = [dict(encode(Memory(rule=rule))) for rule in RULES]
    found = 0

    def text() -> str:
        return mutated().decode("utf-8", chance.choice(["replace", "surrogateescape"]))

    def made() -> dict[str, Any]:
        body = json.loads(json.dumps(chance.choice(plain)))
        rule = body["rule"]
        for name in chance.sample(["pattern", "rewrite", "context", "selector"], chance.choice([0, 1, 1, 2])):
            rule[name] = text()
        if chance.random() < 0.3:
            rule["guards"] = [text()] * chance.choice([1, 1, 1, 200]) + [text()]
        if chance.random() < 0.2:
            rule["words"] = [text()[:3]] * chance.choice([0, 1, 1, 300])
        if chance.random() < 0.2:
            rule["language"] = chance.choice([*CODE, "cobol", ""])
        return fuzzing.odd(chance, body) if chance.random() < 0.3 else body

    def read(body: object) -> None:
        nonlocal found
        rule = decode(Memory, body if isinstance(body, dict) else {}).rule
        compiled = patterns.compile(rule) if rule is not None else None
        if compiled is None:
            raise UsageError("none")
        code = CODE[compiled.language.name] + (text()[:2000] if chance.random() < 0.2 else "")
        matches = compiled.find(code, path="src/a.py")
        after = patterns.apply(code, matches)
        found += len(matches)
        assert matches or after == code
        assert all(code[each.start : each.end] == each.text for each in matches)

    assert set(CODE) <= set(LANGUAGES)
    tell(f"{fuzzing.hold('rules', count, made, read, UsageError)}; {found:,} places found")
    assert found


# Trees of a pulled branch.


class Forger:
    """Writes tree objects byte by byte, whatever git would say of them."""

    def __init__(self, git: pygit2.Repository, chance: random.Random) -> None:
        self.git = git
        self.chance = chance
        line = to_line(make(Draft(Memory()), t=9, w=W, n=1, author="Eve", body=encode(Memory(text="x"))))
        self.good = line
        self.names = fuzzing.Mutator(
            chance.randrange(2**32),
            [b"seg", W.encode(), b"202311", b"format.json", self.name(line)],
            [b".git", b"..", b"\xff", b"\n"],
        )
        self.lines = fuzzing.Mutator(chance.randrange(2**32), [line, line * 3])
        self.formats = fuzzing.Mutator(chance.randrange(2**32), [b'{"format":1}\n'])

    def name(self, data: bytes) -> bytes:
        return f"00000001-{segments.digest(data)}.jsonl".encode()

    def blob(self, data: bytes) -> str:
        return str(self.git.create_blob(data))

    def level(self, depth: int) -> str:
        """A tree: mostly what belongs there, and things that do not."""
        chance = self.chance
        entries: list[tuple[int, bytes, str]] = []
        for _ in range(chance.choice([0, 1, 1, 2, 3])):
            if depth == 3:
                data = self.lines() if chance.random() < 0.7 else self.good
                mode, name, oid = 0o100644, self.name(data), self.blob(data)
            else:
                mode, name = 0o40000, (b"seg", W.encode(), b"202311")[depth]
                oid = self.level(depth + 1)
            if depth == 0 and chance.random() < 0.5:
                mode, name, oid = 0o100644, b"format.json", self.blob(self.formats())
            what = chance.random()
            if what < 0.15:
                name = self.names().replace(b"\0", b"")[:200] or b"x"
            elif what < 0.3:
                mode = chance.choice([0o120000, 0o100755, 0o160000, 0o40000, 0o100644, 0o100664, 0, 0o777777])
            elif what < 0.35:
                oid = os.urandom(20).hex()
            entries.append((mode, name, oid))
        raw = b"".join(b"%o %s\0" % (mode, name) + bytes.fromhex(oid) for mode, name, oid in entries)
        if chance.random() < 0.05 and raw:
            raw = raw[: chance.randrange(len(raw))]
        return str(self.git.odb.write(ObjectType.TREE, raw))

    def commit(self) -> str:
        who = pygit2.Signature("Eve", "eve@example.org", 1_700_000_000, 0)
        tree = self.level(0)
        data = f"tree {tree}\nauthor {who.name} <{who.email}> 1 +0000\ncommitter Eve <e> 1 +0000\n\nShare\n"
        return str(self.git.odb.write(ObjectType.COMMIT, data.encode()))


@fuzzing.sizes(200, 20_000)
def test_trees_of_a_pulled_branch(count: int, seed: int, repo: Path, tell: Tell) -> None:
    git = pygit2.Repository(str(repo))
    forger = Forger(git, random.Random(seed))
    taken = 0

    def read(commit: str) -> None:
        nonlocal taken
        listing = pulling.list_tree(git, commit, {})
        for path in listing.segments:
            assert segments.parse(path) is not None
        for arrival in pulling.arrivals(git, listing, listing.segments, 2**53):
            assert arrival.segment.fits(arrival.data) and arrival.count
            taken += arrival.count

    told = fuzzing.hold("trees of a branch", count, forger.commit, read, (CortexError, pygit2.GitError))
    tell(f"{told}; {taken:,} records taken")
    assert taken


# Messages of MCP.


def messages() -> list[dict[str, Any]]:
    def ask(n: int, method: str, **params: Any) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": n, "method": method, "params": params}

    recall = {"task": "how are timestamps stored?", "path": "a.py", "k": 2, "budget": 100}
    write = {"path": "gen.py", "content": "x = 1\n", "task": "make x", "agent": "t"}
    return [
        ask(1, "tools/list"),
        ask(2, "tools/call", name="recall", arguments=recall),
        ask(3, "tools/call", name="record_generation", arguments=write),
        ask(4, "resources/list"),
        ask(5, "ping"),
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2, "reason": "x"}},
    ]


@fuzzing.sizes(1_000, 60_000)
def test_messages_of_mcp(
    count: int,
    seed: int,
    repo: Path,
    tell: Tell,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Lines as they come in, through the SDK's own reader, session and handlers, to the engine of a real store."""
    import anyio
    from mcp.server.stdio import stdio_server

    from cortex.store import layout

    monkeypatch.chdir(repo)
    layout.create(find(repo).store)
    caplog.set_level(logging.CRITICAL)
    chance = random.Random(seed)
    good = messages()
    mutated = fuzzing.Mutator(
        seed, [fuzzing.dumped(each) for each in good], [b'"method":', b'"id":', b'"arguments":{']
    )

    def line() -> bytes:
        what = chance.random()
        data = mutated() if what < 0.4 else fuzzing.dumped(fuzzing.odd(chance, chance.choice(good)))
        return data.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"

    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    start = [
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
    ]
    last = {
        "jsonrpc": "2.0",
        "id": "last",
        "method": "tools/call",
        "params": {"name": "recall", "arguments": {"task": "x"}},
    }
    lines = [fuzzing.dumped(each) + b"\n" for each in start] + [line() for _ in range(count)]
    answers: list[dict[str, Any]] = []

    class Wire:
        """What stands for the pipes: lines in, lines out; it ends when the last question is answered."""

        def __init__(self) -> None:
            self.left = iter([*lines, fuzzing.dumped(last) + b"\n"])
            self.ended = anyio.Event()

        def __aiter__(self) -> Wire:
            return self

        async def __anext__(self) -> str:
            for each in self.left:
                return each.decode("utf-8", "replace")
            await self.ended.wait()
            raise StopAsyncIteration

        async def write(self, text: str) -> None:
            answers.append(json.loads(text))
            if answers[-1].get("id") == "last":
                self.ended.set()

        async def flush(self) -> None:
            pass

    async def serve() -> None:
        wire = Wire()
        with Session.open(repo, daemon=False) as opened:
            server = build(opened)._lowlevel_server
            async with stdio_server(wire, wire) as (incoming, outgoing):  # type: ignore[arg-type]
                await server.run(incoming, outgoing, server.create_initialization_options())

    began = fuzzing.time.process_time()
    with anyio.from_thread.start_blocking_portal() as portal:
        portal.call(serve)
    took = (fuzzing.time.process_time() - began) / count * 1000
    assert answers[0]["id"] == 0 and "result" in answers[0]
    assert any(answer.get("id") == "last" and "result" in answer for answer in answers)
    said = [json.dumps(answer) for answer in answers]
    assert not any("Traceback" in each or "Internal" in each for each in said)
    told = sum("result" in answer and not answer["result"].get("isError") for answer in answers)
    tell(
        f"fuzz, MCP messages: {count:,} lines, {told:,} results, 0 crashes; {took:.1f} ms each on the average"
    )

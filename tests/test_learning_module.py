"""A rule about a module's member speaks of that module: not of a parameter or a local that has its name."""

from __future__ import annotations

import pytest

from cortex.analyzers.patterns import Compiled, compile
from cortex.learning.corrections.extraction import corrections
from cortex.learning.rules.generalise import generalise
from cortex.store.kinds import Correction

PYTHON = "import session\n\ndef f(u):\n    return {}\n"
GO = 'package p\n\nimport "os/exec"\n\nfunc f(u string) {{\n\t{}\n}}\n'
SCRIPT = "import {{ client }} from './net';\nfunction f(u) {{ return {}; }}\n"


def learnt(frame: str, path: str, before: str, after: str) -> Compiled:
    seen: list[tuple[str, Correction]] = []
    for n, name in enumerate(("u", "u + 1", "u[0]")):
        sides = (frame.format(side.format(name)) for side in (before, after))
        found = corrections(*sides, f"{n}{path}", commit=f"c{n}")
        seen += [(f"{n}{k}", each) for k, each in enumerate(found)]
    (first, *_) = generalise(seen)
    compiled = compile(first.pattern, first.pattern.language)
    assert compiled is not None
    return compiled


@pytest.fixture(scope="module")
def session() -> Compiled:
    return learnt(PYTHON, "a.py", "session.get({})", "session.get({}, timeout=5)")


def test_the_guards_say_the_name_and_its_module(session: Compiled) -> None:
    assert {"bound:session", "import:session"} <= set(session.pattern.guards)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import session\nx = session.get(a)\n", 1),
        ("import session\ndef g(a):\n    return session.get(a)\n", 1),
        ("import session\ndef g(a, b=session):\n    return session.get(a)\n", 1),
        (
            "import session\ndef g(a):\n    return h(\n        session=session,\n        x=session.get(a))\n",
            1,
        ),
        ("session = make()\nx = session.get(a)\n", 0),
        ("import session\ndef g(session, a):\n    return session.get(a)\n", 0),
        ("import session\ndef g(a, *, session: S = None):\n    return session.get(a)\n", 0),
        ("import session\ndef g(a):\n    session = make()\n    return session.get(a)\n", 0),
        ("import session\ndef g(a):\n    with make() as session:\n        session.get(a)\n", 0),
        ("import session\ndef g(a):\n    for session in a:\n        session.get(a)\n", 0),
        ("import session\ndef g(a):\n    x, session = make()\n    session.get(a)\n", 0),
        ("from other import session\nx = session.get(a)\n", 0),
    ],
)
def test_a_python_name_is_the_module_or_another_thing(session: Compiled, source: str, found: int) -> None:
    assert len(session.find(source)) == found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("func g(u string) { exec.Command(u) }", 1),
        ("func g(cmd exec.Cmd, u string) { exec.Command(u) }", 1),
        ("func g(exec Runner, u string) { exec.Command(u) }", 0),
        ("func g(u string) {\n\texec := make()\n\texec.Command(u)\n}", 0),
        ("func g(u string) {\n\texec, err := make()\n\texec.Command(u)\n}", 0),
        ("func g(u string) {\n\tvar exec Runner\n\texec.Command(u)\n}", 0),
    ],
)
def test_a_go_package_is_not_a_parameter(body: str, found: int) -> None:
    rule = learnt(GO, "a.go", "exec.Command({})", "exec.CommandContext(ctx, {})")
    assert "import:os/exec" in rule.pattern.guards
    assert len(rule.find(f'package p\n\nimport "os/exec"\n\n{body}\n')) == found
    assert rule.find(f'package p\n\nimport "other/exec"\n\n{body}\n') == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("function g(u) { return client.get(u); }", 1),
        ("const g = (client, u) => client.get(u);", 0),
        ("const g = client => client.get(u);", 0),
        ("function g({ client }, u) { return client.get(u); }", 0),
        ("function g(u) {\n  const client = make();\n  return client.get(u);\n}", 0),
        ("function g(u) {\n  for (const client of u) client.get(u);\n}", 0),
    ],
)
def test_a_script_s_import_is_not_a_parameter(body: str, found: int) -> None:
    rule = learnt(SCRIPT, "a.ts", "client.get({})", "client.get({}, limit)")
    assert len(rule.find(f"import {{ client }} from './net';\n{body}\n")) == found
    assert rule.find(body) == []


def test_a_piece_of_a_file_is_not_asked_what_it_imports(session: Compiled) -> None:
    assert session.find("session.get(a)") == []
    assert len(session.find("session.get(a)", piece=True)) == 1

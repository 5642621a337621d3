"""Rules are rather too narrow than too wide: receivers stay, and common members alone warn nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex.analyzers.imports import names_of
from cortex.analyzers.patterns import compile
from cortex.learning.corrections.extraction import corrections
from cortex.learning.rules.backtest import BackTest, backtest, lone
from cortex.learning.rules.generalise import generalise
from cortex.learning.rules.lifecycle import ACTIVE, SHADOW, Evidence, corrected, decide
from cortex.learning.rules.revising import revise
from cortex.store.journal import FileJournal
from cortex.store.kinds import Correction, Pattern, RuleEvent
from cortex.store.layout import create
from cortex.store.record import Draft

PYTHON = 'session.get("/x" + {0}, {0})', 'session.get("/x" + {0}, {0}, timeout=5)'
SCRIPT = 'client.get("/x" + {0}, {0});', 'client.get("/x" + {0}, {0}, limit);'
ARGUMENTS = ("u", "v", "other")


def learnt(head: str, foot: str, path: str, before: str, after: str) -> list[tuple[str, Correction]]:
    out = []
    for n, name in enumerate(ARGUMENTS):
        old, new = (f"{head}\n{side.format(name)}\n{foot}" for side in (before, after))
        found = corrections(old, new, f"{n}/{path}", commit=f"c{n}")
        out += [(f"{n}{k}", each) for k, each in enumerate(found)]
    return out


@pytest.mark.parametrize(
    ("head", "foot", "path", "sides", "receiver"),
    [
        ("from .net import session\n", "", "a.py", PYTHON, "session"),
        ("from net import session\n", "", "a.py", PYTHON, "session"),
        ("from net import (\n    make as session,  # ours\n)\n", "", "a.py", PYTHON, "session"),
        ("import http.session as session\n", "", "a.py", PYTHON, "session"),
        ("import os\nsession = make()\n", "", "a.py", PYTHON, "session"),
        ("import os\ndef f(session, u):\n  pass\n", "", "a.py", PYTHON, "session"),
        ("import { client } from './net';", "", "a.ts", SCRIPT, "client"),
        ("import client from './net';", "", "a.ts", SCRIPT, "client"),
        ("import { http as client } from './net';", "", "a.js", SCRIPT, "client"),
        ("const { http: client } = require('./net');", "", "a.js", SCRIPT, "client"),
        (
            'package p\n\nimport "github.com/acme/bus/v2"\n\nfunc f() {',
            "}\n",
            "a.go",
            ("bus.Send({0}, {0})", "bus.Send(ctx, {0}, {0})"),
            "bus",
        ),
        (
            'package p\n\nimport (\n\t"gopkg.in/yaml.v3"\n)\n\nfunc f() {',
            "}\n",
            "a.go",
            ("yaml.Load({0}, {0})", "yaml.Load({0}, {0}, true)"),
            "yaml",
        ),
    ],
)
def test_a_receiver_that_all_examples_share_stays(
    head: str, foot: str, path: str, sides: tuple[str, str], receiver: str
) -> None:
    lasting = [each for each in generalise(learnt(head, foot, path, *sides)) if not each.wide]
    assert lasting
    for each in lasting:
        assert each.pattern.pattern.startswith(f"{receiver}."), each.pattern.pattern


def test_such_a_rule_leaves_other_receivers_alone() -> None:
    (first, *_) = generalise(learnt("from .net import session\n", "", "a.py", *PYTHON))
    compiled = compile(first.pattern, "python")
    assert compiled is not None
    head = "from .net import session\n"
    others = head + 'os.environ.get("HOME", "")\nd.get("k", "v")\ncache.get("/x" + a, a)\n'
    assert compiled.find(others) == []
    assert len(compiled.find(head + 'session.get("/x" + z, z)\n')) == 1


@pytest.mark.parametrize(
    ("language", "source", "names"),
    [
        (
            "python",
            "import a.b, c.d as e\nfrom . import f\nfrom g import (\n  h,\n  i as j,\n)\n",
            "a e f h j",
        ),
        ("python", "from a import b  # c\n    import inner\nfrom x import *\n", "b inner"),
        (
            "typescript",
            "import a, { b, type C, d as e } from 'm'\nimport * as n from 'n'\nimport 's'",
            "a b C e n",
        ),
        ("javascript", "const x = require('x'), y = 1\nconst { p, q: r } = require('z')\n", "x p r"),
        ("tsx", "import type { T } from './t';\nimport old = require('old');", "T old"),
        (
            "go",
            'import "fmt"\nimport y "gopkg.in/yaml.v3"\nimport (\n\t_ "db"\n\t. "dot"\n\t"a/b"\n)\n',
            "fmt y b",
        ),
        ("go", 'import "github.com/a/go-redis/v9"\nimport "gopkg.in/yaml.v3"\n', "redis yaml"),
        ("cobol", "import a", ""),
    ],
)
def test_the_names_that_imports_bind(language: str, source: str, names: str) -> None:
    assert names_of(source, language) == tuple(names.split())


@pytest.mark.parametrize("language", ["python", "go", "javascript", "typescript", "tsx", "cobol", None])
@given(text=st.text("imporfaswthqu(){}*,;:='\"`./$_v2 \n\\#", max_size=80))
def test_no_text_stops_the_reading_of_imports(language: str | None, text: str) -> None:
    for source in (
        text,
        f"import ({text})\n",
        f"import {text} from 'm'",
        f"from m import {text}\nimport {text}",
    ):
        assert all(names_of(source, language))


def test_a_correction_keeps_the_bound_names_that_it_speaks_of() -> None:
    source = "from .net import session, unused\nimport a.b as c\nx = session.get(c, {})\n"
    (one,) = corrections(source.format(1), source.format("y"), "a.py")
    assert one.bound == ("c", "session")


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("$A.get($B, $C)", ("get",)),
        ("$A().get($B)", ("get",)),
        ("$A?.inner.get($B)", ("inner", "get")),
        ("new $A().get($B)", ("get",)),
        ("requests.get($A)", ()),
        ("open($A)", ()),
        ("$A.get(u, $A)", ("get",)),
        ("$A.get(Kind, $A)", ()),
        ("$A.get($B, timeout=$C)", ()),
        ('$A.get("token")', ()),
        ('$A.get("")', ("get",)),
        ("$A == $B", ()),
    ],
)
def test_members_alone_on_any_receiver_are_told(pattern: str, words: tuple[str, ...]) -> None:
    assert lone(Pattern(language="python", pattern=pattern)) == words


def pattern_of(member: str) -> Pattern:
    return Pattern(
        language="python", pattern=f"$A.{member}($B)", rewrite=f"$A.{member}($B, 1)", words=(member,)
    )


def test_a_small_repository_takes_a_table_and_a_larger_one_its_own_word_for_what_is_common() -> None:
    few = [(f"m{n}.py", "x = 1\n") for n in range(5)]
    assert backtest(pattern_of("get"), few).common
    assert not backtest(pattern_of("quiesce"), few).common
    many = [(f"m{n}.py", "x.quiesce()\n" if n % 3 else "x = 1\n") for n in range(30)]
    assert backtest(pattern_of("quiesce"), many).common
    assert not backtest(pattern_of("get"), many).common
    corrected_files = {path for path, text in many if "quiesce" in text}
    assert not backtest(pattern_of("quiesce"), many, touched=corrected_files).common


def test_a_common_member_alone_never_warns_from_a_few_corrections() -> None:
    common = BackTest(common=True)
    assert decide(Evidence(3, 3.0, 3), common).state == SHADOW
    assert decide(Evidence(11, 11.0, 11), common).state == SHADOW
    assert decide(Evidence(30, 30.0, 5), common).state == SHADOW
    assert decide(Evidence(30, 30.0, 9), BackTest(common=True, stood=1)).state == SHADOW
    assert decide(Evidence(30, 30.0, 9), common).state == ACTIVE
    assert decide(Evidence(3, 3.0, 3, good=1), common).state == ACTIVE


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[FileJournal]:
    create(tmp_path / "cortex")
    yield FileJournal(tmp_path / "cortex", "Ada Byron <ada@example.org>")


def learn(journal: FileJournal, pairs: Sequence[tuple[str, str]], first: int = 0) -> list[RuleEvent]:
    for n, (before, after) in enumerate(pairs, first):
        found = corrections(before + "\n", after + "\n", f"m{n}.py", hand="person", commit=f"c{n}")
        journal.append([Draft(each, origin="live") for each in found])
    return revise(journal)


def events(journal: FileJournal) -> list[RuleEvent]:
    bodies = [record.decoded() for record in journal.view().of_kind("rule-event")]
    return [body for body in bodies if isinstance(body, RuleEvent)]


def test_corrections_on_different_receivers_make_a_rule_that_stays_in_the_shadow(
    journal: FileJournal,
) -> None:
    learn(journal, [(f"{name}.get(u, {name})", f"{name}.get(u, {name}, timeout=5)") for name in "abc"])
    (event,) = events(journal)
    assert event.to_state == SHADOW
    assert "common member" in event.reason


def timeouts(*names: str) -> list[tuple[str, str]]:
    return [(f"x = fetcher.pull({name})", f"x = fetcher.pull({name}, timeout=5)") for name in names]


def test_a_rule_that_stays_as_it_is_makes_no_step_until_its_counts_moved_notably(
    journal: FileJournal,
) -> None:
    assert len(learn(journal, timeouts(*(f"a{n}" for n in range(10))))) == 1
    assert learn(journal, timeouts("b0"), first=10) == []
    assert len(events(journal)) == 1
    assert learn(journal, timeouts("b1", "b2"), first=11) == []
    first, last = events(journal)
    assert (first.from_state, last.from_state, last.to_state) == ("", ACTIVE, ACTIVE)
    assert last.reason.startswith(
        "still active, corrected 13 times in 13 commits, before 10 times in 10 commits; "
    )


def test_counts_are_said_as_one_says_them() -> None:
    assert corrected(1, 1) == "corrected once in 1 commit"
    assert corrected(18, 3) == "corrected 18 times in 3 commits"
    assert "1 like place stands" in decide(Evidence(9, 9.0, 5), BackTest(stood=1)).reason
    assert "4 like places stand" in decide(Evidence(9, 9.0, 5), BackTest(stood=4)).reason
    assert decide(Evidence(1, 1.0, 1), BackTest()).reason == "1 of 3 corrections needed"

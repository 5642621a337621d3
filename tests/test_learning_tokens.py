"""Rules of tokens: learnt where no tree can say it, matched by their words, and rules like any other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cortex.analyzers.patterns import TOKENS, apply, compile
from cortex.learning.guard.findings import Change, check
from cortex.learning.guard.speaking import active_rules
from cortex.learning.rules.backtest import backtest
from cortex.learning.rules.exchange import from_json
from cortex.learning.rules.revising import revise
from cortex.learning.rules.tokens import token_rules
from cortex.repo.places import find
from cortex.store.items import items
from cortex.store.journal import FileJournal, create
from cortex.store.kinds import Correction, Pattern
from cortex.store.record import Draft

AUTHOR = "Ada Byron <ada@example.org>"
STRINGS = [
    ("log('cannot reach the old_server')", "log('cannot reach the new_server')"),
    ("warn('is it the old_server?')", "warn('is it the new_server?')"),
    ("x = 'old_server, port 80'", "x = 'new_server, port 80'"),
]


def told(*pairs: tuple[str, str], language: str = "python") -> list[tuple[str, Correction]]:
    return [
        (
            f"m{n}",
            Correction(
                before=before,
                after=after,
                path=f"m{n}.py",
                language=language,
                hand="person",
                commit=f"{n:040x}",
            ),
        )
        for n, (before, after) in enumerate(pairs, 1)
    ]


def learnt(*pairs: tuple[str, str], language: str = "python") -> Pattern:
    (candidate,) = token_rules(told(*pairs, language=language), ())
    assert len(candidate.support) == len(pairs)
    return candidate.pattern


def rewritten(pattern: Pattern, text: str) -> str:
    compiled = compile(pattern)
    assert compiled is not None
    return apply(text, compiled.find(text))


def test_a_word_in_strings_is_a_rule_of_strings():
    pattern = learnt(*STRINGS)
    assert (pattern.selector, pattern.guards, pattern.words) == (TOKENS, ("within:string",), ("old_server",))
    text = "old_server = 1  # old_server\nprint(f'{old_server} is an  old_server')\n"
    assert rewritten(pattern, text) == text.replace("an  old_server", "an  new_server")


def test_a_word_in_comments_is_a_rule_of_comments():
    pattern = learnt(
        ("# ask the server first", "# ask the daemon first"),
        ("x = 1  # the server knows", "x = 1  # the daemon knows"),
        ("# is the server up", "# is the daemon up"),
    )
    assert pattern.guards == ("within:comment",)
    text = "say('the server')  # the server\n#   the\n# server\n"
    assert rewritten(pattern, text) == text.replace("# the server", "# the daemon")


def test_base_classes_and_arguments_keep_their_neighbours_and_white_space():
    bases = learnt(*[(f"class {x}(BaseView):", f"class {x}(BaseView, Cached):") for x in ("A", "B", "C")])
    assert (
        rewritten(bases, "class D( BaseView ):\n    x = 1\n") == "class D( BaseView, Cached ):\n    x = 1\n"
    )
    assert rewritten(bases, "class D(BaseView, Cached):\n") == "class D(BaseView, Cached):\n"
    arguments = learnt(
        ("f(a, verbose=True, b=1)", "f(a, b=1)"),
        ("g(verbose=True, c=1)", "g(c=1)"),
        ("h(x, verbose=True, d=2)", "h(x, d=2)"),
    )
    text = "k(y,\n  verbose=True,  # loud\n  z=1)\nk(verbose=False, z=1)\n"
    assert rewritten(arguments, text) == "k(y,\n  # loud\n  z=1)\nk(verbose=False, z=1)\n"


@pytest.mark.parametrize(
    ("pattern", "rewrite", "text", "wanted"),
    [
        ("max($A, $A)", "one($A)", "max(b, b)\nmax(b, c)\n", "one(b)\nmax(b, c)\n"),
        ("f(a, b)", "f(b)", "f(a,\n  b)\n", "f(b)\n"),
        ("f(b)", "f(a, b)", "f(b)\nf(a, b)\n", "f(a, b)\nf(a, b)\n"),
        ("order", "req.order", "order += 1\nreq.order = 1\nborder = 1\n",
         "req.order += 1\nreq.order = 1\nborder = 1\n"),
        ("x = True", "x = True  # noqa", "x  =  True\nx = True  # noqa\n", "x  =  True  # noqa\nx = True  # noqa\n"),
        ("a.b", "a.c", "a.b\r\na.bb\r\nxa.b\r\n", "a.c\r\na.bb\r\nxa.b\r\n"),
    ],
)  # fmt: skip
def test_what_is_shared_keeps_its_bytes_and_what_stands_already_is_left(
    pattern: str, rewrite: str, text: str, wanted: str
):
    rule = Pattern(language="python", pattern=pattern, rewrite=rewrite, selector=TOKENS)
    assert rewritten(rule, text) == wanted
    assert rewritten(rule, wanted) == wanted


def test_nothing_in_a_pattern_is_a_regular_expression():
    rule = Pattern(language="python", pattern="(a+)+ .* [x", rewrite="b", selector=TOKENS)
    assert rewritten(rule, "y = (a+)+ .* [x\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\n").startswith(
        "y = b\n"
    )


@pytest.mark.parametrize(
    "pairs",
    [
        STRINGS[:2],
        [("x = is_a('b')", "x = is_a('c')"), ("f(1)", "f(2)"), ("y", "z")],
        [(f"f({n}, the)", f"f({n}, this)") for n in range(3)],
        [(f"{x} = not a", f"{x} = a") for x in "uvw"],
        [(f"version = '{n}.1.dev'", f"version = '{n}.0'") for n in range(3)],
        [(f"{x}_page.should.equal({x})", f"equal({x}_page, {x})") for x in ("a", "bb", "ccc")],
    ],
)
def test_too_few_unlike_or_telling_nothing_is_no_rule(pairs: list[tuple[str, str]]):
    assert token_rules(told(*pairs), ()) == []


def test_what_a_tree_explains_is_left_to_it():
    corrections = told(*STRINGS)
    assert token_rules(corrections, {"m1"}) == []


def test_what_stands_in_accepted_code_counts_against():
    pattern = learnt(*STRINGS)
    test = backtest(pattern, [("a.py", "v = 'the old_server'\n"), ("b.py", "old_server = 2\n")],
                    [each for _, each in told(*STRINGS)])  # fmt: skip
    assert (test.stood, test.changed, test.holding) == (1, 3, 2)


@pytest.fixture
def journal(tmp_path: Path) -> FileJournal:
    create(tmp_path / "cortex")
    return FileJournal(tmp_path / "cortex", AUTHOR)


def add(own: FileJournal, *numbers: int, commit: str = "") -> None:
    for n in numbers:
        before, after = STRINGS[n]
        own.append(
            [
                Draft(
                    Correction(
                        before=before, after=after, path=f"m{n}.py", language="python", hand="person",
                        commit=commit or f"{n:040x}",
                    ),
                    origin="live",
                )
            ]
        )  # fmt: skip


def warned(own: FileJournal, path: str = "new.py", text: str = "y = 'my old_server'\n") -> list[str]:
    view = own.view()
    found = check([Change(path, text, "python")], active_rules(view, items(view, own.writer)))
    return [each.after for each in found]


def test_the_gates_are_those_of_any_rule(journal: FileJournal):
    add(journal, 0, 1)
    revise(journal)
    assert warned(journal) == []
    add(journal, 2)
    revise(journal)
    assert warned(journal) == ["new_server"]
    assert revise(journal) == []


def test_one_commit_or_code_that_stands_keeps_it_silent(journal: FileJournal):
    add(journal, 0, 1, 2, commit="a" * 40)
    revise(journal)
    assert warned(journal) == []
    add(journal, 0, 1, 2)
    revise(journal, [(f"old{n}.py", "x = 'the old_server'\n") for n in range(30)])
    assert warned(journal) == []


def test_a_comment_silences_it_and_generated_files_are_left(journal: FileJournal):
    add(journal, 0, 1, 2)
    revise(journal)
    view = journal.view()
    (rule,) = active_rules(view, items(view, journal.writer))
    assert warned(journal, text=f"y = 'my old_server'  # cortex: ignore[{rule.id[:8]}] a name\n") == []
    assert warned(journal, text="# @generated\ny = 'my old_server'\n") == []
    assert warned(journal, path="vendor/x.py") == []


def cortex(repo: Path, *words: str, stdin: bytes = b"") -> bytes:
    run = subprocess.run(
        [sys.executable, "-m", "cortex", *words], cwd=repo, env={**os.environ, "CORTEX_NO_DAEMON": "1"},
        input=stdin, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert run.returncode in (0, 1), run.stderr
    return run.stdout


def test_the_commands_know_it_in_a_real_repository(repo: Path, commit: Callable[..., str], tmp_path: Path):
    commit(repo, {"a.py": "z = 'one'\n"}, message="Begin")
    cortex(repo, "init", "--no-history")
    own = FileJournal(find(repo).store, author=AUTHOR)
    add(own, 0, 1, 2)
    revise(own)
    (rule,) = json.loads(cortex(repo, "rules", "list", "--json"))["rules"]
    assert (rule["state"], rule["pattern"], rule["rewrite"]) == ("active", "old_server", "new_server")
    assert b"within:string" in cortex(repo, "rules", "show", rule["id"])
    (repo / "b.py").write_text("w = 'ask old_server'\n")
    subprocess.run(["git", "add", "b.py"], cwd=repo, check=True)
    (finding,) = json.loads(cortex(repo, "check", "--json"))["findings"]
    assert (finding["path"], finding["line"], finding["after"]) == ("b.py", 1, "new_server")
    assert json.loads(cortex(repo, "rules", "test", rule["id"][:8], "--json"))["total"] == 1
    exported = cortex(repo, "rules", "export")
    assert from_json(exported.decode())[0].id == rule["id"]
    assert b"old_server" not in cortex(repo, "rules", "export", "--format", "ast-grep")
    cortex(repo, "fix", "--yes", "b.py")
    assert (repo / "b.py").read_text() == "w = 'ask new_server'\n"
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    cortex(other, "init", "--no-history")
    (other / "rules.json").write_bytes(exported)
    assert json.loads(cortex(other, "rules", "import", "rules.json", "--json"))["imported"] == [rule["id"]]


@pytest.mark.parametrize("guard", ["within:nowhere", "within:"])
def test_an_unknown_guard_is_refused(guard: str):
    from cortex.repo.errors import UsageError

    def text(**changed: Any) -> str:
        rule = {
            "language": "python",
            "pattern": "old_server",
            "rewrite": "new_server",
            "selector": "tokens",
            **changed,
        }
        body = {"id": "", "title": "t", "text": "", "language": "python", "scope": "project", "rule": rule}
        return json.dumps({"format": "cortex rules", "version": 1, "rules": [body]})

    assert from_json(text(guards=["within:string"]))
    with pytest.raises(UsageError):
        from_json(text(guards=[guard]))
    with pytest.raises(UsageError):
        from_json(text(guards=["within:string"], selector=""))

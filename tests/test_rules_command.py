"""What a person does with rules: their word wins, what was pulled waits for its hash, what is imported is data."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ast_grep_py import SgRoot

from cortex.daemon.contracts import ruling
from cortex.daemon.session import Session
from cortex.learning.rules.exchange import Exported, from_json, to_ast_grep, to_json
from cortex.learning.rules.revising import revise
from cortex.repo.errors import UsageError
from cortex.repo.places import find
from cortex.store.journal import FileJournal, create
from cortex.store.kinds import MILLION, Correction, Hole, Memory, Pattern, RuleEvent
from cortex.store.record import Draft

PATTERN = Pattern("python", "requests.get($A)", "requests.get($A, timeout=10)", words=("requests",))
BODY = Memory(type="rule", title="Use a timeout", text="Never wait for ever", language="python", rule=PATTERN)


def call(repo: Path, op: str, **args: Any) -> Any:
    with Session.open(repo, daemon=False) as memory:
        return memory.call(op, **args)


def states(repo: Path) -> dict[str, str]:
    return {each["id"]: each["state"] for each in call(repo, "rules")["rules"]}


def warned(repo: Path) -> int:
    return len(call(repo, "check", text="import requests\nrequests.get(u)\n", language="python")["findings"])


@pytest.fixture
def store(repo: Path) -> Path:
    create(find(repo).store)
    return repo


def journal(repo: Path) -> FileJournal:
    return FileJournal(find(repo).store, author="Ada Byron <ada@example.org>")


def corrections(*numbers: int) -> list[Draft]:
    return [
        Draft(
            Correction(
                before=f"requests.get(u{n})",
                after=f"requests.get(u{n}, timeout=10)",
                path=f"m{n}.py",
                language="python",
                hand="person",
                commit=f"{n:040x}",
                committed=n,
                bound=("requests",),
            )
        )
        for n in numbers
    ]


def learnt(repo: Path) -> str:
    own = journal(repo)
    own.append(corrections(1, 2, 3))
    revise(own)
    (rule,) = states(repo)
    return rule


def test_a_person_s_word_wins_over_the_counts_until_it_is_taken_back(store: Path) -> None:
    rule = learnt(store)
    assert states(store) == {rule: "active"} and warned(store) == 1
    told = call(store, "rule_decide", id=rule[:8], do="disable", reason="only in tests")
    assert (told["rule"]["state"], told["rule"]["by"]) == ("retired", "person")
    assert "only in tests" in told["rule"]["reason"] and warned(store) == 0
    own = journal(store)
    own.append(corrections(4, 5, 6, 7, 8))
    revise(own)
    assert states(store)[rule] == "retired" and warned(store) == 0
    history = call(store, "rule_show", id=rule)["history"]
    assert [each["to"] for each in history][:2] == ["active", "retired"] and history[1]["by"] == "person"
    call(store, "rule_decide", id=rule, do="enable")
    assert states(store)[rule] == "active" and warned(store) == 1


def test_an_accepted_rule_warns_whatever_its_counts_and_steps_down_when_called_wrong(store: Path) -> None:
    own = journal(store)
    rule = own.append([Draft(BODY)])[0].m
    own.append([Draft(RuleEvent(rule=rule, to_state="candidate", confidence=MILLION // 2))])
    assert warned(store) == 0
    call(store, "rule_decide", id=rule, do="accept", reason="we agreed")
    revise(journal(store))
    assert states(store)[rule] == "active" and warned(store) == 1
    call(store, "feedback", id=rule, verdict="wrong")
    assert states(store)[rule] != "active" and warned(store) == 0


def test_show_says_what_stands_against_a_rule_and_where_it_came_from(store: Path, commit: Any) -> None:
    rule = learnt(store)
    commit(store, {"old.py": "import requests\n\nrequests.get(a)\nrequests.get(b)\n"})
    told = call(store, "rule_show", id=rule)
    assert [(each["path"], each["line"]) for each in told["standing"]] == [("old.py", 3), ("old.py", 4)]
    assert told["standing_total"] == 2 and len(told["evidence"]) == 3
    assert set(told) == set(ruling.RuleResult.__annotations__)
    assert set(told["rule"]) == set(ruling.RuleEntry.__annotations__)
    assert set(told["history"][0]) == set(ruling.RuleStep.__annotations__)
    with pytest.raises(UsageError, match="is no rule"):
        call(store, "rule_show", id=next(iter(journal(store).view().of_kind("correction"))).m)


def test_a_rule_or_a_pattern_is_tried_on_the_work_tree(store: Path, commit: Any) -> None:
    rule = learnt(store)
    commit(
        store,
        {
            "a.py": "requests.get(a)\n",
            "in/b.py": "import requests\nrequests.get(b)\n",
            "c.js": "requests.get(c);\n",
        },
    )
    told = call(store, "rule_test", pattern=rule[:10], files=["in"])
    assert [(each["path"], each["after"]) for each in told["places"]] == [
        ("in/b.py", "requests.get(b, timeout=10)")
    ]
    told = call(store, "rule_test", pattern="requests.get($A)")
    assert [(each["path"], each["after"]) for each in told["places"]] == [
        ("c.js", ""),
        ("a.py", ""),
        ("in/b.py", ""),
    ]
    told = call(
        store, "rule_test", pattern="requests.get($A)", rewrite="fetch($A)", language="python", limit=1
    )
    assert [each["after"] for each in told["places"]] == ["fetch(a)"] and told["total"] == 2
    assert set(told) == set(ruling.RuleTest.__annotations__)
    for odd in ("", "$A"):
        with pytest.raises(UsageError):
            call(store, "rule_test", pattern=odd)


def test_a_pulled_rule_is_silent_until_the_version_that_was_read_is_enabled(
    repo: Path, tmp_path: Path
) -> None:
    git = ["git", "-c", "protocol.file.allow=always"]
    subprocess.run([*git, "clone", "-q", "--bare", str(repo), str(tmp_path / "origin")], check=True)
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for clone in (ours, theirs):
        subprocess.run([*git, "clone", "-q", str(tmp_path / "origin"), str(clone)], check=True)
        create(find(clone).store)
    rule = learnt(theirs)
    for clone in (theirs, ours):
        call(clone, "sync")
    assert states(ours) == {rule: "pulled"} and warned(ours) == 0
    with pytest.raises(UsageError, match="hash"):
        call(ours, "rule_decide", id=rule, do="enable")
    with pytest.raises(UsageError, match="hash"):
        call(ours, "rule_decide", id=rule, do="accept")
    read = call(ours, "rule_show", id=rule)["rule"]["hash"]
    told = call(ours, "rule_decide", id=read[:16], do="enable", reason="read")
    assert told["rule"]["state"] == "active" and warned(ours) == 1
    # What they make of it later is not what was read.
    own = journal(theirs)
    head = own.view().current(rule)
    assert head is not None
    body = head.decoded()
    assert isinstance(body, Memory) and body.rule is not None
    evil = replace(body, rule=replace(body.rule, rewrite="evil($A)"))
    own.append([Draft(evil, m=rule, parents=(head.id,))])
    for clone in (theirs, ours):
        call(clone, "sync")
    assert states(ours) == {rule: "pulled"} and warned(ours) == 0
    with pytest.raises(UsageError):
        call(ours, "rule_decide", id=read[:16], do="enable")


FULL = Pattern(
    "python",
    "log($A, level=$B)",
    "log.info($A)",
    holes=(Hole("A", "string", ('"a"', "'\u2028'")), Hole("B", "identifier")),
    words=("log", "level"),
    guards=("path:src/**", "import:log", "lacks:nope"),
)
IN_CLASS = Pattern(
    "go",
    "fmt.Println($$$A)",
    "log.Print($$$A)",
    context="func f() { fmt.Println($$$A) }",
    selector="call_expression",
)


def test_what_is_exported_reads_back_exactly(store: Path, tmp_path: Path) -> None:
    own = journal(store)
    bodies = [
        BODY,
        Memory(
            type="rule",
            title="Log \x85 \U0001f600",
            reason="a; b",
            language="python",
            rule=FULL,
            framework="x",
        ),
        Memory(type="rule", title="", language="go", rule=IN_CLASS, scope="language"),
    ]
    own.append([Draft(each) for each in bodies])
    exported = call(store, "rule_export")
    assert exported["rules"] == 3
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    create(find(other).store)
    taken = call(other, "rule_import", text=exported["text"], name="rules.json")
    assert set(taken) == set(ruling.RuleImport.__annotations__) and len(taken["imported"]) == 3
    assert set(states(other).values()) == {"shadow"} and warned(other) == 0
    mine = {each.id: each.body for each in from_json(exported["text"])}
    theirs = {each.id: each.body for each in from_json(call(other, "rule_export")["text"])}
    assert mine == theirs and {each.rule for each in mine.values()} == {PATTERN, FULL, IN_CLASS}
    assert call(other, "rule_import", text=exported["text"])["known"] == 3
    # The lifecycle does not let them fall below shadow, and the person lets one speak.
    revise(journal(other))
    assert set(states(other).values()) == {"shadow"}
    rule = next(m for m, body in mine.items() if body.rule == PATTERN)
    call(other, "rule_decide", id=rule, do="accept")
    assert warned(other) == 1


def test_ast_grep_reads_what_is_exported() -> None:
    yaml = pytest.importorskip("yaml")
    rules = [
        Exported("a" * 32, BODY, "active"),
        Exported(
            "b" * 32, Memory(type="rule", title='Say "log"\u2028\x85', language="python", rule=FULL), "shadow"
        ),
        Exported("c" * 32, Memory(type="rule", title="Go", language="go", rule=IN_CLASS), "active"),
    ]
    first, second, third = yaml.safe_load_all(to_ast_grep(rules))
    assert (first["id"], first["severity"]) == ("use-a-timeout-aaaaaaaa", "warning")
    assert first["rule"] == {"pattern": PATTERN.pattern} and first["fix"] == PATTERN.rewrite
    assert second["message"] == 'Say "log"\u2028\x85' and second["severity"] == "hint"
    assert second["constraints"] == {"B": {"kind": "identifier"}} and second["files"] == ["src/**"]
    assert "log" in second["note"]

    def found(document: Any, text: str) -> list[str]:
        config = {key: document[key] for key in ("rule", "constraints") if key in document}
        return [node.text() for node in SgRoot(text, document["language"]).root().find_all(config)]

    text = "log(a, level=b)\nlog(a, level=1)\nlog(nope, level=b)\n"
    assert found(second, text) == ["log(a, level=b)"]
    assert found(first, "requests.get(u)\n") == ["requests.get(u)"]
    assert found(third, "package m\nfunc g() { fmt.Println(1, 2) }\n") == ["fmt.Println(1, 2)"]


def spoilt(**changes: Any) -> str:
    given = json.loads(to_json([Exported("a" * 32, BODY)]))
    rule = given["rules"][0]
    rule["rule"].update({key: value for key, value in changes.items() if key in Pattern.__dataclass_fields__})
    rule.update({key: value for key, value in changes.items() if key not in Pattern.__dataclass_fields__})
    return json.dumps(given)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[" * 100_000,
        "[]",
        '{"format": "cortex rules", "version": 2, "rules": []}',
        '{"format": "cortex rules", "version": 1, "rules": {}}',
        '{"format": "cortex rules", "version": 1, "rules": [1]}',
        json.dumps({"format": "cortex rules", "version": 1, "rules": [{}] * 1_001}),
        "x" * (4 * 1024 * 1024 + 1),
        spoilt(language="rust"),
        spoilt(pattern=""),
        spoilt(pattern="$A"),
        spoilt(pattern="f(" * 3_000),
        spoilt(rewrite="$B"),
        spoilt(rewrite="requests.get($A)"),
        spoilt(pattern=["requests"]),
        spoilt(holes=[{"name": "../x"}]),
        spoilt(holes=[{"name": "A", "kind": "x" * 200}]),
        spoilt(guards=["run:rm -rf"]),
        spoilt(guards=["path:" + "*a" * 50]),
        spoilt(guards=["lacks:x"] * 101),
        spoilt(words=["elsewhere"]),
        spoilt(words=["requests"] * 101),
        spoilt(title="x" * 9_000),
        spoilt(title=3),
        spoilt(text="\0"),
        spoilt(scope="everything"),
    ],
)
def test_what_is_imported_is_data_from_anybody(store: Path, text: str) -> None:
    with pytest.raises(UsageError):
        call(store, "rule_import", text=text)
    assert states(store) == {}


def test_an_imported_id_takes_no_other_memory_s_place(store: Path) -> None:
    own = journal(store)
    note = own.append([Draft(Memory(type="note", title="Mine", text="Mine"))])[0].m
    rule = own.append([Draft(replace(BODY, rule=FULL))])[0].m
    for m in (note, rule, "../../etc/passwd"):
        call(store, "rule_import", text=spoilt(id=m))
    view = journal(store).view()
    assert view.current(note).decoded().title == "Mine" and view.current(rule).decoded().rule == FULL
    assert len(states(store)) == 2


def test_the_command_prints_and_takes_in(store: Path, commit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")

    def cortex(*words: str, code: int = 0, stdin: bytes = b"") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "cortex", "rules", *words],
            cwd=store,
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return (done.stdout + done.stderr).decode()

    rule = learnt(store)
    assert "active" in cortex("list") and "\033" not in cortex("list", "--state", "active")
    assert "corrected 3 times in 3 commits" in cortex("show", rule[:8])
    assert "is retired: disabled by a person: no" in cortex("disable", rule[:8], "--reason", "no")
    exported = cortex("export", rule[:8])
    assert json.loads(exported)["rules"][0]["state"] == "retired"
    assert "1 known already" in cortex("import", "-", stdin=exported.encode())
    assert "cannot" in cortex("import", "-", stdin=spoilt(pattern="$A").encode(), code=2)
    assert cortex("import", "none.json", code=3)

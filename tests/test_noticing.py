"""What is noticed becomes memories: written once, renewed, retired, forgotten, shared, never with a secret."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cortex.cli.main import cortex
from cortex.daemon import noticing
from cortex.daemon.engine import Engine
from cortex.repo.places import Place, find
from cortex.store.journal import create

RECORD = "# 1. Use plain SQL\n\n## Status\n\n{}\n\n## Decision\n\nWe write SQL through `db.query()`.\n"


@pytest.fixture(autouse=True)
def _no_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")


@pytest.fixture
def place(repo: Path) -> Place:
    create(find(repo).store)
    return find(repo)


def code(quote: str, number: int) -> str:
    rows = "\n".join(f"    {quote}text {row}{quote}," for row in range(8))
    return f"def read_it_{number}(path):\n    return [\n{rows}\n    ]\n"


def modules(quote: str, count: int = 6) -> dict[str, str]:
    return {f"src/pkg/module{number}.py": code(quote, number) for number in range(count)}


def run(place: Place, *words: str) -> str:
    done = CliRunner().invoke(cortex, [*words, "--repo", str(place.root)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return str(done.output)


def noted(engine: Engine, kind: str, title: str = "") -> list[dict[str, Any]]:
    return [
        each
        for each in engine.handle("log", {"limit": 0, "kind": kind})["memories"]
        if title in each["title"]
    ]


def heads(engine: Engine, m: str) -> list[Any]:
    return list(engine._state.view().heads(m))


def test_a_preference_is_learnt_listed_shown_and_recalled(place: Place, repo: Path, commit: Any) -> None:
    commit(repo, modules('"'))
    assert "preference" in run(place, "learn")
    listed = run(place, "log", "--kind", "preference")
    assert "Write string literals with double quotes (Python)" in listed and "support 48" in listed
    shown = run(place, "show", noted(Engine(place), "preference", "quotes")[0]["id"])
    assert "why: 48 of 48 string literals in 6 files" in shown and "not committed" not in shown
    answer = run(place, "ask", "single or double quotes for string literals?")
    assert "double quotes (Python): 100% of 48 string literals (as in src/pkg/module" in answer


def test_learning_twice_writes_nothing_new(place: Place, repo: Path, commit: Any) -> None:
    commit(repo, {**modules('"'), "docs/adr/0001-sql.md": RECORD.format("Accepted")})
    engine = Engine(place)
    first = engine.handle("learn", {})["memories"]
    assert first["preference"] and first["decision"] == 1
    count = engine._state.view().count
    assert engine.handle("learn", {})["memories"] == {}
    assert engine.handle("learn", {"everything": True})["memories"] == {}
    (place.store / "index" / noticing.NOTE).unlink()
    assert engine.handle("learn", {})["memories"] == {}
    assert engine._state.view().count == count


def test_the_daemon_notices_in_its_idle_time(place: Place, repo: Path, commit: Any) -> None:
    commit(repo, modules('"'))
    engine = Engine(place, environment={"CORTEX_LEARN_HISTORY": "false"})
    for _ in range(200):
        if not engine.background(lambda: False, 0.05):
            break
    assert noted(engine, "preference", "double quotes")
    assert not noticing.due(engine._state)


def test_a_change_of_mind_is_a_new_version_of_the_same_memory(place: Place, repo: Path, commit: Any) -> None:
    commit(repo, modules('"'))
    engine = Engine(place)
    engine.handle("learn", {})
    before = noted(engine, "preference", "quotes")[0]
    commit(repo, modules("'"))
    engine.handle("learn", {})
    after = noted(engine, "preference", "quotes")[0]
    assert before["id"] == after["id"] and "single quotes" in after["title"]
    assert len(heads(engine, after["id"])) == 1


def test_a_preference_that_is_none_any_more_retires_and_may_come_back(
    place: Place, repo: Path, commit: Any
) -> None:
    commit(repo, modules('"'))
    engine = Engine(place)
    engine.handle("learn", {})
    commit(repo, {f"src/pkg/other{n}.py": code("'", n) for n in range(6)})
    engine.handle("learn", {})
    retired = noted(engine, "preference", "quotes")[0]
    assert retired["status"] == "retired"
    assert engine.handle("ask", {"question": "single or double quotes for string literals?"})["abstained"]
    said = engine.handle("show", {"id": retired["id"]})["history"]
    assert [(step["from"], step["to"], step["reason"]) for step in said] == [
        ("active", "retired", "50% chose it")
    ]
    assert "active → retired: 50% chose it" in run(place, "show", retired["id"])
    commit(repo, {f"src/pkg/other{n}.py": code('"', n) for n in range(6)})
    engine.handle("learn", {})
    assert noted(engine, "preference", "quotes")[0]["status"] == "active"


def test_a_formatter_that_comes_retires_what_it_says(place: Place, repo: Path, commit: Any) -> None:
    commit(repo, modules('"'))
    engine = Engine(place)
    engine.handle("learn", {})
    commit(repo, {"pyproject.toml": "[tool.black]\n"})
    engine.handle("learn", {})
    retired = noted(engine, "preference", "quotes")[0]
    assert retired["status"] == "retired"
    assert (
        engine.handle("show", {"id": retired["id"]})["history"][-1]["reason"]
        == "it is left to pyproject.toml"
    )


def test_what_a_person_forgot_is_not_written_again(place: Place, repo: Path, commit: Any) -> None:
    commit(repo, {**modules('"'), "docs/adr/0001-sql.md": RECORD.format("Accepted")})
    engine = Engine(place)
    engine.handle("learn", {})
    for kind, title in (("preference", "quotes"), ("decision", "SQL")):
        engine.handle("forget", {"id": noted(engine, kind, title)[0]["id"]})
    commit(repo, {**modules("'"), "docs/adr/0001-sql.md": RECORD.format("Deprecated")})
    engine.handle("learn", {"everything": True})
    assert not noted(engine, "preference", "quotes") and not noted(engine, "decision")


def test_what_a_person_called_wrong_stays_retired(place: Place, repo: Path, commit: Any) -> None:
    commit(repo, modules('"'))
    engine = Engine(place)
    engine.handle("learn", {})
    m = noted(engine, "preference", "quotes")[0]["id"]
    engine.handle("feedback", {"id": m, "verdict": "wrong"})
    assert noted(engine, "preference", "quotes")[0]["status"] == "retired"
    engine.handle("learn", {"everything": True})
    assert noted(engine, "preference", "quotes")[0]["status"] == "retired"


def test_a_fix_is_learnt_from_its_commit(place: Place, repo: Path, commit: Any) -> None:
    commit(repo, {"a.py": "def f(url):\n    return requests.get(url)\n"})
    sha = commit(
        repo,
        {"a.py": "def f(url):\n    return requests.get(url, timeout=10)\n"},
        message="fix: the client hangs for ever\n\nA server that never answers held the worker.",
    )
    engine = Engine(place)
    assert engine.handle("learn", {})["memories"] == {"fix": 1}
    fix = noted(engine, "fix")[0]
    assert fix["title"] == "Fixed: The client hangs for ever"
    assert (fix["evidence"][0]["commit"], fix["evidence"][0]["path"]) == (sha, "a.py")
    assert fix["created"] == fix["evidence"][0]["time"] < engine._state.clock() - 86_400_000
    answer = engine.handle("ask", {"question": "why does the client hang in requests.get?"})
    assert answer["memories"][0]["id"] == fix["id"] and sha[:10] in answer["context"]


def test_a_decision_is_reread_when_it_changes_and_gone_when_it_is_deleted(
    place: Place, repo: Path, commit: Any
) -> None:
    path = "docs/decisions/0001-sql.md"
    commit(repo, {path: RECORD.format("Accepted")})
    engine = Engine(place)
    engine.handle("learn", {})
    first = noted(engine, "decision")[0]
    assert first["title"] == "Use plain SQL" and "Status: accepted." in first["text"]
    assert "db.query()" in engine.handle("ask", {"question": "do we use plain SQL?"})["context"]
    commit(repo, {path: RECORD.format("Superseded by [2. Use an ORM](0002.md)")})
    engine.handle("learn", {})
    second = noted(engine, "decision")[0]
    assert second["id"] == first["id"] and "superseded by 2. use an orm" in second["text"]
    assert second["status"] == "retired"
    commit(repo, {path: None})
    engine.handle("learn", {})
    assert not noted(engine, "decision")
    commit(repo, {path: RECORD.format("Accepted")})
    engine.handle("learn", {})
    assert noted(engine, "decision")[0]["status"] == "active"


def test_no_secret_of_the_code_becomes_a_part_of_a_memory(place: Place, repo: Path, commit: Any) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8"
    files = {
        f"src/pkg/m{n}.py": f'def read_it_{n}():\n    return ["{secret}", "b", "c", "d"]\n' for n in range(8)
    }
    commit(repo, {**files, "docs/adr/0001-sql.md": RECORD.format("Accepted").replace("db.query()", secret)})
    commit(repo, {"src/pkg/m1.py": files["src/pkg/m1.py"].replace('"b"', "f(1)")})
    commit(
        repo,
        {"src/pkg/m1.py": files["src/pkg/m1.py"].replace('"b"', "f(1, timeout=2)")},
        message="fix: the reader hangs for ever",
    )
    engine = Engine(place)
    learnt = engine.handle("learn", {})
    assert {"preference", "fix", "decision"} <= set(learnt["memories"]) and learnt["redacted"]
    kept = b"".join(
        each.read_bytes() for each in place.store.rglob("*") if each.is_file() and each.suffix != ".db"
    )
    assert secret.encode() not in kept and b"[redacted:" in kept


@pytest.mark.parametrize(("setting", "private"), [("shared", False), ("private", True)])
def test_records_are_shared_unless_the_person_keeps_them(
    place: Place, repo: Path, commit: Any, setting: str, private: bool
) -> None:
    commit(repo, modules('"'))
    run(place, "config", "learn.conventions", setting)
    engine = Engine(place)
    engine.handle("learn", {})
    m = noted(engine, "preference", "quotes")[0]["id"]
    assert heads(engine, m)[-1].private is private


def test_nothing_is_noticed_where_it_is_turned_off(place: Place, repo: Path, commit: Any) -> None:
    commit(repo, modules('"'))
    run(place, "config", "learn.conventions", "off")
    engine = Engine(place)
    assert engine.handle("learn", {})["memories"] == {} and not noticing.due(engine._state)


def clone(repo: Path, folder: Path) -> Place:
    subprocess.run(["git", "clone", "--quiet", str(repo), str(folder)], check=True)
    for key, value in (("user.name", "Bob"), ("user.email", "bob@example.org")):
        subprocess.run(["git", "config", key, value], cwd=folder, check=True)
    create(find(folder).store)
    return find(folder)


def test_two_clones_that_notice_at_different_commits_agree_after_a_sync(
    repo: Path, tmp_path: Path, commit: Any
) -> None:
    commit(repo, modules('"'))
    bare = tmp_path / "shared.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(repo), str(bare)], check=True)
    one, two = (Engine(clone(bare, tmp_path / name)) for name in ("one", "two"))
    one.handle("learn", {})
    commit(two.place.root, modules('"', 20))
    two.handle("learn", {})
    for engine in (one, two) * 3:
        engine.handle("sync", {})
    said = [[(each["id"], each["text"]) for each in noted(engine, "preference")] for engine in (one, two)]
    assert sorted(said[0]) == sorted(said[1]) and said[0]
    for engine in (one, two):
        assert engine.handle("log", {})["conflicts"] == []
    counts = [engine._state.view().count for engine in (one, two)]
    for engine in (one, two, one, two):  # nobody answers the other one for ever
        engine.handle("learn", {"everything": True})
        engine.handle("sync", {})
    assert [engine._state.view().count for engine in (one, two)] == counts


def test_what_one_clone_forgot_is_forgotten_whatever_the_other_counts(
    repo: Path, tmp_path: Path, commit: Any
) -> None:
    commit(repo, modules('"'))
    bare = tmp_path / "shared.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(repo), str(bare)], check=True)
    one, two = (Engine(clone(bare, tmp_path / name)) for name in ("one", "two"))
    for engine in (one, two, one):
        engine.handle("learn", {})
        engine.handle("sync", {})
    commit(two.place.root, modules("'"))
    two.handle("learn", {})
    one.handle("forget", {"id": noted(one, "preference", "quotes")[0]["id"]})
    for engine in (one, two, one):
        engine.handle("sync", {})
    for engine in (one, two):
        assert not noted(engine, "preference", "quotes")
        assert engine.handle("log", {})["conflicts"] == []

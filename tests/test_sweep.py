"""`cortex sweep` in real repositories: found, asked, written, told, remembered."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from cortex.daemon import sweeping
from cortex.daemon.contracts import checking
from cortex.daemon.engine import Engine
from cortex.repo.places import find
from cortex.store.journal import FileJournal
from cortex.store.kinds import Correction, Feedback

Run = subprocess.CompletedProcess[bytes]
CALL = "import requests\n\n\ndef load_{n}({arg}):\n    return requests.get({arg}).json()\n"
ARGUMENTS = ("url", "page", "x + '/y'", "self.url")


def cortex(repo: Path, *words: str, stdin: bytes | None = None) -> Run:
    return subprocess.run(
        [sys.executable, "-m", "cortex", *words],
        cwd=repo,
        env={**os.environ, "CORTEX_NO_DAEMON": "1"},
        input=stdin or b"",
        capture_output=True,
        check=False,
        timeout=120,
    )


def told(run: Run) -> Any:
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def git(repo: Path, *words: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["git", *words], cwd=repo, input=stdin, capture_output=True, check=True).stdout


def mended(text: str) -> str:
    return text.replace(").json()", ", timeout=10).json()")


@pytest.fixture
def four(repo: Path, commit: Callable[..., str]) -> Path:
    """Four files with the same call, of which the first was just changed."""
    commit(repo, {f"m{n}.py": CALL.format(n=n, arg=arg) for n, arg in enumerate(ARGUMENTS)}, message="Load")
    assert cortex(repo, "init", "--no-history").returncode == 0
    (repo / "m0.py").write_text(mended((repo / "m0.py").read_text()))
    return repo


def rest(repo: Path) -> list[str]:
    return [(repo / f"m{n}.py").read_text() for n in range(1, 4)]


def test_the_other_places_are_listed_and_nothing_is_written(four: Path):
    before = rest(four)
    run = cortex(four, "sweep")
    assert run.returncode == 0 and rest(four) == before
    assert all(f"m{n}.py:5".encode() in run.stdout for n in (1, 2, 3))
    assert b"fits 3 more places" in run.stdout


def test_the_contract_is_kept(four: Path):
    result = told(cortex(four, "sweep", "--json"))
    assert set(result) == {*get_type_hints(checking.SweepResult), "applied", "problems"}
    assert result["source"] == "worktree" and result["finished"] and result["more"] == 0
    for place in result["places"]:
        assert set(place) == set(get_type_hints(checking.SweepPlace))
        assert place["like"] == {"path": "m0.py", "line": 5} and 0.5 <= place["chance"] <= 1
    page = (Path(__file__).resolve().parent.parent / "docs" / "contracts.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in (*result, *result["places"][0]))


def test_apply_changes_the_work_tree_and_never_the_index(four: Path):
    index = git(four, "ls-files", "-s")
    wanted = [mended(text) for text in rest(four)]
    run = cortex(four, "sweep", "--apply")
    assert run.returncode == 0, run.stderr
    assert rest(four) == wanted and git(four, "ls-files", "-s") == index
    assert cortex(four, "sweep", "--json").returncode == 0
    assert told(cortex(four, "sweep", "--json"))["places"] == []


def test_the_patch_is_one_that_git_takes(four: Path):
    wanted = [mended(text) for text in rest(four)]
    patch = cortex(four, "sweep", "--patch").stdout
    git(four, "apply", "-", stdin=patch)
    assert rest(four) == wanted


def test_a_commit_the_index_and_the_work_tree_are_each_a_change(four: Path):
    git(four, "add", "m0.py")
    assert len(told(cortex(four, "sweep", "--staged", "--json"))["places"]) == 3
    git(four, "commit", "-qm", "Wait ten seconds")
    for words in (["HEAD"], []):
        result = told(cortex(four, "sweep", *words, "--json"))
        assert (
            len(result["places"]) == 3 and result["source"] == git(four, "rev-parse", "HEAD").decode().strip()
        )
    assert told(cortex(four, "sweep", "--worktree", "--json"))["places"] == []
    assert len(told(cortex(four, "sweep", "--limit", "1", "--json"))["places"]) == 1


def test_an_unknown_revision_and_two_at_once_are_mistakes(four: Path):
    assert cortex(four, "sweep", "nowhere").returncode == 2
    assert cortex(four, "sweep", "HEAD", "--staged").returncode == 2
    assert cortex(four, "sweep", "--apply", "--patch").returncode == 2


def answer(repo: Path, keys: bytes) -> bytes:
    """Run `cortex sweep` on a terminal, and answer."""
    above, below = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "cortex", "sweep"],
        cwd=repo,
        env={**os.environ, "CORTEX_NO_DAEMON": "1", "NO_COLOR": "1", "TERM": "dumb"},
        stdin=below,
        stdout=below,
        stderr=subprocess.DEVNULL,
    ) as run:
        os.close(below)
        os.write(above, keys)
        said = b""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                part = os.read(above, 4096)
            except OSError:
                break
            if not part:
                break
            said += part
        assert run.wait(60) == 0
    os.close(above)
    return said


def test_each_place_is_taken_refused_or_left_as_with_git_add(four: Path):
    listed = told(cortex(four, "sweep", "--json"))["places"]
    before = {each["path"]: (four / each["path"]).read_text() for each in listed}
    said = answer(four, b"y\nn\nq\n")
    assert b"changed 1 place" in said
    first, second, third = (each["path"] for each in listed)
    assert (four / first).read_text() == mended(before[first])
    assert (four / second).read_text() == before[second] and (four / third).read_text() == before[third]
    again = told(cortex(four, "sweep", "--least", "0.05", "--json"))["places"]
    assert second not in {each["path"] for each in again}, "what was refused is not offered again"
    left = next(each for each in again if each["path"] == third)
    assert left["chance"] < listed[2]["chance"], "a refusal lowers the rest at once"


def test_what_was_taken_is_support_and_what_was_refused_speaks_against(four: Path):
    answer(four, b"y\nn\nq\n")
    view = FileJournal(find(four).store, author="").view()
    corrections = [record.decoded() for record in view.of_kind("correction")]
    assert len(corrections) == 1
    taken = corrections[0]
    assert isinstance(taken, Correction) and taken.hand == "person"
    assert taken.after == mended(taken.before) and taken.commit
    votes = [record.decoded() for record in view.of_kind("feedback")]
    assert {each.verdict for each in votes if isinstance(each, Feedback)} == {"good", "wrong"}


def test_a_file_that_changed_meanwhile_is_left_alone(four: Path):
    from cortex.cli.sweep import _apply

    places = told(cortex(four, "sweep", "--json"))["places"]
    (four / places[0]["path"]).write_text("now = 'something else'\n")
    done, problems = _apply(four, places)
    assert len(done) == 2 and len(problems) == 1
    assert (four / places[0]["path"]).read_text() == "now = 'something else'\n"


def test_line_ends_and_all_else_keep_their_bytes(four: Path):
    odd = "\ufeffimport requests\r\n\r\n\r\ndef load(a):  # ask\r\n\treturn requests.get( a ).json()\t\r\n"
    (four / "m1.py").write_bytes(odd.encode())
    git(four, "commit", "-qm", "Write it oddly", "--", "m1.py")
    assert cortex(four, "sweep", "--apply", "--least", "0.01").returncode == 0
    after = (four / "m1.py").read_bytes().decode()
    assert after.replace(", timeout=10", "") == odd and "timeout=10" in after


def test_ignored_broken_and_binary_files_are_passed_over(four: Path):
    (four / ".gitignore").write_text("made/\n")
    (four / "made").mkdir()
    (four / "made" / "m.py").write_text(CALL.format(n=7, arg="q"))
    (four / "data.py").write_bytes(b"\0requests.get(q).json()")
    (four / "latin.py").write_bytes("# é\nrequests.get(q).json()\n".encode("latin-1"))
    (four / "link.py").symlink_to("m1.py")
    found = {each["path"] for each in told(cortex(four, "sweep", "--least", "0.01", "--json"))["places"]}
    assert found - {"m0.py"} == {"m1.py", "m2.py", "m3.py"}


def test_a_line_with_a_secret_is_neither_shown_nor_changed(four: Path):
    key = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8"
    (four / "m1.py").write_text(f"import requests\n\nx = requests.get('https://h/?token={key}').json()\n")
    git(four, "commit", "-qm", "Keep a secret", "--no-verify", "--", "m1.py")
    run = cortex(four, "sweep", "--least", "0.01", "--json")
    assert key.encode() not in run.stdout
    assert "m1.py" not in {each["path"] for each in told(run)["places"]}


def test_after_a_commit_the_daemon_looks_and_the_next_hook_tells(four: Path):
    git(four, "commit", "-qam", "Wait ten seconds")
    engine = Engine(find(four))
    try:
        assert sweeping.waiting(engine._state) == 0
        sweeping.after_commit(engine._state)
        places = sweeping.waiting(engine._state)
        sure = told(cortex(four, "sweep", "HEAD", "--least", str(sweeping.TELLING), "--json"))["places"]
        assert places == len(sure)
        if places:
            said = engine.handle("check", {"index_file": str(four / ".git" / "index")})["notes"]
            assert any("cortex sweep" in each for each in said)
        assert engine.handle("report", {})["sweep"] == places
        assert (b"more place" in cortex(four, "status").stdout) == bool(places)
        git(four, "commit", "-q", "--allow-empty", "-m", "Something else")
        assert sweeping.waiting(engine._state) == 0
    finally:
        engine.close()

"""Faults from outside, met by the real commands: bytes flipped in any file, a full disk, a store that is read-only."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running import git

from cortex.cli.main import run as main
from cortex.daemon import engine
from cortex.daemon.state import Models
from cortex.repo.places import find
from cortex.store import doctor
from cortex.store.journal import FileJournal
from cortex.store.kinds import Generation

ASKED = "how are timestamps stored?"
MODELS = Models()  # loading them for each command would be most of the time


def run(*words: str) -> tuple[int, str, str]:
    """One command in this process: exit status, standard output, standard error. An exception is a failure."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(list(words))
    for each in (out, err):
        each.flush()
    return status, out.buffer.getvalue().decode(), err.buffer.getvalue().decode()  # type: ignore[attr-defined]


def told(*words: str) -> dict:
    status, out, err = run(*words, "--json")
    assert status == 0, (words, err)
    return json.loads(out)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the daemon: each command meets the fault itself."""
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    monkeypatch.setattr(engine, "Models", lambda: MODELS)


def fill(repo: Path) -> dict[str, str]:
    """Cortex with all its kinds of files; the id of each record by its memory."""
    told("init", str(repo), "--no-history")
    for text in ("Timestamps are stored in UTC as integer milliseconds.", "Use tabs."):
        told("remember", "-C", str(repo), text)
    (repo / "gen.py").write_text("import requests\n\n\ndef get(url):\n    return requests.get(url)\n")
    told("record", "-C", str(repo), "--path", str(repo / "gen.py"), "--agent", "t")
    FileJournal(find(repo).store, author="").seal()
    told("remember", "-C", str(repo), "Retry three times.")
    told("remember", "-C", str(repo), "--private", "Only mine.")
    told("ask", "-C", str(repo), ASKED)
    store = find(repo).store
    (store / "spool" / "0-1.git.post-commit").write_text(f"v=1\nhook=post-commit\ncwd={repo}\n")
    return {record.id: record.m for record in FileJournal(store, author="").records()}


# Flipped bytes.


def flips(repo: Path, folder: Path, seed: int, count: int) -> tuple[int, int, list[str]]:
    """Flip a byte in one file of the store at a time: files there, flips made, what went wrong."""
    chance = random.Random(seed)
    acknowledged = set(fill(repo))
    store = find(repo).store
    sound = folder / "sound"
    shutil.copytree(store, sound, symlinks=True)
    names = [path.relative_to(sound) for path in sorted(sound.rglob("*")) if path.is_file()]
    wrong: list[str] = []
    for number in range(count):
        name = names[number % len(names)]
        data = bytearray((sound / name).read_bytes())
        if not data:
            continue
        at = chance.randrange(len(data))
        bit = 1 << chance.randrange(8)
        label = f"bit {bit} of byte {at} of {name}"
        lost_line = data[: at + 1].rpartition(b"\n")[2] if name.suffix == ".jsonl" else None
        may_go = of_line(bytes(data), at) if lost_line is not None else set()
        data[at] ^= bit
        (store / name).write_bytes(data)
        flipped = bytes(data)
        try:
            whole = number % 8 == 0  # its proof of a capture takes a second
            wrong += [f"{label}: {each}" for each in commands(repo, store, acknowledged, may_go, whole)]
            kept = flipped_bytes_are_somewhere(store, name, flipped, at)
            if name.suffix == ".jsonl" and not kept:
                wrong.append(f"{label}: the damaged bytes are gone")
        except Exception as error:  # noqa: BLE001 - a crash of any kind is the finding
            wrong.append(f"{label}: {type(error).__name__}: {error}")
        shutil.rmtree(store)
        shutil.copytree(sound, store, symlinks=True)
    return len(names), count, wrong


def of_line(data: bytes, at: int) -> set[str]:
    """The ids of the records that a flip at `at` may damage: its line's, and at a line end the next one's."""
    lines = data.splitlines(keepends=True)
    start = 0
    ids: set[str] = set()
    for line in lines:
        if start <= at < start + len(line) or at == start - 1:
            with contextlib.suppress(ValueError, KeyError):
                ids.add(json.loads(line)["id"])
        start += len(line)
    return ids


def commands(repo: Path, store: Path, acknowledged: set[str], may_go: set[str], whole: bool) -> Iterator[str]:
    """Run commands over a damaged store: each works or says clearly what is wrong. `whole`: the doctor as well,
    whose repair is called by itself otherwise.
    """
    for words in (
        ("log",),
        ("status",),
        ("ask", ASKED),
        ("check",),
        ("learn",),
        ("remember", "One more."),
        ("doctor",),
        ("doctor", "--repair"),
        ("log",),
        ("remember", "After the repair."),
    ):
        if words[0] == "doctor" and not whole:
            if words[1:]:
                doctor.repair(store)
            else:
                doctor.examine(store)
            continue
        status, _, err = run(words[0], "-C", str(repo), *words[1:])
        if (
            status not in (0, 3, 4)
            or "Traceback" in err
            or (status and "cortex:" not in err and words[0] != "doctor")
        ):
            yield f"{words}: exit status {status}: {err[-300:]}"
        if words in (("doctor", "--repair"), ("remember", "After the repair.")) and status not in (0, 4):
            yield f"{words}: exit status {status}: {err[-300:]}"
    there = {record.id for record in FileJournal(store, author="").records()}
    if missing := acknowledged - there - may_go:
        yield f"{len(missing)} undamaged records lost"


def flipped_bytes_are_somewhere(store: Path, name: Path, data: bytes, at: int) -> bool:
    """Whether the damaged line is still on disk, in its place or in the quarantine."""
    start, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
    line = data[start : end if end > 0 else len(data)].rstrip(b"\n")
    forms = (line, base64.b64encode(line)[:-4])
    return any(
        any(form in path.read_bytes() for form in forms)
        for path in store.rglob("*")
        if path.is_file() and path.name not in ("README.md",)
    )


def test_a_flipped_byte_in_any_file_is_met_and_loses_no_other_record(
    repo: Path, tmp_path: Path, seed: int, tell: Callable[[str], None]
) -> None:
    files, made, wrong = flips(repo, tmp_path, seed, 24)
    tell(f"flipped bytes: {made} flips in {files} files × 10 commands, {len(wrong)} wrong (seed {seed})")
    assert not wrong, "\n".join(wrong)


@pytest.mark.nightly
def test_a_flipped_byte_in_any_file_is_met_all_night(
    repo: Path, tmp_path: Path, seed: int, tell: Callable[[str], None]
) -> None:
    files, made, wrong = flips(repo, tmp_path, seed, 1500)
    tell(f"flipped bytes: {made} flips in {files} files × 10 commands, {len(wrong)} wrong (seed {seed})")
    assert not wrong, "\n".join(wrong)


# A full disk.


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MiB; skipped where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(folder)], check=False, capture_output=True
        )
    except FileNotFoundError:
        pytest.skip("no mount")
    if done.returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def test_on_a_full_disk_commits_pass_reads_work_and_writes_fail_clearly(
    small_disk: Path, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    # The store lies on the small disk and git's objects do not: git itself can commit.
    repo = tmp_path / "clone"
    repo.mkdir()
    git(repo, "init", "--quiet", "--initial-branch=main")
    (small_disk / "store").mkdir()
    told("init", str(repo), "--no-history")
    store = repo / ".git" / "cortex"
    shutil.copytree(store, small_disk / "store", dirs_exist_ok=True, symlinks=True)
    shutil.rmtree(store)
    store.mkdir()
    mounted = subprocess.run(
        ["mount", "--bind", str(small_disk / "store"), str(store)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no folder can be mounted here")
    try:
        store.chmod(0o700)
        kept = told("remember", "-C", str(repo), "Timestamps are stored in UTC as milliseconds.")["id"]
        acknowledged, refused = {kept}, 0
        with contextlib.suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 4096)
        full_errors = []
        for n in range(12):
            status, out, err = run("remember", "-C", str(repo), f"Number {n} " + "x" * 900, "--json")
            if status == 0:
                acknowledged.add(json.loads(out)["id"])
            else:
                refused += 1
                full_errors.append((status, err))
        assert refused >= 8
        assert all(status == 3 and "space" in err for status, err in full_errors), full_errors[0]
        for n in range(3):
            (repo / "a.py").write_text(f"x = {n}\n")
            git(repo, "add", "a.py")
            git(repo, "commit", "--quiet", "-m", f"Full {n}")
        for words in (("log",), ("ask", ASKED), ("check",), ("status",), ("doctor",)):
            status, _, err = run(words[0], "-C", str(repo), *words[1:])
            assert "Traceback" not in err and status in (0, 4), (words, status, err)
        (small_disk / "filler").unlink()
        told("remember", "-C", str(repo), "There is room again.")
        there = {record.m for record in FileJournal(store, author="").records()}
        assert acknowledged <= there
        tell(f"full disk: {len(acknowledged)} acknowledged, 0 lost, {refused} refused, 3 commits passed")
    finally:
        subprocess.run(["umount", "-l", str(store)], check=False)


def test_an_event_that_a_full_disk_refuses_stays_in_the_spool(repo: Path) -> None:
    """RLIMIT_FSIZE refuses writes as a full disk does; it holds for root too."""
    told("init", str(repo), "--no-history")
    payload = {"hook_event_name": "PostToolUse", "session_id": "s", "cwd": str(repo), "tool_name": "Write"}
    payload |= {"tool_input": {"file_path": str(repo / "b.py"), "content": "x = 1\n" * 2000}}
    spool = find(repo).store / "spool"
    (spool / "0-1.agent.claude-code").write_text(json.dumps(payload))
    (repo / "b.py").write_text("x = 1\n" * 2000)

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))

    done = subprocess.run(
        [sys.executable, "-m", "cortex", "learn"],
        cwd=repo,
        preexec_fn=limited,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3 and "Traceback" not in done.stderr, done.stderr
    assert [each.name for each in spool.iterdir()] == ["0-1.agent.claude-code"]
    told("learn", "-C", str(repo))
    view = FileJournal(find(repo).store, author="").view()
    assert [record.body["path"] for record in view.of_kind(Generation.KIND)] == ["b.py"]


# A store that cannot be written.


def read_only(folder: Path) -> bool:
    """Make a folder read-only, for root too; whether that can be done here."""
    if subprocess.run(
        ["mount", "--bind", str(folder), str(folder)], check=False, capture_output=True
    ).returncode:
        return False
    again = ["mount", "-o", "remount,ro,bind", str(folder)]
    if subprocess.run(again, check=False, capture_output=True).returncode:
        subprocess.run(["umount", "-l", str(folder)], check=False)
        return False
    return True


@pytest.mark.parametrize("what", ["store", "git folder"])
def test_what_is_read_only_can_be_read_and_says_so_when_written(repo: Path, what: str) -> None:
    fill(repo)
    folder = find(repo).store if what == "store" else repo / ".git"
    if os.geteuid() or not read_only(folder):
        pytest.skip("nothing can be mounted read-only here")
    try:
        for words in (("log",), ("ask", ASKED), ("check",), ("status",), ("doctor",)):
            status, out, err = run(words[0], "-C", str(repo), *words[1:])
            assert "Traceback" not in err and status in (0, 4), (words, status, err)
        for words in (("remember", "No."), ("record", "--path", str(repo / "gen.py")), ("learn",), ("sync",)):
            status, out, err = run(words[0], "-C", str(repo), *words[1:])
            assert status == 3 and "Traceback" not in err and err.strip(), (words, status, out, err)
        status, _, err = run("init", str(repo), "--no-history")
        assert status in (0, 3) and "Traceback" not in err
        if what == "store":
            git(repo, "commit", "--quiet", "--allow-empty", "-m", "It goes on")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)
    told("remember", "-C", str(repo), "It can be written again.")

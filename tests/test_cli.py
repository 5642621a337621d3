"""The command line as a person types it: each command on a real repository, each error once."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cortex.repo.places import find
from cortex.store.journal import FileJournal, wall_ms
from cortex.store.kinds import Memory
from cortex.store.record import Draft

Run = subprocess.CompletedProcess[str]


def cortex(*words: str, cwd: Path, stdin: str | None = None, **environment: str) -> Run:
    return subprocess.run(
        [sys.executable, "-m", "cortex", *words],
        cwd=cwd,
        env={**os.environ, **environment},
        input=stdin if stdin is not None else "",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def told(run: Run) -> dict:
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the daemon: what commands do in process."""
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")


@pytest.fixture
def clone(repo: Path, alone: None) -> Path:
    run = cortex("init", cwd=repo)
    assert run.returncode == 0, run.stderr
    return repo


@pytest.fixture
def watched(repo: Path) -> Iterator[Path]:
    """A repository with a daemon of its own."""
    run = cortex("init", cwd=repo)
    assert run.returncode == 0, run.stderr
    yield repo
    cortex("daemon", "stop", cwd=repo)


def snapshot(folder: Path) -> dict[str, tuple[bytes | str, int]]:
    """Every file below a folder with its bytes and mode, links by their targets."""
    found: dict[str, tuple[bytes | str, int]] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = (os.readlink(path), 0)
        elif path.is_file():
            found[name] = (path.read_bytes(), path.stat().st_mode)
        else:
            found[name] = ("", path.stat().st_mode)
    return found


def test_init_is_safe_to_repeat_and_uninit_undoes_it_byte_for_byte(repo: Path, alone: None):
    before = snapshot(repo)
    assert cortex("init", cwd=repo).returncode == 0
    once = snapshot(repo)
    assert cortex("init", cwd=repo).returncode == 0
    assert {name for name in snapshot(repo) if "/index/" not in name} == {
        name for name in once if "/index/" not in name
    }
    run = cortex("uninit", cwd=repo)
    assert run.returncode == 0, run.stderr
    assert snapshot(repo) == before


def test_git_status_stays_clean_after_init(clone: Path):
    run = subprocess.run(
        ["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True
    )
    assert run.stdout == ""


def test_uninit_sets_the_memories_aside(clone: Path):
    cortex("remember", "Use UTC.", cwd=clone)
    answer = told(cortex("uninit", "--json", cwd=clone))
    assert (Path(answer["aside"]) / "writer").is_file()


def test_what_is_remembered_is_logged_shown_recalled_and_forgotten(clone: Path):
    m = told(
        cortex("remember", "Timestamps are stored in UTC as integer milliseconds.", "--json", cwd=clone)
    )["id"]
    log = told(cortex("log", "--json", cwd=clone))
    assert [memory["id"] for memory in log["memories"]] == [m]
    assert told(cortex("show", m[:8], "--json", cwd=clone))["body"]["text"].startswith("Timestamps")
    answer = told(cortex("ask", "how are timestamps stored?", "--json", cwd=clone))
    assert [memory["id"] for memory in answer["memories"]] == [m]
    assert cortex("forget", m[:8], cwd=clone).returncode == 0
    assert told(cortex("log", "--json", cwd=clone))["memories"] == []
    assert told(cortex("ask", "how are timestamps stored?", "--json", cwd=clone))["abstained"]


def test_a_generation_that_is_corrected_becomes_a_memory(clone: Path, commit):
    wrote = "import requests\n\n\ndef fetch(url):\n    return requests.get(url).json()\n"
    told(
        cortex(
            "record", "--path", "net.py", "--agent", "t", "--task", "fetch", "--json", cwd=clone, stdin=wrote
        )
    )
    commit(clone, {"net.py": wrote.replace("get(url)", "get(url, timeout=10)")}, message="Fetch")
    learnt = told(cortex("learn", "--json", cwd=clone))
    assert learnt["outcomes"] == {"edited": 1} and learnt["corrections"] == 1
    memory = told(cortex("log", "--json", cwd=clone))["memories"][0]
    assert memory["kind"] == "correction"
    assert "timeout=10" in memory["evidence"][0]["after"]
    assert told(cortex("learn", "--json", cwd=clone))["corrections"] == 0
    assert "timeout=10" in told(cortex("ask", "how do we call requests.get?", "--json", cwd=clone))["context"]


def test_record_reads_the_file_when_nothing_comes_on_standard_input(clone: Path):
    (clone / "new.py").write_text("x = 1\ny = 2\n")
    assert told(cortex("record", "--path", "new.py", "--json", cwd=clone))["lines"] == 2


def test_the_daemon_learns_by_itself_after_a_commit_and_answers(watched: Path, commit):
    wrote = "def save(path, text):\n    open(path, 'w').write(text)\n"
    told(cortex("record", "--path", "save.py", "--json", cwd=watched, stdin=wrote))
    commit(watched, {"save.py": wrote.replace("'w')", "'w', encoding='utf-8')")}, message="Save")
    import time

    end = time.monotonic() + 20
    memories: list = []
    while not memories and time.monotonic() < end:
        time.sleep(0.2)
        memories = told(cortex("log", "--json", cwd=watched))["memories"]
    assert "encoding" in memories[0]["evidence"][0]["after"]
    status = told(cortex("status", "--json", cwd=watched))
    assert status["daemon"]["used"] is True and status["problems"] == []


ERRORS = [
    (["ask", "x"], 3, "not in a git repository"),
    (["init"], 3, "not in a git repository"),
    (["record", "--path", "x.py"], 3, "not in a git repository"),
]


@pytest.mark.parametrize(("words", "code", "said"), ERRORS, ids=lambda value: str(value))
def test_outside_a_repository_each_command_says_so(
    tmp_path: Path, alone: None, words: list[str], code: int, said: str
):
    run = cortex(*words, cwd=tmp_path)
    assert run.returncode == code and said in run.stderr and "Traceback" not in run.stderr


INSIDE = [
    (["record", "--path", "../out.py"], "x", 3, "outside the repository"),
    (["check", ".."], "", 3, "outside the repository"),
    (["record", "--path", "gone.py"], "", 2, "no file gone.py"),
    (["record"], "x", 2, "which file"),
    (["record", "--from", "claude-code"], "{", 2, "JSON"),
    (["record", "--from", "someone"], "{}", 2, "someone"),
    (["show", "ffffffff"], "", 2, "no memory"),
    (["show", "ff"], "", 2, "too short"),
    (["forget", "ffffffff"], "", 2, "no memory"),
    (["feedback", "ffffffff"], "", 2, "say something"),
    (["ask", "  "], "", 2, "empty"),
    (["ask", "--k", "9", "x"], "", 2, "9"),
    (["check", "--since", "nowhere"], "", 2, "no revision nowhere"),
    (["check", "gone.py"], "", 2, "no file gone.py"),
    (["learn", "--since", "nowhere"], "", 2, "no revision nowhere"),
    (["config", "no.such"], "", 2, "no setting"),
    (["config", "recall.k", "99"], "", 2, "at most 5"),
    (["sync", "--remote", "nowhere"], "", 3, "nowhere"),
    (["connect", "nobody"], "", 2, "nobody"),
    (["nonsense"], "", 2, "nonsense"),
]


@pytest.mark.parametrize(("words", "stdin", "code", "said"), INSIDE, ids=lambda value: str(value)[:30])
def test_each_error_is_clear_and_has_its_exit_status(
    clone: Path, words: list[str], stdin: str, code: int, said: str
):
    run = cortex(*words, cwd=clone, stdin=stdin)
    assert (run.returncode, "Traceback" in run.stderr) == (code, False), run.stderr
    assert said in run.stderr


def test_a_bare_repository_is_refused_with_what_to_do(tmp_path: Path, alone: None):
    subprocess.run(["git", "init", "--bare", "-q", str(tmp_path / "b.git")], check=True)
    run = cortex("init", str(tmp_path / "b.git"), cwd=tmp_path)
    assert run.returncode == 3 and "bare" in run.stderr


def test_a_repository_without_commits_works(tmp_path: Path, alone: None):
    subprocess.run(["git", "init", "-q", str(tmp_path / "r")], check=True)
    here = tmp_path / "r"
    assert cortex("init", cwd=here).returncode == 0
    (here / "a.py").write_text("x = 1\n")
    subprocess.run(["git", "add", "a.py"], cwd=here, check=True)
    assert told(cortex("check", "--json", cwd=here))["checked_files"] == 1
    assert told(cortex("record", "--path", "a.py", "--json", cwd=here))["lines"] == 1


def test_a_sha256_repository_is_refused_clearly_and_left_alone(tmp_path: Path, alone: None):
    subprocess.run(["git", "init", "-q", "--object-format=sha256", str(tmp_path / "r")], check=True)
    before = snapshot(tmp_path / "r")
    run = cortex("init", str(tmp_path / "r"), cwd=tmp_path)
    assert run.returncode == 3 and "SHA-256" in run.stderr
    assert snapshot(tmp_path / "r") == before


def test_binary_and_broken_files_are_skipped_or_checked_without_a_crash(clone: Path):
    (clone / "data.bin").write_bytes(b"\0\1\2")
    (clone / "half.py").write_text("def f(:\n  x ==== 3\n")
    (clone / "odd.py").write_bytes(b"x = '\xff'\n")
    subprocess.run(["git", "add", "."], cwd=clone, check=True)
    result = told(cortex("check", "--json", cwd=clone))
    assert result["findings"] == []
    assert result["skipped"] == {
        "data.bin": "no grammar",
        "half.py": "does not parse",
        "odd.py": "not UTF-8",
    }


def test_no_write_permission_is_a_clear_error(clone: Path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    store = clone / ".git" / "cortex"
    store.chmod(0o500)
    run = cortex("remember", "x", cwd=clone)
    store.chmod(0o700)
    assert run.returncode == 3 and "Traceback" not in run.stderr


def test_a_reader_that_goes_away_is_no_error(clone: Path):
    command = f"{shlex.quote(sys.executable)} -m cortex config | head -1"
    run = subprocess.run(["sh", "-c", command], cwd=clone, capture_output=True, text=True, check=False)
    assert "recall.k" in run.stdout and run.stderr == ""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        words = [sys.executable, "-m", "cortex", "config"]
        run = subprocess.run(words, cwd=clone, stdout=gone, stderr=subprocess.PIPE, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_mistyped_command_names_the_nearest(clone: Path):
    run = cortex("chekc", cwd=clone)
    assert run.returncode == 2 and "No such command 'chekc'. Did you mean 'check'?" in run.stderr
    assert "Did you mean" not in cortex("zzz", cwd=clone).stderr


def test_a_file_that_is_not_there_is_named(clone: Path):
    run = cortex("rules", "import", "nofile.json", cwd=clone)
    assert run.returncode == 3 and "there is no nofile.json" in run.stderr
    run = cortex("evaluate", "--html", "nofolder/page.html", cwd=clone)
    assert run.returncode == 2 and "there is no folder for nofolder/page.html" in run.stderr


def test_text_from_a_repository_cannot_move_the_cursor(clone: Path):
    cortex("remember", "evil \x1b[2J text", cwd=clone)
    assert "\x1b" not in cortex("log", cwd=clone).stdout


def test_completion_is_printed_for_each_shell(clone: Path):
    for shell in ("bash", "zsh", "fish"):
        run = cortex("completion", shell, cwd=clone)
        assert run.returncode == 0 and "_CORTEX_COMPLETE" in run.stdout
    answer = cortex(cwd=clone, _CORTEX_COMPLETE="bash_complete", COMP_WORDS="cortex as", COMP_CWORD="1")
    assert "ask" in answer.stdout


def test_what_is_forgotten_through_the_daemon_is_gone_and_the_repository_is_still_watched(watched: Path):
    m = told(cortex("remember", "Use UTC for timestamps.", "--json", cwd=watched))["id"]
    assert told(cortex("forget", m, "--json", cwd=watched))["id"] == m
    assert told(cortex("log", "--json", cwd=watched))["memories"] == []
    status = told(cortex("daemon", "status", "--json", cwd=watched))
    assert [each["path"] for each in status["repositories"]] == [str(watched)]


def test_a_command_that_finds_no_daemon_does_its_work_and_starts_one(watched: Path):
    import time

    assert cortex("daemon", "stop", cwd=watched).returncode == 0
    assert cortex("remember", "Use UTC for timestamps.", cwd=watched).returncode == 0
    end = time.monotonic() + 20
    pid = None
    while pid is None and time.monotonic() < end:
        time.sleep(0.2)
        pid = json.loads(cortex("daemon", "status", "--json", cwd=watched).stdout)["pid"]
    assert pid is not None


def test_no_daemon_is_started_when_the_settings_say_so(watched: Path):
    import time

    cortex("config", "daemon.autostart", "false", cwd=watched)
    assert cortex("daemon", "stop", cwd=watched).returncode == 0
    assert cortex("remember", "Use UTC for timestamps.", cwd=watched).returncode == 0
    time.sleep(1.5)
    assert json.loads(cortex("daemon", "status", "--json", cwd=watched).stdout)["pid"] is None


def test_the_choice_to_leave_the_past_alone_is_kept(repo: Path, alone: None):
    assert told(cortex("init", "--no-history", "--json", cwd=repo))["history"] is None
    assert told(cortex("init", "--json", cwd=repo))["history"] is None
    cortex("config", "--unset", "learn.history", cwd=repo)
    assert told(cortex("init", "--json", cwd=repo))["history"]["finished"]


def test_a_folder_stands_for_the_code_below_it(clone: Path):
    (clone / "src").mkdir()
    (clone / "src" / "a.py").write_text("x = 1\n")
    (clone / "b.py").write_text("y = 1\n")
    subprocess.run(["git", "add", "."], cwd=clone, check=True)
    assert told(cortex("check", "src", "--json", cwd=clone))["checked_files"] == 1
    assert told(cortex("check", ".", "--json", cwd=clone))["checked_files"] == 2


def test_a_binary_generation_is_refused(clone: Path):
    (clone / "a.bin").write_bytes(b"\x7fELF\0\0\1")
    run = cortex("record", "--path", "a.bin", cwd=clone)
    assert run.returncode == 2 and "binary" in run.stderr


def test_connecting_before_init_says_that_nothing_is_captured_yet(repo: Path, alone: None):
    run = cortex("connect", "claude-code", cwd=repo)
    assert run.returncode == 0 and "before `cortex init`" in run.stdout


def test_a_damaged_shim_is_named_and_written_anew(clone: Path):
    shim = clone / ".git" / "cortex" / "hooks" / "run"
    whole = shim.read_bytes()
    shim.write_bytes(whole.replace(b"exec 2>", b"exec 3>", 1))
    run = cortex("doctor", cwd=clone)
    assert run.returncode == 4 and "not what was installed" in run.stdout
    assert cortex("doctor", "--repair", cwd=clone).returncode == 0
    assert shim.read_bytes() == whole


def test_records_of_a_clock_that_was_ahead_are_counted_and_not_denied(clone: Path) -> None:
    store = find(clone).store
    ahead = wall_ms() + 400 * 86_400_000
    for text in ("One", "Two"):
        FileJournal(store, "", lambda: ahead).put(Memory(title=text, text=text))
    for words in (("log",), ("doctor",)):
        said = cortex(*words, cwd=clone)
        assert said.returncode == 0
        assert "2 records wait: they are more than a day ahead of this machine's clock" in said.stdout
        assert "No memories yet" not in said.stdout
    until = told(cortex("log", "--json", cwd=clone))["waiting"]
    assert until["records"] == 2 and 0 <= ahead - 86_400_000 - until["until"] <= 1000
    assert until == told(cortex("doctor", "--json", cwd=clone))["waiting"]


def test_a_backup_counts_its_files_as_files(clone: Path, tmp_path: Path) -> None:
    cortex("remember", "Use UTC", cwd=clone)
    said = cortex("backup", str(tmp_path / "b.tar"), cwd=clone).stdout
    assert "1 record in 1 file" in said and "segment" not in said


def test_status_says_why_no_daemon_can_run(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    given = {"CORTEX_HOME": str(tmp_path / "file" / "state"), "CORTEX_NO_DAEMON": "0"}
    said = cortex("status", cwd=clone, **given)
    assert said.returncode == 0 and "no daemon can run: the daemon cannot write its folder" in said.stdout
    assert "cortex daemon start" not in said.stdout


@pytest.mark.parametrize("words", [("learn", "--all"), ("remember", "Use UTC"), ("config", "recall.k", "3")])
def test_what_the_disk_refuses_is_named_by_its_path(clone: Path, words: tuple[str, ...]) -> None:
    # A limit on the size of files refuses each write, as a full disk does.
    line = f"ulimit -f 0; exec {shlex.quote(sys.executable)} -m cortex {shlex.join(words)}"
    said = subprocess.run(["bash", "-c", line], cwd=clone, capture_output=True, text=True, timeout=120)
    assert said.returncode == 3 and "File too large" in said.stderr, said.stderr
    assert str(find(clone).store) in said.stderr.splitlines()[0]


def test_log_says_once_what_several_memories_say(clone: Path):
    journal = FileJournal(find(clone).store, author="Ada Byron <ada@example.org>")
    twice = [
        journal.append([Draft(Memory(type="note", title="Close the client", text=text))])[0].m
        for text in ("in the worker", "in the tests")
    ]
    journal.append([Draft(Memory(type="note", title="Use one session"))])
    lines = cortex("log", cwd=clone).stdout.splitlines()
    assert sum("Close the client" in line for line in lines) == 1
    (other,) = (line for line in lines if "the same in" in line)
    assert {lines[lines.index(other) - 2][:12], other.split()[-1]} == {each[:12] for each in twice}
    assert len(told(cortex("log", "--json", cwd=clone))["memories"]) == 3

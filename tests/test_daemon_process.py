"""The daemon as a real process over a real socket: one a person, quick to start, hard to hold up."""

import contextlib
import errno
import fcntl
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cortex.daemon import client, process, protocol
from cortex.daemon.folder import is_held
from cortex.repo.errors import BusyError, CortexError, DamagedError, PlaceError
from cortex.repo.places import state_folder

SCRIPT = """
import os, sys, threading, time
from cortex.daemon import process
from cortex.repo.errors import DamagedError

class Worker:
    def __init__(self, place):
        self.place = place
        self.lock = threading.Lock()
        if (place.store / "broken").exists():
            raise DamagedError("the store is broken", "mend it")

    def note(self, *words):
        with open(self.place.store / "calls", "a") as file:
            file.write(" ".join(map(str, words)) + "\\n")

    def drain(self):
        found = [each for each in (self.place.store / "spool").iterdir() if not each.name.startswith(".")]
        for each in found:
            each.unlink()
        self.note("drain", len(found))
        return len(found)

    def scan(self):
        self.note("scan")
        return 0

    def saved(self, paths):
        self.note("saved", *sorted(os.path.relpath(path, self.place.root) for path in paths))

    def background(self, stop, budget_s):
        return False

    def waits(self):
        return False

    def pending(self):
        if (self.place.store / "slow").exists():
            time.sleep(60)
        return 7

    def close(self):
        self.note("close")

    def handle(self, op, args, progress):
        if op == "echo":
            return dict(args)
        if op == "sleep":
            self.note("begin")
            time.sleep(args["s"])
            self.note("end")
            return {"slept": args["s"]}
        if op == "steps":
            for each in range(args["n"]):
                time.sleep(0.05)
                progress({"done": each})
            return {}
        if op == "damaged":
            raise DamagedError("it is damaged", "mend it")
        if op == "large":
            return {"text": "x" * args["n"]}
        if op == "odd":
            return {"value": object()}
        raise ZeroDivisionError("a fault")

sys.exit(process.run(Worker, sys.argv[1], foreground=len(sys.argv) > 2))
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    file = tmp_path / "a daemon.py"
    file.write_text(SCRIPT)
    return file


@pytest.fixture
def program(script: Path) -> Iterator[list[str]]:
    yield [sys.executable, str(script), "1"]
    with contextlib.suppress(CortexError):
        process.stop(5.0, force=True)


def known(folder: Path) -> Path:
    """A repository that `cortex init` has run in, as far as the daemon can see."""
    (folder / ".git" / "cortex" / "spool").mkdir(parents=True)
    (folder / ".git" / "cortex" / "writer").write_text("w")
    return folder


def calls(folder: Path) -> list[str]:
    file = folder / ".git" / "cortex" / "calls"
    return file.read_text().splitlines() if file.exists() else []


def eventually(law: Any, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not law():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


def others(script: Path) -> list[int]:
    """Processes that run the script."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (each / "cmdline").read_bytes().split(b"\0")
            if os.fsencode(script) in words and b"sh" not in words[:1]:
                found.append(int(each.name))
    return found


def test_start_returns_when_it_answers_and_stop_when_it_has_ended(program: list[str]) -> None:
    assert process.status() == process.Status()
    started = process.start(program, "1")
    assert started.pid and started.version == "1"
    told = process.status()
    assert (told.pid, told.version, told.queue, told.repositories) == (started.pid, "1", 0, ())
    assert set(told.plain()) >= {"pid", "version", "repositories", "queue"}
    assert process.start(program, "1").pid == started.pid
    assert process.stop() == process.Stopped(started.pid, False, 0)
    assert process.status().pid is None
    assert process.stop() == process.Stopped(None)
    assert not Path(client.default_socket()).exists()


def test_the_process_is_nobodys_child_and_holds_nothing_of_its_caller(
    program: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    pid = process.start(program, "1").pid
    assert os.getsid(pid) != os.getsid(0) and os.getpgid(pid) != os.getpgid(0)
    proc = Path(f"/proc/{pid}")
    if proc.is_dir():
        assert (proc / "cwd").readlink() == Path("/")
        assert b"GIT_DIR" not in (proc / "environ").read_bytes()
        assert (proc / "fd/0").readlink() == Path("/dev/null")
        assert (proc / "fd/1").readlink() == (proc / "fd/2").readlink() == state_folder() / "logs/daemon.log"
        assert f"PPid:\t{os.getpid()}\n" not in (proc / "status").read_text()


def test_a_caller_whose_output_is_read_does_not_wait_for_the_daemon(script: Path, program: list[str]) -> None:
    code = f"from cortex.daemon import process; process.start({program!r}, '1'); print('done')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20)
    assert done.stdout == "done\n", done.stderr
    assert process.status().pid


@pytest.mark.parametrize("count", [20, pytest.param(50, marks=pytest.mark.nightly)], ids=["20", "50"])
def test_many_starts_at_once_leave_one_daemon(
    count: int, script: Path, program: list[str], tell: Any
) -> None:
    daemons = [subprocess.Popen(program, stderr=subprocess.DEVNULL) for _ in range(count // 2)]
    code = f"from cortex.daemon import process; print(process.start({program!r}, '1', 60).pid)"
    starts = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(count - len(daemons))
    ]
    pids = {each.communicate(timeout=90)[0].strip() for each in starts}
    eventually(lambda: len(others(script)) == 1, 20)
    assert pids == {str(others(script)[0])} == {str(process.status().pid)}
    process.stop()
    assert sorted({each.wait(20) for each in daemons}) in ([1], [0, 1]), "the others end with an error"
    tell(f"starts: {count} at once, 1 daemon")


def test_the_second_daemon_says_who_holds_it(program: list[str]) -> None:
    pid = process.start(program, "1").pid
    second = subprocess.run([*program, "foreground"], capture_output=True, text=True, timeout=20)
    assert second.returncode != 0
    assert f"process {pid} holds" in second.stderr


def test_a_lock_file_cannot_be_taken_away(program: list[str]) -> None:
    pid = process.start(program, "1").pid
    for each in state_folder().iterdir():
        if each.is_file():
            each.unlink()
    second = subprocess.run([*program, "foreground"], capture_output=True, text=True, timeout=20)
    assert second.returncode != 0 and "holds" in second.stderr
    assert process.status().pid == pid


def test_a_killed_daemon_is_back_within_two_seconds(
    program: list[str], repo: Path, slower: Callable[[], float]
) -> None:
    pid = process.start(program, "1").pid
    client.call("register", str(known(repo)))
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not is_held(state_folder()))
    assert process.status() == process.Status()
    with pytest.raises(client.NoDaemon):
        client.call("ping")
    began = time.monotonic()
    again = process.start(program, "1")
    assert time.monotonic() - began < 2.0 * slower()
    assert again.pid != pid
    assert [each["path"] for each in process.status().repositories] == [str(repo)]


def test_a_wedged_daemon_is_told_from_none_in_time(program: list[str], slower: Callable[[], float]) -> None:
    pid = process.start(program, "1").pid
    os.kill(pid, signal.SIGSTOP)
    try:
        for _ in range(3):
            began = time.monotonic()
            with pytest.raises(client.Wedged):
                client.call("ping", timeout=0.3)
            assert time.monotonic() - began < 0.8 * slower()
        told = process.status(0.3)
        assert told.pid == pid and "did not answer" in told.problem
        with pytest.raises(BusyError, match="did not end"):
            process.stop(0.3)
        assert process.stop(0.3, force=True) == process.Stopped(pid, True, 0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    assert process.start(program, "1").pid != pid


def test_a_wedged_daemon_with_a_full_queue_is_told_in_time(
    program: list[str], slower: Callable[[], float]
) -> None:
    pid = process.start(program, "1").pid
    os.kill(pid, signal.SIGSTOP)
    waiting = []
    try:
        with contextlib.suppress(BlockingIOError):
            for _ in range(1000):
                waiting.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                waiting[-1].setblocking(False)
                waiting[-1].connect(client.socket_path())
        began = time.monotonic()
        with pytest.raises(client.Wedged):
            client.call("ping", timeout=0.3)
        assert time.monotonic() - began < 0.8 * slower()
    finally:
        os.kill(pid, signal.SIGCONT)
        for each in waiting:
            each.close()
    assert client.call("ping", timeout=10)["pid"] == pid


def test_a_daemon_of_another_version_is_replaced(program: list[str], script: Path) -> None:
    old = process.start(program, "1")
    new = process.start([sys.executable, str(script), "2"], "2")
    assert new.pid != old.pid and new.version == "2"
    assert process.ensure([sys.executable, str(script), "2"], "2") == new
    assert len(others(script)) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_what_it_has_begun(
    number: signal.Signals, program: list[str], repo: Path
) -> None:
    pid = process.start(program, "1").pid
    answers: list[Any] = []
    asking = threading.Thread(
        target=lambda: answers.append(client.call("sleep", str(known(repo)), {"s": 0.7}))
    )
    asking.start()
    eventually(lambda: "begin" in calls(repo))
    os.kill(pid, number)
    asking.join()
    assert answers == [{"slept": 0.7}]
    eventually(lambda: not is_held(state_folder()))
    assert calls(repo)[-1] == "close" and "end" in calls(repo)


def test_stop_loses_nothing_that_was_begun(program: list[str], repo: Path) -> None:
    process.start(program, "1")
    answers: list[Any] = []
    asking = [
        threading.Thread(target=lambda: answers.append(client.call("sleep", str(repo), {"s": 0.5})))
        for _ in range(5)
    ]
    known(repo)
    for each in asking:
        each.start()
    eventually(lambda: calls(repo).count("begin") == 5)
    assert process.stop().queue == 7
    for each in asking:
        each.join()
    assert answers == [{"slept": 0.5}] * 5
    assert calls(repo)[-1] == "close"


def test_a_program_that_fails_is_told_with_its_own_words(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("raise SystemExit('no such thing')")
    with pytest.raises(PlaceError) as caught:
        process.start([sys.executable, str(bad)], "1", wait_s=1.0)
    assert "no such thing" in caught.value.hint


def test_a_state_folder_that_cannot_be_made_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: list[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CORTEX_HOME", str(tmp_path / "file" / "state"))
    with pytest.raises(PlaceError, match="cannot write its folder") as caught:
        process.start(program, "1")
    assert "CORTEX_HOME" in caught.value.hint
    assert process.status().pid is None


def test_a_state_folder_that_cannot_be_locked_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, program: list[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    assert process.obstacle() == ""
    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(PlaceError, match=f"{state_folder()} cannot be locked: Function not") as caught:
        process.start(program, "1")
    assert "CORTEX_HOME" in caught.value.hint
    assert process.status() == process.Status()
    assert str(state_folder()) in process.obstacle() and "CORTEX_HOME" in process.obstacle()


def test_a_socket_that_was_tidied_away_is_made_again(program: list[str]) -> None:
    pid = process.start(program, "1").pid
    Path(client.socket_path()).unlink()
    eventually(lambda: Path(client.socket_path()).exists())
    assert client.call("ping")["pid"] == pid


def test_a_daemon_whose_folder_was_moved_ends(program: list[str], tmp_path: Path, script: Path) -> None:
    process.start(program, "1")
    state_folder().rename(tmp_path / "moved")
    eventually(lambda: not others(script))


def test_its_socket_is_its_persons_alone(program: list[str]) -> None:
    process.start(program, "1")
    path = Path(client.socket_path())
    assert len(os.fsencode(path)) <= 100
    assert path.parent.stat().st_mode & 0o777 == 0o700
    with contextlib.closing(client._connect(time.monotonic() + 1)) as connection:
        assert client.peer_uid(connection) == os.getuid()


@pytest.fixture
def runtime() -> Iterator[Path]:
    """A folder whose path is short enough for a socket in it: those that pytest makes may not be."""
    with tempfile.TemporaryDirectory(prefix="run-") as folder:
        yield Path(folder)


def test_a_folder_that_others_can_enter_is_not_trusted(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, program: list[str]
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    (runtime / "cortex").mkdir(mode=0o777)
    (runtime / "cortex").chmod(0o777)
    with pytest.raises(client.NoDaemon, match="not a folder of yours alone"):
        client.call("ping")
    with pytest.raises(PlaceError) as caught:
        process.start(program, "1", wait_s=1.5)
    assert "not a folder of yours alone" in caught.value.hint


def test_another_environment_finds_the_same_daemon(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, program: list[str]
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    pid = process.start(program, "1").pid
    assert client.socket_path().startswith(str(runtime))
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert client.call("ping")["pid"] == pid
    assert process.start(program, "1").pid == pid


def test_the_log_is_read_to_its_end(program: list[str], repo: Path) -> None:
    process.start(program, "1")
    with pytest.raises(protocol.RemoteError):
        client.call("fault", str(known(repo)))
    lines = list(process.log(100))
    assert "listens on" in lines[0] and lines[-1].endswith("ZeroDivisionError: a fault")
    assert list(process.log(1)) == lines[-1:]


def test_the_client_loads_nothing_heavy() -> None:
    code = "import sys, cortex.daemon.client; print(' '.join(sys.modules))"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split())
    heavy = {"click", "numpy", "pygit2", "watchdog", "subprocess", "logging", "threading", "asyncio", "ssl"}
    assert "cortex.daemon.client" in loaded
    assert not loaded & (heavy | {"hashlib", "tomlkit", "onnxruntime", "tempfile", "shutil"})


# What goes over the socket.


@pytest.fixture
def daemon(program: list[str]) -> int:
    return process.start(program, "1").pid or 0


def test_an_answer_carries_the_time_and_the_version(daemon: int, repo: Path) -> None:
    reply = client.exchange("echo", str(known(repo)), {"a": [1, "\udce9"]})
    assert reply.result == {"a": [1, "\udce9"]} and reply.version == "1" and 0 <= reply.ms < 5000


def test_progress_is_told_and_keeps_the_request_alive(daemon: int, repo: Path) -> None:
    told: list[Any] = []
    client.call("steps", str(known(repo)), {"n": 20}, timeout=0.5, progress=told.append)
    assert told == [{"done": each} for each in range(20)]


def test_errors_come_back_with_their_exit_code(daemon: int, repo: Path, tmp_path: Path) -> None:
    with pytest.raises(PlaceError, match="does not know"):
        client.call("echo", str(repo))
    known(repo)
    with pytest.raises(DamagedError) as caught:
        client.call("damaged", str(repo))
    assert (caught.value.exit_code, caught.value.hint) == (4, "mend it")
    for op, where, code in (
        ("fault", repo, 3),
        ("odd", repo, 2),
        ("echo", "", 2),
        ("echo", "sub", 2),
        ("echo", tmp_path, 3),
    ):
        with pytest.raises(CortexError) as failed:
            client.call(op, str(where))
        assert failed.value.exit_code == code
    assert client.call("echo", str(repo), {"a": 1}) == {"a": 1}


def test_a_large_answer_and_a_large_request_come_through(daemon: int, repo: Path) -> None:
    assert len(str(client.call("large", str(known(repo)), {"n": 15_000_000})["text"])) == 15_000_000
    assert client.call("echo", str(repo), {"t": "y" * 15_000_000})["t"] == "y" * 15_000_000
    with pytest.raises(CortexError, match="too long"):
        client.call("large", str(repo), {"n": 17_000_000})


def test_a_slow_repository_holds_up_no_other(
    daemon: int, repo: Path, tmp_path: Path, slower: Callable[[], float]
) -> None:
    slow = tmp_path / "slow"
    subprocess.run(["git", "init", "--quiet", str(slow)], check=True)
    (known(slow) / ".git/cortex/slow").write_text("")

    def ask() -> None:
        with contextlib.suppress(CortexError):
            client.call("sleep", str(slow), {"s": 3}, timeout=1.0)

    stuck = [threading.Thread(target=ask) for _ in range(16)]
    for each in stuck:
        each.start()
    eventually(lambda: calls(slow).count("begin") == 16)
    with pytest.raises(BusyError, match="too many requests wait"):
        client.call("echo", str(slow))
    began = time.monotonic()
    assert client.call("echo", str(known(repo)), {"a": 1}) == {"a": 1}
    assert time.monotonic() - began < 0.5 * slower()
    assert process.status().pid == daemon, "status does not wait for it either"
    for each in stuck:
        each.join()


def test_a_request_past_its_deadline_frees_its_place(daemon: int, repo: Path) -> None:
    known(repo)
    with pytest.raises((client.Wedged, BusyError)):
        client.call("sleep", str(repo), {"s": 2.5}, timeout=0.2)
    assert client.call("echo", str(repo), {"a": 1}) == {"a": 1}
    eventually(lambda: any("past its deadline" in line for line in process.log(50)), 3)


def test_a_broken_repository_is_told_and_spoils_no_other(daemon: int, repo: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    subprocess.run(["git", "init", "--quiet", str(broken)], check=True)
    (known(broken) / ".git/cortex/broken").write_text("")
    client.call("register", str(broken))
    with pytest.raises(DamagedError, match="broken"):
        client.call("echo", str(broken))
    client.call("register", str(known(repo)))
    eventually(lambda: "scan" in calls(repo))
    eventually(lambda: any("is broken" in str(each["problem"]) for each in process.status().repositories))


def test_a_forgotten_repository_is_let_go(daemon: int, repo: Path) -> None:
    client.call("register", str(known(repo)))
    eventually(lambda: "scan" in calls(repo))
    assert client.call("unregister", str(repo)) == {"known": True}
    assert calls(repo)[-1] == "close"
    assert process.status().repositories == ()


def test_a_repository_that_vanished_is_told(daemon: int, repo: Path, tmp_path: Path) -> None:
    client.call("register", str(known(repo)))
    eventually(lambda: "scan" in calls(repo))
    repo.rename(tmp_path / "elsewhere")
    eventually(lambda: "not there" in str(process.status().repositories[0]["problem"]))
    assert client.call("unregister", str(repo)) == {"known": True}


@pytest.mark.parametrize(
    "count", [300, pytest.param(100_000, marks=pytest.mark.nightly)], ids=["sample", "nightly"]
)
def test_no_bytes_bring_the_daemon_down(count: int, daemon: int, seed: int, tell: Any) -> None:
    chance = random.Random(seed)
    good = protocol.request_line("ping", "", {})
    for _ in range(count):
        line = bytearray(good * chance.randint(1, 3))
        for _ in range(chance.randint(0, 5)):
            line[chance.randrange(len(line))] = chance.randrange(256)
        with (
            contextlib.closing(client._connect(time.monotonic() + 5)) as connection,
            contextlib.suppress(OSError),
        ):
            connection.settimeout(5)
            connection.sendall(line[: chance.randint(0, len(line))])
            if chance.random() < 0.5:
                connection.shutdown(socket.SHUT_WR)
                for said in connection.recv(65536).splitlines():
                    assert "ok" in json.loads(said)
    assert client.call("ping")["pid"] == daemon
    eventually(lambda: len(list(Path(f"/proc/{daemon}/task").iterdir())) < 10 or sys.platform != "linux", 35)
    tell(f"socket: {count:,} mutated connections, 0 crashes (seed {seed})")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    "seconds", [3, pytest.param(60, marks=pytest.mark.nightly)], ids=["sample", "nightly"]
)
def test_an_idle_daemon_with_ten_repositories_costs_next_to_nothing(
    seconds: int, daemon: int, tmp_path: Path, tell: Any
) -> None:
    for each in range(10):
        folder = tmp_path / f"r{each}"
        subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
        (folder / "a.py").write_text("a = 1\n")
        client.call("register", str(known(folder)))
        eventually(lambda folder=folder: "scan" in calls(folder))
    time.sleep(1.5)

    def used() -> float:
        fields = Path(f"/proc/{daemon}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = used()
    time.sleep(seconds)
    share = (used() - before) / seconds
    pages = int(Path(f"/proc/{daemon}/statm").read_text().split()[1])
    megabytes = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    tell(f"idle: 10 repositories, {share:.2%} of a core, {megabytes:.0f} MB")
    assert share <= 0.005 + 1 / os.sysconf("SC_CLK_TCK") / seconds
    assert megabytes < 150

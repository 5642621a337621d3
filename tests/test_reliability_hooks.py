"""Row 11, with real commits: whatever is wrong around a hook, the commit succeeds, and late by little.

Lateness is measured beside the same commit with hooks that do nothing. A busy machine can hold up one commit, so
the best of three counts: what is wrong here is wrong each time.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cortex.daemon import client
from cortex.hooks.install import install
from cortex.repo.places import Place, find
from cortex.store import layout

DEADLINE = 1.0
LATE = DEADLINE + 0.5
LATENESS: list[float] = []
BASH = shutil.which("bash") or "/bin/sh"
REAL = f'exec {shlex.quote(sys.executable)} -m cortex "$@"'
FOUND = "echo 'a.py:1: found'"
HANG = "exec sleep 60"

Break = Callable[[Place], None]
Server = Callable[[socket.socket], None]


def program(folder: Path, body: str) -> Path:
    file = folder / "bin" / "cortex"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)
    return file


def commit(
    place: Place, line: str = "", **environment: str | None
) -> tuple[float, subprocess.CompletedProcess[bytes]]:
    """One commit under the fault: how long it took, and what came of it."""
    root = place.require_root()
    (root / "a.py").write_text(f"x = {time.monotonic_ns()}\n")
    env = {**os.environ, "CORTEX_DAEMON_AUTOSTART": "false"}
    for name, value in environment.items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = value
    if "CORTEX_HOME" not in env:  # Python knows the person's home without HOME: it is not the test's to write
        env["XDG_STATE_HOME"] = env["XDG_CONFIG_HOME"] = str(root.parent / "no-home")
    git = shlex.quote(shutil.which("git") or "git")
    subprocess.run(["git", "add", "a.py"], cwd=root, check=True)
    began = time.monotonic()
    done = subprocess.run(
        [BASH, "-c", f"{line or ':'}; {git} commit --quiet -m x $MORE"],
        cwd=root,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return time.monotonic() - began, done


def head(place: Place) -> str:
    said = subprocess.run(["git", "rev-parse", "HEAD"], cwd=place.root, check=True, capture_output=True)
    return said.stdout.decode()


def law(place: Place, line: str = "", **environment: str | None) -> float:
    """Hold the fault to the law; by how many seconds our hooks made the commit late."""
    hooks = place.common / "hooks"
    aside = place.common / "aside"
    assert (hooks / "pre-commit").is_file() and (hooks / "post-commit").is_file(), (
        "without hooks nothing is tried"
    )
    hooks.rename(aside)
    hooks.mkdir()
    for name in ("pre-commit", "post-commit"):
        (hooks / name).write_text("#!/bin/sh\nexit 0\n")
        (hooks / name).chmod(0o755)
    plain, done = commit(place, line, **environment)
    assert done.returncode == 0, f"git itself cannot commit here: {done.stderr!r}"
    shutil.rmtree(hooks)
    aside.rename(hooks)
    late = 0.0
    for _ in range(3):
        before = head(place)
        took, done = commit(place, line, **environment)
        assert done.returncode == 0, done.stderr
        assert head(place) != before
        late = took - plain
        if late <= LATE:
            LATENESS.append(late)
            return late
    raise AssertionError(f"{late:.2f} s late, with a deadline of {DEADLINE} s")


@pytest.fixture
def place(repo: Path) -> Place:
    found = find(repo)
    layout.create(found.store)
    return found


#: Lines of the shell before git: descriptors, limits, signals, masks.
LINES = {
    "closed input": "exec <&-",
    "closed output": "exec >&-",
    "closed errors": "exec 2>&-",
    "all three closed": "exec <&- >&- 2>&-",
    "output into a closed pipe": "exec > >(exec true); sleep 0.05",
    "output that is full": "exec >/dev/full 2>/dev/full",
    "signals ignored": "trap '' TERM INT HUP USR1 PIPE",
    "few descriptors": "ulimit -n 16",
    "hardly a descriptor": "ulimit -n 12",  # our program cannot even start
    "little address space": "ulimit -v 200000",
    "a small stack": "ulimit -s 512",
    "no core and no locked memory": "ulimit -c 0 -l 0",
    "umask 077": "umask 077",
    "umask 000": "umask 000",
    "a folder that is renamed": 'mv "$PWD" "$PWD.moved"; mkdir "$PWD"; rmdir "$PWD"; mv "$PWD.moved" "$PWD"',
    "low priority": "renice -n 19 $$ >/dev/null",
}
#: What stands in the environment, and does not belong there. None: it is taken out.
ENVIRONMENTS: dict[str, dict[str, str | None]] = {
    "no HOME": {"HOME": None, "CORTEX_HOME": None},
    "a HOME that is not there": {"HOME": "/nowhere", "CORTEX_HOME": None},
    "a state folder that is a device": {"CORTEX_HOME": "/dev/null"},
    "no folder for temporary files": {"TMPDIR": "/nowhere"},
    "an empty PATH": {"PATH": ""},
    "a PATH to nowhere": {"PATH": "/nowhere"},
    "an unknown locale": {"LC_ALL": "xx_YY.nothing", "LANG": "zz"},
    "the locale C": {"LC_ALL": "C"},
    "git that traces": {"GIT_TRACE": "1", "GIT_TRACE_SETUP": "1"},
    "a namespace of git": {"GIT_NAMESPACE": "x", "GIT_LITERAL_PATHSPECS": "1"},
    "objects of another repository": {"GIT_ALTERNATE_OBJECT_DIRECTORIES": "/nowhere/objects"},
    "a bad setting": {"CORTEX_RECALL_K": "many", "CORTEX_GUARD_MODE": "shout"},
    "a shell that reads a file first": {"ENV": "/nowhere/env", "BASH_ENV": "/dev/null"},
    "odd separators": {"IFS": "/.", "CDPATH": "/"},
    "a message of 100,000 characters": {"MORE": f"-m {'x' * 100_000}"},
    "a path of many parts": {"PWD": "/nowhere"},
    "inside a hook of ours": {"CORTEX_INSIDE_HOOK": "1"},
}
#: What Python finds in the environment; these go through the real program.
INTERPRETERS: dict[str, dict[str, str | None]] = {
    "a Python of nowhere": {"PYTHONHOME": "/nowhere"},
    "modules that shadow": {"PYTHONPATH": "NOISE"},
    "a startup that warns": {"PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1"},
    "an unknown encoding": {"PYTHONIOENCODING": "nothing"},
    "a state folder that cannot be made": {"CORTEX_HOME": "/dev/null/x", "XDG_RUNTIME_DIR": "/nowhere"},
    "no HOME, and the real program": {"HOME": None, "CORTEX_HOME": None},
}


def file(*parts: str, data: bytes) -> Break:
    def put(place: Place) -> None:
        target = place.store.joinpath(*parts)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(data)

    return put


def replaced(*parts: str, by: str) -> Break:
    """A file or folder of the store that is something else: a folder, a pipe, a link."""

    def put(place: Place) -> None:
        target = place.store.joinpath(*parts)
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        if by == "folder":
            target.mkdir()
        elif by == "pipe":
            os.mkfifo(target)
        else:
            target.symlink_to(target if by == "itself" else by)

    return put


def team_pipe(place: Place) -> None:
    os.mkfifo(place.require_root() / ".cortex.toml")


STORES: dict[str, tuple[Break, str]] = {
    "the shim is a folder": (replaced("hooks", "run", by="folder"), FOUND),
    "the shim is a pipe": (replaced("hooks", "run", by="pipe"), FOUND),
    "the shim is a link to itself": (replaced("hooks", "run", by="itself"), FOUND),
    "the shim is a device": (replaced("hooks", "run", by="/dev/null"), FOUND),
    "the shim is noise": (file("hooks", "run", data=os.urandom(4000)), FOUND),
    "the spool is a link to nowhere": (replaced("spool", by="/nowhere"), FOUND),
    "the spool is a link to itself": (replaced("spool", by="itself"), FOUND),
    "the spool is on a device": (replaced("spool", by="/proc/self"), FOUND),
    "settings that are no TOML": (file("config.toml", data=b"[[["), REAL),
    "settings that are a pipe": (replaced("config.toml", by="pipe"), REAL),
    "settings of the team that are a pipe": (team_pipe, REAL),
    "a store of a newer version": (file("format.json", data=b'{"format": 9}\n'), REAL),
    "a writer's id that is noise": (file("writer", data=b"\xff\0"), REAL),
    "a log that is noise": (file("wal", "0" * 32 + ".jsonl", data=os.urandom(5000)), REAL),
    "an index that is a file": (replaced("index", by="/dev/null"), REAL),
}


@pytest.mark.parametrize("fault", LINES)
def test_no_limit_descriptor_or_signal_stops_a_commit(place: Place, tmp_path: Path, fault: str) -> None:
    install(place, program(tmp_path, FOUND), deadline=DEADLINE)
    law(place, LINES[fault])


@pytest.mark.parametrize("fault", ["signals ignored", "all three closed", "few descriptors"])
def test_a_program_that_hangs_is_ended_there_too(place: Place, tmp_path: Path, fault: str) -> None:
    install(place, program(tmp_path, HANG), deadline=DEADLINE)
    assert law(place, LINES[fault]) > DEADLINE / 2, "it was not even started"


@pytest.mark.parametrize("fault", ENVIRONMENTS)
def test_nothing_in_the_environment_stops_a_commit(place: Place, tmp_path: Path, fault: str) -> None:
    install(place, program(tmp_path, FOUND), deadline=DEADLINE)
    law(place, **ENVIRONMENTS[fault])


@pytest.mark.parametrize("fault", INTERPRETERS)
def test_no_interpreter_stops_a_commit(place: Place, tmp_path: Path, fault: str) -> None:
    noise = tmp_path / "noise"
    noise.mkdir()
    (noise / "sitecustomize.py").write_text("print('welcome')\n")
    (noise / "json.py").write_text("print('a finding')\nraise SystemExit(1)\n")
    install(place, program(tmp_path, REAL), deadline=DEADLINE)
    given = {name: str(noise) if value == "NOISE" else value for name, value in INTERPRETERS[fault].items()}
    law(place, **given)


@pytest.mark.parametrize("fault", STORES)
def test_nothing_in_the_store_stops_a_commit(place: Place, tmp_path: Path, fault: str) -> None:
    damage, body = STORES[fault]
    install(place, program(tmp_path, body), deadline=DEADLINE)
    damage(place)
    law(place)


def garbage(one: socket.socket) -> None:
    one.recv(65_536)
    one.sendall(os.urandom(5000) + b"\n")


def half(one: socket.socket) -> None:
    one.recv(65_536)
    one.sendall(b'{"ok": true, "result": {"findi')
    time.sleep(3)


def trickle(one: socket.socket) -> None:
    one.recv(65_536)
    for _ in range(60):
        one.sendall(b" ")
        time.sleep(0.05)


def progress(one: socket.socket) -> None:
    one.recv(65_536)
    for _ in range(60):
        one.sendall(b'{"progress": {"done": 1}}\n')
        time.sleep(0.05)


def flood(one: socket.socket) -> None:
    one.recv(65_536)
    for _ in range(400):
        one.sendall(b"x" * 65_536)


def odd_result(one: socket.socket) -> None:
    one.recv(65_536)
    one.sendall(b'{"ok": true, "result": {"findings": 5, "blocked": "yes"}, "ms": 1, "version": "0"}\n')


def silent(one: socket.socket) -> None:
    time.sleep(3)


def gone(one: socket.socket) -> None:
    pass


SERVERS: dict[str, Server] = {
    each.__name__: each for each in (garbage, half, trickle, progress, flood, odd_result, silent, gone)
}


@contextlib.contextmanager
def listening(server: Server | None) -> Iterator[None]:
    """Something else where the daemon should listen; None: it takes no connection at all."""
    path = Path(client.socket_path())
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
        bound.listen(1 if server is None else 16)

        def answer(one: socket.socket) -> None:
            with one, contextlib.suppress(OSError):
                assert server is not None
                server(one)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while server is not None:
                    threading.Thread(target=answer, args=(bound.accept()[0],), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                bound.shutdown(socket.SHUT_RDWR)
            path.unlink(missing_ok=True)


@pytest.mark.parametrize("fault", [*SERVERS, "no connection is taken"])
def test_nothing_at_the_socket_stops_a_commit(place: Place, tmp_path: Path, fault: str) -> None:
    install(place, program(tmp_path, REAL), deadline=DEADLINE)
    with listening(SERVERS.get(fault)):
        law(place)


def test_the_faults_are_counted(tell: Callable[[str], None]) -> None:
    count = len(LINES) + 3 + len(ENVIRONMENTS) + len(INTERPRETERS) + len(STORES) + len(SERVERS) + 1
    most = max(LATENESS, default=0.0)
    tell(
        f"hook faults with real commits: {count}, each made, {most:.2f} s late at most (deadline {DEADLINE} s)"
    )
    assert count >= 60

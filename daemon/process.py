"""The daemon as a process: one a person, started, stopped and asked how it is."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..repo.errors import BusyError, CortexError, PlaceError
from ..repo.files import write_whole
from ..repo.git import clean_environment
from ..repo.places import state_folder
from . import client, logs, loop
from .folder import announce, announced, arrived, held, is_coming, is_held, is_same, lockable, made, starting
from .logs import logger
from .registry import Registry
from .server import Server
from .workers import Factory, Workers

GRACE_S = 25.0  # what a stop may take
#: How long one thread keeps Python's lock while others wait: an answer gives it back at each look into a file, and
#: would wait for whoever reads a large journal at every one of them.
TURN_S = 0.0005
BIRTH_S = 5.0  # what a process may take from its start to the lock, on a busy machine
_FORCE = "`cortex daemon stop --force` kills it; nothing that was acknowledged is lost by that."


@dataclass(frozen=True)
class Status:
    """How the daemon is; `pid` is None when none runs. `problem` says why one that runs does not answer."""

    pid: int | None = None
    version: str = ""
    started: int = 0  # ms
    repositories: tuple[dict[str, object], ...] = ()
    queue: int = 0
    problem: str = ""
    starting: bool = False  # whether one is on its way

    def plain(self) -> dict[str, object]:
        """The JSON form that `cortex daemon status --json` promises."""
        return {
            "pid": self.pid,
            "version": self.version,
            "started": self.started,
            "repositories": list(self.repositories),
            "queue": self.queue,
            "problem": self.problem,
            "starting": self.starting,
        }


@dataclass(frozen=True)
class Stopped:
    """What a stop did: whose process ended, whether it had to be killed, what waits for the next start."""

    pid: int | None
    killed: bool = False
    queue: int = 0


def run(factory: Factory, version: str, foreground: bool = True) -> int:
    """Be the daemon until a signal or `stop` ends it; 0 when everything was finished.

    Raises `BusyError` when another daemon holds the state folder, `PlaceError` when that cannot be written.
    """
    folder = made()
    with held(folder):
        os.chdir("/")
        logs.set_up(folder, foreground)
        faulthandler.enable()
        sys.setswitchinterval(TURN_S)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: stop.set())
        return _serve(folder, factory, version, stop)


def _serve(folder: Path, factory: Factory, version: str, stop: threading.Event) -> int:
    started = time.time_ns() // 1_000_000
    workers = Workers(Registry(folder), factory)
    server = Server(workers, client.default_socket(), version, stop, started=started)
    workers.refresh()  # who asks at once is told of all repositories
    told = {"pid": os.getpid(), "version": version, "started": started, "socket": server.path}
    # Before it answers: whoever was answered finds here who it was.
    write_whole(folder / client.TOLD, json.dumps(told).encode("ascii") + b"\n")
    server.start()
    arrived(folder)
    logger.info("version %s listens on %s", version, server.path)
    looking = threading.Thread(target=loop.run, args=(workers, stop), name="loop", daemon=True)
    looking.start()
    inode = folder.stat().st_ino
    while not stop.wait(1.0):
        server.reap()
        server.keep_name()
        if not is_same(folder, inode):
            logger.error("%s was moved or removed: another daemon may start, so this one ends", folder)
            stop.set()
    workers.changed.set()
    if is_same(folder, inode):
        with contextlib.suppress(OSError):  # a full disk: `status` then says less
            write_whole(folder / client.TOLD, json.dumps({**told, "ending": True}).encode("ascii") + b"\n")
    end = time.monotonic() + GRACE_S
    left = server.close(GRACE_S)
    looking.join(max(0.0, end - time.monotonic()))
    late = workers.close(max(1.0, end - time.monotonic()))
    for name in late:
        logger.error("%s did not finish in time; what it had acknowledged is on disk", name)
    if is_same(folder, inode):
        (folder / client.TOLD).unlink(missing_ok=True)
    logger.info("stopped")
    return 1 if late or left else 0


def start(program: Sequence[str], version: str, wait_s: float = 10.0) -> Status:
    """Have a daemon of this `version` run, and return when it answers; `program` is what becomes it.

    Several at once start one: the others wait for it. One of another version is stopped first. Raises
    `PlaceError` when it does not come up, with the last lines of its log.
    """
    folder = made()
    end = time.monotonic() + wait_s
    now = _answering()
    if now is not None and now.version == version:
        return now
    with starting(folder, end), announced(folder, version):
        now = _answering()
        if now is not None and now.version != version:
            stop(max(wait_s, GRACE_S))
            end = time.monotonic() + wait_s
            now = None
        while now is None and time.monotonic() < end:
            free = not is_held(folder)
            if free:
                _spawn(program, folder)
            # Held and silent: it may be dying, and then the place of the next is free at once.
            now = _await(folder, end, BIRTH_S if free else 0.0)
    if now is not None:
        return now
    holder = _holder(folder)
    if holder is not None:
        raise BusyError(
            f"a daemon runs already (process {holder}), and cannot be reached from here: {_silence()}", _FORCE
        )
    said = "\n".join(logs.tail(logs.path(folder), 5))
    raise PlaceError(
        f"the daemon did not come up within {wait_s:g} s", said or "Look at `cortex daemon logs`."
    )


def ensure(program: Sequence[str], version: str, wait_s: float = 10.0) -> Status:
    """The daemon of this `version`, started or restarted if need be: cheap when it runs."""
    return start(program, version, wait_s)


def start_soon(starter: Sequence[str], version: str) -> None:
    """Have `starter` (`cortex daemon start`, of this `version`) run by itself, and do not wait for it.

    For commands and hooks that find no daemon, or one of another version: they do their own work in process,
    and the next one is quick again. What goes wrong is in the daemon's log.
    """
    try:
        folder = made()
        if is_coming(folder):
            return
        announce(folder, version)
        _spawn(starter, folder)
    except (OSError, subprocess.SubprocessError, PlaceError) as error:
        logger.warning("the daemon could not be started: %s", error)


def obstacle() -> str:
    """Why no daemon can be started here; empty where one can."""
    try:
        lockable(made())
    except PlaceError as error:
        return f"{error.message}. {error.hint}"
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    return ""


def stop(wait_s: float = 30.0, force: bool = False) -> Stopped:
    """End the daemon, and return when it has ended. What was acknowledged is on disk; the spool waits there.

    `force` kills one that does not end by itself. Raises `BusyError` when it is there after `wait_s` seconds.
    """
    folder = state_folder()
    end = time.monotonic() + wait_s
    queue, pid = 0, _holder(folder)
    try:
        told = client.call("stop", timeout=min(wait_s, 5.0))
        pid, queue = _int(told.get("pid")), _int(told.get("queue"))
    except CortexError:
        if pid is not None:
            _signal(pid, signal.SIGTERM)
    while is_held(folder) and time.monotonic() < end:
        time.sleep(0.02)
    if not is_held(folder):
        return Stopped(pid, False, queue)
    pid = pid or _holder(folder)
    if not force or pid is None:
        raise BusyError(f"the daemon (process {pid or 'unknown'}) did not end within {wait_s:g} s", _FORCE)
    _signal(pid, signal.SIGKILL)
    end = time.monotonic() + 5.0
    while is_held(folder):
        if time.monotonic() > end:
            raise BusyError(
                f"the daemon (process {pid}) cannot be killed", "It may wait for a disk that is gone."
            )
        time.sleep(0.02)
    return Stopped(pid, True, queue)


def status(timeout: float = 3.0) -> Status:
    """How the daemon is: asked of itself, or, when it does not answer, seen from outside."""
    try:
        told = client.call("status", timeout=timeout)
    except CortexError as error:
        folder = state_folder()
        coming, taken, told = is_coming(folder), is_held(folder), client.describe()
        if not taken and not coming:
            return Status()
        if not taken:
            return Status(problem="it is being started", starting=True)
        version = str(told.get("version", ""))
        pid = _int(told.get("pid"))
        if coming and not _lives(pid):
            return Status(problem="it is being started", starting=True)
        problem = error.message
        if told.get("ending") is True:
            problem = "it is ending: it finishes what it has"
        elif error.message == client.NONE_RUNS:
            problem = "its socket cannot be seen from here"
        if coming:
            problem += "; a new one takes over"
        return Status(pid, version, problem=problem, starting=coming)
    repositories = told.get("repositories")
    return Status(
        _int(told.get("pid")),
        str(told.get("version", "")),
        _int(told.get("started")),
        tuple(each for each in repositories if isinstance(each, dict))
        if isinstance(repositories, list)
        else (),
        _int(told.get("queue")),
        starting=is_coming(state_folder()),
    )


def log(count: int = 50, follow: bool = False) -> Iterator[str]:
    """The last lines of the daemon's log; with `follow`, new ones as they come."""
    file = logs.path(state_folder())
    if follow:
        yield from logs.follow(file, count, lambda: False)
    else:
        yield from logs.tail(file, count)


def _await(folder: Path, end: float, birth_s: float) -> Status | None:
    """The daemon as soon as it answers; None when it ended before, or does not answer in time.

    `birth_s` is what it may take until it holds the folder.
    """
    born = min(end, time.monotonic() + birth_s)
    while time.monotonic() < end:
        now = _answering()
        if now is not None:
            return now
        if time.monotonic() > born and not is_held(folder):
            return None
        time.sleep(0.02)
    return None


def _spawn(program: Sequence[str], folder: Path) -> None:
    """Start `program` as nobody's child: a shell in a session of its own starts it, and ends."""
    environment = clean_environment({"CORTEX_HOME": str(folder)} if os.environ.get("CORTEX_HOME") else None)
    with logs.path(folder).open("ab") as output:
        subprocess.run(  # noqa: S603 - the command is ours, given as separate words
            ["/bin/sh", "-c", '"$@" &', "sh", *program],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=environment,
            start_new_session=True,
            check=True,
        )


def _answering() -> Status | None:
    try:
        told = client.call("ping", timeout=2.0)
    except CortexError:
        return None
    return Status(_int(told.get("pid")), str(told.get("version", "")), _int(told.get("started")))


def _silence() -> str:
    """Why the daemon does not answer."""
    try:
        client.call("ping", timeout=0.5)
    except CortexError as error:
        return error.message
    return "it does now"


def _holder(folder: Path) -> int | None:
    """The process that holds the state folder, by its own word; None when there is none, or no word yet."""
    return (_int(client.describe().get("pid")) or None) if is_held(folder) else None


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _lives(pid: int) -> bool:
    """Whether there is such a process: what a killed daemon wrote of itself may still lie there."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _int(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0

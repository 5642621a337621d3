"""A process that has loaded the package once, and forks from there: daemons and writers born in milliseconds.

Each is a process of its own that SIGKILL ends for good, as one that was started by a command. What it lacks is the
time that Python takes to load; tests of that start the real command. The fixture `zygote` runs this file.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import cortex.recall
import cortex.store.sync  # noqa: F401 - for those who are forked
from cortex.daemon import client, process
from cortex.daemon.engine import Engine
from cortex.daemon.state import Models
from cortex.repo.errors import BusyError, CortexError
from cortex.repo.places import find
from cortex.store.journal import FileJournal
from cortex.store.kinds import Correction, Generation
from cortex.store.record import Draft


def daemon(out: str, version: str) -> None:
    """Be a daemon; into `out` comes how that ended."""
    models = Models()
    try:
        said = str(process.run(lambda place: Engine(place, models), version, foreground=False))
    except BusyError as error:
        said = f"busy: {error.message}"
    tell(out, said)


def writer(out: str, store: str) -> None:
    """Write into a store until killed; into `out` comes the id of each record once it is acknowledged."""
    journal = FileJournal(Path(store), "Ada <ada@example.org>", timeout=30)
    number = 0
    while True:
        number += 1
        drafts = [Draft(Correction(before=f"{number} " + "x" * 200)) for _ in range(number % 3 + 1)]
        written = journal.append([*drafts, Draft(Generation(path="p"))])
        tell(out, *(record.id for record in written))
        if number % 5 == 0:
            tell(out, journal.edit(written[0].m, Correction(before="edited")).id)
        if number % 7 == 0:
            journal.seal()


def asker(out: str, repo: str, name: str) -> None:
    """Ask the daemon to store things until killed; into `out` comes what it acknowledged, or the error."""
    number = 0
    while True:
        number += 1
        try:
            if number % 3:
                args = {"text": f"{name} {number}", "at": repo}
                told = client.call("remember", repo, args, timeout=30)["id"]
            else:
                path = f"src/{name}{number % 7}.py"
                args = {"path": path, "content": f"value = {number}\n", "agent": name, "at": repo}
                told = client.call("record", repo, args, timeout=30)["generation"]
        except CortexError as error:
            told = f"{type(error).__name__}: {error.message}"
            time.sleep(0.02)
        tell(out, str(told))


def tell(out: str, *lines: str) -> None:
    """Add lines to a file in one write: what was told stays told when this process is killed."""
    file = os.open(out, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.write(file, "".join(f"{line}\n" for line in lines).encode())
    os.close(file)


KINDS: dict[str, Callable[..., None]] = {"daemon": daemon, "writer": writer, "asker": asker}


def child(gate: int, home: str, kind: str, args: dict[str, Any]) -> None:
    """What the forked process does: wait for the gate to open, then its work; it never comes back from here."""
    status = 70
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(0, 1)
        if home:
            os.environ["CORTEX_HOME"] = home
        os.read(gate, 1)
        os.close(gate)
        KINDS[kind](**args)
        status = 0
    except BaseException:  # noqa: BLE001 - told, and nothing comes after
        traceback.print_exc()
    finally:
        os._exit(status)


def warm(repo: str) -> None:
    """Do once what every daemon does first, so that its code is loaded and its patterns are compiled."""
    engine = Engine(find(repo), Models())
    engine.handle("remember", {"text": "A first one, before the forks.", "at": repo})
    engine.handle("record", {"path": "first.py", "content": "x = 1\n", "agent": "first", "at": repo})
    engine.close()


def main() -> None:
    """Do what each line of standard input says, and answer with processes' ids; end all of them at its end.

    `{do: "fork", count, home, kind, args}`; `{do: "kill", pids}`, which returns when they are gone; `{do: "left"}`.
    """
    if len(sys.argv) > 1:
        warm(sys.argv[1])
    with contextlib.suppress(FileNotFoundError):
        assert len(os.listdir("/proc/self/task")) == 1, "a thread would be lost by the fork"
    gc.collect()
    gc.freeze()  # or the first collection in each child copies every page
    print("ready", flush=True)
    left: set[int] = set()  # not waited for: no other process can have their ids
    for line in sys.stdin:
        told = json.loads(line)
        if told["do"] == "fork":
            pids = fork(told["count"], told["home"], told["kind"], told["args"])
            left |= set(pids)
        elif told["do"] == "kill":
            left -= set(told["pids"])
            pids = end(told["pids"])
        else:
            left -= {pid for pid in left if os.waitpid(pid, os.WNOHANG)[0]}
            pids = sorted(left)
        print(json.dumps(pids), flush=True)
    end(left)


def fork(count: int, home: str, kind: str, args: dict[str, Any]) -> list[int]:
    """So many processes, let go at the same instant."""
    gate, opens = os.pipe()
    pids = []
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            os.close(opens)
            child(gate, home, kind, args)
        pids.append(pid)
    os.close(gate)
    os.close(opens)
    return pids


def end(pids: Collection[int]) -> list[int]:
    """Kill -9, and return when they are gone: those that had not ended before."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return [pid for pid in pids if os.waitpid(pid, 0)[1] == signal.SIGKILL]


main()

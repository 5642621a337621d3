"""Row 13, the lock: one writer at a time, of real processes. That killed ones lose nothing is another file's."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cortex.repo.errors import BusyError, PlaceError
from cortex.store.journal import FileJournal, create
from cortex.store.kinds import Correction
from cortex.store.lock import holder, writer_lock

WRITER = """
import sys
from pathlib import Path
from cortex.store.journal import FileJournal
from cortex.store.kinds import Correction, Generation
from cortex.store.record import Draft

journal = FileJournal(Path(sys.argv[1]), "Ada <ada@example.org>", timeout=30)
print("ready", flush=True)
number = 0
while True:
    number += 1
    drafts = [Draft(Correction(before=f"{number} " + "x" * 200)) for _ in range(number % 3 + 1)]
    written = journal.append([*drafts, Draft(Generation(path="p"))])
    print(*(record.id for record in written), flush=True)
    if number % 5 == 0:
        print(journal.edit(written[0].m, Correction(before="edited")).id, flush=True)
    if number % 7 == 0:
        journal.seal()
"""


def start(store: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(store)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def test_a_killed_writer_leaves_a_store_that_opens_at_once(
    tmp_path: Path, slower: Callable[[], float]
) -> None:
    store = tmp_path / "cortex"
    create(store)
    process = start(store)
    time.sleep(0.05)
    process.kill()
    process.communicate()
    begin = time.perf_counter()
    FileJournal(store, "").put(Correction(before="after"))
    assert time.perf_counter() - begin < 2 * slower()


HOLDS = """
import sys, time
from pathlib import Path
from cortex.store.lock import writer_lock
with writer_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_says_who_holds_the_lock(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(BusyError, match=f"process {process.pid} ") as caught, writer_lock(tmp_path, 0.1):
            pass
        assert "try again" in caught.value.hint
    finally:
        process.kill()
        process.communicate()
    with writer_lock(tmp_path, 1):  # it died, and its lock with it
        assert holder(tmp_path).startswith(f"process {os.getpid()} ")


ONE = """
import os, sys, time
from pathlib import Path
from cortex.store.lock import writer_lock
folder = Path(sys.argv[1])
for _ in range(5):
    with writer_lock(folder, 200):
        try:
            os.close(os.open(folder / "inside", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            print("two inside")
        time.sleep(0.002)
        os.unlink(folder / "inside")
        # What somebody may do who thinks that a lock is a file.
        try:
            os.unlink(folder / "holder")
        except FileNotFoundError:
            pass
"""


def test_the_lock_is_never_held_twice(tmp_path: Path, tell: Callable[[str], None]) -> None:
    count = 12
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ONE, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(count)
    ]
    said = [process.communicate(timeout=300) for process in processes]
    assert said == [(b"", b"")] * count
    tell(f"one lock: {count} processes at once, 5 times each, never two inside")


def test_threads_exclude_each_other_too(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(20):
            with writer_lock(tmp_path, 30):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1} and len(most) == 80


def test_threads_share_one_journal(tmp_path: Path) -> None:
    create(tmp_path / "s")
    journal = FileJournal(tmp_path / "s", "", timeout=30)
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for index in range(15):
                record = journal.put(Correction(before=f"{number}/{index}"))
                assert journal.view().current(record.m) == record
                if index % 5 == 4:
                    journal.edit(record.m, Correction(before="edited"))
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    records = list(journal.records())
    assert len(records) == 4 * 18 and len({record.n for record in records}) == len(records)
    assert len(journal.view()) == 60


def test_a_folder_that_is_not_there_cannot_be_locked(tmp_path: Path) -> None:
    with pytest.raises(PlaceError, match="no folder"), writer_lock(tmp_path / "none"):
        pass


def test_a_folder_replaced_while_waiting_is_locked_anew(tmp_path: Path) -> None:
    folder = tmp_path / "cortex"
    folder.mkdir()
    taken = threading.Event()
    release = threading.Event()

    def hold() -> None:
        with writer_lock(folder, 5):
            taken.set()
            release.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait(10)
    folder.rename(tmp_path / "old")
    folder.mkdir()
    with writer_lock(folder, 1):  # another inode: the old lock says nothing about it
        pass
    release.set()
    thread.join()

"""The daemon's log rotates, takes crashes along, and is followed across its rotations."""

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cortex.daemon import logs


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(logs, "MAX_BYTES", 2000)
    before = logs.logger.handlers[:], logs.logger.level, logs.logger.propagate
    logs.set_up(tmp_path, foreground=True)
    yield logs.path(tmp_path)
    for handler in logs.logger.handlers:
        handler.close()
    logs.logger.handlers[:], logs.logger.level, logs.logger.propagate = before


def test_the_log_rotates_and_stays_small(file: Path) -> None:
    for number in range(500):
        logs.logger.info("line %d", number)
    parts = sorted(each.name for each in file.parent.iterdir())
    assert parts == ["daemon.log", "daemon.log.1", "daemon.log.2", "daemon.log.3"]
    assert sum(each.stat().st_size for each in file.parent.iterdir()) <= 4 * 2000
    assert [line.rpartition(" ")[2] for line in logs.tail(file, 40)] == [str(n) for n in range(460, 500)]
    assert logs.tail(file, 0) == [] and logs.tail(file.with_name("none"), 5) == []


def test_each_new_line_is_followed_across_rotations(file: Path) -> None:
    logs.logger.info("line first")
    done = threading.Event()
    seen: list[str] = []

    def follow() -> None:
        for line in logs.follow(file, 1, done.is_set, wait_s=0.001):
            seen.append(line.rpartition(" ")[2])
            if seen[-1] == "last":
                return

    thread = threading.Thread(target=follow)
    thread.start()
    while not seen:
        done.wait(0.005)
    for number in range(60):
        logs.logger.info("line %d", number)
        done.wait(0.01)
    logs.logger.info("line last")
    thread.join(10)
    done.set()
    thread.join(10)
    assert seen == ["first", *map(str, range(60)), "last"]


def test_what_a_path_holds_never_breaks_the_log(file: Path) -> None:
    logs.logger.info("looking at %s", "caf\udce9")
    assert logs.tail(file, 1)[0].endswith("caf\\udce9")


def test_a_crash_of_the_interpreter_is_in_the_newest_file(tmp_path: Path) -> None:
    code = (
        "import os, sys, faulthandler; from pathlib import Path; from cortex.daemon import logs\n"
        "logs.MAX_BYTES = 500; logs.set_up(Path(sys.argv[1]), foreground=False); faulthandler.enable()\n"
        "for n in range(50): logs.logger.info('line %d', n)\n"
        "os.abort()"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True)
    assert done.returncode < 0 and done.stderr == b""
    assert "Fatal Python error: Aborted" in logs.path(tmp_path).read_text()


def test_the_log_of_the_daemon_is_its_own() -> None:
    assert logs.logger is logging.getLogger("cortex.daemon")

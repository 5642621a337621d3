"""The daemon's log: one file that rotates, and how it is read."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

NAME = "daemon.log"
MAX_BYTES = 2 * 1024 * 1024
KEPT = 3

logger = logging.getLogger("cortex.daemon")


def path(folder: Path) -> Path:
    """The log file in a state folder."""
    return folder / "logs" / NAME


class _Rotating(RotatingFileHandler):
    """A rotating log that takes the process's own output along: a crash is told in the newest file."""

    def __init__(self, file: Path, output: bool) -> None:
        self._output = output
        super().__init__(
            file, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8", errors="backslashreplace"
        )

    def _open(self) -> TextIOWrapper:
        stream = super()._open()
        if self._output:
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
        return stream

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """A log that cannot be written (a full disk) must not stop the work, nor fill another log."""


def set_up(folder: Path, foreground: bool) -> logging.Handler:
    """Send what `cortex.daemon` logs into the file, and to the terminal too in the `foreground`."""
    file = path(folder)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = _Rotating(file, output=not foreground)
    form = logging.Formatter("%(asctime)s %(levelname)s [%(process)d %(threadName)s] %(message)s")
    handler.setFormatter(form)
    logger.addHandler(handler)
    if foreground:
        shown = logging.StreamHandler(sys.stderr)
        shown.setFormatter(form)
        logger.addHandler(shown)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return handler


def tail(file: Path, count: int) -> list[str]:
    """The last `count` lines, over rotated files if need be; empty when there is no log yet."""
    lines: list[str] = []
    for part in (file, *(file.with_name(f"{file.name}.{number}") for number in range(1, KEPT + 1))):
        if len(lines) >= count:
            break
        try:
            text = part.read_text(encoding="utf-8", errors="replace")
        except OSError:
            break
        lines = text.splitlines() + lines
    return lines[-count:] if count > 0 else []


def follow(file: Path, count: int, stop: Callable[[], bool], wait_s: float = 0.25) -> Iterator[str]:
    """The last `count` lines and then each new one, across rotations, until `stop` says so."""
    opened = file.open("rb") if file.exists() else None
    try:
        if opened:
            opened.seek(0, os.SEEK_END)
        yield from tail(file, count)
        rest = b""
        while not stop():
            data = opened.read() if opened else b""
            *whole, rest = (rest + data).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in whole)
            if data:
                continue
            with contextlib.suppress(FileNotFoundError):  # between two files of a rotation
                if opened is None or file.stat().st_ino != os.fstat(opened.fileno()).st_ino:
                    newer = file.open("rb")
                    if opened:  # what was written between the last look and the rotation
                        rest += opened.read()
                        opened.close()
                    opened = newer
                    continue
            time.sleep(wait_s)
    finally:
        if opened:
            opened.close()

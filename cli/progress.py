"""A progress line on standard error: drawn on a terminal, silent elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping

from . import render

WIDTH = 24
EVERY_S = 0.1


class Progress:
    """Call it with `{"done": …, "total": …, "note": …}`; `total` 0 or missing draws a count alone."""

    def __init__(self, label: str, *, quiet: bool = False) -> None:
        self.label = label
        self._shown = not quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._last = 0.0
        self._drawn = False

    def __call__(self, seen: Mapping[str, object]) -> None:
        """Draw the line anew, ten times a second at most."""
        now = time.monotonic()
        if not self._shown or now - self._last < EVERY_S:
            return
        self._last, self._drawn = now, True
        done, total = _number(seen.get("done")), _number(seen.get("total"))
        note = render.safe(seen.get("note", ""))
        if total:
            full = min(WIDTH, WIDTH * done // total)
            bar = f"[{'#' * full}{'.' * (WIDTH - full)}] {done:,}/{total:,}"
        else:
            bar = f"{done:,}"
        sys.stderr.write(f"\r\033[K{self.label} {bar} {note}"[: _columns() + 4])
        sys.stderr.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawn:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80  # 0: a terminal without a size
    except OSError:
        return 80

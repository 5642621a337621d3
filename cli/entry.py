"""The way in: the commands that must be quick are done here, without click; all others go to `main`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["run"]:
        from . import running

        status = running.run(given[1:])
    else:
        from . import fast

        status = fast.run(given, os.environ)
    if status is None:
        from .main import run

        if given[:1] == ["ask"]:
            _end_soon()
        status = run(given)
    return status


def _end_soon() -> None:
    """Have Python not look through all objects for cycles at its end: a fifth of what an answer costs."""
    import atexit
    import gc

    # DuckDB takes its own types for leaked then, and says so; no answer needs it.
    atexit.register(lambda: None if "duckdb" in sys.modules else gc.freeze())


if __name__ == "__main__":
    sys.exit(main())

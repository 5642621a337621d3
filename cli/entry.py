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
        import atexit
        import gc

        from .main import run

        # At its end Python looks through all objects for cycles, several times: .1 s after an answer is given.
        atexit.register(gc.freeze)
        status = run(given)
    return status


if __name__ == "__main__":
    sys.exit(main())

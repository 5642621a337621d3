"""What the shim starts as `python -I -S quick.py PROGRAM SECONDS hook …`: an answer, and no `site` before it.

`site` takes as long as all the rest here, and runs what lies in .pth files and in a sitecustomize. Without it the
package is on no path: it is taken from where this file lies, under its own name whatever its folder is called, and
sys.path stays the standard library's alone. When the daemon does not answer, this process becomes `PROGRAM`.
"""

from __future__ import annotations

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location

PACKAGE = "cortex"
#: Seconds of the shim's deadline that are left to the start of Python, and to saying what came of it.
START_S = 0.3
LEAST_S = 0.1


def main(arguments: list[str]) -> int:
    """Answer one hook within SECONDS, and return its exit status."""
    program, seconds, *rest = arguments
    try:
        load(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        from cortex.cli import fast
    except (ImportError, OSError, SyntaxError):  # the package is being replaced
        return become(program, rest)
    status = fast.run(rest, os.environ, max(LEAST_S, float(seconds) - START_S))
    return become(program, rest) if status is None else status


def load(root: str) -> None:
    """Have `import cortex` find the package in the folder `root`."""
    spec = spec_from_file_location(
        PACKAGE, os.path.join(root, "__init__.py"), submodule_search_locations=[root]
    )
    if spec is None or spec.loader is None:
        raise ImportError(root)
    sys.modules[PACKAGE] = package = module_from_spec(spec)
    spec.loader.exec_module(package)


def become(program: str, arguments: list[str]) -> int:
    """Replace this process by the full program; the event is read again from its start."""
    try:
        os.lseek(0, 0, os.SEEK_SET)
        os.execv(program, [program, *arguments])  # noqa: S606 - our own program, as separate words
    except OSError:
        return 0  # the event lies in the spool; a hook never gets in the way


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

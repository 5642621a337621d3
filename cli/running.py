"""Running a person's command as if Cortex were not there: its output, its signals, its exit status.

It is started before anything else of Cortex is loaded, and nothing is done until it has ended.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence

#: What is sent to us alone is handed on; the rest a terminal sends to both.
_HANDED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_LEFT_TO_IT = (signal.SIGINT, signal.SIGQUIT)
NOT_FOUND, NOT_ALLOWED = 127, 126
_NOTE_S = 2.0  # how long the daemon may take to note it


def run(arguments: Sequence[str]) -> int | None:
    """Run `-- COMMAND …`, note how it went, and return its exit status; None for the full command line."""
    words = list(arguments)
    if words[:1] == ["--"]:
        words = words[1:]
    elif words and words[0].startswith("-"):
        return None
    if not words:
        return None
    where = os.getcwd()
    try:
        status, seconds = through(words)
    except FileNotFoundError:
        return _complain(f"{words[0]}: there is no such command", NOT_FOUND)
    except PermissionError:
        return _complain(f"{words[0]}: no permission to run it", NOT_ALLOWED)
    except OSError as error:
        return _complain(f"{words[0]}: {error.strerror}", NOT_ALLOWED)
    note(words, status, seconds, where)
    return status if status >= 0 else _end_as(-status)


def through(words: Sequence[str]) -> tuple[int, float]:
    """(exit status, seconds) of a command with our own input and output; a signal's number is below 0.

    Raises `OSError` when it cannot be started.
    """
    every = {*_HANDED_ON, *_LEFT_TO_IT}
    signal.pthread_sigmask(signal.SIG_BLOCK, every)  # none may come between the start and the handlers
    try:
        began = time.monotonic()
        # Python ignores these two, which a command must not inherit.
        child = os.posix_spawnp(
            words[0], list(words), os.environ, setsigmask=[], setsigdef=[signal.SIGPIPE, signal.SIGXFSZ]
        )
        for number in _HANDED_ON:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda n, _: os.kill(child, n))
        for number in _LEFT_TO_IT:
            signal.signal(number, signal.SIG_IGN)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, every)
    _, status = os.waitpid(child, 0)
    seconds = time.monotonic() - began
    for number in _HANDED_ON:
        signal.signal(number, signal.SIG_DFL)  # its number may be another process's by now
    return os.waitstatus_to_exitcode(status), seconds


def note(words: Sequence[str], status: int, seconds: float, where: str) -> None:
    """Write down how it went, where there is a Cortex repository; what goes wrong with that is not its business."""
    from ..repo.errors import CortexError

    try:
        from ..repo.places import find

        if not find(where).store.is_dir():
            return
        from .frame import session

        with session(where) as opened:
            opened.call(
                "trial",
                source="run",
                command=" ".join(words),
                status=status,
                duration=round(seconds * 1000),
                timeout=_NOTE_S,
            )
    except (CortexError, OSError) as error:
        said = getattr(error, "message", str(error))
        if os.environ.get("CORTEX_DEBUG"):
            print(f"cortex: not noted: {said}", file=sys.stderr)


def _end_as(number: int) -> int:
    """End by the signal that ended the command, without a second dump of memory."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    sys.stdout.flush()
    signal.signal(number, signal.SIG_DFL) if number not in (signal.SIGKILL, signal.SIGSTOP) else None
    os.kill(os.getpid(), number)
    return 128 + number


def _complain(message: str, status: int) -> int:
    print(f"cortex: {message}", file=sys.stderr)
    return status

"""The one root of all errors that a person is shown, and the exit codes they carry."""

from __future__ import annotations

OK = 0
FINDINGS = 1
USAGE = 2
PLACE = 3
DAMAGED = 4
INTERRUPTED = 130

EXIT_CODES = {
    OK: "well",
    FINDINGS: "findings that block, or the answer is no",
    USAGE: "wrong usage",
    PLACE: "wrong place or permission",
    DAMAGED: "damaged data",
    INTERRUPTED: "interrupted",
}


class CortexError(Exception):
    """An error with what went wrong, what to do about it (`hint`), and the exit code of the command."""

    exit_code = PLACE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(CortexError):
    """What was asked for makes no sense as it was asked."""

    exit_code = USAGE


class PlaceError(CortexError):
    """Not in a repository, not initialised, or not permitted."""

    exit_code = PLACE


class BusyError(PlaceError):
    """Another process holds what is needed, and did not let go in time."""


class DamagedError(CortexError):
    """Data on disk is not what was written."""

    exit_code = DAMAGED

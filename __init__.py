"""Cortex: a git-native memory that keeps coding assistants from repeating corrected mistakes.

``cortex.open(path)`` gives the memory of one repository; ``cortex.models`` holds the built-in models.
Importing this package loads nothing heavy: what is named below is imported when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself is not loaded for it: each start of a hook would pay
if TYPE_CHECKING:
    from pathlib import Path

    from . import models
    from .daemon.session import Session
    from .repo.errors import CortexError

__version__ = "0.1.0"
__all__ = ["CortexError", "Session", "__version__", "models", "open"]


def open(path: str | Path = ".") -> Session:
    """Open the memory of the repository that holds `path`; see `cortex.daemon.session.Session`.

    Raises `CortexError` when `path` is in no git repository, or `cortex init` has not run there.
    """
    from .daemon.session import Session

    return Session.open(path)


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name == "models":
        return import_module(".models", __name__)
    if name == "CortexError":
        return import_module(".repo.errors", __name__).CortexError
    if name == "Session":
        return import_module(".daemon.session", __name__).Session
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

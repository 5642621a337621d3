"""The file that a question is asked about, as the work tree has it: what was once corrected may stand there again."""

from __future__ import annotations

from pathlib import Path

from ..recall.question import LONGEST_FILE
from ..repo.errors import UsageError
from ..repo.files import read_plain

#: UTF-8 has at most so many bytes a character.
_WIDEST = 4


def written(root: Path | None, path: str) -> str:
    """Its text, as far as recall reads it; empty for a folder, a link, what is not there, or what is no text."""
    if root is None or not path:
        return ""
    try:
        file = root / path
        data = b"" if file.is_symlink() else read_plain(file, _WIDEST * LONGEST_FILE)
    except (OSError, ValueError, UsageError):  # a path may hold what no name of a file can
        return ""
    return "" if b"\0" in data else data.decode("utf-8", "replace")[:LONGEST_FILE]

"""Git, run for a test."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def git(folder: Path, *words: str, check: bool = True, stdin: bytes | None = None, **environment: str) -> str:
    """What git printed, without the white space around it; bytes that are no text come as surrogates."""
    done = subprocess.run(
        ["git", *words],
        cwd=folder,
        env={**os.environ, **environment},
        check=check,
        capture_output=True,
        input=stdin or b"",
    )
    return done.stdout.decode("utf-8", "surrogateescape").strip()

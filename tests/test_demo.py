"""The demonstration, on a repository that is not ours: every step must really happen."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path


def test_the_demonstration_ends_well_and_cleans_up(repo: Path, tmp_path: Path):
    # A short folder: the path of a Unix socket has a limit.
    with tempfile.TemporaryDirectory(prefix="d-") as place:
        run = subprocess.run(
            [sys.executable, "-m", "cortex", "demo", "--repo", str(repo)],
            cwd=tmp_path,
            env={**os.environ, "TMPDIR": place},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        assert "Every step happened." in run.stdout
        assert run.stdout.count("✓") >= 16
        assert list(Path(place).glob("cortex-demo-*")) == []


def test_the_demonstration_says_so_when_there_is_nothing_to_clone(tmp_path: Path):
    run = subprocess.run(
        [sys.executable, "-m", "cortex", "demo", "--repo", str(tmp_path / "nowhere")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 3 and "nowhere" in run.stderr and "Traceback" not in run.stderr

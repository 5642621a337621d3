"""The models keep to themselves: loading them writes nothing into the home and reports to nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import os
from cortex import models
models.load_encoder("builtin").encode(["x"])
models.load_classifier("builtin").classify(["fix it"])
models.load_counter("builtin").count("x")
assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
"""


def test_loading_the_models_leaves_no_trace_in_the_home(tmp_path: Path):
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-c", SCRIPT], env=environment, check=True)
    assert list(tmp_path.rglob("*")) == []

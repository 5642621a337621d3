"""A question about a file is answered with its text in view: what was corrected and stands there comes first."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from cortex.daemon.session import Session
from cortex.daemon.underwork import written
from cortex.recall.question import LONGEST_FILE

Commit = Callable[..., str]


def test_the_text_of_a_file_is_read_as_far_as_recall_goes(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("ledger.absorb(entry)\n", encoding="utf-8")
    (tmp_path / "long.py").write_text("ü" * (2 * LONGEST_FILE), encoding="utf-8")
    assert written(tmp_path, "a.py") == "ledger.absorb(entry)\n"
    assert written(tmp_path, "long.py") == "ü" * LONGEST_FILE


def test_what_is_no_text_of_the_work_tree_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(b"a\0b")
    (tmp_path / "target").write_text("secret", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    os.mkfifo(tmp_path / "pipe")
    for path in ("folder", "binary", "link", "pipe", "missing", "a\0b", ""):
        assert written(tmp_path, path) == ""
    assert written(None, "a.py") == ""


WRITTEN = "import requests\n\ndef fetch(url):\n    return requests.get(url)\n"


def cortex(repo: Path, *words: str, given: str = "") -> None:
    subprocess.run(
        [sys.executable, "-m", "cortex", *words],
        cwd=repo, env={**os.environ, "CORTEX_NO_DAEMON": "1"}, input=given.encode(), check=True, capture_output=True,
    )  # fmt: skip


def test_what_was_corrected_counts_where_it_stands_in_the_file_under_work(repo: Path, commit: Commit) -> None:
    cortex(repo, "init", "--no-history")
    commit(repo, {"net/client.py": "import requests\n"})
    (repo / "net/client.py").write_text(WRITTEN)
    cortex(repo, "record", "--path", "net/client.py", "--agent", "test", given=WRITTEN)
    with Session.open(repo, daemon=False) as opened:
        commit(repo, {"net/client.py": WRITTEN.replace("(url)\n", "(url, timeout=10)\n")}, message="Give up")
        opened.call("learn")
        (repo / "net/again.py").write_text(
            "import requests\n\ndef again(url):\n    return requests.get(url)\n"
        )
        (repo / "net/other.py").write_text("def lines(rows):\n    return len(rows)\n")

        def stands(path: str) -> list[float | None]:
            answer = opened.call("ask", question="how do we call requests.get(url)?", path=path)
            return [each["why"].get("stands") for each in answer["memories"]]

        assert stands("") == stands("net/missing.py") == [None]
        (there,) = stands("net/again.py")
        assert there is not None and there > 0
        assert all(share is not None and share < 0 for share in stands("net/other.py"))

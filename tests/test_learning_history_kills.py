"""A walk through the past that is killed, or interrupted, goes on to the same records, each of them once."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cortex.learning.past import lessons as past
from cortex.learning.past.lessons import HistoryProgress, learn_history
from cortex.repo.places import find
from cortex.store.journal import FileJournal
from cortex.store.layout import create

COMMITS = 500
AGENT = "\n\nCo-Authored-By: Claude <noreply@anthropic.com>"
LEARN = """
import sys
from cortex.learning.past import lessons as past
from cortex.repo.places import find
from cortex.store.journal import FileJournal
past._KEPT_S = 0.0
past._BATCH = 3
place = find(sys.argv[1])
print("begun", flush=True)
past.learn_history(place, FileJournal(place.store, "Ada Byron <ada@example.org>"))
"""


def history(repo: Path) -> None:
    """Agents' files that people corrected, some of them in one way that comes again."""
    rows = []
    for at in range(COMMITS):
        turn, fixed = divmod(at, 2)
        call = "logger.info" if turn % 3 else f"tool.use{turn}"
        body = f"{call}(value)" if fixed else "print(value)"
        text = f"def f{turn}(value):\n    {body}\n    return value\n"
        said = f"Fix {turn}" if fixed else f"Write {turn}" + (AGENT if turn % 5 else "")
        rows.append(
            f"commit refs/heads/main\ncommitter Ada Byron <ada@example.org> {1_700_000_000 + 60 * at} +0000\n"
            f"data {len(said)}\n{said}\n"
            + ("from refs/heads/main^0\n" if not at else "")
            + f"M 100644 inline m{turn % 40}.py\ndata {len(text)}\n{text}\n"
        )
    subprocess.run(
        ["git", "fast-import", "--quiet", "--force"], cwd=repo, input="".join(rows).encode(), check=True
    )


def records(repo: Path) -> Counter[tuple[str, str, str]]:
    journal = FileJournal(find(repo).store, "Ada Byron <ada@example.org>")
    return Counter(
        (str(record.body["commit"]), str(record.body["before"]), str(record.body["after"]))
        for record in journal.view().of_kind("correction")
    )


def test_a_walk_killed_at_random_times_learns_what_an_uninterrupted_one_learns(
    repo: Path, tmp_path: Path, seed: int, tell: Callable[[str], None]
) -> None:
    history(repo)
    twin = tmp_path / "twin"
    subprocess.run(["git", "clone", "--quiet", str(repo), str(twin)], check=True)
    for each in (repo, twin):
        create(find(each).store)
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", LEARN, str(twin)], check=True, capture_output=True)
    whole, alone = records(twin), time.monotonic() - started
    assert len(whole) > 50 and set(whole.values()) == {1}
    chance, kills = random.Random(seed), 0
    for _ in range(40):
        with subprocess.Popen([sys.executable, "-c", LEARN, str(repo)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None and child.stdout.readline() == b"begun\n"
            try:
                child.wait(chance.uniform(0.02, alone / 3) if kills < 8 else 60)
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
                kills += 1
                continue
        assert child.returncode == 0
        break
    tell(f"a walk killed {kills} times: {len(whole)} records, as without (CORTEX_SEED={seed})")
    assert kills and records(repo) == whole


def test_an_interrupted_walk_keeps_what_it_found_and_goes_on_from_there(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history(repo)
    place = find(repo)
    create(place.store)
    journal = FileJournal(place.store, "Ada Byron <ada@example.org>")
    found: list[int] = []
    monkeypatch.setattr("cortex.learning.past.history.time.monotonic", iter(range(10**9)).__next__)

    def interrupt(progress: HistoryProgress) -> None:
        found.append(progress.found)
        if progress.commits > COMMITS // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn_history(place, journal, progress=interrupt)
    kept = records(repo)
    assert found[-1] > 50 and len(kept) > 20
    cursor = past.read_cursor(place.store / "index" / "history.json", past.open_repository(place), None)
    assert cursor is not None and cursor.done > COMMITS // 3
    learn_history(place, journal)
    after = records(repo)
    assert set(after.values()) == {1} and not Counter(kept) - after


def test_progress_says_what_was_found_so_far(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history(repo)
    place = find(repo)
    create(place.store)
    monkeypatch.setattr("cortex.learning.past.history.time.monotonic", iter(range(10**9)).__next__)
    told: list[Mapping[str, int]] = []
    learn_history(
        place,
        FileJournal(place.store, "Ada Byron <ada@example.org>"),
        progress=lambda each: told.append({"commits": each.commits, "found": each.found, "of": each.total}),
    )
    assert [each["found"] for each in told] == sorted(each["found"] for each in told)
    assert told[0]["found"] < told[-1]["found"] and {each["of"] for each in told} == {COMMITS + 1}

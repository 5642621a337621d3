"""What changed in a repository is told: by events, else by polling, and after a storm by git."""

import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from running import git

from cortex.daemon import loop, tree, watch
from cortex.daemon.registry import Entry, Registry
from cortex.daemon.watch import Changes, Watch
from cortex.daemon.workers import Workers
from cortex.daemon.worktree import WorkTree
from cortex.repo.places import Place, find

MODES = ("events", "polling")


def known(folder: Path) -> Path:
    (folder / ".git" / "cortex" / "spool").mkdir(parents=True)
    (folder / ".git" / "cortex" / "writer").write_text("w")
    return folder


def entry(folder: Path) -> Entry:
    return Entry(folder / ".git", (folder,), 0)


def never() -> bool:
    return False


Look = Callable[[float], tuple[Changes, set[str]]]


@pytest.fixture(params=MODES)
def look(request: pytest.FixtureRequest, repo: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Look]:
    """What is told within some seconds, all in all; paths relative to the repository."""
    if request.param == "polling":

        def none_left(*_: object) -> None:
            raise OSError(28, "inotify watch limit reached")

        monkeypatch.setattr(tree, "observe", none_left)
        monkeypatch.setattr("cortex.daemon.worktree.POLL_S", 0.05)
        monkeypatch.setattr("cortex.daemon.worktree.SHARE", 1.0)
    watched = Watch(entry(known(repo)), poll_s=60.0, fast_poll_s=0.1)
    assert watched.open(entry(repo)) == request.param
    watched.reconcile()
    watched.wait(0.0, never)

    def told(seconds: float) -> tuple[Changes, set[str]]:
        end = time.monotonic() + seconds
        all_of_it = Changes()
        while time.monotonic() < end and not all_of_it:
            all_of_it = all_of_it.joined(watched.wait(end - time.monotonic(), never))
        return all_of_it, {os.path.relpath(path, repo) for path in all_of_it.paths}

    yield told
    watched.close()


def test_a_saved_file_is_told(look: Look, repo: Path) -> None:
    (repo / "a.py").write_text("a = 1\n")
    changes, paths = look(5)
    assert paths == {"a.py"} and not changes.refs and not changes.spool


def test_a_file_replaced_by_an_editor_is_told(look: Look, repo: Path) -> None:
    (repo / ".README.md.tmp").write_text("# Another\n")
    (repo / ".README.md.tmp").rename(repo / "README.md")
    assert "README.md" in look(5)[1]


def test_a_file_in_new_folders_is_told(look: Look, repo: Path) -> None:
    (repo / "x" / "y" / "z").mkdir(parents=True)
    (repo / "x" / "y" / "z" / "a.py").write_text("a = 1\n")
    assert look(5)[1] == {"x/y/z/a.py"}
    (repo / "x" / "y" / "b.py").write_text("b = 1\n")
    assert look(5)[1] == {"x/y/b.py"}


def test_files_of_a_folder_that_moved_are_told_by_their_new_names(
    look: Look, repo: Path, commit: Any
) -> None:
    commit(repo, {"x/a.py": "a = 1\n", "x/sub/b.py": "b = 1\n"})
    look(5)
    time.sleep(0.3)
    look(0.3)
    (repo / "x").rename(repo / "y")
    assert {"y/a.py", "y/sub/b.py"} <= look(5)[1]
    look(0.3)
    (repo / "y" / "sub" / "b.py").write_text("b = 2\n")
    assert "y/sub/b.py" in look(5)[1]


def test_a_removed_file_is_told(look: Look, repo: Path) -> None:
    (repo / "README.md").unlink()
    assert look(5)[1] == {"README.md"}


def test_a_commit_is_told(look: Look, repo: Path, commit: Any) -> None:
    commit(repo, {"a.py": "a = 1\n"})
    end = time.monotonic() + 5
    while not look(end - time.monotonic())[0].refs:
        assert time.monotonic() < end


@pytest.mark.parametrize("how", ["switch -c other", "branch x/y/z", "pack-refs --all", "checkout --detach"])
def test_what_git_does_to_refs_is_told(look: Look, repo: Path, how: str) -> None:
    git(repo, *how.split())
    assert look(5)[0].refs


def test_a_commit_of_a_linked_work_tree_is_told(look: Look, repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "other")
    assert look(5)[0].refs
    time.sleep(0.2)
    look(0.3)
    git(tmp_path / "linked", "commit", "--allow-empty", "-m", "There")
    assert look(5)[0].refs


def test_a_spooled_event_is_told_and_a_draft_is_not(look: Look, repo: Path) -> None:
    spool = repo / ".git" / "cortex" / "spool"
    (spool / ".draft").write_text("x")
    assert not look(0.4)[0]
    (spool / ".draft").rename(spool / "event")
    assert look(5)[0] == Changes(spool=True)
    (spool / "event").unlink()
    assert not look(0.4)[0], "taking it in is no news"


def test_what_does_not_count_is_not_told(look: Look, repo: Path) -> None:
    (repo / ".gitignore").write_text("build/\n*.log\n")
    look(5)
    look(0.3)
    for path in (
        "node_modules/a/b.js",
        "build/out.py",
        "x.log",
        ".git/cortex/wal/x.jsonl",
        ".git/index.lock",
    ):
        (repo / path).parent.mkdir(parents=True, exist_ok=True)
        (repo / path).write_text("x")
    (repo / ".git" / "refs" / "cortex").mkdir()
    (repo / ".git" / "refs" / "cortex" / "kept").write_text("x")
    (repo / ".cortex").symlink_to(".git/cortex")
    (repo / ".git" / "index.lock").unlink()
    assert not look(0.6)[0]


def test_the_branch_that_cortex_writes_is_no_news(look: Look, repo: Path) -> None:
    git(repo, "branch", "cortex/memory")
    look(0.5)  # the folder `refs/heads` itself may be told once
    git(repo, "commit", "--allow-empty", "-m", "More")
    look(5)
    look(0.5)
    git(repo, "branch", "--force", "cortex/memory", "HEAD")
    assert not look(0.6)[0]


def test_looking_never_touches_the_index(repo: Path, commit: Any) -> None:
    commit(repo, {"a.py": "a = 1\n", "b.py": "b = 1\n"})
    os.utime(repo / "a.py", (1, 1))
    (repo / "b.py").write_text("b = 2\n")
    before = (repo / ".git" / "index").read_bytes()
    worktree = WorkTree(repo)
    assert worktree.compare() == {str(repo / "b.py")}
    assert worktree.compare() == frozenset()
    git(repo, "checkout", "b.py")
    after_checkout = (repo / ".git" / "index").read_bytes()
    assert worktree.compare() == {str(repo / "b.py")}
    assert (repo / ".git" / "index").read_bytes() == after_checkout
    assert before != b""


def test_a_tree_too_large_to_watch_still_tells_of_commits(
    repo: Path, monkeypatch: pytest.MonkeyPatch, commit: Any
) -> None:
    for number in range(20):
        (known_folder := repo / f"d{number}").mkdir()
        (known_folder / "a").write_text("")
    monkeypatch.setattr(tree, "MAX_FOLDERS", 10)
    watched = Watch(entry(known(repo)), poll_s=0.2)
    assert watched.open(entry(repo)) == "refs"
    watched.wait(0.0, never)
    commit(repo, {"a.py": "a = 1\n"})
    assert watched.wait(5.0, never).refs
    watched.close()


def test_watches_that_run_out_while_it_watches_lead_to_polling(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "MAX_FOLDERS", 12)
    monkeypatch.setattr("cortex.daemon.worktree.POLL_S", 0.05)
    watched = Watch(entry(known(repo)), poll_s=0.2, fast_poll_s=0.1)
    assert watched.open(entry(repo)) == "events"
    for number in range(20):
        (repo / f"d{number}").mkdir()
        (repo / f"d{number}" / "a.py").write_text("a = 1\n")
    found: set[str] = set()
    end = time.monotonic() + 10
    while len(found) < 20 and time.monotonic() < end:
        found |= watched.wait(0.5, never).paths
    assert {str(repo / f"d{number}" / "a.py") for number in range(20)} <= found
    assert watched.open(entry(repo)) == "polling"
    watched.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's queue")
def test_events_that_the_kernel_dropped_are_made_up_for(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watch(entry(known(repo)), poll_s=60.0)
    assert watched.open(entry(repo)) == "events"
    watched.reconcile()
    watched.wait(0.0, never)
    monkeypatch.setattr(tree, "_OVERFLOW", tree._ISDIR)  # what a new folder tells is taken for an overflow
    (repo / "x" / "y").mkdir(parents=True)
    (repo / "x" / "y" / "a.py").write_text("a = 1\n")
    assert str(repo / "x" / "y" / "a.py") in watched.wait(5.0, never).paths
    monkeypatch.undo()
    (repo / "x" / "y" / "b.py").write_text("b = 1\n")
    assert watched.wait(5.0, never).paths == {str(repo / "x" / "y" / "b.py")}, "its folder is watched again"
    watched.close()


class Noting:
    """A worker that keeps what it was told."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.calls: list[str] = []
        self.seen: set[str] = set()
        self.failing: set[str] = set()
        self.slices = 0

    def _note(self, stage: str) -> None:
        self.calls.append(stage)
        if stage in self.failing:
            raise ZeroDivisionError(stage)

    def drain(self) -> int:
        self._note("drain")
        for each in (self.place.store / "spool").glob("[!.]*"):
            each.unlink()
        return 0

    def scan(self) -> int:
        self._note("scan")
        return 0

    def saved(self, paths: Collection[str]) -> None:
        self.seen |= set(paths)
        self._note("saved")

    def background(self, stop: Callable[[], bool], budget_s: float) -> bool:
        self._note("background")
        self.slices -= 1
        return self.slices > 0

    def waits(self) -> bool:
        return False

    def pending(self) -> int:
        return 0

    def close(self) -> None:
        self._note("close")

    def handle(self, op: str, args: Mapping[str, object], progress: Any) -> Mapping[str, object]:
        return {}


@pytest.fixture
def running(repo: Path, tmp_path: Path) -> Iterator[Noting]:
    """The loop, at work on one repository."""
    place = find(known(repo))
    worker = Noting(place)
    registry = Registry(tmp_path / "state")
    registry.add(place)
    workers = Workers(registry, lambda _: worker)
    stop = threading.Event()
    thread = threading.Thread(target=loop.run, args=(workers, stop))
    thread.start()
    yield worker
    stop.set()
    workers.changed.set()
    thread.join(20)
    assert not thread.is_alive()
    workers.close(5)
    assert worker.calls[-1] == "close"


def eventually(law: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not law():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


def test_the_loop_looks_at_everything_first_and_then_rests(running: Noting) -> None:
    eventually(lambda: "background" in running.calls)
    time.sleep(0.5)
    assert running.calls == ["drain", "scan", "background"]


def test_the_loop_hands_each_change_to_its_stage(running: Noting, repo: Path, commit: Any) -> None:
    eventually(lambda: "background" in running.calls)
    running.calls.clear()
    commit(repo, {"a.py": "a = 1\n"})
    eventually(lambda: {"saved", "scan"} <= set(running.calls))
    assert str(repo / "a.py") in running.seen and "drain" not in running.calls
    (repo / ".git" / "cortex" / "spool" / "event").write_text("x")
    eventually(lambda: "drain" in running.calls)


def test_a_stage_that_fails_keeps_no_other_from_running_and_is_tried_again(
    running: Noting, repo: Path, commit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "RETRY_S", 0.2)
    eventually(lambda: "background" in running.calls)
    running.failing = {"drain", "saved", "background"}
    running.calls.clear()
    (repo / ".git" / "cortex" / "spool" / "event").write_text("x")
    commit(repo, {"a.py": "a = 1\n"})
    eventually(lambda: {"drain", "saved", "scan", "background"} <= set(running.calls))
    running.failing = set()
    eventually(lambda: not (repo / ".git" / "cortex" / "spool" / "event").exists())
    assert running.calls.count("drain") < 60, "it must not spin"


def test_background_work_goes_on_until_there_is_none(running: Noting, repo: Path) -> None:
    eventually(lambda: "background" in running.calls)
    running.calls.clear()
    running.slices = 5
    (repo / "a.py").write_text("a = 1\n")
    eventually(lambda: running.calls.count("background") == 5)
    time.sleep(0.4)
    assert running.calls.count("background") == 5


@pytest.mark.parametrize(
    ("count", "rounds"),
    [
        (20_000, 1),
        pytest.param(60_000, 5, marks=pytest.mark.nightly),
    ],
    ids=["20,000", "60,000 x 5"],
)
@pytest.mark.parametrize("lost", [False, True], ids=["events", "overflow"])
def test_after_a_storm_it_knows_what_a_full_rescan_knows(
    count: int,
    rounds: int,
    lost: bool,
    running: Noting,
    repo: Path,
    monkeypatch: pytest.MonkeyPatch,
    tell: Any,
    slower: Callable[[], float],
) -> None:
    monkeypatch.setattr("cortex.daemon.worktree.MAX_DIFFERENT", max(100_000, count * rounds + 1000))
    if lost:
        monkeypatch.setattr(watch, "MAX_PATHS", 100)
    eventually(lambda: "background" in running.calls)
    took = 0.0
    allowed = 10.0 * slower()
    for each in range(rounds):
        for number in range(count):
            path = repo / f"r{each}" / f"d{number % 97}" / f"e{number % 11}" / f"f{number}.py"
            if number < 97 * 11:
                path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"x = {number}\n")
        began = time.monotonic()
        rescan = {str(path) for path in (repo / f"r{each}").rglob("*.py")}
        assert len(rescan) == count
        eventually(lambda rescan=rescan: rescan <= running.seen, allowed)
        took = max(took, time.monotonic() - began)
    tell(f"storm: {count:,} files x {rounds}{' with lost events' if lost else ''}, known after {took:.1f} s")

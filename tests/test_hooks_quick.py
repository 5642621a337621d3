"""The quick way of a hook: Python without `site`, a package taken from where it lies, and little patience twice."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import cortex
from cortex.daemon import client
from cortex.hooks.install import QUICK, install, interpreter, shim
from cortex.repo.places import Place, find

ROOT = Path(cortex.__file__).resolve().parent
FINDING = {
    "path": "a.py", "line": 1, "column": 1, "end_line": 1, "end_column": 2, "language": "python",
    "rule": "r" * 26, "message": "a finding", "before": "x", "after": "y", "support": 3, "against": 0,
    "confidence": 0.9, "status": "active", "evidence": [], "backtest": {"matched": 1, "stood": 1, "changed": 1},
}  # fmt: skip
NONE = {"findings": [], "blocked": False, "checked_files": 1, "skipped": {}, "elapsed_ms": 1}


@contextlib.contextmanager
def daemon(result: dict[str, object] | None) -> Iterator[list[dict[str, object]]]:
    """A daemon that gives one answer to all, or none where `result` is None; yields what it was asked."""
    path = Path(client.default_socket())
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    asked: list[dict[str, object]] = []
    open_ones: list[socket.socket] = []
    line = json.dumps({"ok": True, "result": result, "ms": 1, "version": cortex.__version__}).encode()
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
        bound.listen(16)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    one = bound.accept()[0]
                    asked.append(json.loads(one.makefile("rb").readline()))
                    if result is None:
                        open_ones.append(one)
                    else:
                        one.sendall(line + b"\n")
                        one.close()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield asked
        finally:
            with contextlib.suppress(OSError):
                bound.shutdown(socket.SHUT_RDWR)
            for one in open_ones:
                one.close()
            path.unlink(missing_ok=True)


def console_script(folder: Path, python: Path, *, long: bool) -> Path:
    """What pip writes; `long`: the form for a path that a `#!` line cannot hold."""
    program = folder / "cortex"
    start = f"#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n" if long else f"#!{python}\n"
    program.write_text(f"{start}import sys\nfrom cortex.cli.entry import main\nsys.exit(main())\n")
    program.chmod(0o755)
    return program


def commit(place: Place) -> tuple[float, subprocess.CompletedProcess[str]]:
    root = place.require_root()
    (root / "a.py").write_text(f"x = {time.monotonic_ns()}\n")
    subprocess.run(["git", "add", "a.py"], cwd=root, check=True)
    began = time.monotonic()
    done = subprocess.run(
        ["git", "commit", "--quiet", "-m", "x"],
        cwd=root,
        env={**os.environ, "CORTEX_DAEMON_AUTOSTART": "false"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return time.monotonic() - began, done


@pytest.fixture
def place(repo: Path) -> Place:
    return find(repo)


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Path]:
    """`ours(long=…)`: a venv with the package in it, in a folder with a space and an umlaut; its program."""

    def make(*, long: bool = True) -> Path:
        home = tmp_path / ("größe mit leer" if long else "plain")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
        (site,) = home.glob("lib/python3.*/site-packages")
        (site / "cortex").symlink_to(ROOT)
        marker = tmp_path / "site was loaded"
        (site / "sitecustomize.py").write_text(f"open({str(marker)!r}, 'w').close()\n")
        python = home / "bin" / "python"
        monkeypatch.setattr(sys, "executable", str(python))
        return console_script(home / "bin", python, long=long)

    return make


@pytest.mark.parametrize("long", [False, True])
def test_the_python_of_a_console_script_is_told(tmp_path: Path, long: bool) -> None:
    python = Path(sys.executable)
    assert interpreter(console_script(tmp_path, python, long=long)) == str(python)


@pytest.mark.parametrize(
    "text",
    ["", "#!/bin/sh\nexit 0\n", "#!/usr/bin/env python3\n", "#!/nowhere/bin/python\n", "#!", "\0\xff",
     "#!/bin/sh\n'''exec' \"unended\n", f"#!{Path(sys.executable).parent / 'pip'}\n"],
)  # fmt: skip
def test_a_program_of_another_installation_is_called_as_it_is(tmp_path: Path, text: str) -> None:
    program = tmp_path / "cortex"
    program.write_text(text)
    assert interpreter(program) == ""
    assert b"\npython=''\nquick=''\n" in shim(program, 2.0)
    assert interpreter(tmp_path / "nothing") == ""


def test_a_path_that_looks_like_a_place_to_fill_in_is_kept(tmp_path: Path) -> None:
    program = tmp_path / "@QUICK@ @PYTHON@" / "cortex"
    assert f"\nprogram={shlex.quote(str(program))}\n".encode() in shim(program, 2.0)


@pytest.mark.parametrize("long", [False, True])
def test_a_guard_is_asked_without_site_and_a_foreign_sitecustomize(
    place: Place, tmp_path: Path, ours: Callable[..., Path], long: bool
) -> None:
    install(place, ours(long=long))
    with daemon({**NONE, "findings": [FINDING]}) as asked:
        _, done = commit(place)
    assert done.returncode == 0 and "a finding" in done.stderr
    assert [each["op"] for each in asked] == ["check"]
    assert not (tmp_path / "site was loaded").exists()


def test_an_agent_is_answered_by_it_too(place: Place, tmp_path: Path, ours: Callable[..., Path]) -> None:
    install(place, ours())
    with daemon({"reply": "remember: größer"}) as asked:
        done = subprocess.run(
            ["/bin/sh", str(place.store / "hooks" / "run"), "agent", "claude-code"],
            cwd=place.root, input=b'{"a": 1}', capture_output=True, check=True,
        )  # fmt: skip
    assert done.stdout.decode() == "remember: größer\n"
    args = asked[0]["args"]
    assert isinstance(args, dict) and args["payload"] == '{"a": 1}'
    assert not (tmp_path / "site was loaded").exists()


def test_the_package_is_found_in_a_folder_of_any_name(place: Place, tmp_path: Path) -> None:
    root = tmp_path / "Quelle äöü" / "not-its-name"
    for folder in ("cli", "daemon", "repo", "store"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "__init__.py", root)
    # A module beside it, and in the current folder, that a hook must not take for the standard library's.
    for where in (root, place.require_root()):
        (where / "json.py").write_text("raise SystemExit('a stranger')\n")
    words = [sys.executable, "-I", "-S", str(root / "cli" / "quick.py"), "/nowhere/cortex", "2"]
    with daemon({**NONE, "blocked": True, "findings": [FINDING]}):
        done = subprocess.run(
            [*words, "hook", "git", "pre-commit", "--spooled", str(tmp_path / "event")],
            cwd=place.root, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "") and "a finding" in done.stdout


@pytest.mark.parametrize("whole", [True, False], ids=["no daemon", "a package that is being replaced"])
def test_without_an_answer_it_becomes_the_program_with_the_whole_event(tmp_path: Path, whole: bool) -> None:
    program = tmp_path / "cortex"
    program.write_text('#!/bin/sh\nprintf "%s|" "$@"; cat; exit 1\n')
    program.chmod(0o755)
    quick = QUICK
    if not whole:
        quick = tmp_path / "package" / "cli" / "quick.py"
        quick.parent.mkdir(parents=True)
        shutil.copy(QUICK, quick)
    event = tmp_path / "event"
    event.write_bytes(b"v=1\nhook=pre-commit\n\nrest\xff")
    with event.open("rb") as given:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(quick), str(program), "2", "hook", "git", "pre-commit", "--spooled", "x"],
            stdin=given, capture_output=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == b"hook|git|pre-commit|--spooled|x|" + event.read_bytes()


def _no_python(program: Path) -> None:
    (program.parent / "python").unlink()
    program.write_text("#!/bin/sh\necho by the program\n")


def _no_package(program: Path) -> None:
    (site,) = program.parent.parent.glob("lib/python3.*/site-packages")
    (site / "cortex").unlink()
    program.write_text("#!/bin/sh\necho by the program\n")


@pytest.mark.parametrize("moved", [_no_python, _no_package])
def test_after_an_upgrade_that_moved_things_the_program_itself_is_called(
    place: Place, ours: Callable[..., Path], moved: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = ours()
    (site,) = program.parent.parent.glob("lib/python3.*/site-packages")
    monkeypatch.setattr("cortex.hooks.install.QUICK", site / "cortex" / "cli" / "quick.py")
    install(place, program)
    moved(program)
    _, done = commit(place)
    assert done.returncode == 0 and "by the program" in done.stderr


def test_a_daemon_that_hangs_is_waited_for_once_a_minute_and_not_by_every_commit(
    place: Place, ours: Callable[..., Path]
) -> None:
    install(place, ours(), deadline=2.0)
    note = place.store / "hooks" / ".late-git"
    with daemon(None) as asked:
        took, done = commit(place)
        assert done.returncode == 0 and took >= 1.7 and "nothing was checked" in done.stderr
        assert note.is_file()
        again = [commit(place) for _ in range(3)]
        assert min(each for each, _ in again) < 1.2, "the wait is brief, and the rest is git's"
        assert all("within 0.2 s: nothing was checked" in done.stderr for _, done in again)
        assert len(asked) == 4, "it is asked each time: it may be back"
        past = time.time() - 61
        os.utime(note, (past, past))
        took, _ = commit(place)
        assert took >= 1.7 and time.time() - note.stat().st_mtime < 30
    waiting = [each.name for each in (place.store / "spool").iterdir()]
    assert sum(name.endswith("git.pre-commit") for name in waiting) == 5, "nothing is lost"
    assert sum(name.endswith("git.post-commit") for name in waiting) == 5
    with daemon({**NONE}):
        _, done = commit(place)
        assert done.stderr == "" and not note.exists()


def test_a_note_that_cannot_be_written_or_is_of_the_future_stops_nothing(
    place: Place, ours: Callable[..., Path]
) -> None:
    install(place, ours(), deadline=0.5)
    note = place.store / "hooks" / ".late-git"
    note.mkdir()
    with daemon(None):
        assert commit(place)[1].returncode == 0
    note.rmdir()
    note.touch()
    os.utime(note, (time.time() + 9_000,) * 2)
    with daemon({**NONE, "findings": [FINDING]}):
        assert "a finding" in commit(place)[1].stderr
    assert not note.exists()

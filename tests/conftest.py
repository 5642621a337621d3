"""What every test runs in: a home of its own, git without anybody's settings, and a seed that is printed."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from running import git

AUTHOR = "Ada Byron <ada@example.org>"
FIRST_DATE = 1_700_000_000
ROOT = Path(__file__).resolve().parent.parent

Commit = Callable[..., str]
Tell = Callable[[str], None]

_told: list[str] = []
_touched: list[str] = []
_WRITES = {
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
}


def _real_home() -> str:
    """The home of the person who runs the tests, whatever HOME says; empty where there is none to guard."""
    try:
        home = os.path.realpath(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return ""
    return home + os.sep if home != os.sep and Path(home).is_dir() else ""


_HOME = _real_home()
#: Where Cortex would keep its registry in the real home: programs that tests start must not write there either.
_STATES = [
    Path(_HOME) / each / "cortex" for each in (".local/state", ".config", "Library/Application Support")
]


def _registered(base: Path) -> list[str]:
    """The registries in the real home that name a folder of this run. That they change is no fault: whoever runs the
    tests may use Cortex meanwhile.
    """
    found = []
    for state in _STATES if _HOME else ():
        with contextlib.suppress(OSError):
            if os.fsencode(base) in (state / "repositories.json").read_bytes():
                found.append(str(state / "repositories.json"))
    return found


_ALLOWED = tuple(
    os.path.realpath(each) + os.sep for each in (ROOT, sys.prefix, sys.base_prefix, tempfile.gettempdir())
)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Note each write below the real home: an audit hook sees what no mock would."""
    if event == "open":
        path, mode, flags = arguments
        written = (
            bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
            if isinstance(flags, int)
            else "r" not in str(mode)
        )
        paths: tuple[Any, ...] = (path,) if written else ()
    elif event in _WRITES:
        paths = arguments[:2] if event in {"os.rename", "os.link", "os.symlink"} else arguments[:1]
    else:
        return
    for each in paths:
        if isinstance(each, (str, bytes, os.PathLike)):
            name = os.path.abspath(os.fsdecode(each))
            if name.startswith(_HOME) and not name.startswith(_ALLOWED) and "__pycache__" not in name:
                _touched.append(f"{event} {name}")


if _HOME:
    sys.addaudithook(_watch)


def _end_daemon(state: Path) -> None:
    """End a daemon that a command started in passing; nothing starts there any more after this."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        os.kill(json.loads((state / "daemon.json").read_text())["pid"], signal.SIGTERM)
    if state.is_dir():
        shutil.rmtree(state, ignore_errors=True)
        with contextlib.suppress(OSError):
            state.write_text("")


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home, a Cortex folder and a git configuration that belong to this test alone."""
    home = tmp_path_factory.mktemp("h")
    for name in [name for name in os.environ if name.startswith(("GIT_", "CORTEX_", "XDG_"))]:
        if name not in {"CORTEX_SEED"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("CORTEX_HOME", str(home / "cortex"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Ada Byron")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ada@example.org")
        monkeypatch.setenv(f"GIT_{who}_DATE", f"{FIRST_DATE} +0000")
    _touched.clear()
    yield
    _end_daemon(home / "cortex")
    assert not _touched, f"this test wrote below the real home: {_touched[:5]}"
    named = _registered(tmp_path_factory.getbasetemp())
    assert not named, f"a program of this test, or of one beside it, wrote below the real home: {named}"


@pytest.fixture(autouse=True, scope="session")
def _libgit2_without_settings() -> None:
    """libgit2 finds its configuration once, when it is loaded: point it at nothing."""
    import pygit2
    from pygit2.enums import ConfigLevel

    for level in (ConfigLevel.SYSTEM, ConfigLevel.XDG, ConfigLevel.GLOBAL):
        pygit2.settings.search_path[level] = os.devnull


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of a random test: its own and the same each time, so that a change is judged by what it changed.

    By night, and with `CORTEX_SEED=random`, it is fresh; `CORTEX_SEED=<number>` repeats a run. It is printed.
    """
    given = os.environ.get("CORTEX_SEED", "")
    if given.isdecimal():
        value = int(given)
    elif given == "random" or request.node.get_closest_marker("nightly"):
        value = int.from_bytes(os.urandom(4), "big")
    else:
        value = zlib.crc32(request.node.nodeid.encode())
    print(f"CORTEX_SEED={value}")
    return value


@pytest.fixture
def slower() -> Callable[[], float]:
    """How much slower than a quiet machine this one is now, 1 at least: for limits of time in tests.

    What a bare Python takes, over what it takes there; twice, since load comes and goes within one test.
    """

    def measure() -> float:
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", "import json"], check=True)
        return max(1.0, 2 * (time.monotonic() - began) / 0.06)

    return measure


@pytest.fixture
def tell() -> Tell:
    """Say a line that stands in the summary of the run, passed or not: counts, seeds, figures."""
    return _told.append


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what was told to the process that prints, where the tests run in several."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["told"] = list(_told)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A report travels as UTF-8 between the processes, and what a test printed may hold halves of surrogate pairs."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what one of several processes had to tell."""
    _told.extend(getattr(node, "workeroutput", {}).get("told", ()))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what the tests had to tell, above pytest's own last line."""
    if _told:
        terminalreporter.section("counts")
        for line in _told:
            terminalreporter.write_line(line)


class Zygote:
    """Forks daemons and writers on demand: see `tests/zygote.py`."""

    def __init__(self, repo: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "zygote.py"), str(repo)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None and self.process.stdout.readline() == "ready\n"

    def fork(self, kind: str, count: int = 1, home: Path | None = None, **args: str) -> list[int]:
        """So many processes at the same instant; `home` is the state folder, if not this test's."""
        return self._ask(do="fork", kind=kind, count=count, home=str(home or ""), args=args)

    def kill(self, *pids: int) -> None:
        """Kill -9, and return when they are gone."""
        assert self._ask(do="kill", pids=pids) == [*pids], "one had ended by itself"

    def left(self) -> list[int]:
        """Those that have not ended."""
        return self._ask(do="left")

    def _ask(self, **what: object) -> list[int]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        answer: list[int] = json.loads(self.process.stdout.readline())
        return answer


@pytest.fixture
def zygote(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Zygote]:
    """Processes at the price of a fork, and `cortex init` in `repo`, without a daemon."""
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")
    command = [sys.executable, "-m", "cortex", "init", "--no-history", str(repo)]
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    monkeypatch.delenv("CORTEX_NO_DAEMON")
    running = Zygote(repo)
    yield running
    running.process.communicate()  # at the end of its input it ends all that are left


@pytest.fixture
def commit() -> Commit:
    """`commit(repo, {path: text, bytes, or None to delete}, message=…, author="Name <mail>") -> sha`."""
    minutes = itertools.count(1)

    def make(
        repo: Path,
        files: Mapping[str, str | bytes | None],
        message: str = "A change",
        author: str = AUTHOR,
    ) -> str:
        for path, text in files.items():
            target = repo / path
            if text is None:
                target.unlink()
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(text if isinstance(text, bytes) else text.encode())
        if files:
            git(repo, "add", "-A", "--", *files)
        name, _, mail = author.rstrip(">").partition(" <")
        date = f"{FIRST_DATE + 60 * next(minutes)} +0000"
        git(
            repo,
            *("-c", "commit.gpgSign=false", "commit", "--quiet", "--allow-empty", "--message", message),
            GIT_AUTHOR_NAME=name,
            GIT_AUTHOR_EMAIL=mail,
            GIT_AUTHOR_DATE=date,
            GIT_COMMITTER_NAME=name,
            GIT_COMMITTER_EMAIL=mail,
            GIT_COMMITTER_DATE=date,
        )
        return git(repo, "rev-parse", "HEAD")

    return make


@pytest.fixture
def repo(tmp_path: Path, commit: Commit) -> Path:
    """A fresh git repository on `main` with one commit."""
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "config", "user.name", "Ada Byron")
    git(folder, "config", "user.email", "ada@example.org")
    commit(folder, {"README.md": "# A project\n"}, message="Begin")
    return folder

"""The shim that git and agents call: it spools, answers in time or not at all, and never fails a commit."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cortex.hooks import spool
from cortex.hooks.install import install
from cortex.repo.places import Place, find

DEADLINE = 1.0
SHELLS = {name: path for name in ("dash", "bash", "busybox") if (path := shutil.which(name))}
Fake = Callable[[str], Path]


def git(
    repo: Path, *arguments: str, check: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *arguments],
        cwd=repo,
        env={**os.environ, **environment},
        check=check,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def head(repo: Path) -> str:
    return git(repo, "rev-parse", "HEAD").stdout.strip()


def events(place: Place) -> list[spool.Event]:
    return spool.pending(place.store / "spool")


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """`fake(body)` makes an executable shell script that stands for the program `cortex`."""

    def make(body: str) -> Path:
        program = tmp_path / "it's a bin" / "cortex"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
        return program

    return make


def shim(
    place: Place, *arguments: str, payload: bytes = b"", shell: str = "dash"
) -> subprocess.CompletedProcess[bytes]:
    start = [SHELLS[shell], "sh"] if shell == "busybox" else [SHELLS[shell]]
    return subprocess.run(
        [*start, str(place.store / "hooks" / "run"), *arguments],
        cwd=place.root,
        input=payload,
        capture_output=True,
        check=False,
        timeout=30,
    )


@pytest.fixture
def place(repo: Path) -> Iterator[Place]:
    yield find(repo)


@pytest.mark.parametrize("shell", sorted(SHELLS))
def test_a_commit_is_spooled_with_where_it_happened_and_what_it_made(
    place: Place, fake: Fake, shell: str
) -> None:
    install(place, fake("exit 0"))
    done = shim(place, "git", "post-commit", shell=shell)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    (event,) = events(place)
    said = spool.GitEvent.parse(event.payload)
    assert place.root is not None
    assert (event.kind, event.name) == ("git", "post-commit")
    assert (said.hook, said.cwd, said.ref) == ("post-commit", str(place.root), "refs/heads/main")
    assert said.head == head(place.root)
    assert abs(event.t - time.time() * 1000) < 60_000
    assert stat.S_IMODE(event.file.stat().st_mode) == 0o600


def test_each_git_operation_tells_what_it_did(place: Place, fake: Fake, commit: Callable[..., str]) -> None:
    assert place.root is not None
    install(place, fake("exit 0"))
    old = commit(place.root, {"a b.txt": "x\n"})
    git(place.root, "commit", "--quiet", "--amend", "-m", "Better")
    git(place.root, "checkout", "--quiet", "-b", "side", "HEAD~1")
    commit(place.root, {"c.txt": "x\n"})
    git(place.root, "merge", "--quiet", "--no-edit", "main")
    said = [spool.GitEvent.parse(event.payload) for event in events(place)]
    rewrites = [each for each in said if each.hook == "post-rewrite"]
    assert [each.rewritten[0][0] for each in rewrites] == [old]
    assert rewrites[0].arguments == ("amend",)
    checkouts = [each for each in said if each.hook == "post-checkout"]
    assert len(checkouts) == 1 and len(checkouts[0].arguments) == 3
    assert [each.arguments for each in said if each.hook == "post-merge"] == [("0",)]


def test_an_amend_of_many_commits_is_kept_whole(place: Place, fake: Fake) -> None:
    install(place, fake("exit 0"))
    lines = [f"{number:040x} {number + 1:040x}" for number in range(2000)]
    shim(place, "git", "post-rewrite", "rebase", payload="\n".join(lines).encode() + b"\n")
    (event,) = events(place)
    assert len(spool.GitEvent.parse(event.payload).rewritten) == 2000


def test_nothing_is_started_after_a_commit(place: Place, fake: Fake, tmp_path: Path) -> None:
    install(place, fake(f"touch {shlex.quote(str(tmp_path / 'started'))}"))
    for name in ("post-commit", "post-merge", "post-checkout", "post-rewrite"):
        shim(place, "git", name)
    assert len(events(place)) == 4
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("shell", sorted(SHELLS))
def test_an_agent_is_answered_and_its_payload_is_spooled_as_it_came(
    place: Place, fake: Fake, shell: str
) -> None:
    install(place, fake('printf "%s|" "$@"; cat'))
    payload = '{"prompt": "grüße\\n"}'.encode() + b"\xff"
    done = shim(place, "agent", "claude-code", payload=payload, shell=shell)
    (event,) = events(place)
    expected = "|".join(["hook", "agent", "claude-code", "--spooled"]).encode()
    assert done.returncode == 0
    assert done.stdout.startswith(expected) and done.stdout.endswith(payload)
    told = done.stdout[len(expected) + 1 : -len(payload) - 1].decode()
    assert Path(told).is_absolute() and os.path.realpath(told) == os.path.realpath(event.file)
    assert (event.kind, event.name, event.payload) == ("agent", "claude-code", payload)


def test_an_agent_whose_hook_fails_hears_nothing_and_loses_nothing(place: Place, fake: Fake) -> None:
    install(place, fake('echo "half an answer"; exit 2'))
    done = shim(place, "agent", "claude-code", payload=b"{}")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert len(events(place)) == 1


@pytest.mark.parametrize(
    "arguments", [(), ("git",), ("git", "pre-push"), ("agent", "../x"), ("agent", "a.b"), ("x", "y")]
)
def test_what_the_shim_does_not_know_is_nothing(place: Place, fake: Fake, arguments: tuple[str, ...]) -> None:
    install(place, fake("exit 1"))
    assert shim(place, *arguments).returncode == 0
    assert not any((place.store / "spool").iterdir())


@pytest.mark.parametrize("shell", sorted(SHELLS))
def test_findings_with_exit_status_1_stop_a_commit(place: Place, fake: Fake, shell: str) -> None:
    install(place, fake("echo 'a.py:3: use timeout='; exit 1"))
    done = shim(place, "git", "pre-commit", shell=shell)
    assert (done.returncode, done.stdout) == (1, b"a.py:3: use timeout=\n")
    assert place.root is not None
    before = head(place.root)
    blocked = git(place.root, "commit", "--allow-empty", "-m", "x", check=False)
    assert blocked.returncode == 1 and "use timeout=" in blocked.stderr and head(place.root) == before


def test_warnings_are_shown_and_the_commit_goes_on(place: Place, fake: Fake) -> None:
    install(place, fake("echo 'a.py:3: use timeout='"))
    assert place.root is not None
    done = git(place.root, "commit", "--allow-empty", "-m", "x")
    assert "use timeout=" in done.stderr


FAULTS = {
    "hang": "exec sleep 60",
    "hang that no signal ends": "trap '' TERM INT HUP; while :; do sleep 1; done",
    "hang with children that hold the output": "sleep 9 & sleep 9",
    "hang after findings": "echo found; exec sleep 60",
    "127": "exit 127",
    "1 without findings": "exit 1",
    "another status with findings": "echo found; exit 3",
    "killed": "kill -9 $$",
    "segmentation fault": "kill -SEGV $$",
    "socket wedged: it waits on its input for ever": "cat >/dev/null; exec sleep 60",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_of_the_program_stops_a_commit(place: Place, fake: Fake, fault: str) -> None:
    assert place.root is not None
    install(place, fake(FAULTS[fault]), deadline=DEADLINE)
    before, start = head(place.root), time.monotonic()
    git(place.root, "commit", "--quiet", "--allow-empty", "-m", "x")
    assert time.monotonic() - start < DEADLINE + 0.5 + 0.5  # the commit's own time, on a busy machine
    assert head(place.root) != before
    assert {event.name for event in events(place)} == {"pre-commit", "post-commit"}


def _missing(place: Place, program: Path) -> None:
    shutil.rmtree(program.parent)


def _venv_gone(place: Place, program: Path) -> None:
    program.write_text("#!/nowhere/bin/python\n")


def _not_executable(place: Place, program: Path) -> None:
    program.chmod(0o644)


def _carriage_returns(place: Place, program: Path) -> None:
    run = place.store / "hooks" / "run"
    run.write_bytes(run.read_bytes().replace(b"\n", b"\r\n"))


def _shim_gone(place: Place, program: Path) -> None:
    (place.store / "hooks" / "run").unlink()


def _shim_cut(place: Place, program: Path) -> None:
    run = place.store / "hooks" / "run"
    run.write_bytes(run.read_bytes()[:1500])


def _shim_empty(place: Place, program: Path) -> None:
    (place.store / "hooks" / "run").write_bytes(b"")


def _no_spool(place: Place, program: Path) -> None:
    (place.store / "spool").rmdir()


def _spool_is_a_file(place: Place, program: Path) -> None:
    (place.store / "spool").rmdir()
    (place.store / "spool").write_bytes(b"")


def _store_gone(place: Place, program: Path) -> None:
    shutil.rmtree(place.store)


BREAKS = [
    _missing,
    _venv_gone,
    _not_executable,
    _carriage_returns,
    _shim_gone,
    _shim_cut,
    _shim_empty,
    _no_spool,
    _spool_is_a_file,
    _store_gone,
]


@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.__name__.strip("_"))
def test_no_fault_around_the_shim_stops_a_commit(
    place: Place, fake: Fake, broken: Callable[[Place, Path], None]
) -> None:
    assert place.root is not None
    program = fake("echo found; exit 1")
    install(place, program)
    broken(place, program)
    before = head(place.root)
    done = git(place.root, "commit", "--quiet", "--allow-empty", "-m", "x")
    assert head(place.root) != before
    if broken is _missing:
        assert "is gone: nothing was checked" in done.stderr


@pytest.mark.parametrize("shell", sorted(SHELLS))
@pytest.mark.parametrize("broken", [_carriage_returns, _shim_cut], ids=["carriage returns", "cut"])
def test_a_damaged_shim_never_says_1(
    place: Place, fake: Fake, shell: str, broken: Callable[[Place, Path], None]
) -> None:
    program = fake("echo found; exit 1")
    install(place, program)
    broken(place, program)
    assert shim(place, "git", "pre-commit", shell=shell).returncode != 1


def test_no_path_stops_no_commit_and_loses_no_event(place: Place, fake: Fake) -> None:
    assert place.root is not None
    install(place, fake("echo found; exit 0"))
    for hook in ("pre-commit", "post-commit"):
        done = subprocess.run(
            [place.common / "hooks" / hook], cwd=place.root, env={}, capture_output=True, check=False
        )
        assert done.returncode == 0
    assert len(events(place)) == 2


@pytest.mark.parametrize("shell", sorted(SHELLS))
@pytest.mark.parametrize(
    "arguments", [("git", "pre-commit"), ("git", "post-commit"), ("agent", "claude-code")]
)
def test_a_full_disk_stops_nothing_and_leaves_no_half_event(
    place: Place, fake: Fake, shell: str, arguments: tuple[str, ...]
) -> None:
    install(place, fake("echo found; exit 1"))
    run = shlex.quote(str(place.store / "hooks" / "run"))
    start = f"{SHELLS[shell]} sh" if shell == "busybox" else SHELLS[shell]
    line = f"trap '' XFSZ; ulimit -f 0; {start} {run} {' '.join(arguments)}"
    done = subprocess.run(
        [SHELLS["bash"], "-c", line], cwd=place.root, input=b'{"a": 1}', capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"")
    assert events(place) == []


def test_the_answer_waits_for_no_child_that_keeps_the_output_open(place: Place, fake: Fake) -> None:
    install(place, fake("sleep 9 & echo found"))
    start = time.monotonic()
    done = shim(place, "git", "pre-commit")
    assert (done.returncode, done.stdout) == (0, b"found\n")
    assert time.monotonic() - start < 6


def test_nothing_of_the_shim_outlives_it(place: Place, fake: Fake, tmp_path: Path) -> None:
    install(place, fake("exec sleep 61.5"), deadline=DEADLINE)
    shim(place, "git", "pre-commit")
    install(place, fake("echo found"), deadline=50.25)
    shim(place, "git", "pre-commit")
    until = time.monotonic() + 10  # what was told to end does so when it gets its turn
    while left := _sleeping():
        assert time.monotonic() < until, left
        time.sleep(0.05)
    assert [each.name for each in (place.store / "spool").iterdir() if each.name.startswith(".")] == []


def _sleeping() -> list[Path]:
    own = (b"sleep 61.5", b"sleep 50.25")
    return [each for each in Path("/proc").glob("[0-9]*/cmdline") if _words(each) in own]


def _words(cmdline: Path) -> bytes:
    try:
        return cmdline.read_bytes().rstrip(b"\0").replace(b"\0", b" ")
    except OSError:
        return b""


def test_a_hook_does_not_enter_itself_again(place: Place, fake: Fake) -> None:
    assert place.root is not None
    install(
        place,
        fake(f"git -C {shlex.quote(str(place.root))} commit --quiet --allow-empty -m inner; echo found"),
    )
    git(place.root, "commit", "--quiet", "--allow-empty", "-m", "outer", check=False)
    assert sorted(event.name for event in events(place)) in (["pre-commit"], ["post-commit", "pre-commit"])


def test_an_interrupt_ends_the_wait(place: Place, fake: Fake) -> None:
    install(place, fake("exec sleep 60"), deadline=40)
    started = subprocess.Popen(
        ["/bin/sh", str(place.store / "hooks" / "run"), "git", "pre-commit"],
        cwd=place.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    time.sleep(0.3)
    start = time.monotonic()
    os.killpg(started.pid, signal.SIGINT)
    started.communicate(timeout=20)
    assert time.monotonic() - start < 15
    os.killpg(started.pid, signal.SIGKILL)


def test_hooks_at_once_lose_no_event(place: Place, fake: Fake) -> None:
    install(place, fake("exit 0"))
    started = [
        subprocess.Popen(
            ["/bin/sh", str(place.store / "hooks" / "run"), "git", "post-commit"],
            cwd=place.root,
            stdin=subprocess.DEVNULL,
        )
        for _ in range(40)
    ]
    assert [each.wait(30) for each in started] == [0] * 40
    assert len(events(place)) == 40


def test_the_index_is_not_touched(place: Place, fake: Fake, commit: Callable[..., str]) -> None:
    assert place.root is not None
    install(place, fake("cat"))
    (place.root / "a.txt").write_text("one\n")
    (place.root / "b.txt").write_text("two\n")
    git(place.root, "add", "a.txt", "b.txt")
    git(place.root, "commit", "--quiet", "-m", "only a", "--", "a.txt")
    said = [spool.GitEvent.parse(event.payload) for event in events(place) if event.name == "pre-commit"]
    assert len(said) == 1 and "next-index" in said[0].index
    assert git(place.root, "diff", "--cached", "--name-only").stdout == "b.txt\n"

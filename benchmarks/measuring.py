"""What all benchmarks share: a place of their own, interleaved repetitions, and one table.

Nothing here passes or fails: the machine is shared and its speed drifts. What is compared is measured in turns,
and the median of the ratios, turn by turn, is what is said.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Figure:
    """One row of the table; `budget` is the number that `value` should stay below (or above: `least`)."""

    what: str
    value: float
    unit: str
    budget: float | None = None
    least: bool = False
    note: str = ""

    def row(self) -> str:
        """The row in Markdown; what misses its budget says so."""
        limit = missed = ""
        if self.budget is not None:
            limit = f"{'≥' if self.least else '≤'} {number(self.budget)}"
            wrong = self.value < self.budget if self.least else self.value > self.budget
            missed = " **over**" if wrong and not self.least else " **under**" if wrong else ""
        return f"| {self.what} | {number(self.value)} {self.unit}{missed} | {limit} | {self.note} |"


@dataclass(frozen=True)
class Run:
    """One finished process: seconds on the wall, seconds of processor, largest memory in MiB, its output."""

    wall: float
    cpu: float
    memory: float
    out: bytes


def number(value: float) -> str:
    """Three figures, with separators: 1,234 and 12.3 and 0.0123."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    return "\n".join(
        ["| what | measured | budget | |", "| --- | --- | --- | --- |", *(each.row() for each in figures)]
    )


def machine() -> str:
    """The machine in words."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0
    load = os.getloadavg()
    python = ".".join(map(str, sys.version_info[:3]))
    return f"{cores} cores, {sys.platform}, Python {python}; others used {load[0]:.1f} of them in the last minute"


def main(
    measure: Callable[[argparse.Namespace], Sequence[Figure]], *extra: tuple[str, dict[str, object]]
) -> None:
    """Run one benchmark from the command line: `--quick`, `--json`, and what it adds itself."""
    options = argparse.ArgumentParser(
        description=sys.modules["__main__"].__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--quick", action="store_true", help="fewer repetitions, smaller stores")
    options.add_argument("--json", action="store_true", help="print the figures as JSON")
    for name, how in extra:
        options.add_argument(name, **how)  # type: ignore[arg-type]
    given = options.parse_args()
    figures = measure(given)
    if given.json:
        print(json.dumps([asdict(each) for each in figures]))
    else:
        print(f"{machine()}\n\n{table(figures)}")


def say(text: str) -> None:
    """Tell whoever waits what is being measured."""
    print(f"    {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def workplace() -> Iterator[Path]:
    """A temporary folder, with a home and settings of its own for git and for Cortex; a daemon in it ends."""
    kept = dict(os.environ)
    folder = Path(tempfile.mkdtemp(prefix="cortex-bench-"))
    try:
        for name in [name for name in os.environ if name.startswith(("GIT_", "CORTEX_", "XDG_"))]:
            del os.environ[name]
        (folder / "run").mkdir(mode=0o700)
        os.environ.update(
            HOME=str(folder),
            CORTEX_HOME=str(folder / "cortex"),
            XDG_RUNTIME_DIR=str(folder / "run"),
            GIT_CONFIG_GLOBAL=str(folder / "gitconfig"),
            GIT_CONFIG_NOSYSTEM="1",
            LC_ALL="C.UTF-8",
            OPENBLAS_NUM_THREADS="1",  # as the daemon has it; numpy is not loaded yet
        )
        (folder / "gitconfig").write_text(
            "[user]\nname = Ada Byron\nemail = ada@example.org\n[init]\ndefaultBranch = main\n"
            "[gc]\nauto = 0\n[maintenance]\nauto = false\n[advice]\ndetachedHead = false\n"
        )
        yield folder
    finally:
        from cortex.daemon import process

        with contextlib.suppress(Exception):
            process.stop(force=True)
        shutil.rmtree(folder, ignore_errors=True)
        os.environ.clear()
        os.environ.update(kept)


def installed(folder: Path, given: str = "") -> Path:
    """The program `cortex` of a plain, non-editable installation: `given`, or one made in `folder`.

    An editable one makes every start of Python slower, which no person who installed it would see.
    """
    if given:
        return Path(given).absolute()
    say("installing the package into a venv of its own")
    source, venv = folder / "source", folder / "venv"
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    for name in filter(None, tracked.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    subprocess.run(
        [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(source)],
        check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return venv / "bin" / "cortex"


def git(repo: Path, *words: str, data: bytes | None = None) -> str:
    """Run git in a repository."""
    done = subprocess.run(["git", *words], cwd=repo, input=data, capture_output=True, check=True)
    return done.stdout.decode()


def run(command: Sequence[str], cwd: Path | None = None) -> Run:
    """Run a process to its end. Raises `CalledProcessError` with what it said when it fails."""
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said
        )
        assert child.stdout is not None
        with child.stdout as stdout:
            out = stdout.read()
            _, status, used = os.wait4(child.pid, 0)
            wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            sys.stderr.buffer.write(said.read())
            raise subprocess.CalledProcessError(child.returncode, command, out)
    scale = 1024 if sys.platform == "linux" else 1024 * 1024
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / scale, out)


def init(repo: Path) -> None:
    """Bring Cortex into `repo`: no daemon comes of it, and nothing of the history is learnt."""
    run(["env", "CORTEX_NO_DAEMON=1", sys.executable, "-m", "cortex", "init", "--no-history", str(repo)])


def in_turns(cases: Mapping[str, Callable[[], float]], rounds: int, warm: int = 2) -> dict[str, list[float]]:
    """Measure the cases in turns, each round in another order; the first `warm` rounds do not count."""
    order, chance = list(cases), random.Random(1)
    out: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds + warm):
        chance.shuffle(order)
        for name in order:
            took = cases[name]()
            if number >= warm:
                out[name].append(took)
    return out


def ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """The median of the ratios, turn by turn."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def spread(values: Sequence[float], scale: float = 1e3, unit: str = "ms") -> str:
    """The median and the middle half, in words."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{number(middle * scale)} {unit} ({number(low * scale)} to {number(high * scale)})"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

"""Bad input of live learning: each has a defined result that is counted, and none is a crash."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cortex.learning.live.commits import learn_commits
from cortex.learning.live.outcomes import changes, outcomes
from cortex.repo.places import find
from cortex.store.blobs import Blobs
from cortex.store.journal import FileJournal
from cortex.store.kinds import Correction, Execution, Generation, Outcome, Reason
from cortex.store.layout import create

Commit = Callable[..., str]
CODE = "def read(path):\n    handle = open(path)\n    data = handle.read()\n    return data\n"
FIXED = CODE.replace("open(path)", 'open(path, encoding="utf-8")')
DAY = 86_400_000


class World:
    """A repository with a store, and generations whose bytes and times are chosen."""

    def __init__(self, repo: Path, commit: Commit) -> None:
        self.repo, self.commit = repo, commit
        self.place = find(repo)
        create(self.place.store)
        self.now = 1_700_000_000_000
        self.journal = FileJournal(self.place.store, "Ada <ada@example.org>", clock=lambda: self.now)
        self.blobs = Blobs(self.place)

    def generate(
        self, path: str, after: bytes, before: bytes | None = None, task: str = "", prompt: str = "p"
    ) -> str:
        execution = Execution(task=task or "a task", agent="claude-code", conversation="c", prompt=prompt)
        body = Generation(
            execution=self.journal.put(execution).m,
            path=path,
            before=self.blobs.keep(before) if before is not None else "",
            after=self.blobs.keep(after),
        )
        return self.journal.put(body).m

    def learn(self, *commits: str, now: int | None = None):  # type: ignore[no-untyped-def]
        return learn_commits(self.place, self.journal, self.blobs, commits, now=now or self.now)

    def outcome(self, m: str) -> Outcome | None:
        found = [record.decoded() for record in self.journal.view().of_kind("outcome")]
        mine = [each for each in found if isinstance(each, Outcome) and each.generation == m]
        return mine[0] if mine else None

    def verdict(self, m: str) -> str:
        found = self.outcome(m)
        return found.verdict if found else ""

    def corrections(self) -> list[Correction]:
        found = [record.decoded() for record in self.journal.view().of_kind("correction")]
        return [each for each in found if isinstance(each, Correction)]


@pytest.fixture
def world(repo: Path, commit: Commit) -> World:
    return World(repo, commit)


def test_a_generation_with_no_commit_ever_waits_and_then_expires(world: World) -> None:
    made = world.generate("a.py", CODE.encode())
    sha = world.commit(world.repo, {"other.py": "x = 1\n"})
    report = world.learn(sha)
    assert (report.waiting, report.expired, world.verdict(made)) == (1, 0, "")
    assert outcomes(world.journal.view())["waiting"] == 1
    later = world.learn(world.commit(world.repo, {"c.py": "y = 1\n"}), now=world.now + 31 * DAY)
    assert (later.waiting, later.expired, world.verdict(made)) == (0, 1, "")


def test_a_clock_that_ran_backwards_costs_no_reward(world: World) -> None:
    world.now = 1_700_050_000_000  # half a day after every commit
    made = world.generate("a.py", CODE.encode())
    world.now = 1_700_000_000_000
    world.learn(world.commit(world.repo, {"a.py": CODE}))
    found = world.outcome(made)
    assert found is not None and (found.verdict, found.took, found.time) == ("accepted", 0, 0)


def test_how_long_it_took_is_known_and_costs_little(world: World) -> None:
    quick = world.generate("a.py", CODE.encode())
    slow_at, world.now = world.now, world.now - 20 * DAY
    slow = world.generate("b.py", CODE.replace("read", "load").encode())
    world.now = slow_at
    world.learn(world.commit(world.repo, {"a.py": CODE, "b.py": CODE.replace("read", "load")}))
    first, second = world.outcome(quick), world.outcome(slow)
    assert first is not None and second is not None and first.took < second.took
    assert second.time < first.time <= 0 and second.reward < first.reward
    assert second.reward == second.diff + second.tests + second.revert + second.remark + second.time


@pytest.mark.parametrize(
    ("name", "after", "committed"),
    [
        ("does not parse", b"def f(:\n    return (\n\nvalue = 1\n", b"def f(:\n    return [\n\nvalue = 1\n"),
        (
            "mixed line endings",
            b"a = one()\r\nb = two()\nc = three()\r\n",
            b"a = one()\nb = two()\nc = three()\n",
        ),
        ("latin-1", b"name = 'caf\xe9'\nvalue = call()\n", b"name = 'caf\xe9'\nvalue = call(1)\n"),
        ("utf-16", "a = call()\n".encode("utf-16"), "a = call(1)\n".encode("utf-16")),
        ("byte order mark", b"\xef\xbb\xbfa = call()\n", b"a = call()\n"),
        ("no last line end", b"a = call()", b"a = call()\n"),
        ("one long line", b"a=[" + b"1," * 200_000 + b"]\n", b"a=[" + b"1," * 199_999 + b"2,]\n"),
        ("nothing", b"", b"a = call()\n"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_odd_text_has_an_outcome_or_waits(world: World, name: str, after: bytes, committed: bytes) -> None:
    made = world.generate("a.py", after)
    sha = world.commit(world.repo, {"a.py": committed})
    began = time.monotonic()
    report = world.learn(sha)
    assert time.monotonic() - began < 60
    assert report.waiting + sum(report.outcomes.values()) == 1
    wanted = {
        "does not parse": "edited",
        "mixed line endings": "accepted",
        "latin-1": "edited",
        "utf-16": "",  # binary, as git sees it
        "byte order mark": "edited",
        "no last line end": "accepted",
        "one long line": "edited",
        "nothing": "accepted",
    }
    assert world.verdict(made) == wanted[name]
    if name in ("latin-1", "mixed line endings", "no last line end", "nothing"):
        assert not world.corrections()


def test_a_minified_file_is_decided_and_teaches_nothing(world: World) -> None:
    row = b"".join(b"function f%d(a){return g%d(a)}" % (n, n) for n in range(3000))
    made = world.generate("app.min.js", row + b"\n")
    world.learn(world.commit(world.repo, {"app.min.js": row.replace(b"g7(", b"h7(") + b"\n"}))
    assert world.verdict(made) == "edited" and not world.corrections()


def test_a_file_that_is_too_large_waits(world: World) -> None:
    big = b"value = compute(1)\n" * 80_000
    made = world.generate("a.py", big)
    report = world.learn(world.commit(world.repo, {"a.py": big}))
    assert world.verdict(made) == "" and report.waiting == 1 and not world.corrections()


def test_a_link_and_a_submodule_at_the_path_are_passed_over(world: World) -> None:
    from pygit2 import Repository

    linked, sub = world.generate("link.py", CODE.encode()), world.generate("sub", CODE.encode())
    (world.repo / "real.py").write_text("x = 1\n")
    os.symlink("real.py", world.repo / "link.py")
    repository = Repository(str(world.repo))
    repository.index.read()
    import subprocess

    head = str(repository.head.target)
    for words in (
        ["add", "real.py", "link.py"],
        ["update-index", "--add", "--cacheinfo", f"160000,{head},sub"],
        ["commit", "--quiet", "-m", "Link"],
    ):
        subprocess.run(["git", *words], cwd=world.repo, check=True, capture_output=True)
    sha = str(Repository(str(world.repo)).head.target)
    report = world.learn(sha)
    assert (world.verdict(linked), world.verdict(sub)) == ("", "") and report.waiting == 2


def test_a_thousand_generations_of_one_file_are_bounded_in_time_and_memory(
    world: World, tell: Callable[[str], None], slower: Callable[[], float]
) -> None:
    lines = [f"value_{n} = compute_{n}(first)\n" for n in range(1000)]
    before: bytes | None = None
    made = []
    for n in range(1, 1001):
        after = "".join(lines[:n]).encode()
        made.append(world.generate("a.py", after, before, prompt=f"p{n}"))
        before = after
    sha = world.commit(world.repo, {"a.py": "".join(lines).replace("compute_500(", "derive_500(")})
    allowed = 60 * slower()
    was, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    report = world.learn(sha)
    took = time.monotonic() - began
    scale = 1024 if sys.platform == "linux" else 1 << 20
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - was) / scale
    tell(f"a thousand generations of one file: {took:.1f} s, {grown:.0f} MiB more")
    assert report.outcomes == {"accepted": 999, "edited": 1} and world.verdict(made[500]) == "edited"
    assert took < allowed and grown < 400


def test_a_directed_correction_keeps_its_prompt_privately(world: World) -> None:
    world.generate("a.py", CODE.encode(), task="read a file", prompt="p1")
    told = "always name the encoding, please"
    world.generate("a.py", FIXED.encode(), CODE.encode(), task=told, prompt="p2")
    world.learn(world.commit(world.repo, {"a.py": FIXED}))
    (found,) = world.journal.view().of_kind("correction")
    (reason,) = [record.decoded() for record in world.journal.view().of_kind("reason")]
    assert isinstance(reason, Reason) and (reason.of, reason.text) == (found.m, told)
    assert told not in str(found.body)
    counted = changes(world.journal.view())
    assert (counted["directed"], counted["person"], counted["second_thoughts"]) == (1, 0, 0)


def test_a_second_thought_is_counted_and_not_learnt(world: World) -> None:
    world.generate("a.py", CODE.encode(), prompt="p1")
    world.generate("a.py", FIXED.encode(), CODE.encode(), prompt="p1")
    report = world.learn(world.commit(world.repo, {"a.py": FIXED}))
    assert report.second_thoughts == 1 and not world.corrections()
    assert changes(world.journal.view())["second_thoughts"] == 1


def test_a_remark_on_a_generation_is_part_of_its_reward(world: World) -> None:
    from cortex.store.kinds import Feedback

    made = world.generate("a.py", CODE.encode())
    sha = world.commit(world.repo, {"a.py": CODE})
    world.learn(sha)
    before = world.outcome(made)
    world.journal.put(Feedback(of=made, verdict="bad"))
    world.learn()
    after = world.outcome(made)
    assert before is not None and after is not None
    assert after.remark < 0 and after.reward == before.reward + after.remark

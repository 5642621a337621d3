from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from running import git

from cortex.learning.live.commits import LiveReport, learn_commits
from cortex.repo.places import find
from cortex.store.blobs import Blobs
from cortex.store.journal import FileJournal
from cortex.store.kinds import MILLION, Correction, Execution, Generation, Outcome
from cortex.store.layout import create

Commit = Callable[..., str]

HANDLER = """\
def read(path):
    handle = open(path)
    data = handle.read()
    print("read " + path)
    return data
"""
FIXED = HANDLER.replace('print("read " + path)', 'logger.info("read %s", path)')


class World:
    """A repository with a store, and an assistant that writes into it."""

    def __init__(self, repo: Path, commit: Commit) -> None:
        self.repo, self.commit = repo, commit
        self.place = find(repo)
        create(self.place.store)
        self.journal = FileJournal(self.place.store, "Ada Byron <ada@example.org>")
        self.blobs = Blobs(self.place)

    def task(self, task: str = "a task", conversation: str = "one", prompt: str = "") -> str:
        body = Execution(task=task, agent="claude-code", conversation=conversation, prompt=prompt)
        return self.journal.put(body).m

    def generate(
        self, path: str, text: str, execution: str = "", before: str | None = None, **more: object
    ) -> str:
        file = self.repo / path
        old = before if before is not None else file.read_text() if file.exists() else None
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        body = Generation(
            execution=execution or self.task(),
            path=path,
            before=self.blobs.keep(old.encode()) if old is not None else "",
            after=self.blobs.keep(text.encode()),
            tool="Write",
            **more,  # type: ignore[arg-type]
        )
        return self.journal.put(body).m

    def learn(self, *commits: str) -> LiveReport:
        return learn_commits(self.place, self.journal, self.blobs, commits)

    def outcome(self, m: str) -> Outcome | None:
        found = [r.decoded() for r in self.journal.view().of_kind("outcome")]
        mine = [each for each in found if isinstance(each, Outcome) and each.generation == m]
        assert len(mine) <= 1
        return mine[0] if mine else None

    def verdict(self, m: str) -> str:
        found = self.outcome(m)
        return found.verdict if found else ""

    def corrections(self, hand: str = "person") -> list[Correction]:
        found = [r.decoded() for r in self.journal.view().of_kind("correction")]
        return [each for each in found if isinstance(each, Correction) and each.hand == hand]


@pytest.fixture
def world(repo: Path, commit: Commit) -> World:
    return World(repo, commit)


def count(world: World) -> int:
    return sum(1 for _ in world.journal.records())


def test_what_is_committed_as_it_was_generated_is_accepted(world: World) -> None:
    made = world.generate("a.py", HANDLER)
    sha = world.commit(world.repo, {"a.py": HANDLER})
    report = world.learn(sha)
    outcome = world.outcome(made)
    assert outcome is not None
    assert (outcome.verdict, outcome.distance, outcome.commit, outcome.reward) == (
        "accepted",
        0,
        sha,
        MILLION,
    )
    assert report.outcomes == {"accepted": 1} and not world.corrections()


def test_what_a_person_changed_before_committing_is_a_correction(world: World) -> None:
    made = world.generate("a.py", HANDLER)
    sha = world.commit(world.repo, {"a.py": FIXED}, message="Read files")
    world.learn(sha)
    outcome = world.outcome(made)
    assert outcome is not None and outcome.verdict == "edited" and 0 < outcome.distance < MILLION // 2
    (found,) = world.corrections()
    assert "print" in found.before and "logger.info" in found.after
    assert (found.commit, found.agent, found.weight, found.subject) == (
        sha,
        "claude-code",
        MILLION,
        "Read files",
    )


def test_a_changed_line_alone_is_edited_and_not_rejected(world: World) -> None:
    world.commit(world.repo, {"a.go": "package a\n\nfunc f() {\n}\n"})
    made = world.generate("a.go", "package a\n\nfunc f() {\n\tfile.Close()\n}\n")
    sha = world.commit(world.repo, {"a.go": "package a\n\nfunc f() {\n\t_ = file.Close()\n}\n"})
    world.learn(sha)
    assert world.verdict(made) == "edited"
    assert [each.after for each in world.corrections()] == ["_ = file.Close()"]


def test_learning_twice_writes_nothing_new(world: World) -> None:
    world.generate("a.py", HANDLER)
    first = world.commit(world.repo, {"a.py": HANDLER})
    world.learn(first)
    second = world.commit(world.repo, {"a.py": FIXED})
    world.learn(second)
    before = count(world)
    world.learn(first, second)
    world.learn(second)
    world.learn(first)
    assert count(world) == before


def test_a_later_commit_corrects_what_was_accepted(world: World) -> None:
    made = world.generate("a.py", HANDLER)
    world.learn(world.commit(world.repo, {"a.py": HANDLER}))
    assert world.verdict(made) == "accepted"
    sha = world.commit(world.repo, {"a.py": FIXED})
    world.learn(sha)
    assert len(world.corrections()) == 1
    outcome = world.outcome(made)
    assert outcome is not None and outcome.verdict == "edited" and outcome.commit == sha


def test_an_agents_own_later_commit_is_no_persons_correction(world: World) -> None:
    world.generate("a.py", HANDLER)
    world.learn(world.commit(world.repo, {"a.py": HANDLER}))
    said = "Log it\n\nCo-Authored-By: Claude <noreply@anthropic.com>"
    world.learn(world.commit(world.repo, {"a.py": FIXED}, message=said))
    assert not world.corrections()


def test_a_person_corrects_an_agents_commit_of_which_nothing_was_recorded(world: World) -> None:
    said = "Read files\n\nCo-Authored-By: Claude <noreply@anthropic.com>"
    first = world.commit(world.repo, {"a.py": HANDLER}, message=said)
    second = world.commit(world.repo, {"a.py": FIXED})
    world.learn(first, second)
    (found,) = world.corrections()
    assert (found.written, found.commit, found.agent) == (first, second, "claude-code")


def test_a_commit_that_is_both_recorded_and_marked_teaches_once(world: World) -> None:
    world.generate("a.py", HANDLER)
    said = "Read files\n\nCo-Authored-By: Claude <noreply@anthropic.com>"
    first = world.commit(world.repo, {"a.py": HANDLER}, message=said)
    second = world.commit(world.repo, {"a.py": FIXED})
    world.learn(first, second)
    assert len(world.corrections()) == 1


def test_formatting_is_neither_a_correction_nor_an_edit(world: World) -> None:
    made = world.generate("a.py", "def f():\n    return call(first_thing, second_thing)\n")
    text = "def f():\n    return call(\n        first_thing,\n        second_thing,\n    )\n"
    world.learn(world.commit(world.repo, {"a.py": text}))
    assert world.verdict(made) == "accepted" and not world.corrections()


def test_a_renamed_file_keeps_its_generation(world: World) -> None:
    world.commit(world.repo, {"old.py": HANDLER})
    made = world.generate("old.py", HANDLER + "\n\ndef write(path, data):\n    open(path, 'w').write(data)\n")
    text = (world.repo / "old.py").read_text()
    sha = world.commit(world.repo, {"old.py": None, "new.py": text})
    world.learn(sha)
    outcome = world.outcome(made)
    assert outcome is not None and (outcome.verdict, outcome.path) == ("accepted", "new.py")


def test_a_file_that_was_renamed_before_it_was_committed_is_found_by_what_it_says(world: World) -> None:
    made = world.generate("draft.py", HANDLER)
    (world.repo / "draft.py").unlink()
    world.learn(world.commit(world.repo, {"real.py": FIXED}))
    assert world.verdict(made) == "edited" and len(world.corrections()) == 1


def test_code_that_moved_to_another_file_is_kept(world: World) -> None:
    both = HANDLER + "\n\ndef write(path, data):\n    with open(path, 'w') as out:\n        out.write(data)\n"
    made = world.generate("a.py", both)
    moved = both[len(HANDLER) :].lstrip("\n")
    world.learn(world.commit(world.repo, {"a.py": HANDLER, "b.py": moved}))
    assert world.verdict(made) == "accepted" and not world.corrections()


def test_a_generation_waits_for_the_commit_that_has_it(world: World) -> None:
    made = world.generate("a.py", HANDLER)
    report = world.learn(world.commit(world.repo, {"other.py": "x = 1\n"}))
    assert world.verdict(made) == "" and report.waiting == 1
    world.learn(world.commit(world.repo, {"a.py": HANDLER}))
    assert world.verdict(made) == "accepted"


def test_a_part_that_was_not_staged_is_not_rejected(world: World) -> None:
    world.commit(world.repo, {"a.py": "one = 1\n\n\n\n\n\ntwo = 2\n"})
    whole = "one = 1\nthree = compute(one)\n\n\n\n\n\ntwo = 2\nfour = compute(two)\n"
    made = world.generate("a.py", whole)
    first = world.commit(world.repo, {"a.py": "one = 1\nthree = compute(one)\n\n\n\n\n\ntwo = 2\n"})
    (world.repo / "a.py").write_text(whole)
    world.learn(first)
    assert world.verdict(made) == "" and not world.corrections()
    world.learn(world.commit(world.repo, {"a.py": whole}))
    assert world.verdict(made) == "accepted"


def test_lines_that_are_all_gone_are_rejected(world: World) -> None:
    world.commit(world.repo, {"a.py": "one = 1\n"})
    made = world.generate("a.py", "one = 1\nvalue = compute_everything(one)\n")
    world.learn(world.commit(world.repo, {"a.py": "one = 2\n"}))
    outcome = world.outcome(made)
    assert outcome is not None and (outcome.verdict, outcome.distance) == ("rejected", MILLION)


def test_a_deleted_file_is_rejected(world: World) -> None:
    world.commit(world.repo, {"a.py": "one = 1\n"})
    made = world.generate("a.py", "one = 1\nvalue = compute_everything(one)\n")
    world.learn(world.commit(world.repo, {"a.py": None}))
    assert world.verdict(made) == "rejected"


def test_a_revert_rejects_what_it_takes_back_and_teaches_nothing(world: World) -> None:
    world.commit(world.repo, {"a.py": "one = 1\n"})
    made = world.generate("a.py", HANDLER)
    sha = world.commit(world.repo, {"a.py": HANDLER})
    world.learn(sha)
    said = f'Revert "A change"\n\nThis reverts commit {sha}.'
    world.learn(world.commit(world.repo, {"a.py": "one = 1\n"}, message=said))
    outcome = world.outcome(made)
    assert outcome is not None and outcome.verdict == "rejected" and outcome.revert < 0
    assert not world.corrections()


def test_a_re_edit_after_a_new_prompt_is_directed(world: World) -> None:
    world.generate("a.py", HANDLER, world.task("read files", prompt="p1"))
    last = world.generate("a.py", FIXED, world.task("log instead of printing", prompt="p2"))
    world.learn(world.commit(world.repo, {"a.py": FIXED}))
    (found,) = world.corrections("directed")
    assert found.weight == MILLION // 2 and "logger" in found.after
    assert not world.corrections() and world.verdict(last) == "accepted"


def test_a_re_edit_without_a_new_prompt_is_a_second_thought(world: World) -> None:
    task = world.task("read files", prompt="p1")
    world.generate("a.py", HANDLER, task)
    world.generate("a.py", FIXED, task)
    report = world.learn(world.commit(world.repo, {"a.py": FIXED}))
    assert report.second_thoughts == 1
    assert not world.corrections() and not world.corrections("directed")


def test_what_a_person_changed_between_two_generations_counts(world: World) -> None:
    world.generate("a.py", HANDLER)
    (world.repo / "a.py").write_text(FIXED)
    last = world.generate("a.py", FIXED + "\n\ndef more():\n    return read('more')\n")
    world.learn(world.commit(world.repo, {"a.py": (world.repo / "a.py").read_text()}))
    assert len(world.corrections()) == 1 and world.verdict(last) == "accepted"


def test_an_altered_proposal_is_a_correction_without_a_commit(world: World) -> None:
    proposed = world.blobs.keep(HANDLER.encode())
    world.generate("a.py", FIXED, altered=True, proposed=proposed)
    report = world.learn()
    assert report.corrections == 1 and world.corrections()[0].commit == ""
    before = count(world)
    world.learn()
    assert count(world) == before


def test_an_amended_commit_is_learnt_once(world: World) -> None:
    made = world.generate("a.py", HANDLER)
    world.learn(world.commit(world.repo, {"a.py": HANDLER}))
    git(world.repo, "reset", "--quiet", "--soft", "HEAD~1")
    sha = world.commit(world.repo, {"a.py": FIXED})
    world.learn(sha)
    outcome = world.outcome(made)
    assert outcome is not None and (outcome.verdict, outcome.commit) == ("edited", sha)
    assert len(world.corrections()) == 1
    before = count(world)
    world.learn(sha)
    assert count(world) == before


def test_squashed_commits_teach_nothing_twice(world: World) -> None:
    world.generate("a.py", HANDLER)
    world.learn(world.commit(world.repo, {"a.py": HANDLER}))
    world.learn(world.commit(world.repo, {"a.py": FIXED}))
    git(world.repo, "reset", "--quiet", "--soft", "HEAD~2")
    world.learn(world.commit(world.repo, {"a.py": FIXED}))
    assert len(world.corrections()) == 1


def test_a_commit_picked_to_another_branch_is_not_learnt_again(world: World) -> None:
    made = world.generate("a.py", HANDLER)
    sha = world.commit(world.repo, {"a.py": FIXED})
    world.learn(sha)
    before = count(world)
    git(world.repo, "checkout", "--quiet", "-b", "side", "HEAD~1")
    world.commit(world.repo, {"b.py": "x = 1\n"})
    git(world.repo, "cherry-pick", sha, GIT_COMMITTER_DATE="1700099999 +0000")
    world.learn(git(world.repo, "rev-parse", "HEAD"))
    assert count(world) == before and world.verdict(made) == "edited"


def test_a_merge_is_not_learnt_again(world: World) -> None:
    git(world.repo, "checkout", "--quiet", "-b", "side")
    world.generate("a.py", HANDLER)
    world.learn(world.commit(world.repo, {"a.py": FIXED}))
    git(world.repo, "checkout", "--quiet", "main")
    world.commit(world.repo, {"b.py": "x = 1\n"})
    before = count(world)
    git(world.repo, "merge", "--quiet", "--no-edit", "side")
    world.learn(git(world.repo, "rev-parse", "HEAD"))
    assert count(world) == before


def test_the_first_commit_of_a_repository_is_learnt_from(tmp_path: Path, commit: Commit) -> None:
    folder = tmp_path / "fresh"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    world = World(folder, commit)
    made = world.generate("a.py", HANDLER)
    world.learn(commit(folder, {"a.py": FIXED}))
    assert world.verdict(made) == "edited" and len(world.corrections()) == 1


def test_a_linked_work_tree_keeps_its_generation_from_another_trees_commit(
    world: World, tmp_path: Path
) -> None:
    world.commit(world.repo, {"a.py": "one = 1\n"})
    git(world.repo, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    made = world.generate("a.py", "one = 1\nvalue = compute_everything(one)\n")
    world.learn(world.commit(tmp_path / "side", {"a.py": "one = 2\n"}))
    assert world.verdict(made) == ""


def test_a_generation_expires(world: World) -> None:
    made = world.generate("a.py", HANDLER)
    sha = world.commit(world.repo, {"a.py": FIXED})
    later = next(world.journal.view().of_kind("generation")).t + 31 * 86_400_000
    report = learn_commits(world.place, world.journal, world.blobs, [sha], now=later)
    assert report.expired == 1 and world.verdict(made) == "" and not world.corrections()


@pytest.mark.parametrize("text", [b"\0\1\2 binary", b"caf\xe9 = 1\n", b"", b"x = (\n", b"a = 1\r\nb = 2\r\n"])
def test_odd_content_has_a_defined_result(world: World, text: bytes) -> None:
    body = Generation(execution=world.task(), path="a.py", after=world.blobs.keep(HANDLER.encode()))
    world.journal.put(body)
    world.learn(world.commit(world.repo, {"a.py": text}))
    assert not world.corrections("directed")


def test_a_commit_that_is_not_there_is_passed_over(world: World) -> None:
    assert world.learn("0" * 40).commits == 0


def test_dozens_of_generations_of_one_file_are_learnt_in_one_go(world: World) -> None:
    task = world.task()
    text = ""
    made = []
    for number in range(80):
        before, text = text, text + f"value_{number} = compute({number})\n"
        made.append(world.generate("a.py", text, task, before=before))
    world.learn(world.commit(world.repo, {"a.py": text.replace("compute(7)", "derive(7)")}))
    assert world.verdict(made[7]) == "edited"
    assert {world.verdict(m) for m in (made[0], made[6], made[8], made[79])} == {"accepted"}
    assert len(world.corrections()) == 1

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pygit2
import pytest
from running import git

from cortex.learning.past import history
from cortex.learning.past.candidates import Candidate, Candidates, key_of
from cortex.learning.past.history import Cursor, Found, Progress, walk
from cortex.learning.past.lessons import forget_cursor, learn_history
from cortex.repo.places import Place, find
from cortex.store.journal import FileJournal
from cortex.store.kinds import Correction
from cortex.store.layout import create

Commit = Callable[..., str]
AGENT = "\n\nCo-Authored-By: Claude <noreply@anthropic.com>"


def source(name: str, body: str) -> str:
    return f"def {name}(path):\n    value = open(path)\n    {body}\n    return value\n"


def found(repo: Path, **more: object) -> list[Found]:
    return list(walk(pygit2.Repository(str(repo)), **more))  # type: ignore[arg-type]


def opened(repo: Path) -> tuple[Place, FileJournal]:
    place = find(repo)
    create(place.store)
    return place, FileJournal(place.store, "Ada Byron <ada@example.org>")


def agents_history(repo: Path, commit: Commit, count: int = 3) -> list[str]:
    made = []
    for n in range(count):
        commit(repo, {f"m{n}.py": source(f"f{n}", f'print("got", {n})')}, message=f"Add {n}" + AGENT)
        made.append(
            commit(repo, {f"m{n}.py": source(f"f{n}", f'logger.info("got", {n})')}, message=f"Fix {n}")
        )
    return made


def test_a_person_who_changes_an_agents_lines_corrects_them(repo: Path, commit: Commit) -> None:
    written = commit(repo, {"a.py": source("f", 'print("got", path)')}, message="Add f" + AGENT)
    fixed = commit(repo, {"a.py": source("f", 'logger.info("got", path)')}, message="Fix f")
    (each,) = found(repo)
    said = each.correction
    assert (said.commit, said.written, said.agent, said.hand) == (fixed, written, "claude-code", "person")
    assert "print" in said.before and "logger" in said.after and said.subject == "Fix f"
    assert each.fix and not each.fix_of_fix


def test_an_agents_fix_of_a_person_and_of_itself_is_no_correction(repo: Path, commit: Commit) -> None:
    commit(repo, {"a.py": source("f", "print(path)")})
    commit(repo, {"a.py": source("f", "logger.info(path)")}, message="Fix" + AGENT)
    commit(repo, {"a.py": source("f", "logger.debug(path)")}, message="Fix" + AGENT)
    assert found(repo) == []


def test_where_no_agent_wrote_people_correct_people(repo: Path, commit: Commit) -> None:
    commit(repo, {"a.py": source("f", "print(path)")})
    commit(repo, {"a.py": source("f", "logger.info(path)")})
    (each,) = found(repo)
    assert each.correction.hand == "people" and each.correction.agent == "" and each.key


def test_old_lines_are_changed_and_not_corrected(
    repo: Path, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "COMMITS", 5)
    commit(repo, {"a.py": source("f", "print(path)")}, message="Add" + AGENT)
    for _ in range(6):
        commit(repo, {})
    commit(repo, {"a.py": source("f", "logger.info(path)")})
    assert found(repo) == []


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.py", "x = call(one, two)\n", "x = call(\n    one,\n    two,\n)\n"),
        ("vendor/a.py", "print(path)\n", "logger.info(path)\n"),
        ("notes.txt", "print path\n", "log path\n"),
        ("a.min.js", "print(path)\n", "log(path)\n"),
        ("a.py", "# a word\nx = 1\n", "# another word\nx = 1\n"),
        ("a.py", "x = (\n" * 3, "y = )\n" * 3 + "\0"),
    ],
)
def test_what_teaches_nothing_is_passed_over(
    repo: Path, commit: Commit, path: str, before: str, after: str
) -> None:
    commit(repo, {path: before}, message="Add" + AGENT)
    commit(repo, {path: after})
    assert found(repo) == []


def test_moved_lines_are_no_correction(repo: Path, commit: Commit) -> None:
    commit(repo, {"a.py": "import x\n\n\nx.one()\nx.two()\n", "b.py": "import x\n"}, message="Add" + AGENT)
    commit(repo, {"a.py": "import x\n\n\nx.two()\n", "b.py": "import x\n\nx.one()\n"})
    assert found(repo) == []


def test_a_revert_and_what_it_reverts_teach_nothing(repo: Path, commit: Commit) -> None:
    commit(repo, {"a.py": source("f", "print(path)")}, message="Add" + AGENT)
    fixed = commit(repo, {"a.py": source("f", "logger.info(path)")})
    said = f'Revert "A change"\n\nThis reverts commit {fixed}.'
    commit(repo, {"a.py": source("f", "print(path)")}, message=said)
    assert found(repo) == []


def test_a_correction_on_a_branch_is_found_behind_its_merge(repo: Path, commit: Commit) -> None:
    commit(repo, {"a.py": source("f", "print(path)")}, message="Add" + AGENT)
    git(repo, "checkout", "-q", "-b", "side")
    commit(repo, {"other.py": "x = 1\n"})
    git(repo, "checkout", "-q", "main")
    fixed = commit(repo, {"a.py": source("f", "logger.info(path)")})
    git(repo, "merge", "-q", "--no-edit", "side")
    assert [each.correction.commit for each in found(repo)] == [fixed]


def test_a_walk_in_pieces_finds_what_a_whole_one_finds(repo: Path, commit: Commit) -> None:
    agents_history(repo, commit, 12)
    whole = {each.m for each in found(repo)}
    assert len(whole) == 12
    pieces: set[str] = set()
    cursor: Cursor | None = None
    for _ in range(200):
        seen: list[Progress] = []
        left = iter([False, False, False, True])
        pieces |= {
            each.m for each in found(repo, seen=cursor, stop=lambda i=left: next(i), progress=seen.append)
        }
        cursor = Cursor.read(json.loads(json.dumps(seen[-1].cursor.plain())))
        assert cursor is not None
        if cursor.finished:
            break
        # Each piece must get further than the one before, whatever it has to look at again.
    else:
        seen = []
        pieces |= {each.m for each in found(repo, seen=cursor, progress=seen.append)}
    assert pieces == whole


def test_a_history_without_commits_is_empty(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert found(tmp_path) == []


def test_the_same_history_learnt_twice_makes_no_new_record(repo: Path, commit: Commit) -> None:
    agents_history(repo, commit)
    place, journal = opened(repo)
    report = learn_history(place, journal)
    assert report.finished and report.recorded == 3 and dict(report.corrections_by_hand) == {"person": 3}
    forget_cursor(place)
    again = learn_history(place, journal)
    assert again.finished and again.recorded == 0
    assert len(list(journal.view().of_kind("correction"))) == 3


def test_what_a_person_deleted_is_not_learnt_again(repo: Path, commit: Commit) -> None:
    agents_history(repo, commit)
    place, journal = opened(repo)
    learn_history(place, journal)
    journal.delete(next(journal.view().of_kind("correction")).m, origin="cli")
    forget_cursor(place)
    learn_history(place, journal)
    assert len(list(journal.view().of_kind("correction"))) == 2


def test_peoples_corrections_are_recorded_once_they_recur(repo: Path, commit: Commit) -> None:
    place, journal = opened(repo)
    for n in range(2):
        commit(repo, {f"m{n}.py": source(f"f{n}", f"print({n})")})
        commit(repo, {f"m{n}.py": source(f"f{n}", f"logger.info({n})")})
    commit(repo, {"once.py": source("g", "value.shut()")})
    commit(repo, {"once.py": source("g", "value.close()")})
    report = learn_history(place, journal)
    assert dict(report.corrections_by_hand) == {"people": 3} and report.recorded == 2


def test_a_walk_with_no_time_goes_on_later(repo: Path, commit: Commit) -> None:
    agents_history(repo, commit)
    place, journal = opened(repo)
    first = learn_history(place, journal, budget_s=0.0)
    assert not first.finished
    assert learn_history(place, journal).recorded == 3


def test_since_leaves_out_what_is_older(repo: Path, commit: Commit) -> None:
    made = agents_history(repo, commit)
    repository = pygit2.Repository(str(repo))
    time = repository[made[-1]].peel(pygit2.Commit).commit_time
    assert [each.correction.commit for each in found(repo, since=time)] == [made[-1]]


def test_a_damaged_state_begins_again(repo: Path, commit: Commit) -> None:
    agents_history(repo, commit)
    place, journal = opened(repo)
    learn_history(place, journal)
    index = place.store / "index"
    (index / "history.json").write_text("{")
    (index / "history.db").write_bytes(b"no database at all, but long enough to be looked at" * 40)
    assert learn_history(place, journal).finished


def test_candidates_are_bounded_and_a_picked_commit_is_one(tmp_path: Path) -> None:
    kept = Candidates(tmp_path / "c.db", limit=5)
    edit = Correction(before="a.shut()", after="a.close()", language="python", path="a.py")

    def at(m: str, time: int, **more: str) -> Candidate:
        said = Correction(**{**{"before": edit.before, "after": edit.after, "path": "a.py"}, **more})
        return Candidate(m, key_of(edit), time, said)

    kept.add([at("1", 1, commit="x"), at("2", 2, commit="y")])
    assert list(kept.recurring()) == []
    kept.add([at("3", 3, commit="z", path="b.py")])
    assert [each.m for each in kept.recurring()] == ["3", "2", "1"]
    kept.mark_recorded(["1", "2", "3"])
    kept.add([at(str(n), n, commit=str(n)) for n in range(4, 20)])
    assert len(kept) == 5
    kept.close()


def test_an_edit_that_says_too_little_has_no_key() -> None:
    for before, after in (('"one"', '"two"'), ("x = 1", "x = 2"), ("a b " * 40, "c d " * 40), ("f()", "")):
        assert key_of(Correction(before=before, after=after, language="python")) == ""


def test_a_bundle_is_no_source(repo: Path, commit: Commit) -> None:
    head = "// a header\n" * 900
    rows = "".join(f"var a{n}=b({n}),c{n}=d(a{n});" for n in range(200)) + "\n"
    commit(repo, {"tool.js": head + rows + "print(a1)\n"}, message="Add" + AGENT)
    commit(repo, {"tool.js": head + rows + "log.write(a1)\n"})
    assert found(repo) == []


@pytest.mark.parametrize("subject", ["feat: log everything", "Refactor the readers", "Add a logger"])
def test_of_a_commit_that_goes_on_with_the_work_only_what_recurs_is_kept(
    repo: Path, commit: Commit, subject: str
) -> None:
    place, journal = opened(repo)
    for n in range(2):
        commit(repo, {f"m{n}.py": source(f"f{n}", f"print({n})")}, message=f"Add {n}" + AGENT)
        commit(repo, {f"m{n}.py": source(f"f{n}", f"logger.info({n})")}, message=subject)
        assert learn_history(place, journal).recorded == 2 * n
        forget_cursor(place)


LONG = "def send(path):\n    client = connect(path)\n    client.push(path)\n    client.shut()\n    return client\n"
AGAIN = LONG.replace("client.push(path)", "client.push(path, retries=3)")


def taken_back(repo: Path, commit: Commit, mark: str = AGENT) -> tuple[str, str]:
    """A commit that was reverted: (the commit, the revert)."""
    commit(repo, {"a.py": "import net\n"}, message="Begin a")
    first = commit(repo, {"a.py": "import net\n" + LONG}, message="Send what was written" + mark)
    said = f'Revert "Send what was written"\n\nThis reverts commit {first}.'
    return first, commit(repo, {"a.py": "import net\n"}, message=said)


@pytest.mark.parametrize(("mark", "hand"), [(AGENT, "person"), ("", "people")])
def test_what_was_reverted_is_kept_beside_what_replaced_it(
    repo: Path, commit: Commit, mark: str, hand: str
) -> None:
    first, revert = taken_back(repo, commit, mark)
    commit(repo, {"b.py": "x = 1\n"})
    again = commit(repo, {"a.py": "import net\n" + AGAIN}, message="Send, with retries")
    place, journal = opened(repo)
    report = learn_history(place, journal)
    (record,) = journal.view().of_kind("correction")
    told = record.body
    assert (told["written"], told["reverted"], told["commit"]) == (first, revert, again)
    assert "retries" in str(told["after"]) and "retries" not in str(told["before"]) and told["hand"] == hand
    assert dict(report.noticed) == {"reverts": 1, "brought again after a revert": 1}


@pytest.mark.parametrize("said", ['Reland "Send what was written"', "Send what was written (#12)"])
def test_a_small_change_that_came_again_is_known_by_its_name(repo: Path, commit: Commit, said: str) -> None:
    commit(repo, {"a.py": LONG}, message="Begin")
    commit(repo, {"a.py": AGAIN + "print(AGAIN)\n"}, message="Send what was written (#3)" + AGENT)
    commit(repo, {"a.py": LONG}, message='Revert "Send what was written (#3)" (#4)\n\nReverts x/y#3')
    commit(repo, {"a.py": AGAIN.replace("=3", "=5") + "print(AGAIN)\n"}, message=said)
    (each,) = found(repo)
    assert "=3" in each.correction.before and "=5" in each.correction.after and each.correction.reverted


def test_a_revert_that_nothing_replaced_or_that_was_reverted_teaches_nothing(
    repo: Path, commit: Commit
) -> None:
    _, revert = taken_back(repo, commit)
    assert found(repo) == []
    commit(repo, {"a.py": "import net\n" + LONG}, message=f"Bring it again\n\nThis reverts commit {revert}.")
    assert found(repo) == []
    fixed = commit(repo, {"a.py": "import net\n" + AGAIN}, message="Fix sending")
    assert [each.correction.commit for each in found(repo)] in ([], [fixed])


def test_agents_among_themselves_bring_nothing_again(repo: Path, commit: Commit) -> None:
    first = commit(repo, {"a.py": "import net\n" + LONG}, message="Send what was written" + AGENT)
    commit(repo, {"a.py": "import net\n"}, message=f"Revert it\n\nThis reverts commit {first}." + AGENT)
    commit(repo, {"a.py": "import net\n" + AGAIN}, message="Send, with retries" + AGENT)
    assert found(repo) == []


def test_what_a_revert_put_back_it_did_not_write(repo: Path, commit: Commit) -> None:
    commit(repo, {"a.py": source("f", "print(path)")})
    fixed = commit(repo, {"a.py": source("f", "shut(path)")}, message="Break f")
    commit(repo, {"a.py": source("f", "print(path)")}, message=f"Revert\n\nThis reverts commit {fixed}.")
    commit(repo, {"a.py": source("f", "logger.info(path)")})
    assert found(repo) == []


def test_a_fix_of_a_persons_fix_is_found_where_agents_write_too(repo: Path, commit: Commit) -> None:
    commit(repo, {"z.py": "x = 1\n"}, message="Add" + AGENT)
    commit(repo, {"a.py": source("f", "value")})
    commit(repo, {"a.py": source("f", "print(path)")}, message="Fix reading")
    commit(repo, {"b.py": source("g", "print(path)")}, message="Read more")
    again = commit(repo, {"a.py": source("f", "logger.info(path)")}, message="Fix the fix")
    commit(repo, {"b.py": source("g", "logger.info(path)")}, message="Say it better")
    (each,) = found(repo)
    assert each.correction.commit == again and each.correction.hand == "people" and each.fix_of_fix

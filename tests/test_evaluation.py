from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast
from xml.etree import ElementTree

import pygit2
import pytest
from click.testing import CliRunner

from cortex.cli.evaluate import words
from cortex.cli.main import run
from cortex.cli.render import Paint
from cortex.evaluation.figures import Share, bootstrap, size_bin, word
from cortex.evaluation.gathered import Case, Gathered
from cortex.evaluation.guarding import Guard, swapped_pairs
from cortex.evaluation.likeness import Likeness, Often, Twins, came, related
from cortex.evaluation.order import Order, order
from cortex.evaluation.page import page
from cortex.evaluation.plots import chart
from cortex.evaluation.replay import replay
from cortex.evaluation.replayed import Replayed
from cortex.evaluation.report import report
from cortex.evaluation.sweeping import sweeps
from cortex.evaluation.written import Fate, Follower, Written
from cortex.learning.guard.findings import ActiveRule
from cortex.learning.lineage.marks import Marks
from cortex.learning.past.history import branch_tips, walk
from cortex.models import load_classifier, load_counter, load_encoder
from cortex.store.kinds import Correction, Pattern

Commit = Callable[..., str]
AGENT = "\n\nCo-Authored-By: Claude <noreply@anthropic.com>"
NOUNS = (
    "orders",
    "invoices",
    "stock",
    "parcels",
    "prices",
    "customers",
    "refunds",
    "carts",
    "labels",
    "routes",
)


def source(n: int, call: str) -> str:
    noun = NOUNS[n % len(NOUNS)]
    head = f'"""Read {noun}."""\n\n\ndef fetch_{noun}_{n}(api_client, number):\n'
    return f"{head}    rows = {call}\n    return list(rows)\n"


def habit(repo: Path, commit: Commit, count: int, told: bool = True) -> None:
    """An agent writes a call without its timeout, again and again; each time a person puts it in."""
    for n in range(count):
        noun = NOUNS[n % len(NOUNS)]
        call = f'api_client.get("/{noun}/{n}", number'
        subject = f"Fetch {noun} with api_client.get" if told else f"Step {n}"
        commit(repo, {f"src/{noun}_{n}.py": source(n, call + ")")}, message=subject + AGENT)
        commit(repo, {f"src/{noun}_{n}.py": source(n, call + ", timeout=10)")}, message=f"Wait {n} less long")


def replayed(repo: Path, **more: object) -> Replayed:
    models = (load_encoder(), load_classifier(), load_counter())
    return replay(pygit2.Repository(str(repo)), lambda: models, **more)  # type: ignore[arg-type]


def test_a_habit_is_recalled_and_flagged_once_it_is_known(repo: Path, commit: Commit) -> None:
    habit(repo, commit, 20)
    seen = replayed(repo)
    assert seen.finished and seen.corrections == seen.learnable == 20
    all_of = seen.groups["learnable"]
    # The first has no earlier twin; all others have one, known before they were written.
    assert (all_of.at_writing.k, all_of.at_writing.n) == (19, 20)
    assert all_of.at_correcting.k == 19 and all_of.kept.k >= 18
    assert all_of.recalled.k >= 15
    # A rule takes three, and is made at a checkpoint: after that every one is caught, and every flag is right.
    loud = [flag for flag in seen.guard.flags if flag.active]
    assert len(loud) >= 14 and all(flag.right and flag.caught for flag in loud)
    assert {flag.fate.by for flag in loud} == {"person"}
    assert min(flag.at for flag in loud) > seen.order.place(first_corrections(repo)[2])  # type: ignore[operator]


def first_corrections(repo: Path) -> list[str]:
    done = subprocess.run(
        ["git", "log", "--reverse", "--format=%H", "--grep=^Wait"],
        cwd=repo,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.split()


def test_what_is_corrected_later_is_not_known_before(repo: Path, commit: Commit, tmp_path: Path) -> None:
    """All are written first, and corrected after that: nothing could have helped, and nothing is said to."""
    calls = {n: f'api_client.get("/{NOUNS[n]}/{n}", number' for n in range(10)}
    for n, call in calls.items():
        said = f"Fetch {NOUNS[n]} with api_client.get"
        commit(repo, {f"src/{n}.py": source(n, call + ")")}, message=said + AGENT)
    for n, call in calls.items():
        commit(repo, {f"src/{n}.py": source(n, call + ", timeout=10)")}, message=f"Wait {n} less long")
    seen = replayed(repo)
    all_of = seen.groups["learnable"]
    assert all_of.at_writing.k == 0 and all_of.at_correcting.k == 9
    assert seen.examples == seen.shown == []
    assert all_of.recalled.k == all_of.kept.k == all_of.bm25.k == all_of.related.k == 0
    assert seen.guard.flags == [] and seen.guard.exact.n == 0
    assert seen.tokens_corrected == [0] * 10
    # A sweep after the first correction would have offered the others: their code stood there by then.
    swept = seen.sweeps
    assert (swept.repeating, swept.swept, swept.later, swept.correcting) == (1, 1, 9, 10)
    assert swept.caught.n == 9
    assert swept.right.n >= 20 and swept.right.k >= 0.9 * swept.right.n
    # Nothing is offered for what is fixed already, so each sweep offers fewer: 9 + 8 + … at most.
    assert swept.right.n <= 45
    # How sure the first one alone makes it is the sweep's affair; of all that it finds, these are caught.
    repository = pygit2.Repository(str(repo))
    happened, gathered = order(repository, branch_tips(repository)), Gathered(tmp_path / "found.db")
    for found in walk(repository):
        gathered.add(found, happened)
    follower = Follower(repository, Marks(repository), happened)
    every = sweeps(repository, happened, list(gathered.all()), follower, 0, least=0.05)
    gathered.close()
    assert every.caught.n == 9 and every.caught.k >= 7
    assert any("sweeps would have offered" in line for line in report(seen)["verdict"])


class Stood:
    """What follows places of which nothing ever comes."""

    def fate(self, *place: object) -> Fate:
        return Fate("stood")


def test_a_warning_is_held_against_its_rule_when_the_time_for_a_correction_is_over() -> None:
    days = (0, 1, 20, 29, 32, 60)
    happened = Order(
        tuple(bytes([n]) * 20 for n in range(6)), tuple(86_400 * day for day in days), {}, (0, 1), 2, False
    )
    pattern = Pattern(
        language="python", pattern="client.fetch($A)", rewrite="client.load($A)", words=("client", "fetch")
    )
    rules = [ActiveRule(name, "", "", pattern, 3, 0, 0.9) for name in ("loud",)]
    guard = Guard(cast(Follower, Stood()), 0)
    for at in (0, 1):
        text = f"rows = client.fetch({at})\n"
        file = Written(f"c{at}", at, "", f"m{at}.py", "python", text, ((1, 1),))
        guard.look(file, [], rules, frozenset({"loud"}), [], {})
    assert len(guard.out.flags) == 2
    assert guard.decided(3, happened) == []  # 29 days later somebody may still correct them
    later = guard.decided(4, happened)
    assert [(each.rule, each.path, each.verdict) for each in later] == [
        ("loud", "m0.py", "left"),
        ("loud", "m1.py", "left"),
    ]
    assert guard.decided(5, happened) == []  # each once


def test_a_kind_is_seen_often_enough_from_two_commits_on() -> None:
    def said(n: int, before: str, after: str) -> Likeness:
        return Likeness.of(Correction(before, after, language="go"), str(n))

    mine, nothing = said(9, "file.Shut(9)", "file.Close(9)"), said(8, "(", "[")
    often = Often()
    for n, (at, commit) in enumerate(((1, "a"), (2, "a"), (3, "a"), (5, "b"))):
        often.add(said(n, f"file.Shut({n})", f"file.Close({n})"), at, commit)
        often.add(nothing, at, commit)
    assert not often.enough(mine, 5) and often.enough(mine, 6)
    assert not often.enough(said(7, "file.Open(7)", "file.Make(7)"), 9) and not often.enough(nothing, 9)
    assert often.kinds == 1
    picked = Often()
    for n in range(3):
        picked.add(mine, n, f"commit {n}")  # one edit, on three branches
    assert picked.kinds == 0


def test_a_chart_from_zero_and_one_over_powers_hold_their_points() -> None:
    for logarithmic, points in ((False, [(0.0, 0.0), (0.013, 0.35)]), (True, [(10.0, 0.2), (1300.0, 35.0)])):
        image = ElementTree.fromstring(chart("<t>", "x", "y", {"a&b": points}, logarithmic=logarithmic))
        circles = [each for each in image.iter() if each.tag.endswith("circle")]
        assert len(circles) == 2
        (x1, y1), (x2, y2) = ((float(each.attrib["cx"]), float(each.attrib["cy"])) for each in circles)
        assert 74 <= x1 < x2 <= 696 and 46 <= y2 < y1 <= 402


def test_a_clock_that_runs_backwards_lets_nothing_be_known_before_it_happened(repo: Path) -> None:
    def at(time: int, text: str, message: str) -> None:
        (repo / "a.py").write_text(text)
        env = {**os.environ, "GIT_AUTHOR_DATE": f"{time} +0000", "GIT_COMMITTER_DATE": f"{time} +0000"}
        subprocess.run(["git", "add", "a.py"], cwd=repo, check=True)
        subprocess.run(["git", "commit", "-qm", message], cwd=repo, env=env, check=True)

    for n in range(6):
        at(1_700_900_000 - 1_000 * n, f"x = {n}\n", f"Step {n}")
    repository = pygit2.Repository(str(repo))
    happened = order(repository, branch_tips(repository))
    for commit_id in happened.commits:
        commit = repository[pygit2.Oid(raw=commit_id)]
        assert isinstance(commit, pygit2.Commit)
        for parent in commit.parent_ids:
            assert happened.at[parent.raw] < happened.at[commit_id]
    assert list(happened.times) == sorted(happened.times)


def test_without_a_habit_nothing_is_found_and_it_is_said(repo: Path, commit: Commit) -> None:
    for n in range(12):
        commit(repo, {f"m{n}.py": f"def f{n}(a):\n    return a.first_{n}(a)\n"}, message=f"Add f{n}" + AGENT)
        commit(
            repo,
            {f"m{n}.py": f"def f{n}(a):\n    return a.second_{n}(a, limit_{n}=2)\n"},
            message=f"Fix f{n}",
        )
    seen = replayed(repo)
    assert seen.learnable == 12 and seen.groups["learnable"].recalled.k == 0
    told = report(seen)
    assert "nothing" in " ".join(told["verdict"]) and "too few" in told["verdict"][-1]
    assert told["guard"]["warnings"]["flags"] == 0


def test_the_controls_find_what_chance_finds(repo: Path, commit: Commit) -> None:
    """Two habits in two kinds of files: pairs that do not belong together make no rule that is right."""
    for n in range(24):
        one = n % 2
        before, after = (
            ("store.fetch(key)", "store.load(key, fresh=True)")
            if one
            else ("queue.push(job)", "queue.put(job)")
        )
        path, head = f"m{n}.py", f'"""Module {n}."""\n\n\ndef step_{n}(store, queue, key, job):\n    '
        commit(repo, {path: f"{head}value = {before}\n    return value\n"}, message=f"Add step {n}" + AGENT)
        commit(repo, {path: f"{head}value = {after}\n    return value\n"}, message=f"Mend step {n}")
    seen = replayed(repo)
    right = [flag for flag in seen.guard.flags if flag.right]
    assert len(right) >= 10
    assert seen.guard.shuffled.k == 0
    assert not any(flag.swapped for flag in seen.guard.flags if flag.after != flag.before)
    told = report(seen)["controls"]
    assert told["exact_words"]["k"] >= 10  # here the very words do come again, and that is said as well


def test_shuffled_pairs_hold_no_habit(seed: int) -> None:
    def case(n: int, before: str, after: str) -> Case:
        return Case(str(n), n, n + 1, "k", str(n), "alone", False, Correction(before, after, language="go"))

    habit = [case(n, f"file.Shut({n})", f"file.Close({n})") for n in range(20)]
    others = [case(n, f"first{n}(a)", f"second{n}(b)") for n in range(20, 60)]
    mixed = swapped_pairs(habit + others, random.Random(seed))
    assert sorted(each.correction.before for each in mixed) == sorted(
        e.correction.before for e in habit + others
    )
    assert sorted(each.correction.after for each in mixed) == sorted(
        e.correction.after for e in habit + others
    )
    assert not any("Shut" in each.correction.before and "Close" in each.correction.after for each in mixed)
    assert swapped_pairs(habit, random.Random(seed)) == []  # nothing but a habit: nothing to swap it with


def test_a_place_that_was_left_alone_stood(repo: Path, commit: Commit) -> None:
    habit(repo, commit, 12)
    for n in range(12, 15):
        call = f'api_client.get("/{NOUNS[n % 10]}/{n}", number)'
        commit(repo, {f"src/left_{n}.py": source(n, call)}, message="Fetch more with api_client.get" + AGENT)
    seen = replayed(repo)
    left = [flag for flag in seen.guard.flags if "left_" in flag.path]
    assert len(left) == 3 and all(flag.fate.kind == "stood" and not flag.caught for flag in left)


def test_the_same_seed_gives_the_same_report(repo: Path, commit: Commit) -> None:
    habit(repo, commit, 6)
    told = [{**report(replayed(repo, seed=3)), "elapsed_s": 0} for _ in range(2)]
    assert told[0] == told[1]


def test_people_are_replayed_where_no_agent_wrote_and_it_is_said(repo: Path, commit: Commit) -> None:
    for n in range(4):
        call = f'api_client.get("/x/{n}", number'
        commit(repo, {f"src/{n}.py": source(n, call + ")")}, message=f"Fetch {n}")
        commit(repo, {f"src/{n}.py": source(n, call + ", timeout=10)")}, message=f"Wait {n}")
    told = report(replayed(repo))
    assert told["written_by"] == "people" and told["corrections"]["by_hand"] == {"people": 4}
    assert any("people's corrections of people" in note for note in told["notes"])


def test_a_limit_and_a_day_leave_out_what_is_older(repo: Path, commit: Commit) -> None:
    habit(repo, commit, 6)
    whole, part = replayed(repo), replayed(repo, limit=4)
    assert (whole.corrections, part.corrections) == (6, 2)
    assert part.groups["learnable"].at_writing.k == 1  # what was corrected before the limit is not known
    last = whole.order.times[-1]
    assert replayed(repo, since=last).corrections == 0 or replayed(repo, since=last).corrections == 1
    assert replayed(repo, since=last + 1).corrections == 0


def test_an_empty_repository_and_one_without_corrections_get_a_clear_answer(
    tmp_path: Path, repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    subprocess.run(["git", "init", "-q", str(empty)], check=True)
    assert run(["evaluate", "-C", str(empty)]) == 0
    assert "There is no commit here yet" in capsys.readouterr().out
    assert run(["evaluate", "-C", str(repo)]) == 0
    assert "nothing to learn from" in capsys.readouterr().out
    assert run(["evaluate", "-C", str(tmp_path)]) == 3
    assert run(["evaluate", "-C", str(repo), "--since", "yesterday"]) == 2


def test_a_shallow_clone_is_said_to_be_one(repo: Path, commit: Commit, tmp_path: Path) -> None:
    habit(repo, commit, 4)
    subprocess.run(["git", "clone", "-q", "--depth", "4", f"file://{repo}", str(tmp_path / "c")], check=True)
    told = report(replayed(tmp_path / "c"))
    assert told["commits"]["total"] == 4 and any("shallow" in note for note in told["notes"])


def test_a_partial_clone_lacks_what_it_lacks_and_is_replayed(
    repo: Path, commit: Commit, tmp_path: Path
) -> None:
    habit(repo, commit, 6)
    subprocess.run(["git", "config", "uploadpack.allowFilter", "true"], cwd=repo, check=True)
    command = [
        "git",
        "clone",
        "-q",
        "--no-checkout",
        "--filter=blob:none",
        f"file://{repo}",
        str(tmp_path / "c"),
    ]
    subprocess.run(command, check=True)
    pygit2.settings.set_extensions(["partialclone"])
    told = report(replayed(tmp_path / "c"))
    assert told["commits"]["total"] == 13 and told["corrections"]["total"] == 0 and told["verdict"]


def test_nothing_is_written_into_the_repository(repo: Path, commit: Commit) -> None:
    habit(repo, commit, 4)
    before = {path: path.stat().st_mtime_ns for path in sorted(repo.rglob("*"))}
    replayed(repo)
    assert {path: path.stat().st_mtime_ns for path in sorted(repo.rglob("*"))} == before


def test_stopping_early_gives_what_was_seen(repo: Path, commit: Commit) -> None:
    habit(repo, commit, 10)
    seen: list[str] = []

    def stop() -> bool:
        return len(seen) > 3

    def tell(told: object) -> None:
        if "recalled" in str(told):
            seen.append(str(told))

    part = replayed(repo, stop=stop, tell=tell)
    assert not part.finished and part.corrections == 10 and 0 < part.replayed < 10
    assert any("Stopped early" in note for note in report(part)["notes"])


def test_ctrl_c_ends_with_the_report_so_far(repo: Path, commit: Commit) -> None:
    habit(repo, commit, 60)
    running = subprocess.Popen(
        [sys.executable, "-m", "cortex", "evaluate", "--json", "-C", str(repo)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(1.5)
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=120)
    # Interrupted before Python was ready it says nothing, and that is an interruption like any other.
    if running.returncode == 0:
        assert json.loads(out)["schema"] == 1
    else:
        assert running.returncode in (130, -signal.SIGINT)


def test_the_json_is_as_documented_and_the_page_is_whole(repo: Path, commit: Commit, tmp_path: Path) -> None:
    habit(repo, commit, 8)
    evil = "<script>alert('&')</script>"
    commit(repo, {"z.py": f'x = call_it("{evil}", 1)\n'}, message=f"Add {evil}" + AGENT)
    commit(repo, {"z.py": f'x = call_that("{evil}", 1)\n'}, message=f"Fix {evil}")
    file = tmp_path / "report.html"
    done = subprocess.run(
        [sys.executable, "-m", "cortex", "evaluate", "--json", "--html", str(file), "-C", str(repo)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    documented = (Path(__file__).parent.parent / "docs" / "contracts.md").read_text()
    section = documented.partition("## `cortex evaluate --json`")[2].partition("\n## ")[0]
    for field in told:
        assert f"`{field}`" in section, field
    html = file.read_text()
    assert "<script" not in html and "http" not in html.replace("http-equiv", "") and html.count("<svg") >= 3
    ElementTree.fromstring(
        html.partition("\n")[2]
        .replace('<meta charset="utf-8">', "")
        .replace('<meta name="viewport" content="width=device-width, initial-scale=1">', "")
        .replace(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            "",
        )
    )
    assert list(tmp_path.glob(".report*")) == []


def test_text_of_a_repository_stays_text(repo: Path, commit: Commit) -> None:
    commit(repo, {"z.py": "x = call_it(1, 2)\n"}, message="Add <b>\x1b[31m</b>" + AGENT)
    commit(repo, {"z.py": "x = call_that(1, 2)\n"}, message="Fix")
    told = report(replayed(repo))
    told["examples"] = [
        {"via": "<i>", "path": "<a&b>", "commit": "c" * 40, "before": "<u>", "after": "</pre>"}
    ]
    html = page(told, "<name>")
    assert "&lt;a&amp;b&gt;" in html and "<u>" not in html and "<name>" not in html and "&lt;/pre&gt;" in html
    assert "\x1b" not in words(told, Paint(sys.stdout, {"NO_COLOR": "1"}))


def test_the_report_fits_a_screen(repo: Path, commit: Commit) -> None:
    habit(repo, commit, 8)
    said = words(report(replayed(repo)), Paint(sys.stdout, {"NO_COLOR": "1"}))
    assert len(said.split("\n")) <= 40 and max(map(len, said.split("\n"))) < 180


def test_the_help_has_examples() -> None:
    from cortex.cli.evaluate import evaluate

    said = CliRunner().invoke(evaluate, ["--help"]).output
    assert "cortex evaluate --since" in said and "Exit status" in said


@pytest.mark.parametrize(
    ("k", "n", "said"),
    [
        (0, 0, "cannot be said"),
        (0, 9, "nothing"),
        (1, 500, "next to nothing"),
        (3, 100, "little"),
        (60, 100, "much"),
    ],
)
def test_a_share_is_said_in_plain_words(k: int, n: int, said: str) -> None:
    share = Share(k, n)
    low, high = share.interval
    assert word(share) == said and 0 <= low <= share.value <= high <= 1


def test_wilsons_interval_is_the_published_one() -> None:
    low, high = Share(15, 148).interval  # Newcombe 1998, table I, method 3: 0.0624 to 0.1605
    assert (round(low, 4), round(high, 4)) == (0.0624, 0.1605)
    assert Share(0, 20).interval[0] == 0 and round(Share(0, 20).interval[1], 4) == 0.1611


def test_the_bootstrap_holds_the_ratio() -> None:
    groups = [[(1.0, 2.0)], [(2.0, 4.0)], [(3.0, 6.0)]]
    assert bootstrap(groups, lambda a, b: a / b, 1) == (0.5, 0.5)
    assert [size_bin(lines) for lines in (1, 2, 3, 4, 5, 8, 9)] == [0, 1, 2, 2, 3, 3, 4]


def test_a_twin_is_the_same_change_of_other_code() -> None:
    def one(before: str, after: str) -> Likeness:
        return Likeness.of(Correction(before, after, language="go"), before + after)

    closed = one("defer a.Close()", "defer func() { _ = a.Close() }()")
    assert closed.twin(one("defer a.b.Close()", "defer func() { _ = a.b.Close() }()"))
    assert not closed.twin(closed)  # a picked commit is no twin of its own
    assert not one('import ("fmt"; "os")', 'import ("fmt")').twin(
        one('import ("fmt"; "io")', 'import ("fmt")')
    )
    twins = Twins()
    twins.add(5, one("b.Shut()", "b.Close()"))
    later = one("c.d.Shut()", "c.d.Close()")
    assert twins.twin(later, 6) and not twins.twin(later, 5)


def test_related_corrections_brought_the_same_interface() -> None:
    one = came(Correction(before="x = open(p)", after="x = Path(p).read_text()"))
    other = came(Correction(before="y = load(q)", after="y = Path(q).read_text()"))
    assert one == {"Path", "read_text"} and related(one, other)
    assert not related(one, came(Correction(before="a", after="json.dumps(a)"))) and not related(
        one, frozenset()
    )
    assert came(Correction(before="read_text(x)", after='read_text("open(x)")')) == frozenset()

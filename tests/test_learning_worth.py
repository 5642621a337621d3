"""Which corrections of the past are lessons."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cortex.learning.past.candidates import Candidate, Candidates, key_of
from cortex.learning.past.lessons import SELDOM, learn_history
from cortex.learning.past.worth import Worth, worth
from cortex.repo.places import find
from cortex.store.journal import FileJournal
from cortex.store.kinds import Correction
from cortex.store.layout import create

Commit = Callable[..., str]
AGENT = "\n\nCo-Authored-By: Claude <noreply@anthropic.com>"


def worth_of(before: str, after: str, *bound: str) -> Worth:
    return worth(Correction(before=before, after=after, bound=bound))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = requests.get(url)", "x = requests.get(url, timeout=10)"),
        ("f = open(p)", 'f = open(p, encoding="utf-8")'),
        ("a = datetime.utcnow()", "a = datetime.now(timezone.utc)"),
        ("subprocess.run(cmd, shell=True)", "subprocess.run(shlex.split(cmd))"),
        ("console.log('[Store] Creating tables...');", "logger.info('DB', 'Creating tables');"),
        ('print(f"got {x}")', 'logger.info(f"got {x}")'),
        ("yaml.load(x)", "yaml.safe_load(x)"),
        ("x == None", "x is None"),
        ("(x == null)", "(x === null)"),
        ("const c = JSON.parse(JSON.stringify(x));", "const c = structuredClone(x);"),
        ("const a = foo!.bar;", "const a = foo?.bar;"),
        ("const raw = JSON.parse(read(path));", "const raw = parseJsonWithBom(read(path));"),
        ("execSync(cmd, { cwd: dir })", "execSync(cmd, { cwd: dir, windowsHide: true })"),
        ("this.sync.fill();", "this.sync.fill().catch(error => { report(error); });"),
        ("result.includes('a')", "result.text.includes('a')"),
        ('c := exec.Command("git", args)', 'c := exec.CommandContext(ctx, "git", args)'),
        ("x.Close()", "_ = x.Close()"),
        ("b, err := ioutil.ReadAll(r)", "b, err := io.ReadAll(r)"),
        ("r := Default()", "r := New()"),
        ("assert rv.data == 'a'", "self.assert_equal(rv.data, 'a')"),
        ('w.Header()["Content-Type"] = kind', "writeContentType(w, kind)"),
        ("from a.b import c", "from a.d import c"),
    ],
)
def test_how_something_is_done_is_a_lesson(before: str, after: str) -> None:
    bound = ("io",) if "ioutil" in before else ()
    if before == "x.Close()":
        assert worth_of(before, after) is not Worth.NOTHING  # a convention, once it recurs
    else:
        assert worth_of(before, after, *bound) is Worth.LESSON


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("const PLUGIN_ROOT = MARKETPLACE_ROOT;", ""),
        ("", "x = 1"),
        ("await waitForSlot(most, 60_000);", "await waitForSlot(most);"),
        ("(this.ready || this.starting)", "(this.ready)"),
        (": void", ": boolean"),
        ("-> int", "-> str"),
        ("throw connectionError;", "logger.info('WORKER', 'The bundled server remains available');"),
        ("let text = ''; const content = line.message.content;", "foundMatchingRole = true;"),
        ("clearTimeout(timeout);", "const count = getActiveSdkCount();"),
        (
            "const name = basename(dir) || base;",
            "const name = [other]; const agent = context ? find(context) : null;",
        ),
        ("import { execSync } from 'child_process';", "import { execSync, spawnSync } from 'child_process';"),
        ("import { basename, join } from 'path';", "import { join } from 'path';"),
    ],
)
def test_what_is_taken_out_or_put_in_its_place_is_no_lesson(before: str, after: str) -> None:
    assert worth_of(before, after) is Worth.NOTHING


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("const maxRetries = 75;", "const maxRetries = 25;"),
        ("const DISPLAY_SESSION_COUNT = 10;", "const DISPLAY_SESSION_COUNT = 8;"),
        ("os.WriteFile(p, d, 0644)", "os.WriteFile(p, d, 0600)"),
        ('logger.error("Failed to clear")', 'logger.error("Failed to reset")'),
        ("contextHook(parsed);", "contextHook(parsed, false);"),
        ("return stmt.all(...ids);", "return stmt.all(...params);"),
        ("rv = c.get('/')", "rv = client.get('/')"),
        ("(count < most)", "(total < most)"),
        ("(dir: string)", "(dir: string, ctx?: EventContext)"),
        ("if (limit) filter.limit = limit;", "if (coerced !== undefined) filter.limit = coerced;"),
        ("x = a + b", "x = a - b"),
    ],
)
def test_a_value_a_local_name_or_one_function_s_logic_is_a_lesson_only_if_it_recurs(
    before: str, after: str
) -> None:
    assert worth_of(before, after) is Worth.IF_IT_RECURS


def test_another_value_of_a_call_has_a_key_of_its_own_and_of_a_name_none() -> None:
    def key(before: str, after: str) -> str:
        return key_of(Correction(before=before, after=after, language="go"))

    assert key("os.WriteFile(p, d, 0644)", "os.WriteFile(p, d, 0600)")
    assert key("os.WriteFile(p, d, 0644)", "os.WriteFile(p, d, 0600)") == key(
        "err := os.WriteFile(path, []byte(s), 0644)", "err := os.WriteFile(path, []byte(s), 0600)"
    )
    assert key("os.WriteFile(p, d, 0644)", "os.WriteFile(p, d, 0600)") != key(
        "os.WriteFile(p, d, 0600)", "os.WriteFile(p, d, 0644)"
    )
    assert key("const maxRetries = 75", "const maxRetries = 25") == ""


def test_what_seldom_teaches_has_to_come_in_three_commits(tmp_path: Path) -> None:
    kept = Candidates(tmp_path / "c.db")
    for n in range(2):
        said = Correction(before="c.get(a)", after="d.get(a)", commit=f"c{n}", path=f"{n}.py")
        kept.add([Candidate(f"s{n}", SELDOM + "key", n, said), Candidate(f"o{n}", "key", n, said)])
    assert sorted(each.m for each in kept.recurring()) == ["o0", "o1"]
    kept.add(
        [Candidate("s2", SELDOM + "key", 2, Correction(before="x", after="y", commit="c2", path="2.py"))]
    )
    assert {"s0", "s1", "s2"} <= {each.m for each in kept.recurring()}
    kept.close()


def test_an_agents_value_that_a_person_changed_is_not_recorded(repo: Path, commit: Commit) -> None:
    text = "def f(path):\n    retries = {}\n    value = {}\n    return value\n"
    commit(repo, {"a.py": text.format(75, "open(path)")}, message="Add f" + AGENT)
    commit(repo, {"a.py": text.format(25, 'open(path, encoding="utf-8")')}, message="Fix f")
    place = find(repo)
    create(place.store)
    journal = FileJournal(place.store, "Ada Byron <ada@example.org>")
    assert learn_history(place, journal).recorded == 1
    (record,) = journal.view().of_kind("correction")
    body = record.decoded()
    assert isinstance(body, Correction)
    assert "encoding" in body.after

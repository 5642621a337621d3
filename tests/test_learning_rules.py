"""The life of rules, in a real journal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from cortex.learning.corrections.extraction import corrections
from cortex.learning.guard.findings import Change, Finding, check
from cortex.learning.guard.speaking import active_rules
from cortex.learning.rules.backtest import BackTest
from cortex.learning.rules.lifecycle import ACTIVE, CANDIDATE, RETIRED, SHADOW, Evidence, Settings, decide
from cortex.learning.rules.revising import revise
from cortex.store.items import items
from cortex.store.journal import FileJournal
from cortex.store.kinds import Correction, Feedback, Memory, RuleEvent
from cortex.store.layout import create
from cortex.store.record import Draft

AUTHOR = "Ada Byron <ada@example.org>"
LESSON = [
    ("x = requests.get(url)", "x = requests.get(url, timeout=10)"),
    ('r = requests.get(base + "/u")', 'r = requests.get(base + "/u", timeout=10)'),
    ("y = requests.get(self.endpoint)", "y = requests.get(self.endpoint, timeout=10)"),
]
FOURTH = Change("new.py", "a = 1\nzz = requests.get(host)\n", "python", frozenset({2}))


@pytest.fixture
def journal(tmp_path: Path) -> FileJournal:
    store = tmp_path / "cortex"
    create(store)
    return FileJournal(store, AUTHOR)


def learn(
    journal: FileJournal,
    pairs: Sequence[tuple[str, str]],
    origin: str = "live",
    hand: str = "person",
    weight: int = 1_000_000,
    commit: str = "",
    first: int = 0,
) -> None:
    for n, (before, after) in enumerate(pairs, first):
        found = corrections(
            before + "\n",
            after + "\n",
            f"m{n}.py",
            hand=hand,
            weight=weight,
            commit=commit or f"c{n}",
            subject="Fix hang",
        )
        journal.append([Draft(each, origin=origin) for each in found])


def findings(journal: FileJournal, change: Change = FOURTH) -> list[Finding]:
    view = journal.view()
    return check([change], active_rules(view, items(view, journal.writer)))


def rules(journal: FileJournal) -> dict[str, Memory]:
    out = {}
    for record in journal.view().of_kind("memory"):
        body = record.decoded()
        if isinstance(body, Memory) and body.type == "rule":
            out[record.m] = body
    return out


def state(journal: FileJournal) -> RuleEvent:
    bodies = [record.decoded() for record in journal.view().of_kind("rule-event")]
    last = bodies[-1]
    assert isinstance(last, RuleEvent)
    return last


def test_the_fourth_is_flagged_after_three_corrections_and_not_before(journal: FileJournal) -> None:
    accepted: list[tuple[str, str]] = []
    for n, pair in enumerate(LESSON):
        assert findings(journal) == []
        learn(journal, [pair], first=n)
        accepted.append((f"m{n}.py", pair[1] + "\n"))
        steps = revise(journal, accepted)
        assert bool(steps) is (n == 2)
    (finding,) = findings(journal)
    assert (finding.line, finding.before) == (2, "requests.get(host)")
    assert finding.after == "requests.get(host, timeout=10)"
    assert (finding.support, finding.against, finding.status) == (3, 0, "active")
    assert "timeout=10" in finding.message
    assert "3 times in 3 commits" in finding.message


def test_unrelated_code_and_the_corrected_files_are_silent(journal: FileJournal) -> None:
    learn(journal, LESSON)
    revise(journal)
    for _, after in LESSON:
        assert findings(journal, Change("a.py", after + "\n", "python")) == []
    assert findings(journal, Change("a.py", "x = other.get(url)\ny = requests.post(url)\n", "python")) == []


def test_the_same_input_again_writes_nothing(journal: FileJournal) -> None:
    learn(journal, LESSON)
    accepted = [("a.py", "requests.get(old)\n")]
    revise(journal, accepted)
    written = [record.id for record in journal.records()]
    assert revise(journal, accepted) == []
    assert [record.id for record in journal.records()] == written


def test_a_rule_keeps_what_it_came_from(journal: FileJournal) -> None:
    learn(journal, LESSON)
    revise(journal, [("a.py", "requests.get(old)\n")])
    ((m, memory),) = rules(journal).items()
    sources = {record.m for record in journal.view().of_kind("correction")}
    assert set(memory.provenance) == sources
    assert memory.rule is not None
    assert memory.rule.pattern == "requests.get($A)"
    assert memory.reason == "Fix hang"
    event = state(journal)
    assert (event.rule, event.support, event.commits) == (m, 3, 3)
    assert (event.matched, event.stood, event.changed) == (4, 1, 3)
    view = journal.view()
    (active,) = active_rules(view, items(view, journal.writer))
    assert len(active.evidence) == 3
    assert active.backtest == {"matched": 4, "stood": 1, "changed": 3}


def test_a_further_correction_extends_the_rule_instead_of_making_a_twin(journal: FileJournal) -> None:
    learn(journal, LESSON)
    revise(journal)
    learn(journal, [("q = requests.get(last)", "q = requests.get(last, timeout=10)")], first=9)
    assert revise(journal) == []  # no state changed
    ((_, memory),) = rules(journal).items()
    assert len(memory.provenance) == 4
    assert state(journal).support == 4


def test_a_correction_of_another_arity_widens_the_rule(journal: FileJournal) -> None:
    learn(journal, LESSON)
    revise(journal)
    ((before, _),) = rules(journal).items()
    learn(
        journal, [("q = requests.get(u, headers=h)", "q = requests.get(u, headers=h, timeout=10)")], first=9
    )
    revise(journal)
    ((after, memory),) = rules(journal).items()
    assert after == before
    assert memory.rule is not None
    assert memory.rule.pattern == "requests.get($$$A)"
    (finding,) = findings(
        journal, Change("n.py", "requests.get(a, b)\nrequests.get(c, timeout=2)\n", "python")
    )
    assert finding.after == "requests.get(a, b, timeout=10)"
    revise(journal)
    assert len(rules(journal)) == 1


def test_three_in_one_commit_wait_for_another(journal: FileJournal) -> None:
    learn(journal, LESSON, commit="same")
    revise(journal)
    assert state(journal).to_state == CANDIDATE
    assert findings(journal) == []


def test_what_people_let_stand_keeps_a_rule_silent(journal: FileJournal) -> None:
    learn(journal, LESSON)
    revise(journal, [(f"old{n}.py", "requests.get(a)\n") for n in range(12)])
    assert state(journal).to_state == SHADOW
    assert state(journal).against == 12
    assert findings(journal) == []


def test_a_place_passed_over_in_a_corrected_file_weighs_more(journal: FileJournal) -> None:
    learn(journal, LESSON)
    revise(journal, [("m0.py", "requests.get(a)\nrequests.get(b)\nrequests.get(c)\n")])
    assert state(journal).to_state == SHADOW


def test_history_alone_is_silent_until_something_confirms_it(journal: FileJournal) -> None:
    learn(journal, LESSON, origin="history", hand="people")
    revise(journal)
    assert state(journal).to_state == SHADOW
    assert "history" in state(journal).reason
    assert findings(journal) == []
    learn(journal, [("q = requests.get(last)", "q = requests.get(last, timeout=10)")], first=9)
    revise(journal)
    assert state(journal).to_state == ACTIVE
    assert len(findings(journal)) == 1


def test_directed_corrections_weigh_less(journal: FileJournal) -> None:
    learn(journal, LESSON, hand="directed", weight=500_000)
    revise(journal)
    assert state(journal).to_state == CANDIDATE
    assert findings(journal) == []


def test_wrong_lowers_a_rule_at_once_and_twice_retires_it(journal: FileJournal) -> None:
    learn(journal, LESSON)
    revise(journal)
    ((m, _),) = rules(journal).items()
    journal.append([Draft(Feedback(of=m, verdict="wrong"), author="One <one@example.org>")])
    revise(journal)
    assert state(journal).to_state == SHADOW
    assert findings(journal) == []
    journal.append([Draft(Feedback(of=m, verdict="wrong"), author="Two <two@example.org>")])
    revise(journal)
    assert state(journal).to_state == RETIRED


def test_a_forgotten_rule_does_not_come_back(journal: FileJournal) -> None:
    learn(journal, LESSON)
    revise(journal)
    ((m, _),) = rules(journal).items()
    journal.delete(m)
    assert revise(journal) == []
    assert rules(journal) == {}
    assert findings(journal) == []


def test_a_rule_whose_corrections_are_forgotten_falls_silent(journal: FileJournal) -> None:
    learn(journal, LESSON)
    revise(journal)
    for record in list(journal.view().of_kind("correction"))[:2]:
        journal.delete(record.m)
    revise(journal)
    assert state(journal).to_state == CANDIDATE
    assert findings(journal) == []


def test_features_that_went_on_and_second_thoughts_are_not_learnt(journal: FileJournal) -> None:
    for n, (before, after) in enumerate(LESSON):
        journal.append(
            [
                Draft(
                    Correction(
                        before=before, after=after, language="python", commit=str(n), category="evolution"
                    )
                ),
                Draft(
                    Correction(
                        before=before, after=after, language="python", commit=str(n), hand="second-thought"
                    )
                ),
            ]
        )
    assert revise(journal) == []


def test_a_rule_that_is_corrected_back_retires(journal: FileJournal) -> None:
    learn(journal, LESSON)
    learn(journal, [(after, before) for before, after in LESSON], first=10)
    revise(journal)
    assert findings(journal) == []
    assert rules(journal) == {}


STRONG = Evidence(support=3, weight=3.0, commits=2)


@pytest.mark.parametrize(
    ("evidence", "backtest", "wanted"),
    [
        (STRONG, BackTest(), ACTIVE),
        (Evidence(2, 2.0, 2), BackTest(), CANDIDATE),
        (Evidence(50, 50.0, 1), BackTest(), CANDIDATE),
        (STRONG, BackTest(stood=40, left=0), SHADOW),
        (STRONG, BackTest(stood=400, left=0), RETIRED),
        (Evidence(3, 3.0, 2, wrong=1), BackTest(), SHADOW),
        (Evidence(30, 30.0, 9, wrong=2), BackTest(), RETIRED),
        (Evidence(3, 3.0, 2, reversed_by=3), BackTest(), RETIRED),
        (Evidence(3, 3.0, 2, weak=True), BackTest(), SHADOW),
        (Evidence(30, 30.0, 9, weak=True), BackTest(), ACTIVE),
        (Evidence(3, 3.0, 2, confirmed=False), BackTest(), SHADOW),
        (Evidence(3, 3.0, 2, confirmed=False, in_progress=True), BackTest(), ACTIVE),
        (Evidence(9, 9.0, 5, confirmed=False), BackTest(), ACTIVE),
        (Evidence(9, 9.0, 5, confirmed=False), BackTest(stood=4), SHADOW),
    ],
)
def test_the_state_follows_from_the_evidence(evidence: Evidence, backtest: BackTest, wanted: str) -> None:
    decision = decide(evidence, backtest)
    assert decision.state == wanted
    assert 0 < decision.confidence < 1
    assert decision.reason


def test_thresholds_are_given(journal: FileJournal) -> None:
    assert decide(STRONG, BackTest(), Settings(active_confidence=0.99)).state == SHADOW
    assert decide(STRONG, BackTest(), Settings(min_support=4)).state == CANDIDATE

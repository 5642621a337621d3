"""What can be recalled, made from records."""

from __future__ import annotations

from itertools import count

import pytest

from cortex.store.codec import encode
from cortex.store.fold import View
from cortex.store.items import MADE_OF, Item, item, items
from cortex.store.kinds import (
    Body,
    Correction,
    Exposure,
    Feedback,
    Hole,
    Memory,
    Pattern,
    Purge,
    RuleEvent,
    Scope,
    Trust,
    Verdict,
)
from cortex.store.record import Draft, Record, make
from cortex.store.wording import change, headline

OWN, OTHER = "a" * 32, "b" * 32
ANN, BOB = "Ann <ann@example.org>", "Bob <bob@example.org>"
ticks = count(1_760_000_000_000)


def record(body: Body, m: str = "", w: str = OWN, author: str = ANN, parents: tuple[str, ...] = ()) -> Record:
    t = next(ticks)
    draft = Draft(body, m or f"{t:032x}", parents, origin="live")
    return make(draft, t=t, w=w, n=1, author=author, body=encode(body))


def fix(
    before: str = "requests.get(url)", after: str = "requests.get(url, timeout=10)", **more: object
) -> Correction:
    given = {"path": "app/http.py", "language": "python", "commit": "c" * 40, "subject": "Set a timeout"}
    return Correction(before=before, after=after, **{**given, **more})  # type: ignore[arg-type]


def only(*records: Record) -> Item:
    (found,) = items(View(records), OWN)
    return found


def test_one_correction_is_an_item_with_both_sides_as_evidence() -> None:
    found = only(record(fix(enclosing="fetch", count=3, author=BOB)))
    assert found.title == "Use `requests.get(url, timeout=10)` instead of `requests.get(url)`"
    assert found.text == "in `fetch` of app/http.py. Set a timeout"
    assert (found.kind, found.trust, found.support, found.author) == ("correction", "own", 3, BOB)
    assert (found.evidence[0].before, found.evidence[0].after) == (
        "requests.get(url)",
        "requests.get(url, timeout=10)",
    )
    assert "timeout" in found.words
    assert found.code == "requests.get(url)\nrequests.get(url, timeout=10)"


def test_what_was_added_or_taken_out_is_said_positively() -> None:
    assert headline("", "x.close()") == "Add `x.close()`"
    assert headline("print(x)", "") == "Do without `print(x)`"


def test_a_long_edit_is_cut_around_its_difference() -> None:
    before = "first_argument, second_argument, third_argument, mode=0o644, fourth_argument, fifth_argument, x"
    after = before.replace("0o644", "0o600")
    a, b = change(before, after)
    assert "0o644" in a
    assert "0o600" in b
    assert len(a) <= 64
    assert a.startswith("…")
    assert a.endswith("…")
    for old, new in ((before, ""), ("x" * 500, "y" * 500), (before, before + " end")):
        sides = change(old, new)
        assert all(len(side) <= 64 for side in sides)
        assert sides[0] != sides[1]


def test_what_changed_is_on_both_sides_and_both_are_cut_alike() -> None:
    call = 'resp = client.post("/api/v1/items", json={"name": "x", "value": 3}, headers={"fresh": True}'
    a, b = change(call + ")", call + ", timeout=10)")
    assert b.endswith('headers={"fresh": True}, timeout=10)')
    assert a == b.replace(", timeout=10", "")
    assert a.startswith("…")
    first = "run(command, { cwd: INSTALLED_PLUGIN_PATH, encoding: 'utf-8', timeout: LONG_TIMEOUT }).trim();"
    a, b = change(first, first.replace("LONG_TIMEOUT", "LONG_TIMEOUT, windowsHide: true"))
    assert (a.replace("LONG_TIMEOUT", ""), "LONG_TIMEOUT" in a) == (
        b.replace("LONG_TIMEOUT, windowsHide: true", ""),
        True,
    )


def test_two_changes_far_apart_are_both_shown() -> None:
    inner = "first_argument, second_argument, third_argument, fourth_argument, fifth_argument"
    a, b = change(f"fetch({inner}, old)", f"fetch_all({inner}, new)")
    assert a.startswith("fetch(")
    assert b.startswith("fetch_all(")
    assert a.endswith("old)")
    assert b.endswith("new)")
    assert a == b.replace("fetch_all", "fetch").replace("new", "old")
    assert max(len(a), len(b)) <= 60


@pytest.mark.parametrize("size", [1, 20, 55, 59, 60, 61, 500])
def test_a_change_is_cut_only_where_it_is_too_long_itself(size: int) -> None:
    old, new = "a" * size, "b" * size
    for template in (
        "{}",
        "{} " + "after " * 30,
        "before " * 30 + "{}",
        "before " * 30 + "{} " + "after " * 30,
    ):
        a, b = change(template.format(old), template.format(new))
        assert (old in a, new in b) == ((True, True) if size <= 55 else (old in a, new in b))
        assert max(len(a), len(b)) <= 60
        assert a != b


def test_backticks_in_code_do_not_end_the_quote() -> None:
    assert headline("`a`", "b") == "Use `b` instead of `` `a` ``"
    assert headline("f(`a ${b}`)", "f(``)") == "Use ```f(``)``` instead of ``f(`a ${b}`)``"


@pytest.mark.parametrize(
    "body", [fix(category="evolution"), fix(hand="second-thought"), fix(before=" ", after="\n")]
)
def test_what_is_no_lesson_is_no_item(body: Correction) -> None:
    one = record(body)
    assert items(View([one]), OWN) == []
    assert item(View([one]), one.m, OWN) is None


def test_records_of_other_kinds_are_no_items() -> None:
    one = record(Feedback(of="x", verdict="good"))
    assert item(View([one]), one.m, OWN) is None
    assert items(View([one]), OWN) == []
    assert item(View(), "unknown", OWN) is None


def test_feedback_counts_once_for_each_author() -> None:
    one = record(fix())
    said = [
        record(Feedback(of=one.m, verdict="wrong")),
        record(Verdict(of=one.m, verdict="wrong")),  # the shared part of the same feedback
        record(Verdict(of=one.m, verdict="bad"), w=OTHER, author=BOB),
        record(Verdict(of=one.m, verdict="good"), w=OTHER, author=BOB),  # Bob changed his mind
    ]
    found = only(one, *said)
    assert (found.support, found.against) == (2, 1)


def test_a_rule_has_the_state_and_counts_of_its_last_event_and_the_evidence_of_its_corrections() -> None:
    fixes = [record(fix(path=f"{name}.py")) for name in "abc"]
    pattern = Pattern(
        language="python",
        pattern="requests.get($A)",
        rewrite="requests.get($A, timeout=10)",
        holes=(Hole("A"),),
    )
    rule = record(Memory(type="rule", rule=pattern, provenance=tuple(each.m for each in fixes)))
    events = [
        record(RuleEvent(rule=rule.m, to_state="shadow", support=3)),
        record(RuleEvent(rule=rule.m, from_state="shadow", to_state="active", support=5, against=1)),
    ]
    found = items(View([*fixes, rule, *events]), OWN)[-1]
    assert found.title == "Use `requests.get(…, timeout=10)` instead of `requests.get(…)`"
    assert (found.kind, found.status, found.support, found.against, found.language) == (
        "rule",
        "active",
        5,
        1,
        "python",
    )
    assert [each.path for each in found.evidence] == ["c.py", "b.py", "a.py"]
    assert found.sources == tuple(each.m for each in fixes)
    assert found == item(View([*fixes, rule, *events]), rule.m, OWN)


def test_what_others_wrote_is_pulled_until_their_author_is_accepted() -> None:
    one = record(fix(), w=OTHER, author=BOB)
    assert only(one).trust == "pulled"
    assert only(one, record(Trust(who=BOB, what="accepted"))).trust == "accepted"
    assert only(one, record(Trust(who=BOB, what="accepted"), w=OTHER, author=BOB)).trust == "pulled"
    assert items(View([one, record(Trust(who=BOB, what="revoked"))]), OWN) == []


def test_others_do_not_change_what_was_decided_here() -> None:
    rule = record(Memory(type="rule", title="r", text="r"))
    own = record(RuleEvent(rule=rule.m, to_state="shadow"))
    forged = record(RuleEvent(rule=rule.m, to_state="active", support=99), w=OTHER, author=BOB)
    moved = record(Scope(what=rule.m, scope="universal"), w=OTHER, author=BOB)
    purged = record(Purge(what=rule.m), w=OTHER, author=BOB)
    found = only(rule, own, forged, moved, purged)
    assert (found.status, found.scope, found.support) == ("shadow", "project", 0)


def test_own_scope_and_purge_are_followed() -> None:
    note = record(Memory(title="n", text="t"))
    assert only(note, record(Scope(what=note.m, scope="language"))).scope == "language"
    assert items(View([note, record(Purge(what=note.m))]), OWN) == []


def test_a_note_without_a_title_is_headed_by_its_text() -> None:
    assert only(record(Memory(text="Use  the\nclock " * 40))).title.startswith("Use the clock Use the clock")
    assert len(only(record(Memory(text="x" * 5_000_000))).words) <= 8_000


def test_an_edited_memory_has_another_head_and_the_same_id() -> None:
    first = record(Memory(title="n", text="one"))
    second = record(Memory(title="n", text="two"), m=first.m, parents=(first.id,))
    found = only(first, second)
    assert (found.id, found.head, found.text) == (first.m, second.id, "two")


def test_an_exposure_changes_no_item() -> None:
    view = View([record(fix())])
    version = view.changed(*MADE_OF)
    view.add([record(Exposure(query="q"))])
    assert view.changed(*MADE_OF) == version < view.version
    view.add([record(Verdict(of="x", verdict="good"))])
    assert view.changed(*MADE_OF) == view.version
    assert view.changed("trust") == view.changed() == 0

"""Of two memories that say the contrary an answer brings one: one's own, the surer, the newer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cortex.recall.packing import pack
from cortex.recall.ranking import Ranked
from cortex.recall.sameness import contradict, yields
from cortex.store.items import Evidence, Item
from cortex.store.wording import headline

DAY = 86_400_000
NOW = 1_760_000_000_000


class FourLetters:
    """A tokenizer whose tokens are four characters."""

    name = "four"

    def count(self, text: str) -> int:
        return -(-len(text) // 4)

    def truncate(self, text: str, budget: int) -> str:
        return text[: 4 * budget]


def edit(m: str, before: str, after: str, days: int = 1, **more: object) -> Item:
    one = Evidence("c0ffee", "src/a.py", before, after, "Ann Lee", NOW - days * DAY)
    item = Item(
        id=m, head=m, kind="correction", language="python", title=headline(before, after), evidence=(one,),
        created=NOW - days * DAY, support=1, words=f"{before} {after}", path="src/a.py",
    )  # fmt: skip
    return replace(item, **more)  # type: ignore[arg-type]


def note(m: str, text: str, days: int = 1) -> Item:
    return Item(id=m, head=m, kind="note", title=text, created=NOW - days * DAY, words=text)


def packed(*items: Item, weak: tuple[str, ...] = ()) -> tuple[list[str], dict[str, str]]:
    ranked = [
        Ranked(each, 1.0 - n / 10, {}, "weak" if each.id in weak else "") for n, each in enumerate(items)
    ]
    out = pack(ranked, 5, 500, FourLetters())
    return [each.item.id for each, _ in out.entries], {each.item.id: each.dropped for each in out.left}


CONTRARY = [
    ("let total = 0", "const total = 0", "const rows = f()", "let rows = f()"),  # there and back again
    ("yaml.load(text)", "yaml.load(text, Loader)", "yaml.load(text, Loader)", "yaml.load(text)"),
    ("os.getcwd()", "os.path.curdir", "x = os.path.curdir", "x = Path.cwd()"),  # and on
    ("retry(call)", "retry(call, 3)", "retry(call)", "once(call)"),  # the same code, another way
    ("open(p, flag=True)", "open(p, flag=False)", "open(p, flag=False)", "open(p, flag=True)"),
]
APART = [
    ("a.fetch(x)", "a.list(x)", "b.fetch(y, 1)", "b.list(y, 1)"),
    ("requests.get(u)", "requests.get(u, timeout=5)", "queue.take(n)", "queue.take(n, block=True)"),
    ("os.remove(p)", "p.unlink()", "os.mkdir(p)", "p.mkdir()"),
    ("f(1)", "f(2)", "grow(2, tree)", "grow(1, tree)"),
    ("get(u)", "get(u, timeout=5)", "get(u)", "get(u, timeout=9)"),
    ("app.use(express.router)", "app.use(app.router)", "app.locals.use(f)", "res.locals.use(f)"),
]


@pytest.mark.parametrize("sides", CONTRARY, ids=range(len(CONTRARY)))
def test_an_edit_that_undoes_or_overrules_another_is_its_contrary(sides: tuple[str, str, str, str]) -> None:
    one, other = edit("a", *sides[:2]), edit("b", *sides[2:])
    assert contradict(one, other)
    assert contradict(other, one)


@pytest.mark.parametrize("sides", APART, ids=range(len(APART)))
def test_edits_that_both_hold_are_no_contraries(sides: tuple[str, str, str, str]) -> None:
    one, other = edit("a", *sides[:2]), edit("b", *sides[2:])
    assert not contradict(one, other)
    assert not contradict(other, one)
    assert not contradict(one, one)


def test_what_is_said_in_words_is_heard_and_another_language_is_no_contrary() -> None:
    assert contradict(
        note("a", "Use tabs rather than spaces in Go"), note("b", "prefer spaces over tabs in Go")
    )
    assert contradict(note("a", "Use `attrs` instead of `dataclass`"), note("b", "use dataclass, not attrs"))
    assert not contradict(note("a", "Use tabs rather than spaces"), note("b", "Use spaces rather than dots"))
    sides = CONTRARY[0]
    assert not contradict(edit("a", *sides[:2]), edit("b", *sides[2:], language="go"))


def test_the_newer_of_two_contraries_is_shown_and_the_other_says_why_it_is_not() -> None:
    old, new = edit("old", *CONTRARY[0][:2], days=90), edit("new", *CONTRARY[0][2:])
    assert packed(old, new) == (["new"], {"old": "contradicted"})
    assert packed(new, old) == (["new"], {"old": "contradicted"})


def test_what_was_said_far_more_often_stands_against_one_newer_contrary() -> None:
    often, once = edit("often", *CONTRARY[0][:2], days=90, support=10), edit("once", *CONTRARY[0][2:])
    assert packed(often, once) == (["often"], {"once": "contradicted"})
    assert yields(once, often)
    assert not yields(often, once)


def test_a_contrary_that_was_too_weak_itself_still_overrules_and_a_disputed_one_does_not() -> None:
    old, new = edit("old", *CONTRARY[0][:2], days=90), edit("new", *CONTRARY[0][2:])
    assert packed(old, new, weak=("new",)) == ([], {"old": "contradicted", "new": "weak"})
    wrong = replace(new, against=9)
    ranked = [Ranked(old, 1.0, {}), Ranked(wrong, 0.9, {}, "disputed")]
    assert [each.item.id for each, _ in pack(ranked, 5, 500, FourLetters()).entries] == ["old"]


def test_what_was_pulled_never_overrules_what_is_ones_own() -> None:
    own = edit("own", *CONTRARY[0][:2], days=90)
    pulled = edit("pulled", *CONTRARY[0][2:], trust="pulled", author="Mallory", support=9)
    assert packed(pulled, own) == (["own"], {"pulled": "contradicted"})


def test_of_three_in_a_row_the_last_stands() -> None:
    rows = [
        edit("first", "os.getcwd()", "os.path.curdir", days=30),
        edit("second", "os.path.curdir", "Path.cwd()", days=20),
        edit("third", "Path.cwd()", "here()", days=10),
    ]
    assert packed(*rows)[0] == ["third"]

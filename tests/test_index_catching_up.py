"""An index that is not complete: bounded refreshes, answers meanwhile, catching up, and kills in between."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from cortex.daemon.engine import Engine
from cortex.daemon.state import Models
from cortex.repo.layout import lay_down
from cortex.repo.places import find
from cortex.store import derived, index, rowfiles
from cortex.store.codec import encode
from cortex.store.fold import View
from cortex.store.index import MemoryIndex
from cortex.store.items import Item, Listing, items
from cortex.store.journal import create
from cortex.store.kinds import Body, Correction, Feedback, Memory, Purge, RuleEvent, Scope, Trust
from cortex.store.lock import writer_lock
from cortex.store.protocols import Floats
from cortex.store.record import Draft, Record, make
from cortex.store.scan import FINDS, Scan

TEMPLATE = Path(__file__).resolve().parent.parent / ".cortex-template"
SYLLABLES = ["ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu"]


class Bags:
    """An encoder that counts letters, and how many texts it was given."""

    name, width = "bags", 26

    def __init__(self) -> None:
        self.texts = 0

    def encode(self, texts: Sequence[str], kind: str = "query") -> Floats:
        self.texts += len(texts)
        rows = np.array([[text.count(chr(97 + at)) for at in range(26)] for text in texts], np.float32)
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def word(number: int) -> str:
    return "".join(random.Random(number).choices(SYLLABLES, k=5))


def note(number: int, head: str = "h") -> Item:
    text = word(number)
    return Item(
        id=f"m{number:03}",
        head=f"{head}{number}",
        kind="note",
        language=("python", "go", "")[number % 3],
        path=f"src/x{number}.py",
        title=text,
        text=f"about {text}",
        code=text if number % 4 else "",
        words=f"{text} common",
    )


ALL = [note(number) for number in range(40)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "PIECE", 8)
    monkeypatch.setattr(rowfiles, "FULL", 20)


def everything(made: MemoryIndex, given: Sequence[Item]) -> object:
    """What an index answers to a set of questions."""
    rows = Bags().encode([each.title for each in given])
    return (
        len(made),
        # Sums of floats differ in the last bit, by where the rows stand in the matrix.
        [{m: round(cosine, 3) for m, cosine in made.vectors(row, 100)} for row in rows],
        [made.words(each.title, 3) for each in given],
        sorted(m for m, _ in made.words("common", 1000)),
        [made.graph.targets(each.id) for each in given],
    )


def full(folder: Path, given: Sequence[Item]) -> object:
    made = MemoryIndex(folder.with_name("full"), Bags())
    made.refresh(given)
    answers = everything(made, given)
    made.close()
    shutil.rmtree(made.folder)
    return answers


def test_a_refresh_without_time_finds_words_and_knows_how_near_they_are(folder: Path) -> None:
    made = MemoryIndex(folder, Bags())
    made.refresh(ALL, 0)
    assert made.behind == len(made) == len(ALL)
    assert [m for m, _ in made.words(ALL[7].title, 1)] == ["m007"]
    assert len(made.words("common", 1000)) == len(ALL)
    assert {m for m, _ in made.words("common", 1000, made.select(["go"]))} == made.select(["go"])
    code, text = made.similarities(Bags().encode([ALL[7].title])[0], ["m007", "m008"])
    assert code[0] == pytest.approx(1) and text[0] > text[1] > 0
    assert made.words("nothing of it", 5) == []
    made.close()


def test_catching_up_ends_with_what_a_full_refresh_makes(folder: Path) -> None:
    made = MemoryIndex(folder, Bags())
    made.refresh(ALL, 0)
    made.similarities(Bags().encode(["a"])[0], ["m003", "m030"])
    while not made.catch_up(0.001):
        pass
    assert made.behind == 0
    assert everything(made, ALL) == full(folder, ALL)
    made.close()
    encoder = Bags()
    again = MemoryIndex(folder, encoder)
    again.refresh(ALL)
    assert (encoder.texts, again.notes) == (0, [])
    assert everything(again, ALL) == full(folder, ALL)
    again.close()


def test_a_refresh_takes_the_time_that_it_is_given_and_the_newest_first(folder: Path) -> None:
    ticks = count()
    made = MemoryIndex(folder, Bags(), clock=lambda: next(ticks))
    made.refresh(ALL, 6)
    assert 0 < made.behind < len(ALL) - 8
    done = len(ALL) - made.behind
    newest = {each.id for each in ALL[-done:]}
    assert {m for m, _ in made.vectors(Bags().encode(["a"])[0], 100)} == newest
    made.refresh(ALL, 0)
    assert made.behind == len(ALL) - done
    made.refresh([*ALL, note(77)], 0.5)  # less than a piece takes: one is done all the same
    assert made.vectors(Bags().encode([note(77).title])[0], 1)[0][0] == "m077"
    made.close()


def test_what_changes_while_the_index_is_behind_is_followed(folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    made, given = MemoryIndex(folder, Bags()), list(ALL)
    for turn in range(30):
        for _ in range(chance.randint(0, 4)):
            del given[chance.randrange(len(given))]
            number = chance.randrange(40, 300)
            if f"m{number:03}" not in {each.id for each in given}:
                given.append(note(number))
            at = chance.randrange(len(given))
            given[at] = note(int(given[at].id[1:]), f"edit{turn}-")
        made.refresh(list(given), 0)
        hits = made.words("common", 1000)
        assert sorted(m for m, _ in hits) == sorted(each.id for each in given)
        assert made.select(["go"]) == {each.id for each in given if each.language in ("go", "")}
        if chance.random() < 0.5:
            made.catch_up(0.0001)
        if chance.random() < 0.2:
            made.close()
            if chance.random() < 0.3:
                shutil.rmtree(folder)
    made.refresh(given)
    assert everything(made, given) == full(folder, given)
    made.close()


class Killed(BaseException):
    """Ends the work where it stands, like a kill."""


def test_a_kill_between_any_two_steps_leaves_what_was_done(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tell: Callable[[str], None]
) -> None:
    """Each write, rename and removal of a build is in turn the last one."""
    calls = 0
    last = -1

    def counted(function: Callable[..., object]) -> Callable[..., object]:
        def call(*given: object, **more: object) -> object:
            nonlocal calls
            if calls == last:
                raise Killed
            calls += 1
            return function(*given, **more)

        return call

    monkeypatch.setattr(derived, "write_rows", counted(derived.write_rows))
    monkeypatch.setattr(derived, "sha256", counted(derived.sha256))
    monkeypatch.setattr(derived, "replace", counted(derived.replace))
    for name in ("unlink", "replace", "write_bytes"):
        monkeypatch.setattr(Path, name, counted(getattr(Path, name)))
    right = full(folder, ALL)
    states, saved, finished = 0, 0, False
    while not finished:
        calls, last = 0, states
        victim = MemoryIndex(folder, Bags())
        try:
            victim.refresh(ALL)
            finished = True
        except Killed:
            pass
        last = -1
        victim.close()
        encoder = Bags()
        again = MemoryIndex(folder, encoder)
        again.refresh(ALL, 0)
        assert len(again.words("common", 1000)) == len(ALL)
        again.refresh(ALL)
        assert everything(again, ALL) == right, f"killed at step {states}"
        again.close()
        saved += encoder.texts < 70
        states += 1
        shutil.rmtree(folder)
    assert states > 40 and saved > states / 2  # all but the first piece of five is still there
    tell(f"index killed between two steps: {states} states, 0 wrong, {saved} with earlier pieces kept")


def test_another_process_at_work_on_the_index_holds_up_no_question(folder: Path) -> None:
    made = MemoryIndex(folder, Bags())
    folder.mkdir()
    with writer_lock(folder):
        made.refresh(ALL, 0)
        assert [m for m, _ in made.words(ALL[7].title, 1)] == ["m007"]
        assert not made.catch_up(0.01)
    while not made.catch_up(0.1):
        pass
    assert everything(made, ALL) == full(folder, ALL)
    made.close()


def test_in_memory_nothing_is_embedded_twice(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    encoder = Bags()
    made = MemoryIndex(tmp_path / "file" / "index", encoder)
    made.refresh(ALL, 0)
    while not made.catch_up(0.1):
        pass
    first = encoder.texts
    for number in range(50, 55):
        made.refresh([*ALL, note(number)], 1)
    assert encoder.texts <= first + 10
    made.close()


def test_many_small_pieces_leave_few_files_and_no_dead_ones(folder: Path) -> None:
    made = MemoryIndex(folder, Bags())
    for turn in range(60):
        made.refresh([note(number, f"{turn}-") for number in range(turn % 7)] + ALL[10:])
    assert len(list(folder.glob("rows-*"))) <= 8
    assert sum(path.stat().st_size for path in folder.glob("rows-*")) < 3 * 40 * 2 * 26 * 4
    made.close()


def test_words_are_found_in_the_texts_themselves() -> None:
    scan = Scan([("new", "Call `fetch_url` happily; fetch again"), ("old", "fetch the URL"), ("far", "x")])
    everywhere = {"new", "old", "far"}
    assert [key for key, _ in scan.search("happy fetching", 5, everywhere)] == ["new", "old"]
    assert [key for key, _ in scan.search("fetch", 5, {"old"})] == ["old"]
    assert scan.search("the and", 5, everywhere) == scan.search("", 5, everywhere) == []
    many = Scan((f"k{n}", "the same words") for n in range(2 * FINDS))
    assert len(many.search("same", 3 * FINDS, {f"k{n}" for n in range(2 * FINDS)})) == FINDS
    assert Scan([]).search("same", 5, set()) == []


def test_the_daemon_goes_on_with_what_a_question_left(repo: Path) -> None:
    place = find(repo)
    lay_down(place, TEMPLATE)
    create(place.store)
    (place.store / "config.toml").write_text("[learn]\nhistory = false\n")
    engine = Engine(place, Models())
    for number in range(30):
        engine.handle("remember", {"text": f"The queue {word(number)} holds {word(number + 100)}."})
    assert not engine.waits()
    assert engine.handle("report", {})["index"] == {"behind": 30, "notes": []}
    engine._state.index(0.0)
    assert engine.waits()
    found = engine.handle("ask", {"question": f"what does the queue {word(3)} hold?"})
    assert word(103) in found["memories"][0]["text"]
    while engine.background(lambda: False, 5.0):
        pass
    assert not engine.waits()
    told = engine.handle("report", {})["index"]
    assert told["behind"] == 0 and "built" in told["notes"][0]
    shutil.rmtree(place.store / "index")
    while engine.background(lambda: False, 5.0):
        pass
    assert (place.store / "index" / derived.MANIFEST).exists()
    engine.close()
    assert Engine(place, Models()).handle("report", {})["index"] == {"behind": 0, "notes": []}


def test_items_followed_change_by_change_are_those_of_the_whole_view(seed: int) -> None:
    chance, ticks = random.Random(seed), count(1)
    own, other = "a" * 32, "b" * 32
    ids = [f"{number:032x}" for number in range(12)]

    def record(view: View) -> Record:
        m, about, t = chance.choice(ids), chance.choice(ids), next(ticks)
        author = chance.choice(["Ann <a@b>", "Bob <b@b>"])
        bodies: list[Body] = [
            Correction(
                before="a()", after=f"b({t})", path="x.py", category=chance.choice(["bug", "evolution"])
            ),
            Memory(title=f"t{t}", text="text", provenance=(about, chance.choice(ids))),
            Feedback(of=about, verdict=chance.choice(["good", "bad"])),
            RuleEvent(rule=about, to_state="active", support=chance.randint(0, 9)),
            Scope(what=about, scope="user"),
            Purge(what=f"{chance.randint(11, 30):032x}"),
            Trust(who=author, what=chance.choice(["revoked", "accepted"])),
        ]
        body = chance.choices(bodies, [8, 6, 2, 2, 2, 1, 1])[0]
        place = m if isinstance(body, (Correction, Memory)) else f"{t + 1000:032x}"
        parents = tuple(head.id for head in view.heads(place)) if chance.random() < 0.8 else ()
        op = "del" if parents and chance.random() < 0.2 else "put"
        writer = chance.choice([own, other])
        return make(Draft(body, place, parents, op), t=t, w=writer, n=t, author=author, body=encode(body))

    view = View()
    listing = Listing(own)
    for _ in range(300):
        view.add(record(view) for _ in range(chance.randint(0, 3)))
        found = listing.items(view)
        assert found == items(view, own)
        assert listing.items(view) is found


def test_a_view_says_what_changed_since_and_when_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cortex.store.fold.CHANGES", 3)
    view = View()
    for number in range(5):
        body = Memory(text=f"text {number}")
        draft = Draft(body, f"{number:032x}")
        view.add([make(draft, t=number + 1, w="a" * 32, n=number, author="", body=encode(body))])
    assert [record.m[-1] for record in view.since(4) or ()] == ["4"]
    assert view.since(5) == []
    assert view.since(0) is None

"""Memories that were laid down: they answer as the index of memories does, follow the journal, and are never trusted
where a bit of them is another.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cortex.daemon import holding, upkeep
from cortex.daemon.engine import Engine
from cortex.daemon.laying import lay as lay_store
from cortex.daemon.state import Models
from cortex.repo.layout import lay_down
from cortex.repo.places import find
from cortex.store import marks
from cortex.store.bulk import entries, files, laying
from cortex.store.bulk.bulk import Bulk, DamagedBulk, open_bulk
from cortex.store.codec import encode
from cortex.store.fold import View
from cortex.store.index import MemoryIndex
from cortex.store.items import Evidence, Item, Listing
from cortex.store.journal import FileJournal, create
from cortex.store.kinds import Correction, Exposure, Feedback, Memory, Purge, Scope
from cortex.store.late import Late, fingerprinted
from cortex.store.layered import LayeredIndex
from cortex.store.protocols import Floats
from cortex.store.record import Draft, Record, make

TEMPLATE = Path(__file__).resolve().parent.parent / ".cortex-template"
SYLLABLES = ["ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu"]
OWN = "a" * 32


class Bags:
    """An encoder that counts letters."""

    name, width = "bags", 26

    def encode(self, texts: Sequence[str], kind: str = "query") -> Floats:
        rows = np.array([[text.count(chr(97 + at)) for at in range(26)] for text in texts], np.float32)
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def word(number: int) -> str:
    return "".join(random.Random(number).choices(SYLLABLES, k=5))


def item(number: int, edit: str = "") -> Item:
    text = word(number) + edit
    path = f"src/{'ab'[number % 2]}/x{number}.py" if number % 5 else ""
    return Item(
        id=f"{number * 7919:032x}",
        head=f"h{number}{edit}",
        kind="note",
        language=("python", "go", "")[number % 3],
        path=path,
        title=text,
        text=f"about {text}",
        code=text if number % 4 else "",
        words=f"{text} common",
        created=number,
        support=number,
        evidence=(Evidence("c" * 40, path, "old", "new", "ada", number, "f"),) if number % 2 else (),
        sources=(f"{number * 7919 + 7919:032x}",) if number % 7 == 0 else (),
    )


ALL = [item(number) for number in range(60)]


def laid(folder: Path, given: Sequence[Item], large: int = 1 << 30) -> Bulk:
    laying.lay(
        folder, Bags(), ((each, number) for number, each in enumerate(given)), {"number": 0}, large=large
    )
    bulk = Bulk(folder, Bags())
    bulk.wait()
    return bulk


def answers(index: MemoryIndex | LayeredIndex, given: Sequence[Item]) -> object:
    rows = Bags().encode([each.title for each in given])
    ids = [each.id for each in given]
    chosen = index.select(["go"], "src/a")
    assert chosen is not None
    return (
        len(index),
        [sorted(m for m, _ in index.vectors(row, 1000)) for row in rows[::7]],
        [{m for m, _ in index.words(each.title, 3)} for each in given],
        sorted(m for m, _ in index.words("common", 1000)),
        sorted(chosen),
        len(chosen),
        [m in chosen for m in ids],
        sorted(m for m, _ in index.words("common", 1000, chosen)),
        sorted(m for m, _ in index.vectors(rows[0], 1000, chosen)),
        index.holding(ids, [[given[3].title], ["common", "nothing"], ["nothing"], []]).tolist(),
        [index.graph.targets(m) for m in ids],
        index.graph.sources(f"file:{given[1].path}"),
        [index.known[m] for m in ids],
        sorted(index.known) == sorted(ids),
    )


def cosines(index: MemoryIndex | LayeredIndex, given: Sequence[Item]) -> list[list[float]]:
    rows = Bags().encode([each.title for each in given])
    ids = [each.id for each in given]
    nearest = [dict(index.vectors(row, 1000)) for row in rows[::7]]
    return [
        *([found[m] for m in ids] for found in nearest),
        *(side.tolist() for row in rows[::7] for side in index.similarities(row, ids)),
    ]


@pytest.mark.parametrize("large", [1 << 30, 4])
def test_two_layers_answer_as_one_index_of_all(tmp_path: Path, large: int) -> None:
    bulk = laid(tmp_path / "bulk", ALL, large)
    alive = np.ones(60, np.bool_)
    alive[[3, 4, 50, 59]] = False
    bulk.stand(alive)
    late = MemoryIndex(tmp_path / "late", Bags())
    late.refresh([item(3, "edited"), item(70), item(71)])
    now = [item(3, "edited"), *(each for number, each in enumerate(ALL) if alive[number]), item(70), item(71)]
    whole = MemoryIndex(tmp_path / "whole", Bags())
    whole.refresh(now)
    assert answers(LayeredIndex(bulk, late), now) == answers(whole, now)
    for one, other in zip(cosines(LayeredIndex(bulk, late), now), cosines(whole, now), strict=True):
        assert one == pytest.approx(other, abs=0.01)
    bulk.close()


def test_an_entry_comes_back_as_it_was() -> None:
    odd = replace(ALL[7], text="é \ud800 \x00 \U0001f600\n", supersedes=("x",), causes=("y", "z"))
    assert entries.from_bytes(entries.to_bytes(odd)) == odd
    data = bytearray(entries.to_bytes(odd))
    for at in range(len(data)):
        data[at] ^= 4
        assert entries.from_bytes(bytes(data)) is None
        data[at] ^= 4


def test_no_memories_and_odd_ids_can_be_laid_down(tmp_path: Path) -> None:
    bulk = laid(tmp_path / "none", [])
    index = LayeredIndex(bulk, MemoryIndex(tmp_path / "late", Bags()))
    assert index.vectors(Bags().encode(["a"])[0], 5) == [] and index.words("common", 5) == []
    assert len(index) == 0 and list(index.known) == []
    bulk.close()
    assert laying.lay(tmp_path / "odd", Bags(), [(replace(ALL[1], id="m1"), 1), (ALL[2], 2)], {}) == 1


def test_a_damaged_file_is_noticed_before_it_says_anything(tmp_path: Path, seed: int) -> None:
    """A bit in each file, at many places: it is not opened, or the question raises, or nothing differs."""
    folder = tmp_path / "bulk"
    laid(folder, ALL, 4).close()
    late = MemoryIndex(tmp_path / "late", Bags())
    late.refresh([])
    chance = random.Random(seed)

    def asked() -> object:
        bulk = open_bulk(folder, Bags(), lambda _: None)
        if bulk is None:
            return None
        try:
            bulk.wait()
            return answers(LayeredIndex(bulk, late), ALL)
        except DamagedBulk:
            return None
        finally:
            bulk.close()

    right, noticed = asked(), 0
    assert right is not None
    for name in sorted(path.name for path in folder.iterdir()):
        data = (folder / name).read_bytes()
        for how in ["flip"] * 12 + ["cut", "empty", "gone"]:
            other = bytearray(data)
            if how == "flip":
                other[chance.randrange(len(other))] ^= 1 << chance.randrange(8)
            (folder / name).unlink()
            if how != "gone":
                (folder / name).write_bytes({"cut": other[: len(other) // 2], "empty": b""}.get(how, other))
            now = asked()
            assert now is None or now == right, (name, how)
            noticed += now is None
        (folder / name).write_bytes(data)
    assert asked() == right
    assert noticed >= 80


def test_a_bulk_of_another_encoder_or_version_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid(tmp_path, ALL).close()
    told: list[str] = []

    class Other(Bags):
        name = "others"

    assert open_bulk(tmp_path, Other(), told.append) is None
    monkeypatch.setattr(files, "FORM", files.FORM + 1)
    assert open_bulk(tmp_path, Bags(), told.append) is None
    assert "bags had made it" in told[0] and "another version" in told[1]


def records(chance: random.Random, view: list[Record], n: int) -> list[Record]:
    """What people and the daemon may write next."""
    out: list[Record] = []
    known = [each for each in view if each.kind in ("memory", "correction") and each.op == "put"]
    for number in range(n, n + chance.randint(1, 5)):
        old = chance.choice(known) if known else None
        body: object
        m, parents, op = "", (), "put"
        kind = chance.randrange(8) if old else 0
        if kind == 1 and old:
            body, m, parents = Memory(type="note", title=f"edited {number}"), old.m, (old.id,)
        elif kind == 2 and old:
            body, m, parents, op = Memory(), old.m, (old.id,), "del"
        elif kind == 3 and old:
            body = Feedback(of=old.m, verdict=chance.choice(["good", "bad"]))
        elif kind == 4 and old:
            body = chance.choice([Scope(what=old.m, scope="user"), Purge(what=old.m)])
        elif kind == 5 and old:
            body = Memory(type="rule", title=f"rule {number}", provenance=(old.m,))
        elif kind == 6:
            body = Correction(before=f"a{number}", after=f"b{number}", path="x.py", language="python")
        elif kind == 7:
            body = Exposure(query="q")
        else:
            body = Memory(type="note", title=f"note {number}", text=word(number))
        draft = Draft(body, m=m, parents=parents, op=op)  # type: ignore[arg-type]
        writer = chance.choice([OWN, "b" * 32])
        out.append(make(draft, t=1000 + number, w=writer, n=number, author=writer[:3], body=encode(body)))  # type: ignore[type-var]
    return out


def test_what_came_since_is_what_a_full_listing_says(tmp_path: Path, seed: int) -> None:
    """Bulk and late together are the listing, whatever is written, also when the late part is made from nothing."""
    for turn in range(6):
        chance = random.Random(seed + turn)
        written = [each for _ in range(8) for each in records(chance, [], chance.randrange(10**6))]
        view = View(written)
        folder = tmp_path / str(turn)
        laying.lay(folder, Bags(), fingerprinted(view, OWN), {})
        bulk = Bulk(folder, Bags())
        late = Late(bulk, OWN)
        for step in range(12):
            new = records(chance, written, 10**7 + 100 * step)
            written += new
            view.add(new)
            late.follow(view)
            index = LayeredIndex(bulk, MemoryIndex(folder / "top", Bags()))
            index.late.refresh(late.items)
            wanted = {each.id: each for each in Listing(OWN).items(View(written))}
            assert dict(index.known) == wanted
            anew = Bulk(folder, Bags())
            fresh = Late(anew, OWN)
            fresh.follow(View(written))
            assert (sorted(each.id for each in fresh.items), fresh.gone()) == (
                sorted(each.id for each in late.items),
                late.gone(),
            )
            anew.close()
        bulk.close()


@pytest.fixture
def store(repo: Path) -> Path:
    place = find(repo)
    lay_down(place, TEMPLATE)
    create(place.store)
    (place.store / "config.toml").write_text('[learn]\nhistory = false\nconventions = "off"\n')
    return place.store


def test_a_mark_holds_while_no_memory_is_made(store: Path) -> None:
    journal = FileJournal(store, author="ada")
    journal.put(Memory(title="one"))
    journal.view()
    follower = marks.Follower(store, journal.writer, journal.number, marks.mark(store))
    assert follower.holds()
    for _ in range(3):
        journal.append([Draft(Exposure(query="q"))])
        assert follower.holds()
    journal.seal()
    assert follower.holds()
    journal.append([Draft(Exposure(query="q"))])
    assert follower.holds()
    again = marks.Follower(store, journal.writer, journal.number, marks.mark(store))
    assert again.holds()
    journal.put(Memory(title="two"))
    assert not follower.holds() and not again.holds()
    journal.append([Draft(Exposure(query="q"))])
    assert not follower.holds()


def test_a_mark_sees_what_another_writer_brings_and_what_is_damaged(store: Path) -> None:
    journal = FileJournal(store, author="ada")
    journal.put(Memory(title="one"))
    journal.view()
    marked, number = marks.mark(store), journal.number
    path = store / "wal" / f"{journal.writer}.jsonl"
    with path.open("ab") as file:
        file.write(b"{ this is no record\n")
    assert not marks.Follower(store, journal.writer, number, marked).holds()
    path.unlink()
    other = marks.Follower(store, journal.writer, number, marked)
    assert other.holds()  # a seal takes the log away too; that a record is lost is for the doctor to say
    segment = store / "seg" / ("b" * 32) / "202601" / f"00000000-{'0' * 16}.jsonl"
    segment.parent.mkdir(parents=True)
    record = make(
        Draft(Memory(title="two")), t=1, w="b" * 32, n=1, author="", body=encode(Memory(title="two"))
    )
    from cortex.store.record import to_line

    segment.write_bytes(to_line(record))
    assert not other.holds()


QUESTIONS = ["how are timestamps stored?", "what is the retry limit?", "which logger do we use?"]


def asked(engine: Engine) -> list[list[str]]:
    return [
        [each["title"] for each in engine.handle("ask", {"question": each})["memories"]] for each in QUESTIONS
    ]


def test_an_engine_answers_from_what_was_laid_down_without_reading_the_journal(
    store: Path, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "LAY_AT", 10)
    monkeypatch.setattr(holding, "AGAIN_AT", 5)
    place = find(repo)
    first = Engine(place, Models())
    for title, text in (
        ("Timestamps", "Timestamps are stored in UTC as integer milliseconds."),
        ("Retries", "The retry limit is three, with an exponential delay."),
        ("Logging", "Use the logger from structlog, never the print function."),
    ):
        first.handle("remember", {"title": title, "text": text})
    for n in range(12):
        first.handle("remember", {"text": f"Module number {n} of the parser owns the tokens of colour {n}."})
    right = asked(first)
    assert all(right)
    end = time.monotonic() + 60
    while not (store / "index" / "bulk" / "bulk.json").exists() and time.monotonic() < end:
        first.background(lambda: False, 0.2)
    assert asked(first) == right
    assert isinstance(first._state.index(), LayeredIndex)
    first.close()

    again = Engine(place, Models())
    assert asked(again) == right
    assert not again._state.journal.is_read
    again.handle("remember", {"title": "Retries", "text": "The retry limit is five since the outage."})
    assert "Retries" in asked(again)[1]
    gone = next(each["id"] for each in again.handle("ask", {"question": QUESTIONS[2]})["memories"])
    again.handle("forget", {"id": gone})
    assert asked(again)[2] == []
    while again.background(lambda: False, 0.2):
        pass
    now = asked(again)
    again.close()

    third = Engine(place, Models())
    assert asked(third) == now and not third._state.journal.is_read
    folder = place.store / "index" / "bulk"
    for name in ("entries.bin", "rows.bin", "words.bin", "graph.sqlite", "bulk.json"):
        if folder.exists():
            data = bytearray((folder / name).read_bytes())
            for at in range(0, len(data), 3):
                data[at] ^= 64
            (folder / name).write_bytes(data)
        assert asked(third) == now, name
        lay_store(place.store)
        assert asked(third) == now, name
    third.close()
    shutil.rmtree(folder)
    last = Engine(place, Models())
    assert asked(last) == now
    last.close()


def test_a_kill_while_it_is_laid_down_leaves_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each rename and removal in turn is the last step: what is there afterwards opens, or nothing does."""

    class Killed(BaseException):
        pass

    calls, last = 0, -1

    def counted(function: object) -> object:
        def call(*given: object, **more: object) -> object:
            nonlocal calls
            calls += 1
            if calls == last:
                raise Killed
            return function(*given, **more)  # type: ignore[operator]

        return call

    for name in ("rename", "replace", "write_bytes"):
        monkeypatch.setattr(Path, name, counted(getattr(Path, name)))
    folder, finished, opened = tmp_path / "bulk", False, 0
    while not finished:
        calls, last = 0, max(1, last + 1)
        try:
            laying.lay(folder, Bags(), ((each, 1) for each in ALL), {}, large=4)
            finished = True
        except Killed:
            pass
        bulk = open_bulk(folder, Bags(), pytest.fail)
        if bulk is not None:
            bulk.wait()
            assert len(bulk) == len(ALL) and bulk.item(9) == ALL[9]
            bulk.close()
            opened += 1
    assert last > 4 and opened >= 2


def test_a_large_journal_is_let_go_of_and_what_comes_then_is_seen(
    store: Path, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "LAY_AT", 4)
    monkeypatch.setattr(upkeep, "MANY", 4)
    engine = Engine(find(repo), Models())
    for n in range(8):
        engine.handle("remember", {"text": f"Module number {n} of the parser owns the tokens of colour {n}."})
    lay_store(store)
    engine.handle(
        "remember", {"title": "Retries", "text": "The retry limit is three, with an exponential delay."}
    )
    assert asked(engine)[1] == ["Retries"]
    assert engine._state.journal.is_read
    monkeypatch.setattr(upkeep, "REST_S", 0.0)
    while engine.background(lambda: False, 0.2):
        pass
    assert not engine._state.journal.is_read
    assert asked(engine)[1] == ["Retries"] and not engine._state.journal.is_read
    engine.handle("remember", {"title": "Logging", "text": "Use the logger from structlog, never print."})
    assert asked(engine)[2] == ["Logging"]
    assert engine.handle("log", {})["total"] == 10
    engine.close()


def test_the_doctor_looks_at_what_was_laid_down(store: Path, repo: Path, seed: int) -> None:
    engine = Engine(find(repo), Models())
    for n in range(4):
        engine.handle("remember", {"text": f"Module number {n} of the parser owns the tokens of colour {n}."})
    engine.close()
    assert lay_store(store) == 4
    folder, chance = store / "index" / "bulk", random.Random(seed)
    assert files.faults(folder) == []
    for path in sorted(folder.iterdir()):
        data = bytearray(path.read_bytes())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(7)
        right = path.read_bytes()
        path.write_bytes(data)
        found = {name for name, _ in files.faults(folder)}
        assert path.name in found or (path.name == "columns.bin" and found), path.name
        path.write_bytes(right)
    assert files.faults(folder) == []


def test_what_is_too_large_to_be_read_at_once_is_laid_down_first_and_the_answer_says_so(
    store: Path, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = FileJournal(store, author="ada")
    journal.append(
        [
            Draft(Memory(title=f"Note {n}", text=f"Module {n} owns the tokens of colour {n}."))
            for n in range(30)
        ]
    )
    journal.put(Memory(title="Retries", text="The retry limit is three, with an exponential delay."))
    journal.seal()
    monkeypatch.setattr(holding, "FIRST", 1_000)
    engine = Engine(find(repo), Models(), behind=True)
    answer = engine.handle("ask", {"question": QUESTIONS[1]})
    assert answer["abstained"] and answer["notes"] == [holding.PATIENCE]
    assert not engine.background(lambda: False, 0.2)
    assert engine._upkeep.laying is not None and engine._upkeep.laying._process.wait(60) == 0
    answer = engine.handle("ask", {"question": QUESTIONS[1]})
    assert [each["title"] for each in answer["memories"]] == ["Retries"] and answer["notes"] == []
    assert not engine._state.journal.is_read
    engine.close()
    # Where it cannot be laid down it is read after all.
    shutil.rmtree(store / "index")
    (store / "index").mkdir()
    (store / "index" / "laying").write_bytes(b"in the way")
    engine = Engine(find(repo), Models(), behind=True)
    assert engine.handle("ask", {"question": QUESTIONS[1]})["abstained"]
    engine.background(lambda: False, 0.2)
    assert engine._upkeep.laying is not None and engine._upkeep.laying._process.wait(60) != 0
    engine.background(lambda: False, 0.2)
    assert [each["title"] for each in engine.handle("ask", {"question": QUESTIONS[1]})["memories"]] == [
        "Retries"
    ]
    engine.close()


def test_a_daemon_that_is_asked_nothing_loads_nothing_of_this() -> None:
    said = "import sys, cortex.daemon.engine; print([each for each in ('numpy', 'voyager') if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""The index of a store: incremental, checked, made again when in doubt."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cortex.store.index import MemoryIndex
from cortex.store.items import Item
from cortex.store.protocols import Floats

NOTES = 40


class Letters:
    """An encoder that counts letters, and how many texts it was given."""

    def __init__(self, name: str = "letters-1") -> None:
        self.name = name
        self.width = 27
        self.texts = 0

    def encode(self, texts: Sequence[str], kind: str = "query") -> Floats:
        self.texts += len(texts)
        rows = np.zeros((len(texts), self.width), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for letter in text.lower():
                row[ord(letter) - 97 if "a" <= letter <= "z" else 26] += 1
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def word(number: int) -> str:
    return "".join(random.Random(number).choices("abcdefghijklmnopqrstuvwxyz", k=9))


def note(number: int, head: str = "h") -> Item:
    text = word(number)
    return Item(
        id=f"m{number:03}",
        head=f"{head}{number}",
        kind="note",
        language=("python", "go", "")[number % 3],
        path=f"src/{'ab'[number % 2]}/x{number}.py",
        title=text,
        text=f"about {text}",
        code=text if number % 4 else "",
        words=f"{text} common",
    )


ALL = [note(number) for number in range(NOTES)]


def nearest(index: MemoryIndex, text: str, k: int = 1) -> list[str]:
    row = Letters().encode([text])[0]
    return [m for m, _ in index.vectors(row, k)]


def check(index: MemoryIndex, items: Sequence[Item]) -> None:
    """The index holds exactly these items, and finds each."""
    assert len(index) == len(items)
    assert {m for m, _ in index.words("common", 1000)} == {each.id for each in items}
    for each in items[::5]:
        assert nearest(index, f"{each.title}\n{each.text}") == [each.id]
        assert [m for m, _ in index.words(each.title, 1)] == [each.id]
        assert index.graph.targets(each.id) == [("seen_in", f"file:{each.path}")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


def test_an_index_follows_its_items(folder: Path) -> None:
    encoder = Letters()
    index = MemoryIndex(folder, encoder)
    index.refresh([])
    assert index.vectors(encoder.encode(["a"])[0], 5) == []
    for items in (ALL[:10], ALL, ALL[5:], [*ALL[5:20], note(21, "edited")]):
        index.refresh(items)
        assert index.catch_up()
        check(index, items)
    index.close()


def test_only_what_is_new_is_embedded(folder: Path) -> None:
    encoder = Letters()
    index = MemoryIndex(folder, encoder)
    index.refresh(ALL[:30])
    first = encoder.texts
    index.refresh(ALL[:30])
    assert encoder.texts == first
    index.refresh(ALL[:31])
    assert encoder.texts == first + 2
    index.close()


def test_an_index_is_taken_up_again_without_embedding(folder: Path) -> None:
    first = MemoryIndex(folder, Letters())
    first.refresh(ALL[:20])
    first.refresh(ALL)
    first.catch_up()
    first.close()
    encoder = Letters()
    again = MemoryIndex(folder, encoder)
    again.refresh(ALL)
    assert again.notes == []
    assert again.behind == 0
    assert encoder.texts == 0
    check(again, ALL)
    again.close()


def test_many_small_refreshes_leave_few_files(folder: Path) -> None:
    index = MemoryIndex(folder, Letters())
    for count in range(1, NOTES + 1):
        index.refresh(ALL[:count])
    assert len(list(folder.glob("rows-*"))) <= 33
    index.close()
    again = MemoryIndex(folder, Letters())
    again.refresh(ALL)
    assert again.notes == []
    check(again, ALL)
    again.close()


def test_vectors_of_another_encoder_are_never_used(folder: Path) -> None:
    first = MemoryIndex(folder, Letters("letters-1"))
    first.refresh(ALL)
    first.close()
    encoder = Letters("letters-2")
    other = MemoryIndex(folder, encoder)
    other.refresh(ALL)
    assert "letters-1 had made it" in other.notes[0]
    assert encoder.texts > NOTES
    check(other, ALL)
    other.close()


def test_whatever_is_damaged_or_deleted_is_made_again(folder: Path) -> None:
    """Each file in turn is deleted, cut, flipped, emptied: while closed, then while open."""
    index = MemoryIndex(folder, Letters())
    index.refresh(ALL)
    index.catch_up()
    chance = random.Random(7)
    names = sorted(path.name for path in folder.iterdir() if path.name != "holder")
    assert len(names) >= 4
    for name in names:
        for closed in (True, False):
            for how in ("gone", "cut", "flip", "empty", "folder"):
                path = folder / name
                if not path.exists():
                    continue
                data = bytearray(path.read_bytes())
                if closed:
                    index.close()
                if how == "flip":
                    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
                path.unlink()
                if how == "folder":
                    path.mkdir()
                elif how != "gone":
                    path.write_bytes(bytes(data[: {"cut": len(data) // 2, "empty": 0}.get(how, len(data))]))
                index.refresh(ALL)
                check(index, ALL)
                index.catch_up()
                if path.is_dir():
                    path.rmdir()
    index.close()


def test_a_deleted_folder_is_made_again(folder: Path) -> None:
    index = MemoryIndex(folder, Letters())
    index.refresh(ALL)
    shutil.rmtree(folder)
    index.refresh(ALL)
    assert index.notes
    check(index, ALL)
    index.close()


def test_where_nothing_can_be_written_the_index_lives_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    index = MemoryIndex(tmp_path / "file" / "index", Letters())
    index.refresh(ALL)
    assert "stays in memory" in index.notes[0]
    check(index, ALL)
    index.refresh(ALL[:9])
    check(index, ALL[:9])
    index.close()


def test_two_processes_may_alternate(folder: Path) -> None:
    one, other = MemoryIndex(folder, Letters()), MemoryIndex(folder, Letters())
    for count in range(5, NOTES, 5):
        one.refresh(ALL[:count])
        check(one, ALL[:count])
        other.refresh(ALL[: count + 2])
        check(other, ALL[: count + 2])
        assert not any("damaged" in each for each in (*one.notes, *other.notes))
    one.close()
    other.close()


def test_a_filter_lets_pass_what_names_no_language(folder: Path) -> None:
    index = MemoryIndex(folder, Letters())
    index.refresh(ALL)
    assert index.select() is None
    chosen = index.select(["python"])
    assert chosen == {each.id for each in ALL if each.language in ("python", "")}
    assert index.select(["python"]) is chosen
    assert index.select([], "src/a") == {each.id for each in ALL if each.path.startswith("src/a/")}
    assert index.select(["go"], "src/b/") == {
        each.id for each in ALL if each.language in ("go", "") and each.path.startswith("src/b/")
    }
    index.refresh(ALL[:3])
    assert index.select(["python"]) == {"m000", "m002"}
    index.close()


def test_items_are_looked_up_at_no_cost_when_they_are_the_same(folder: Path) -> None:
    index = MemoryIndex(folder, Letters())
    index.refresh(ALL)
    assert index.lookup(ALL) is index.lookup(ALL)
    assert index.lookup([replace(ALL[0], title="other")])["m000"].title == "other"
    index.close()


def test_what_an_encoder_cannot_say_does_no_harm(folder: Path) -> None:
    class Lost(Letters):
        def encode(self, texts: Sequence[str], kind: str = "query") -> Floats:
            return np.full((len(texts), self.width), np.nan, np.float32)

    index = MemoryIndex(folder, Lost())
    index.refresh(ALL)
    assert all(cosine == 0 for _, cosine in index.vectors(Letters().encode(["a"])[0], 3))
    index.close()


def test_the_doctor_can_ask_for_a_new_index(tmp_path: Path):
    from cortex.store.derived import REBUILD

    encoder = Letters()
    index = MemoryIndex(tmp_path, encoder)
    index.refresh([])
    index.close()
    (tmp_path / REBUILD).write_bytes(b"")
    again = MemoryIndex(tmp_path, encoder)
    again.refresh([])
    assert any("doctor" in note for note in again.notes)
    assert not (tmp_path / REBUILD).exists()

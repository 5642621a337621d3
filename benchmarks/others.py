"""The index beside chromadb, lancedb, a bare SQLite FTS5 and grep, over the same texts and the same vectors.

    python benchmarks/others.py [--size 20000]

What is compared is the finding of the ten best alone, in one process, with the rows of the questions at hand: ingest,
latency in turns, disk, and how many of the exact ten come back; of vectors by a product with all rows, of words by a
plain BM25. chromadb and lancedb come with the extra `bench`; what is not installed is left out, and said.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import synthetic
from measuring import Figure, in_turns, main, number, say, workplace

SIZE, QUICK = 20_000, 2_000
BEST = 10
#: How far HNSW looks in all that have it.
EF, LINKS, CONSTRUCTION = 500, 16, 200
Search = Callable[[int], list[str]]


@dataclass(frozen=True)
class Scene:
    """Texts, their words by our splitting and stemming, their vectors; and questions in the same forms."""

    folder: Path
    keys: list[str]
    texts: list[str]
    stems: list[str]
    rows: Any
    asked: list[str]
    asked_stems: list[list[str]]
    asked_rows: Any


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    """All that are installed, the searches in turns."""
    with workplace() as folder:
        scene = _scene(folder, given.size or (QUICK if given.quick else SIZE), 20 if given.quick else 60)
        exact, plain = _exact(scene), _plain(scene)
        makers = {
            "ours, vectors": (_ours_vectors, exact),
            "chromadb": (_chromadb, exact),
            "lancedb, no index": (_lancedb, exact),
            "lancedb, IVF_HNSW_SQ": (_lancedb_index, exact),
            "ours, words": (_ours_words, plain),
            "SQLite FTS5": (_fts5, plain),
            "grep": (_grep, plain),
        }
        figures: list[Figure] = []
        searches: dict[str, Search] = {}
        built: dict[str, tuple[float, float]] = {}
        for name, (make, _) in makers.items():
            library = name.partition(",")[0]
            if library in ("chromadb", "lancedb") and find_spec(library) is None:
                say(f"{name} is not installed: pip install '.[bench]'")
                continue
            say(name)
            place = folder / name.replace(" ", "-").replace(",", "")
            place.mkdir()
            start = time.perf_counter()
            searches[name] = make(scene, place)
            built[name] = (time.perf_counter() - start, _disk(place))
        turns = {name: _turn(search, len(scene.asked)) for name, search in searches.items()}
        took = in_turns(turns, rounds=3 if given.quick else 7, warm=1)
        for name, search in searches.items():
            truth = makers[name][1]
            hits = sum(len(set(search(at)[:BEST]) & set(right)) for at, right in enumerate(truth))
            found = hits / max(1, sum(map(len, truth)))
            ingest, disk = built[name]
            figures.append(
                Figure(
                    f"{name}: a question, median of rounds",
                    statistics.median(took[name]) * 1e3 / len(scene.asked),
                    "ms",
                    note=f"{found:.3f} of the exact ten; {number(len(scene.keys) / ingest)} texts a second taken in; "
                    f"{number(disk / len(scene.keys) / 1e3)} KB a text on disk; load {os.getloadavg()[0]:.1f}",
                )
            )
        return figures


def _turn(search: Search, count: int) -> Callable[[], float]:
    def all_of_them() -> float:
        start = time.perf_counter()
        for at in range(count):
            search(at)
        return time.perf_counter() - start

    return all_of_them


def _scene(folder: Path, size: int, count: int) -> Scene:
    import random

    from cortex.models import load_encoder
    from cortex.store.kinds import Correction
    from cortex.store.words import query_terms, terms

    chance = random.Random(5)
    texts = []
    for at in range(size):
        lesson = synthetic.lesson(chance, at)
        if isinstance(lesson, Correction):
            texts.append(f"{lesson.subject}\n{lesson.path}\n{lesson.before}\n{lesson.after}")
        else:
            texts.append(f"{lesson.title}\n{lesson.text}")
    encoder, asked = load_encoder(), synthetic.questions(count)
    return Scene(
        folder,
        [f"{at:032x}" for at in range(size)],
        texts,
        [" ".join(terms(text)) for text in texts],
        encoder.encode(texts, kind="code"),
        asked,
        [query_terms(each) for each in asked],
        encoder.encode(asked, kind="query"),
    )


def _exact(scene: Scene) -> list[list[str]]:
    scores = scene.rows @ scene.asked_rows.T
    return [[scene.keys[at] for at in np.argsort(-column)[:BEST]] for column in scores.T]


def _plain(scene: Scene) -> list[list[str]]:
    from cortex.store.words import MemoryWords

    words = MemoryWords()
    words.put(list(zip(scene.keys, scene.texts, strict=True)))
    return [[key for key, _ in words.search(each, BEST)] for each in scene.asked]


def _ours_vectors(scene: Scene, place: Path) -> Search:
    from cortex.store.bulk.bulk import SEARCH
    from cortex.store.near import VoyagerGraph

    made = VoyagerGraph(scene.rows.shape[1], LINKS, CONSTRUCTION, eight=True)
    scale = np.abs(scene.rows).max(axis=1) / 127
    rows = np.rint(scene.rows / scale[:, None]).astype(np.int8)
    for at in range(0, len(scene.keys), 4_096):
        part = scene.rows[at : at + 4_096]
        made.add(part, list(range(at, at + len(part))))
    made.save(place / "graph")
    (place / "rows").write_bytes(rows.tobytes() + scale.tobytes())

    def search(at: int) -> list[str]:
        found = [number for number, _ in made.query(scene.asked_rows[at], BEST + BEST // 2 + 8, SEARCH)]
        cosines = (rows[found].astype(np.float32) @ scene.asked_rows[at]) * scale[found]
        return [scene.keys[found[best]] for best in np.argsort(-cosines, kind="stable")[:BEST]]

    return search


def _ours_words(scene: Scene, place: Path) -> Search:
    from cortex.store.postings import PostingWords

    made = PostingWords()
    for at in range(0, len(scene.keys), 512):
        part = slice(at, at + 512)
        made.put(list(zip(scene.keys[part], scene.texts[part], strict=True)))
    made.keep(place)
    return lambda at: [key for key, _ in made.search(scene.asked[at], BEST)]


def _chromadb(scene: Scene, place: Path) -> Search:
    chromadb = import_module("chromadb")
    settings = chromadb.Settings(anonymized_telemetry=False)
    client = chromadb.PersistentClient(path=str(place), settings=settings)
    how = {"space": "cosine", "ef_construction": CONSTRUCTION, "ef_search": EF, "max_neighbors": LINKS}
    made = client.create_collection("texts", configuration={"hnsw": how}, embedding_function=None)
    for at in range(0, len(scene.keys), 2_000):
        part = slice(at, at + 2_000)
        made.add(ids=scene.keys[part], embeddings=scene.rows[part], documents=scene.texts[part])

    def search(at: int) -> list[str]:
        found = made.query(query_embeddings=[scene.asked_rows[at]], n_results=BEST, include=["distances"])
        return list(found["ids"][0])

    return search


def _lance_table(scene: Scene, place: Path) -> Any:
    lancedb = import_module("lancedb")
    rows = [
        {"key": key, "text": text, "vector": row}
        for key, text, row in zip(scene.keys, scene.texts, scene.rows, strict=True)
    ]
    return lancedb.connect(str(place)).create_table("texts", rows)


def _lance_search(table: Any, scene: Scene, ef: int | None) -> Search:
    def search(at: int) -> list[str]:
        asked = (
            table.search(scene.asked_rows[at])
            .distance_type("cosine")
            .select(["key", "_distance"])
            .limit(BEST)
        )
        asked = asked if ef is None else asked.nprobes(20).ef(ef)
        return [each["key"] for each in asked.to_list()]

    return search


def _lancedb(scene: Scene, place: Path) -> Search:
    return _lance_search(_lance_table(scene, place), scene, None)


def _lancedb_index(scene: Scene, place: Path) -> Search:
    table = _lance_table(scene, place)
    table.create_index(
        metric="cosine", index_type="IVF_HNSW_SQ", m=LINKS, ef_construction=CONSTRUCTION, num_partitions=1
    )
    return _lance_search(table, scene, EF)


def _fts5(scene: Scene, place: Path) -> Search:
    """FTS5 over our stems, as it comes."""
    connection = sqlite3.connect(place / "words")
    connection.execute("create virtual table texts using fts5(key unindexed, body)")
    with connection:
        rows = zip(scene.keys, scene.stems, strict=True)
        connection.executemany("insert into texts (key, body) values (?, ?)", rows)

    def search(at: int) -> list[str]:
        match = " OR ".join(f'"{word}"' for word in scene.asked_stems[at])
        found = connection.execute(
            "select key from texts where texts match ? order by rank limit ?", (match, BEST)
        )
        return [key for (key,) in found]

    return search


def _grep(scene: Scene, place: Path) -> Search:
    """grep for any of the stems: the first ten lines that hold one."""
    lines = (f"{key} {' '.join(text.split())}\n" for key, text in zip(scene.keys, scene.texts, strict=True))
    (place / "texts").write_text("".join(lines))

    def search(at: int) -> list[str]:
        words = [part for word in scene.asked_stems[at] for part in ("-e", word)]
        told = subprocess.run(
            ["grep", "-iF", *words, "texts"], cwd=place, stdout=subprocess.PIPE, check=False
        )
        return [line[:32].decode() for line in told.stdout.split(b"\n")[:BEST]]

    return search


def _disk(place: Path) -> float:
    return float(sum(path.stat().st_size for path in place.rglob("*") if path.is_file()))


if __name__ == "__main__":
    main(measure, ("--size", {"type": int, "default": 0, "help": "how many texts"}))

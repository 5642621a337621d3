"""Row 9: whatever happens to the index, answers stay right and nothing crashes; and it can go at any time."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cortex.daemon.engine import Engine
from cortex.daemon.state import Models
from cortex.repo.layout import lay_down
from cortex.repo.places import find
from cortex.store.journal import FileJournal, create
from cortex.store.kinds import Correction

TEMPLATE = Path(__file__).resolve().parent.parent / ".cortex-template"

#: In a process of its own: a crash of a library must not take the tests along, and is what is looked for.
DAMAGE = """
import json, random, sys
from pathlib import Path
from cortex.daemon import apart, holding, upkeep
from cortex.daemon.engine import Engine
from cortex.daemon.state import Models
from cortex.repo.places import find

apart.QUIET_S = 0.0  # what is read in quiet moments is read at once

repo, seed, count, large = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
holding.LAY_AT = large or holding.LAY_AT
upkeep.LAY_S = 0.0
chance = random.Random(seed)
models = Models()
place = find(repo)
folder = place.store / "index"
QUESTIONS = ["how are timestamps stored?", "how do we call requests.get?", "what is the retry limit?",
             "which logger do we use?"]

def answers(engine):
    return [[each["id"] for each in engine.handle("ask", {"question": each})["memories"]] for each in QUESTIONS]

def rest(engine):
    # All that the background does, and what it has other processes do.
    while engine.background(lambda: False, 5.0) or engine._upkeep.laying is not None:
        if engine._upkeep.laying is not None:
            engine._upkeep.laying._process.wait()

engine = Engine(place, models)
engine.background(lambda: False, 5.0)
right = answers(engine)
rest(engine)
wrong = []
done = {}
for n in range(count):
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "refs.json")
    if not files:
        engine.handle("ask", {"question": QUESTIONS[0]})
        continue
    file = chance.choice(files)
    how = chance.choice(["flip", "flip", "truncate", "delete", "empty", "junk", "grow"])
    data = bytearray(file.read_bytes())
    if how == "flip" and data:
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif how == "truncate":
        del data[chance.randrange(len(data) + 1):]
    elif how == "empty":
        data = bytearray()
    elif how == "junk":
        data = bytearray(chance.randbytes(len(data)))
    elif how == "grow":
        data += chance.randbytes(100)
    if how == "delete":
        file.unlink()
    elif chance.random() < 0.5:
        file.write_bytes(data)  # in place
    else:
        other = file.with_name("x")
        other.write_bytes(data)
        other.replace(file)
    done[f"{how} {file.suffix}"] = done.get(f"{how} {file.suffix}", 0) + 1
    print(n, how, file.name, file=sys.stderr, flush=True)
    now = answers(engine)
    if now != right:
        wrong.append([n, how, file.name, "same engine"])
    if chance.random() < 0.5:
        engine.close()
        engine = Engine(place, models)
        now = answers(engine)
        if now != right:
            wrong.append([n, how, file.name, "new engine"])
    rest(engine)
print(json.dumps({"right": right, "wrong": wrong, "done": done}))
"""

NOTES = (
    ("Timestamps", "Timestamps are stored in UTC as integer milliseconds."),
    ("Requests", "Call requests.get with a timeout of ten seconds, always."),
    ("Retries", "The retry limit is three, with an exponential delay."),
    ("Logging", "Use the logger from structlog, never the print function."),
)


def filled(repo: Path) -> Path:
    place = find(repo)
    lay_down(place, TEMPLATE)
    create(place.store)
    (place.store / "config.toml").write_text("[learn]\nhistory = false\n")
    engine = Engine(place, Models())
    for title, text in NOTES:
        engine.handle("remember", {"title": title, "text": text})
    for n in range(12):
        engine.handle("remember", {"text": f"Module number {n} of the parser owns the tokens of colour {n}."})
    engine.close()
    return repo


def damage(repo: Path, seed: int, count: int, large: int = 0) -> tuple[int, list[object]]:
    run = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", DAMAGE, str(repo), str(seed), str(count), str(large)],
        capture_output=True,
        text=True,
        check=False,
        timeout=3000,
    )
    assert run.returncode == 0, f"exit status {run.returncode}\n{run.stderr[-3000:]}"
    said = json.loads(run.stdout.splitlines()[-1])
    assert all(said["right"]), "the questions have answers to lose"
    return sum(said["done"].values()), said["wrong"]


def test_a_damaged_index_is_rebuilt_and_answers_stay_right(
    repo: Path, seed: int, tell: Callable[[str], None]
) -> None:
    filled(repo)
    exact, wrong = damage(repo, seed, 60)
    near, also = damage(repo, seed + 1, 25, large=4)
    tell(
        f"damaged index: {exact} of an index + {near} laid down, {len(wrong) + len(also)} wrong (seed {seed})"
    )
    assert not wrong and not also


@pytest.mark.nightly
def test_a_damaged_index_is_rebuilt_and_answers_stay_right_all_night(
    repo: Path, seed: int, tell: Callable[[str], None]
) -> None:
    filled(repo)
    exact, wrong = damage(repo, seed, 2500)
    near, also = damage(repo, seed + 1, 2500, large=4)
    tell(
        f"damaged index: {exact} of an index + {near} laid down, {len(wrong) + len(also)} wrong (seed {seed})"
    )
    assert not wrong and not also


@pytest.mark.parametrize(
    "how", ["deleted", "emptied", "damaged", "a flipped id", "between record and commit"]
)
def test_what_was_recorded_is_learnt_though_the_index_went(
    repo: Path, commit: Callable[..., str], how: str
) -> None:
    """The index folder also holds which commits were seen: losing it must not lose a lesson."""
    filled(repo)
    wrote = "import requests\n\n\ndef fetch(url):\n    return requests.get(url).json()\n"
    edited = wrote.replace("get(url)", "get(url, timeout=10)")
    place = find(repo)
    folder = place.store / "index"
    with_index = Engine(place, Models())
    with_index.handle("learn", {})
    with_index.handle("record", {"path": "gen.py", "content": wrote})
    if how == "between record and commit":
        shutil.rmtree(folder)
    commit(repo, {"gen.py": edited})
    commit(repo, {"other.py": "x = 1\n"})
    if how == "deleted":
        shutil.rmtree(folder)
    elif how == "emptied":
        (folder / "refs.json").write_bytes(b"")
    elif how == "damaged":
        data = bytearray((folder / "refs.json").read_bytes())
        data[random.Random(1).randrange(len(data))] ^= 4
        (folder / "refs.json").write_bytes(data)
    elif how == "a flipped id":
        text = (folder / "refs.json").read_text()
        at = text.index('"', text.index("[")) + 5
        (folder / "refs.json").write_text(text[:at] + "g" + text[at + 1 :])
    with_index.handle("learn", {})
    with_index.handle("learn", {})
    found = list(FileJournal(place.store, author="").view().of_kind(Correction.KIND))
    assert [str(each.body["after"]).count("timeout") for each in found] == [1]


def test_an_index_that_cannot_be_written_stops_no_answer(repo: Path) -> None:
    filled(repo)
    place = find(repo)
    shutil.rmtree(place.store / "index")
    (place.store / "index").write_bytes(b"a file in its place")
    engine = Engine(place, Models())
    assert engine.handle("ask", {"question": "how are timestamps stored?"})["memories"]
    engine.close()
    assert os.path.isfile(place.store / "index")

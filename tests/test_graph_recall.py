"""What the graph is worth in an answer: successors, what is required, what is near, what became of the code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from running import git

from cortex.daemon.contracts import asking
from cortex.daemon.session import Session
from cortex.daemon.standing import standing
from cortex.daemon.state import Models, State
from cortex.daemon.vanished import vanished
from cortex.repo.errors import UsageError
from cortex.repo.places import find

Commit = Callable[..., str]
Told = dict[str, Any]


def cortex(repo: Path, *words: str) -> str:
    """What the command prints, without a daemon."""
    done = subprocess.run(
        [sys.executable, "-m", "cortex", *words],
        cwd=repo,
        env={**os.environ, "CORTEX_NO_DAEMON": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(repo: Path, op: str, **given: Any) -> Told:
    """What the same operation says in process: quicker than a command."""
    with Session.open(repo, daemon=False) as opened:
        return dict(opened.call(op, **given))


def asked(repo: Path, question: str, **given: Any) -> list[str]:
    return [each["id"] for each in told(repo, "ask", question=question, **given)["memories"]]


@pytest.fixture
def here(repo: Path) -> Path:
    cortex(repo, "init", "--no-history")
    return repo


def remember(repo: Path, text: str, **given: Any) -> str:
    return str(told(repo, "remember", text=text, **given)["id"])


UTC = "Times are stored as integers in milliseconds since the epoch, in UTC."
ISO = "Timestamps go to the database as ISO 8601 texts with their zone."
ZONE = "The zone of a database session is set to UTC when it connects."


def test_a_superseded_memory_is_never_returned_without_its_successor(here: Path):
    question = "how are times stored in milliseconds?"
    old = remember(here, UTC)
    assert asked(here, question) == [old]
    new = json.loads(cortex(here, "remember", "--json", "--supersedes", old[:12], ISO))["id"]
    answer = json.loads(cortex(here, "ask", "--json", question))
    assert [each["id"] for each in answer["memories"]] == [new]
    assert answer["dropped"]["superseded"] == 1 and "ISO 8601" in answer["context"]
    why = answer["memories"][0]["why"]
    assert sum(why.values()) == pytest.approx(answer["memories"][0]["score"], abs=1e-5)
    last = remember(here, "Never mind the clock: ask the ledger for its sequence numbers.", supersedes=[new])
    assert asked(here, question) == [last]
    told(here, "forget", id=last)
    assert asked(here, question) == [new]


def test_two_that_supersede_each_other_do_not_go_round_for_ever(here: Path):
    first = remember(here, UTC)
    remember(here, UTC.replace("integers", "whole numbers"), supersedes=[first])
    assert len(asked(here, "how are times stored in milliseconds?")) == 1


def test_what_a_memory_requires_comes_along_where_it_fits(here: Path):
    needed = remember(here, "Open the vault by hand each morning.")
    first = remember(here, ISO, requires=[needed])
    question = "how do timestamps go to the database?"
    assert asked(here, question) == [first, needed]
    assert asked(here, question, k=1) == [first]
    newer = remember(here, "The vault opens by itself at seven.", supersedes=[needed])
    assert asked(here, question) == [first, newer]
    explained = cortex(here, "ask", "--explain", question)
    assert "vault" in explained and re.search(r"required +\+\d", explained)


SHOP = {
    "shop/cart.py": "from .money import add\n\ndef total(rows):\n    return sum(rows)\n",
    "shop/money.py": "def add(a, b):\n    return a + b\n",
    "shop/page.py": "from .cart import total\n\ndef show(rows):\n    print(total(rows))\n",
    "other.py": "def other():\n    return 1\n",
}
#: Says nothing that a question about these files would say.
ODD = "Keep half pennies until Friday."


def test_what_is_named_brings_what_vectors_and_words_miss(here: Path, commit: Commit):
    commit(here, SHOP)
    told(here, "graph", what="shop/cart.py")  # without a daemon: this reads the code
    by_path = remember(here, ODD, path="shop/cart.py")
    question = "what does `total` need in review?"
    assert asked(here, "what is needed in review?") == []
    answer = told(here, "ask", question="what is needed in review of shop/cart.py?")
    assert [each["id"] for each in answer["memories"]] == [by_path]
    assert answer["memories"][0]["why"]["graph"] > 0.3
    assert asked(here, question) == [by_path]
    assert re.search(r"graph +\+0\.", cortex(here, "ask", "--explain", question))
    assert asked(here, "what is needed in review of other.py?") == []


def test_a_step_away_counts_less_and_alone_is_not_enough(here: Path, commit: Commit):
    commit(here, SHOP)
    told(here, "graph", what="shop/cart.py")
    far = remember(here, "Sums of rows are taken in pennies.", path="shop/money.py")
    assert asked(here, "what is needed in review of shop/cart.py?") == []
    near = told(here, "ask", question="sums of rows in shop/cart.py")["memories"]
    assert [each["id"] for each in near] == [far] and 0 < near[0]["why"]["graph"] < 0.2
    assert "graph" not in told(here, "ask", question="sums of rows in other.py")["memories"][0]["why"]


BEFORE = "import requests\n\ndef fetch(url):\n    return requests.get(url)\n\ndef other():\n    return 1\n"
AFTER = BEFORE.replace("requests.get(url)", "requests.get(url, timeout=10)")
QUESTION = "how do we call requests.get(url)?"


@pytest.fixture
def corrected(here: Path, commit: Commit) -> Path:
    """A repository with one correction, learnt from real commits."""
    commit(here, {"net/client.py": "import requests\n"})
    (here / "net/client.py").write_text(BEFORE)
    subprocess.run(
        [sys.executable, "-m", "cortex", "record", "--path", "net/client.py", "--agent", "test"],
        cwd=here,
        env={**os.environ, "CORTEX_NO_DAEMON": "1"},
        input=BEFORE.encode(),
        check=True,
        capture_output=True,
    )
    commit(here, {"net/client.py": AFTER}, message="Give up after ten seconds")
    told(here, "learn")
    assert "gone" not in context(here) and "since" not in context(here)
    return here


def context(repo: Path) -> str:
    """What the answer says of that correction; others may stand beside it."""
    found: str = told(repo, "ask", question=QUESTION)["context"]
    return next(line for line in found.splitlines() if "timeout=10" in line)


def test_a_memory_stays_fresh_while_its_code_stands(corrected: Path, commit: Commit):
    commit(corrected, {"net/client.py": AFTER.replace("return 1", "return 2")})
    assert "since" not in context(corrected)
    git(corrected, "mv", "net/client.py", "net/http.py")
    commit(corrected, {}, message="Rename")
    assert "gone" not in context(corrected)
    commit(corrected, {"net/http.py": None, "web/fetching.py": "# moved\n" + AFTER})
    told(corrected, "graph", what="web/fetching.py")
    assert "gone" not in context(corrected)


OTHER = "import requests\n\ndef ping(host):\n    requests.get(host)\n"


def test_a_memory_says_when_its_code_was_rewritten_or_is_gone(corrected: Path, commit: Commit):
    commit(corrected, {"net/client.py": AFTER.replace("requests.get(url, timeout=10)", "session.fetch(url)")})
    assert "that code was rewritten since" in context(corrected)
    commit(corrected, {"net/client.py": "def other():\n    return 1\n", "net/ping.py": OTHER})
    told(corrected, "graph", what="net/client.py")
    assert "that code is gone" in context(corrected)
    commit(corrected, {"net/client.py": None})
    assert "that file is gone" in context(corrected)
    answer = told(corrected, "ask", question=QUESTION)["memories"][0]
    assert answer["why"]["freshness"] < 0
    commit(corrected, {"net/client.py": AFTER})
    assert "gone" not in context(corrected) and "since" not in context(corrected)


def test_a_correction_drops_out_when_nothing_that_it_speaks_of_is_left(corrected: Path, commit: Commit):
    kept = remember(corrected, "Each call of requests.get has a timeout.", path="net/client.py")
    commit(corrected, {"net/client.py": None, "net/other.py": "def other():\n    return 1\n"})
    answer = told(corrected, "ask", question=QUESTION)
    assert [each["id"] for each in answer["memories"]] == [kept]  # what a person wrote stays
    assert answer["dropped"]["its code is gone"] == 1
    commit(corrected, {"net/ping.py": OTHER})  # it is called here as well: it may go wrong again
    assert "that file is gone" in context(corrected)


def test_what_was_corrected_in_another_commit_too_says_only_that_its_code_is_gone(
    corrected: Path, commit: Commit
):
    before = "import requests\n\ndef load(url):\n    return requests.get(url)\n"
    told(corrected, "record", path="net/pages.py", content=before, task="load a page")
    commit(corrected, {"net/pages.py": before.replace("get(url)", "get(url, timeout=10)")})
    told(corrected, "learn")
    commit(corrected, {"net/client.py": None, "net/pages.py": None})
    assert "gone" in context(corrected)


def test_a_search_that_had_no_time_drops_nothing_and_goes_on_later(
    corrected: Path, commit: Commit, monkeypatch: pytest.MonkeyPatch
):
    commit(corrected, {"net/client.py": None, "net/other.py": "def other():\n    return 1\n"})
    state = State(find(corrected), Models())
    (item,) = [each for each in state.items() if each.kind == "correction"]
    stands = standing(state)
    monkeypatch.setattr("cortex.daemon.vanished.FILES", 0)
    assert not vanished(state, stands, 0.0)(item) and list(state.searches.values()) == [0]
    assert vanished(state, stands, 60.0)(item)
    assert vanished(state, stands, 0.0)(item)  # it is known now
    state.close()


def test_a_function_as_complex_as_the_one_asked_about_ranks_a_little_higher(corrected: Path):
    told(corrected, "graph", what="net/client.py")
    why = told(corrected, "ask", question=QUESTION, path="net/client.py")["memories"][0]["why"]
    assert 0 < why["complexity"] <= 0.02


def test_graph_shows_what_lies_around_each_kind_of_thing(corrected: Path):
    (memory,) = told(corrected, "log", kind="correction")["memories"]
    shown = told(corrected, "graph", what=memory["id"][:12])
    assert set(shown) == set(get_type_hints(asking.GraphResult))
    for node in shown["nodes"]:
        assert set(node) == set(get_type_hints(asking.GraphNode))
    assert shown["root"] == memory["id"] and shown["schema"] == 1 and shown["left_out"] == 0
    relations = {(each["relation"], each["to"].partition(":")[0]) for each in shown["edges"]}
    assert {("seen_in", "file"), ("seen_in", "symbol"), ("fixed_by", "commit")} <= relations
    kinds = {each["kind"]: each for each in shown["nodes"]}
    assert kinds["symbol"]["title"] == "fetch in net/client.py" and kinds["symbol"]["cyclomatic"] == 1
    text = cortex(corrected, "graph", memory["id"][:12])
    assert "fixed by" in text and "Give up after ten seconds" in text and "\033[" not in text
    for word in ("net/client.py", "fetch", "net/client.py#fetch", "HEAD"):
        assert memory["id"] in [each["id"] for each in told(corrected, "graph", what=word)["nodes"]], word
    imports = told(corrected, "graph", what="net/client.py", relations=["imports"])["edges"]
    assert imports == [{"from": "file:net/client.py", "relation": "imports", "to": "module:requests"}]
    dot = cortex(corrected, "graph", "fetch", "--dot", "--depth", "2")
    assert dot.startswith("digraph cortex {") and "fixed by" in dot and dot.rstrip().endswith("}")


@pytest.mark.parametrize(
    ("word", "said"),
    [("nothing-like-it", "nothing that is called"), ("ffff", "nothing"), ("  ", "nothing is named")],
)
def test_graph_says_what_it_does_not_know(here: Path, word: str, said: str):
    with pytest.raises(UsageError, match=said):
        told(here, "graph", what=word)

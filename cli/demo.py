"""`cortex demo`: the main job on a real repository, in a temporary place, each step checked."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..repo.errors import PlaceError
from ..repo.git import git, git_text
from . import render
from .frame import command, paint
from .stage import Stage, Written

QUESTION = "how should I call api_client.get?"
UNRELATED = "what is the best recipe for sourdough bread?"

LESSONS = (
    Written(
        "shop/orders.py",
        "list the open orders of a customer",
        '''"""Orders."""


def open_orders(api_client, customer):
    rows = api_client.get("/orders/open", customer)
    return [row["id"] for row in rows]
''',
        '''"""Orders."""


def open_orders(api_client, customer):
    rows = api_client.get("/orders/open", customer, timeout=10)
    return [row["id"] for row in rows]
''',
    ),
    Written(
        "shop/invoices.py",
        "sum up what an account owes",
        '''"""Invoices."""


def amount_due(api_client, account):
    total = 0
    for invoice in api_client.get("/invoices", account):
        total += invoice["amount"]
    return total
''',
        '''"""Invoices."""


def amount_due(api_client, account):
    total = 0
    for invoice in api_client.get("/invoices", account, timeout=10):
        total += invoice["amount"]
    return total
''',
    ),
    Written(
        "warehouse/stock.py",
        "is an article in stock?",
        '''"""Stock."""


def in_stock(api_client, sku):
    level = api_client.get(f"/stock/{sku}", {"fresh": True})
    return level["count"] > 0
''',
        '''"""Stock."""


def in_stock(api_client, sku):
    level = api_client.get(f"/stock/{sku}", {"fresh": True}, timeout=10)
    return level["count"] > 0
''',
    ),
)
FOURTH = Written(
    "warehouse/shipping.py",
    "where is a parcel?",
    '''"""Shipping."""


def track(api_client, parcel):
    state = api_client.get("/parcels/" + parcel, ["position"])
    return state["position"]
''',
    "",
)
CONTROL = Written(
    "shop/prices.py",
    "format a price",
    '''"""Prices."""


def formatted(cents):
    return f"{cents // 100}.{cents % 100:02d}"
''',
    "",
)


@command(
    "demo",
    examples="""
cortex demo
cortex demo --repo ~/src/project
cortex demo --repo https://github.com/pallets/flask
""",
    codes=(1,),
)
@click.option(
    "--repo", default="", metavar="PATH or URL", help="The repository to clone; Cortex's own by default."
)
@click.option("--keep", is_flag=True, help="Leave the temporary folder, to look around in.")
def demo(repo: str, keep: bool) -> None:
    """Watch Cortex learn from a real history, catch a correction, and bring it back.

    Everything happens in clones in a temporary folder, with a daemon of its own; nothing of yours is touched.
    """
    source = repo or str(own_repository())
    folder = Path(tempfile.mkdtemp(prefix="cortex-demo-"))
    stage = Stage(folder)
    try:
        play(stage, source)
    finally:
        stage.stop()
        if keep:
            stage.note(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def own_repository() -> Path:
    """The repository that this package is run from; raises `PlaceError` when it is installed without one."""
    root = Path(__file__).resolve().parent.parent
    if (root / ".git").exists():
        return root
    raise PlaceError(
        "this Cortex was not installed from a clone", "Name a repository: cortex demo --repo PATH"
    )


def play(stage: Stage, source: str) -> None:
    """The whole demonstration."""
    meet(stage, source)
    learn_one(stage)
    learn_rule(stage)
    act(stage)
    controls(stage)
    share(stage)
    render.say(
        f"\n{paint()('green', 'Every step happened.')} "
        "The lesson came from commits, and every claim shows its evidence."
    )


def meet(stage: Stage, source: str) -> None:
    """Clone, start the daemon, learn from the past, connect the assistant."""
    stage.step(f"A clone of {source}, and what its history teaches")
    git("clone", "--quiet", "--bare", source, str(stage.origin), timeout=600)
    stage.clone(stage.work, "Robin")
    commits = int(git_text("rev-list", "--count", "HEAD", cwd=stage.work))
    stage.note(f"{commits:,} commits, newest: {git_text('log', '-1', '--format=%h %s', cwd=stage.work)}")
    stage.cortex("daemon", "start", cwd=stage.folder)
    stage.note(stage.cortex("init"))
    status = stage.json("daemon", "status")
    stage.happened(
        status["pid"] is not None and bool(status["repositories"]),
        f"the daemon (pid {status['pid']}) watches the clone",
    )
    stage.cortex("connect", "claude-code", "--project")
    stage.happened((stage.work / ".claude" / "settings.json").is_file(), "Claude Code is connected")


def learn_one(stage: Stage) -> None:
    """The first correction: recalled, never flagged."""
    stage.step("An assistant writes a function; a person corrects it before the commit")
    first = LESSONS[0]
    correct(stage, first, "demo-1")
    stage.happened(
        stage.wait(lambda: len(corrections(stage)) == 1), "Cortex learnt one correction from the commit"
    )
    stage.note(stage.cortex("show", corrections(stage)[0]["id"]))
    answer = stage.json("ask", QUESTION)
    stage.happened(not answer["abstained"], "one correction is recalled")
    stage.assistant(Written("shop/probe.py", "a probe", FOURTH.generated, ""), "demo-probe")
    (stage.work / "shop" / "probe.py").unlink()
    told = stage.json("check", text_file(stage, FOURTH.generated))
    stage.happened(
        told["findings"] == [] and told["checked_files"] == 1, "one correction alone flags nothing"
    )


def text_file(stage: Stage, text: str) -> str:
    """A file of the work tree that holds `text`, for a check before anything is staged."""
    file = stage.work / "check_me.py"
    file.write_text(text, encoding="utf-8")
    return str(file)


def learn_rule(stage: Stage) -> None:
    """Two more of the kind: they become a rule, and the back-test decides whether it may warn."""
    stage.step("The same correction twice more, in other files, with other names and literals")
    (stage.work / "check_me.py").unlink()
    for number, lesson in enumerate(LESSONS[1:], 2):
        correct(stage, lesson, f"demo-{number}")
        wanted = number
        stage.happened(
            stage.wait(lambda wanted=wanted: len(corrections(stage)) == wanted),  # type: ignore[misc]
            f"correction {number} is learnt",
        )
    stage.note(stage.cortex("log", "--kind", "correction", "--limit", "3"))
    stage.happened(
        stage.wait(lambda: rule(stage) is not None),
        "three alike became one rule, and its back-test let it warn",
    )
    found = rule(stage)
    assert found is not None
    stage.happened(found["support"] == 3, "its support is 3")
    stage.note(stage.cortex("show", found["id"]))


def act(stage: Stage) -> None:
    """The fourth of the kind: flagged after the write, and again before the commit; recalled on a question."""
    stage.step("The assistant makes the mistake a fourth time")
    said = stage.assistant(FOURTH, "demo-4")
    context = json.loads(said)["hookSpecificOutput"]["additionalContext"] if said.strip() else ""
    stage.happened("timeout=10" in context, "the assistant itself is told, right after the write")
    stage.stage_all()
    found = stage.json("check")["findings"]
    stage.happened(
        len(found) == 1 and found[0]["path"] == FOURTH.path and found[0]["support"] == 3,
        "the guard flags exactly that line, support 3",
    )
    stage.happened(
        "timeout=10" in found[0]["after"] and "timeout" not in found[0]["before"],
        "and says what to write instead",
    )
    stage.happened(
        len(found[0]["evidence"]) > 0 and "matched" in found[0]["backtest"], "with its evidence and back-test"
    )
    said = stage.commit("Track parcels")
    stage.happened("timeout=10" in said, "git commit shows the warning, and is not blocked:")
    stage.note(said)
    answer = stage.json("ask", QUESTION)
    stage.happened(
        "timeout=10" in answer["context"] and 0 < answer["tokens"] < 500,
        f"cortex ask brings the lesson back in {answer['tokens']} tokens:",
    )
    stage.note(stage.cortex("ask", QUESTION, "--explain"))


def controls(stage: Stage) -> None:
    """What must stay quiet, stays quiet."""
    stage.step("Two controls")
    stage.assistant(CONTROL, "demo-5")
    stage.stage_all()
    told = stage.json("check")
    stage.happened(told["checked_files"] == 1 and told["findings"] == [], "an unrelated file gets no finding")
    stage.commit("Format prices")
    answer = stage.json("ask", UNRELATED)
    stage.happened(answer["abstained"] and answer["tokens"] == 0, f"“{UNRELATED}” gets no answer")


def share(stage: Stage) -> None:
    """A teammate's clone gets the lesson through the branch."""
    stage.step("A teammate syncs through the branch cortex/memory")
    stage.note(stage.cortex("sync"))
    stage.clone(stage.mate, "Kim")
    stage.cortex("init", "--no-history", cwd=stage.mate)
    stage.note(stage.cortex("sync", cwd=stage.mate))
    answer = stage.json("ask", QUESTION, cwd=stage.mate)
    stage.happened("timeout=10" in answer["context"], "the teammate's Cortex recalls the same lesson")
    stage.happened(
        all(each["trust"] == "pulled" for each in answer["memories"]), "and says that it was pulled"
    )
    stage.note(answer["context"])


def correct(stage: Stage, lesson: Written, conversation: str) -> None:
    """The assistant writes, the person corrects, git commits."""
    stage.assistant(lesson, conversation)
    (stage.work / lesson.path).write_text(lesson.corrected, encoding="utf-8")
    stage.commit(f"Add {Path(lesson.path).stem}: {lesson.task}")


def corrections(stage: Stage) -> list[Mapping[str, Any]]:
    """The corrections of this demonstration: those of the lessons' files."""
    paths = {lesson.path for lesson in LESSONS}
    told = stage.json("log", "--kind", "correction", "--limit", "0")
    return [each for each in told["memories"] if each["evidence"] and each["evidence"][0]["path"] in paths]


def rule(stage: Stage) -> Mapping[str, Any] | None:
    """The rule that came of them, once it may warn."""
    told = stage.json("log", "--kind", "rule", "--limit", "0")
    return next(
        (
            each
            for each in told["memories"]
            if each["status"] == "active" and "timeout=10" in each["text"] + each["title"]
        ),
        None,
    )

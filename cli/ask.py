"""`cortex ask`: the memories that matter for a question, and the repository's own code and history."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import click

from ..repo.errors import UsageError
from . import batch, render
from .frame import command, json_option, repo_option, session, show


@command(
    "ask",
    examples="""
cortex ask "how do we call requests.get?"
cortex ask --language go "close a file"
cortex ask --in memories,code,history "where is the session cookie signed?"
cortex ask --json --budget 200 "add a retry" | jq -r .context
echo '{"text": "add a retry", "language": "python"}' | cortex ask --batch -
""",
    codes=(4,),
)
@click.argument("question", nargs=-1)
@click.option("-k", "--k", type=click.IntRange(1, 5), help="Memories at most [default: 5].")
@click.option("--budget", type=click.IntRange(50, 500), help="Tokens at most [default: 500].")
@click.option("--language", default="", help="Only memories of this language, or of none.")
@click.option("--path", default="", help="The file that the task is about.")
@click.option(
    "--in",
    "sources",
    default="memories",
    show_default=True,
    metavar="SOURCES",
    help="Where to look: memories, code (functions and docs of HEAD), history (commits); commas between.",
)
@click.option(
    "--batch",
    "file",
    default="",
    metavar="FILE",
    help='Answer each line of FILE (- for standard input), {"text": …, "language", "path", "in"}, as JSON Lines.',
)
@click.option(
    "--explain",
    is_flag=True,
    help="Say why: how the question was read, what each feature gave, what fell short.",
)
@json_option
@repo_option
def ask(
    question: tuple[str, ...],
    k: int | None,
    budget: int | None,
    language: str,
    path: str,
    sources: str,
    file: str,
    explain: bool,
    as_json: bool,
    repo: str,
) -> None:
    """Recall what was learnt about QUESTION, or nothing when nothing is close enough.

    Works with the daemon down as well, only slower.
    """
    given: dict[str, Any] = {"k": k, "budget": budget, "language": language, "path": path}
    given |= {"sources": sources, "cwd": os.getcwd(), "explain": explain}
    if file:
        if question:
            raise UsageError("a question and --batch are given", "Put the question into the file.")
        with session(repo) as opened:
            for line in batch.lines(file):
                said = batch.answer(line, lambda **args: opened.call("ask", **args), given)
                click.echo(json.dumps(said, ensure_ascii=True, separators=(",", ":")))
        return
    if not question:
        raise click.UsageError("Missing argument 'QUESTION...'.")
    with session(repo) as opened:
        result = opened.call("ask", question=" ".join(question), **given)
    show(result, as_json, told)


def told(result: Mapping[str, Any], paint: render.Paint) -> str:
    """The answer as words, with its explanation where it has one."""
    from .explained import columns, explained

    why = explained(result, paint, columns(os.environ)) if result["explanation"] else ""
    return render.ask(result, paint, why)

"""`cortex ask`: the memories that matter for a question."""

from __future__ import annotations

import os

import click

from . import render
from .frame import command, json_option, repo_option, session, show


@command(
    "ask",
    examples="""
cortex ask "how do we call requests.get?"
cortex ask --language go "close a file"
cortex ask --json --budget 200 "add a retry" | jq -r .context
""",
    codes=(4,),
)
@click.argument("question", nargs=-1, required=True)
@click.option("-k", "--k", type=click.IntRange(1, 5), help="Memories at most [default: 5].")
@click.option("--budget", type=click.IntRange(50, 500), help="Tokens at most [default: 500].")
@click.option("--language", default="", help="Only memories of this language, or of none.")
@click.option("--path", default="", help="The file that the task is about.")
@click.option("--explain", is_flag=True, help="Say for each memory what each feature gave.")
@json_option
@repo_option
def ask(
    question: tuple[str, ...],
    k: int | None,
    budget: int | None,
    language: str,
    path: str,
    explain: bool,
    as_json: bool,
    repo: str,
) -> None:
    """Recall what was learnt about QUESTION, or nothing when nothing is close enough.

    Works with the daemon down as well, only slower.
    """
    with session(repo) as opened:
        result = opened.call(
            "ask",
            question=" ".join(question),
            k=k,
            budget=budget,
            language=language,
            path=path,
            cwd=os.getcwd(),
        )
    show(result, as_json, lambda told, paint: render.ask(told, paint, explain))

"""`cortex record`: take down what an assistant wrote."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from ..agents import AGENTS
from ..repo.errors import UsageError
from . import render
from .frame import command, json_option, paint, redactions, repo_option, session


@command(
    "record",
    examples="""
cortex record --path src/client.py --agent aider --model gpt-5 --task "add a client"
generate | cortex record --path src/client.py --task "add a client"
cortex record --from claude-code < payload.json
""",
    codes=(4,),
)
@click.option("--path", help="The file that was written.")
@click.option("--agent", default="", help="Who wrote it: claude-code, aider, cursor, …")
@click.option("--model", default="", help="The language model behind it.")
@click.option("--task", default="", help="What the person had asked for.")
@click.option("--conversation", default="", help="The conversation's id, as the agent names it.")
@click.option("--prompt", default="", help="The prompt's id within the conversation.")
@click.option(
    "--before",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the content from before; otherwise the last that is known.",
)
@click.option(
    "--from",
    "source",
    type=click.Choice(sorted(AGENTS)),
    help="Read this agent's hook JSON from standard input.",
)
@json_option
@repo_option
def record(
    path: str | None,
    agent: str,
    model: str,
    task: str,
    conversation: str,
    prompt: str,
    before: Path | None,
    source: str | None,
    as_json: bool,
    repo: str,
) -> None:
    """Record a generation: the content on standard input, or else the file as it is.

    Exit status 0 means that it is on disk, fsynced.
    """
    if source is not None:
        _from_agent(source, as_json, repo)
        return
    if path is None:
        raise UsageError(
            "which file was written?", "Name it with --path, or give an agent's JSON with --from."
        )
    content = None if sys.stdin.isatty() else _stdin()
    with session(repo) as opened:
        result = opened.call(
            "record",
            path=path,
            content=content or None,
            before=before.read_bytes().decode("utf-8", "surrogateescape") if before else None,
            agent=agent,
            model=model,
            task=task,
            conversation=conversation,
            prompt=prompt,
            cwd=os.getcwd(),
        )
    if as_json:
        render.say(render.as_json(result))
    else:
        lines = render.count(result["lines"], "line")
        render.say(
            f"{paint()('green', 'recorded')} {lines} of {render.safe(result['path'])} as {result['generation'][:12]}"
            f"{redactions(result)}"
        )


def _from_agent(source: str, as_json: bool, repo: str) -> None:
    with session(repo) as opened:
        result = opened.call("hook", agent=source, payload=_stdin())
    if result["passed_over"] and not result["recorded"]:
        raise UsageError("nothing was recorded: " + "; ".join(result["passed_over"]))
    if as_json:
        render.say(render.as_json(result))
    else:
        said = {"redacted": sum(each.get("redacted", 0) for each in result["recorded"])}
        render.say(
            f"{paint()('green', 'recorded')} {render.count(len(result['recorded']), 'generation')}"
            f"{redactions(said)}"
        )


def _stdin() -> str:
    return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")

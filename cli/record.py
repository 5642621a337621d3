"""`cortex record`: take down what an assistant wrote."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from ..agents import AGENTS
from ..analyzers.junit import LARGEST, read_junit
from ..repo.errors import UsageError
from . import render
from .frame import command, json_option, paint, redactions, repo_option, session


@command(
    "record",
    examples="""
cortex record --path src/client.py --agent aider --model gpt-5 --task "add a client"
generate | cortex record --path src/client.py --task "add a client"
cortex record --from claude-code < payload.json
cortex record --tests report.xml
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
@click.option(
    "--tests",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the result of tests from this JUnit XML file.",
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
    tests: Path | None,
    as_json: bool,
    repo: str,
) -> None:
    """Record a generation: the content on standard input, or else the file as it is.

    With --tests: how tests went, for what was generated since the last commit, or else for what that commit
    decided; --path and --conversation narrow it. Exit status 0 means that it is on disk, fsynced.
    """
    if tests is not None:
        _tests(tests, path or "", conversation, as_json, repo)
        return
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


def _tests(file: Path, path: str, conversation: str, as_json: bool, repo: str) -> None:
    if file.stat().st_size > LARGEST:
        raise UsageError(f"{file} is larger than {LARGEST >> 20} MiB")
    found = read_junit(file.read_bytes())
    with session(repo) as opened:
        result = opened.call(
            "trial",
            source="junit",
            passed=found.passed,
            failed=found.failed,
            errors=found.errors,
            skipped=found.skipped,
            duration=found.duration,
            failing=list(found.failing),
            path=path,
            conversation=conversation,
            cwd=os.getcwd(),
        )
    if as_json:
        render.say(render.as_json(result))
        return
    counts = f"{result['passed']:,} passed, {result['failed']:,} failed, {result['skipped']:,} skipped"
    if not result["trial"]:
        render.say(f"{counts}: nothing was generated since the last commit, nor by it; nothing is noted")
        return
    where = render.count(result["generations"], "generation")
    render.say(
        f"{paint()('green', 'noted')} {counts} for {where} in {render.count(len(result['paths']), 'file')}"
        f"{redactions(result)}"
    )


def _stdin() -> str:
    return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")

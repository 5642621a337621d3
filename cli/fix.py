"""`cortex fix`: what the guard found, written into the work tree once the person has seen it."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..repo.errors import FINDINGS, CortexError, UsageError
from ..repo.files import write_whole
from ..repo.rewriting import rewrite
from . import render
from .frame import command, json_option, paint, repo_option, session

UNDO = "undo.patch"


@command(
    "fix",
    examples="""
cortex fix                        # what the work tree adds to HEAD: shown, asked, written
cortex fix src/client.py --yes
cortex fix --rule 3f2a91c0 --dry-run
cortex fix --since origin/main
""",
    codes=(1, 4),
)
@click.argument("files", nargs=-1)
@click.option("--rule", default="", metavar="ID", help="Only what this rule offers.")
@click.option(
    "--since", default="", metavar="REV", help="What the work tree adds to where it left this revision."
)
@click.option("--dry-run", is_flag=True, help="Show the diff, and write nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option(
    "--baseline/--no-baseline",
    default=True,
    help="Leave out what `cortex baseline` holds (the default), or not.",
)
@json_option
@repo_option
@click.pass_context
def fix(
    ctx: click.Context,
    files: tuple[str, ...],
    rule: str,
    since: str,
    dry_run: bool,
    yes: bool,
    baseline: bool,
    as_json: bool,
    repo: str,
) -> None:
    """Write what the guard offers into the work tree, after a look at the diff; the index is left alone.

    Only the lines that the work tree adds to HEAD are looked at; a named file that does not differ is looked at
    whole. Everything outside the edits keeps its bytes: comments, line ends, a byte order mark. A file that
    changes meanwhile is left alone. `git apply -R` takes it back: the patch is kept, and its path is printed.
    """
    with session(repo) as opened:
        root, store = opened.place.require_root(), opened.place.store
        result = opened.call(
            "fix", files=list(files) or None, rule=rule, since=since, cwd=os.getcwd(), baseline=baseline
        )
    if result["files"] and not as_json:
        render.say(_preview(result, paint()))
    if result["files"] and not dry_run and (yes or (not as_json and _agreed(result))):
        result = _apply(root, store, result)
    render.say(render.as_json(result) if as_json else _said(result, dry_run, root, paint()))
    if any(each["problem"] for each in result["files"]):
        ctx.exit(FINDINGS)


def _preview(result: Mapping[str, Any], paint: render.Paint) -> str:
    """The diff in colours, and above each file why."""
    lines = []
    for file in result["files"]:
        for finding in file["findings"]:
            place = f"{finding['path']}:{finding['line']}"
            lines.append(
                f"{paint('bold', render.safe(place))}: {paint('yellow', render.safe(finding['message']))}"
            )
        styles = {"+": "green", "-": "red", "@": "cyan"}
        for line in file["patch"].rstrip("\n").split("\n")[1:]:
            style = "bold" if line.startswith(("--- ", "+++ ")) else styles.get(line[:1], "")
            shown = render.safe(line.rstrip("\r"))
            lines.append(paint(style, shown) if style else shown)
        lines.append("")
    return "\n".join(lines).rstrip()


def _agreed(result: Mapping[str, Any]) -> bool:
    """The person's answer; raises `UsageError` where there is no terminal to ask on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "there is no terminal to ask on, and nothing was written",
            "Say `--yes`, or look with `--dry-run`.",
        )
    return click.confirm(f"Write {_counted(result)}?", default=False)


def _counted(result: Mapping[str, Any]) -> str:
    places = sum(len(file["findings"]) for file in result["files"])
    return f"{render.count(places, 'fix', 'fixes')} into {render.count(len(result['files']), 'file')}"


def _apply(root: Path, store: Path, result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The result with what came of it; the patch that undoes it is on disk before the first file is written."""
    undo = store / UNDO
    write_whole(undo, "".join(file["patch"] for file in result["files"]).encode())
    files = []
    for file in result["files"]:
        edits = [(each["line"], each["removed"], each["text"].encode()) for each in file["edits"]]
        problem = ""
        try:
            rewrite(root, file["path"], file["read"], edits, file["written"])
        except CortexError as error:
            problem = error.message
        except OSError as error:
            problem = f"{file['path']}: {error.strerror}"
        files.append({**file, "problem": problem})
    done = [file for file in files if not file["problem"]]
    write_whole(undo, "".join(file["patch"] for file in done).encode())
    return {**result, "files": files, "applied": bool(done), "undo": str(undo) if done else ""}


def _said(result: Mapping[str, Any], dry_run: bool, root: Path, paint: render.Paint) -> str:
    if not result["files"]:
        return paint("dim", "Nothing to fix in the lines that the work tree adds.")
    if not result["applied"]:
        refused = [paint("red", render.safe(file["problem"])) for file in result["files"] if file["problem"]]
        why = "a dry run" if dry_run else "nothing was written"
        return "\n".join([*refused, paint("dim", f"{_counted(result)}: {why}")])
    done = {**result, "files": [file for file in result["files"] if not file["problem"]]}
    lines = [paint("red", render.safe(file["problem"])) for file in result["files"] if file["problem"]]
    lines.append(paint("green", f"wrote {_counted(done)}"))
    command = f"git -C {shlex.quote(str(root))} apply -R {shlex.quote(result['undo'])}"
    return "\n".join([*lines, paint("dim", f"undo it: {render.safe(command)}")])

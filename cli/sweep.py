"""`cortex sweep`: the other places that a change fits, each to accept or not."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ..repo.errors import FINDINGS, CortexError, UsageError
from ..repo.rewriting import ChangedError, rewrite
from . import render
from .frame import command, json_option, paint, repo_option, say_patch, session

Place = Mapping[str, Any]
HELP = """y - change this place
n - leave it: it is not offered again, and the rewrite is trusted less
a - change this place and all that follow
q - stop here; what follows is left undecided"""


@command(
    "sweep",
    examples="""
cortex sweep                      # the work tree's change, or HEAD's: each place is asked, as git add -p does
cortex sweep HEAD~1 --limit 10
cortex sweep --staged --patch | git apply
cortex sweep --worktree --apply
cortex sweep --json | jq '.places[] | {path, line, chance}'
""",
    codes=(1, 4),
)
@click.argument("commit", default="")
@click.option("--worktree", is_flag=True, help="What the work tree changes since HEAD.")
@click.option("--staged", is_flag=True, help="What the index changes since HEAD.")
@click.option("--apply", "take_all", is_flag=True, help="Change all places, without asking.")
@click.option("--patch", "as_patch", is_flag=True, help="Print a diff for `git apply`, and write nothing.")
@click.option("--limit", default=50, show_default=True, metavar="N", help="So many places, the surest.")
@click.option(
    "--least",
    default=0.5,
    show_default=True,
    metavar="CHANCE",
    help="Only places at least this sure (0 to 1).",
)
@json_option
@repo_option
@click.pass_context
def sweep(
    ctx: click.Context,
    commit: str,
    worktree: bool,
    staged: bool,
    take_all: bool,
    as_patch: bool,
    limit: int,
    least: float,
    as_json: bool,
    repo: str,
) -> None:
    """Find where else a change fits: "you changed this in one of nine places".

    The edits of a commit (by default: of the work tree, or where it has none, of HEAD) are looked for in the rest of
    the work tree, and each other place is offered with its rewrite, the surest first. Only the work tree is written,
    never the index, and only where you say so. What you take counts for the rule that it may become, what you refuse
    counts against it, and is not offered again.
    """
    if take_all and as_patch:
        raise UsageError("--apply or --patch", "One writes, the other only prints.")
    with session(repo) as opened:
        result = dict(
            opened.call(
                "sweep",
                commit=commit,
                worktree=worktree,
                staged=staged,
                limit=limit,
                least=least,
                timeout=60.0,
            )
        )
        root = opened.place.require_root()
        places = list(result["places"])
        if as_patch:
            say_patch(_patch(root, places))
            return
        asked = not (take_all or as_json) and sys.stdin.isatty() and sys.stdout.isatty()
        taken, refused = _asked(places) if asked else (places if take_all else [], [])
        done, problems = _apply(root, taken)
        if done or refused:
            opened.call("swept", accepted=done, refused=refused)
    result["applied"], result["problems"] = [each["id"] for each in done], problems
    render.say(render.as_json(result) if as_json else words(result, paint(), not (asked or take_all)))
    if problems:
        ctx.exit(FINDINGS)


def words(result: Mapping[str, Any], style: render.Paint, listed: bool) -> str:
    """What is said in the end; with `listed` the places themselves before it."""
    lines = [_place(each, style) for each in result["places"]] if listed else []
    lines += [style("red", render.safe(problem)) for problem in result["problems"]]
    if result["applied"]:
        lines.append(
            style("green", f"changed {render.count(len(result['applied']), 'place')} in the work tree")
        )
    found, seconds = len(result["places"]), result["elapsed_ms"] / 1000
    what = {"worktree": "the work tree's change", "staged": "what is staged"}
    source = what.get(result["source"]) or f"commit {result['source'][:10]}"
    where = "place" if found == 1 else "places"
    said = (
        f"{source} fits {found} more {where}"
        if found
        else f"nothing else in the tree fits {source} surely enough"
    )
    if result["more"]:
        said += f", and {result['more']:,} less sure ones: `--limit`"
    if not result["finished"]:
        said += "; not all of the tree was looked at"
    if listed and found:
        said += "; `cortex sweep --apply` changes them, `--patch` prints a diff"
    return "\n".join([*lines, style("dim", f"{said} ({seconds:.1f} s)")])


def _place(each: Place, style: render.Paint) -> str:
    like = each["like"]
    beside = [f"    with: {x['text'].strip()}" for x in each["imports"]]
    beside += [f"    needs: {name}, which {each['path']} does not have" for name in each["needs"]]
    return "\n".join(
        [
            style("bold", render.safe(f"{each['path']}:{each['line']}"))
            + style("dim", render.safe(f"  {each['chance']:.0%} sure, like {like['path']}:{like['line']}")),
            render.snippet(each["line_before"], "-", "red", style),
            render.snippet(each["line_after"], "+", "green", style),
            *(style("yellow", render.safe(line)) for line in beside),
        ]
    )


def _asked(places: Sequence[Place]) -> tuple[list[Place], list[Place]]:
    """What the person takes and what they refuse, place by place."""
    taken: list[Place] = []
    refused: list[Place] = []
    style = paint()
    for number, each in enumerate(places, 1):
        render.say(_place(each, style))
        answer = ""
        while answer not in ("y", "n", "a", "q"):
            try:
                answer = (
                    input(f"({number}/{len(places)}) Change this place [y,n,a,q,?]? ").strip().lower()[:1]
                )
            except EOFError:
                answer = "q"
            if answer == "?":
                render.say(HELP)
        if answer == "q":
            break
        if answer == "a":
            return [*taken, *places[number - 1 :]], refused
        (taken if answer == "y" else refused).append(each)
    return taken, refused


def _by_path(places: Sequence[Place]) -> dict[str, list[Place]]:
    out: dict[str, list[Place]] = {}
    for each in places:
        out.setdefault(each["path"], []).append(each)
    return out


def _rewritten(root: Path, path: str, places: Sequence[Place]) -> tuple[bytes, bytes]:
    """A file's bytes before and after. Raises `ChangedError` where it is not what was looked at any more."""
    data = (root / path).read_bytes()
    if hashlib.sha256(data).hexdigest() != places[0]["read"]:
        raise ChangedError(f"{path} was changed meanwhile, and is left alone", "Run `cortex sweep` again.")
    text = data.decode("utf-8")
    edits = [(each["start"], each["end"], each["after"]) for each in places]
    edits += dict.fromkeys((x["start"], x["start"], x["text"]) for each in places for x in each["imports"])
    for start, end, after in sorted(edits, key=lambda x: (-x[0], -x[1])):
        text = text[:start] + after + text[end:]
    return data, text.encode("utf-8")


def _patch(root: Path, places: Sequence[Place]) -> str:
    from ..daemon.fixing import patch_of

    out = []
    for path, mine in _by_path(places).items():
        before, after = _rewritten(root, path, mine)
        out.append(patch_of(path, before.decode("utf-8"), after.decode("utf-8")))
    return "".join(out)


def _apply(root: Path, places: Sequence[Place]) -> tuple[list[Place], list[str]]:
    """Change the files, each whole or not at all; what was done, and what could not be."""
    from ..daemon.fixing import edits_of

    done: list[Place] = []
    problems: list[str] = []
    for path, mine in _by_path(places).items():
        try:
            before, after = _rewritten(root, path, mine)
            edits = [
                (each["line"], each["removed"], each["text"].encode()) for each in edits_of(before, after)
            ]
            rewrite(root, path, mine[0]["read"], edits, hashlib.sha256(after).hexdigest())
        except CortexError as error:
            problems.append(error.message)
        except OSError as error:
            problems.append(f"{path}: {error.strerror}")
        else:
            done += mine
    return done, problems

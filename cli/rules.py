"""`cortex rules`: what was learnt to warn of; a person's word on it; what others may read and bring."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..learning.rules.exchange import LARGEST
from ..repo.errors import UsageError
from ..repo.files import naming, read_plain
from . import render
from .daemon import Verbs
from .frame import Command, json_option, paint, redactions, repo_option, session
from .frame import show as print_result

STATES = ("active", "shadow", "candidate", "retired", "pulled")
STYLES = {"active": "green", "shadow": "yellow", "candidate": "dim", "retired": "red", "pulled": "cyan"}
reason_option = click.option("--reason", default="", help="Why; it stands in the history of the rule.")


@click.group("rules", cls=Verbs)
def rules() -> None:
    """The rules: what they came from, what speaks against them, and what you say of them."""


@rules.command(
    "list",
    cls=Command,
    codes=(4,),
    examples="""
cortex rules list
cortex rules list --state active
cortex rules list --json | jq '.rules[] | [.id, .title]'
""",
)
@click.option("--state", type=click.Choice(STATES), default=None, help="Only rules in this state.")
@json_option
@repo_option
def list_(state: str | None, as_json: bool, repo: str) -> None:
    """List the rules: active ones warn, shadow ones count silently, candidates wait for more corrections."""
    with session(repo) as opened:
        result = opened.call("rules", status=state or "")
    print_result(result, as_json, _list)


@rules.command(
    "show",
    cls=Command,
    codes=(4,),
    examples="""
cortex rules show 3f2a91c0
cortex rules show 3f2a91c0 --json
""",
)
@click.argument("id")
@json_option
@repo_option
def show(id: str, as_json: bool, repo: str) -> None:
    """Show one rule: the corrections behind it, what stands against it in accepted code, and its history."""
    with session(repo) as opened:
        result = opened.call("rule_show", id=id)
    print_result(result, as_json, _rule)


@rules.command(
    "accept",
    cls=Command,
    codes=(4,),
    examples="""
cortex rules accept 3f2a91c0 --reason "agreed on in the team"
""",
)
@click.argument("id")
@reason_option
@json_option
@repo_option
def accept(id: str, reason: str, as_json: bool, repo: str) -> None:
    """Let a rule warn from now on, whatever its counts say."""
    _decide("accept", id, reason, as_json, repo)


@rules.command(
    "disable",
    cls=Command,
    codes=(4,),
    examples="""
cortex rules disable 3f2a91c0 --reason "only right in tests"
""",
)
@click.argument("id")
@reason_option
@json_option
@repo_option
def disable(id: str, reason: str, as_json: bool, repo: str) -> None:
    """Silence a rule for good, until you enable it again."""
    _decide("disable", id, reason, as_json, repo)


@rules.command(
    "enable",
    cls=Command,
    codes=(4,),
    examples="""
cortex rules enable 3f2a91c0
cortex rules enable 8c41f0e29a77b3d0   # one that was pulled, by the hash of what it says
""",
)
@click.argument("id")
@reason_option
@json_option
@repo_option
def enable(id: str, reason: str, as_json: bool, repo: str) -> None:
    """Take your word on a rule back, and let its counts decide; or enable a pulled one by its hash.

    A rule that came from others by `cortex sync` stays silent until you enable the very version that you read.
    """
    _decide("enable", id, reason, as_json, repo)


def _decide(do: str, id: str, reason: str, as_json: bool, repo: str) -> None:
    with session(repo) as opened:
        result = opened.call("rule_decide", id=id, do=do, reason=reason)
    if as_json:
        render.say(render.as_json(result))
        return
    rule = result["rule"]
    colours = paint()
    state = colours(STYLES[rule["state"]], rule["state"])
    render.say(f"{colours('cyan', rule['id'][:12])} is {state}: {render.safe(rule['reason'])}")
    if rule.get("here"):
        render.say(f"It comes from elsewhere, and {render.safe(rule['here'])}.")
        if rule["here"].startswith("silent"):
            render.say(
                colours("dim", f"To have it warn all the same: cortex feedback {rule['id'][:12]} good")
            )


@rules.command(
    "test",
    cls=Command,
    codes=(4,),
    examples="""
cortex rules test 3f2a91c0
cortex rules test 'requests.get($A)' src
cortex rules test 'requests.get($A)' --rewrite 'requests.get($A, timeout=10)' --language python
""",
)
@click.argument("pattern")
@click.argument("files", nargs=-1)
@click.option("--rewrite", default="", help="What a pattern would become.")
@click.option("--language", default="", help="Of a pattern; else every language in which it can be read.")
@click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, help="How many places to show."
)
@json_option
@repo_option
def test(
    pattern: str, files: tuple[str, ...], rewrite: str, language: str, limit: int, as_json: bool, repo: str
) -> None:
    """Show where a rule, by its id, or a pattern of ast-grep matches in the work tree; nothing is changed."""
    with session(repo) as opened:
        result = opened.call(
            "rule_test",
            pattern=pattern,
            rewrite=rewrite,
            language=language,
            files=list(files) or None,
            cwd=os.getcwd(),
            limit=limit,
        )
    print_result(result, as_json, _test)


@rules.command(
    "export",
    cls=Command,
    codes=(4,),
    examples="""
cortex rules export > rules.json
cortex rules export --state active --format ast-grep > rules.yml
""",
)
@click.argument("ids", nargs=-1)
@click.option("--format", "form", type=click.Choice(["json", "ast-grep"]), default="json", show_default=True)
@click.option("--state", type=click.Choice(STATES), default=None, help="Only rules in this state.")
@click.option("--output", "-o", default="", metavar="FILE", help="Write there instead of standard output.")
@json_option
@repo_option
def export(ids: tuple[str, ...], form: str, state: str | None, output: str, as_json: bool, repo: str) -> None:
    """Print rules for other programs: JSON that `import` reads back exactly, or YAML for `ast-grep scan`.

    Rules whose pattern holds a secret are left out.
    """
    with session(repo) as opened:
        result = opened.call("rule_export", ids=list(ids), format=form, status=state or "")
    if output:
        with naming(Path(output)):
            Path(output).write_bytes(result["text"].encode("utf-8", "replace"))
    if as_json:
        render.say(render.as_json(result))
    elif not output:
        sys.stdout.flush()
        sys.stdout.buffer.write(result["text"].encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    else:
        render.say(f"{render.count(result['rules'], 'rule')} written to {render.safe(output)}")


@rules.command(
    "import",
    cls=Command,
    codes=(4,),
    examples="""
cortex rules import rules.json
cortex rules import - < rules.json
""",
)
@click.argument("file")
@json_option
@repo_option
def import_(file: str, as_json: bool, repo: str) -> None:
    """Take in rules that `cortex rules export` wrote, each checked; they stay silent until something confirms them.

    Corrections of your own, or `cortex rules accept`, let them warn.
    """
    data = sys.stdin.buffer.read(4 * LARGEST + 1) if file == "-" else read_plain(Path(file), 4 * LARGEST + 1)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8") from None
    with session(repo) as opened:
        name = "" if file == "-" else Path(file).name[:100]
        result = opened.call("rule_import", text=text, name=name)
    if as_json:
        render.say(render.as_json(result))
        return
    known = f", {result['known']:,} known already" if result["known"] else ""
    words = f"{render.count(len(result['imported']), 'rule')} taken in, silent so far{known}"
    render.say(paint()("green", words) + redactions(result))


def _list(result: Mapping[str, Any], paint: render.Paint) -> str:
    if not result["rules"]:
        return paint("dim", "No rules yet. Three alike corrections from two commits make one.")
    lines = []
    for rule in result["rules"]:
        state = paint(STYLES[rule["state"]], rule["state"].ljust(9))
        lines.append(
            f"{paint('cyan', rule['id'][:12])}  {state}  {paint('bold', render.safe(rule['title']))}"
        )
        lines.append(" " * 25 + paint("dim", render.safe(_counts(rule))))
    counted: dict[str, int] = {}
    for rule in result["rules"]:
        counted[rule["state"]] = counted.get(rule["state"], 0) + 1
    told = ", ".join(f"{number:,} {state}" for state, number in counted.items())
    return "\n".join([*lines, paint("dim", told)])


def _counts(rule: Mapping[str, Any]) -> str:
    words = [
        f"corrected {render.times(rule['support'])} in {render.count(rule['commits'], 'commit')}"
        if rule["support"]
        else "",
        f"called good {render.times(rule['good'])}" if rule["good"] else "",
        f"against it {rule['against']:,}" if rule["against"] else "",
        f"{round(100 * rule['confidence'])}% sure",
        rule["reason"] if rule["by"] else "",
        f"from {rule['author']}, hash {rule['hash'][:16]}" if rule["state"] == "pulled" else "",
        rule.get("here", ""),
    ]
    return "; ".join(word for word in words if word)


def _rule(result: Mapping[str, Any], paint: render.Paint) -> str:
    rule = result["rule"]
    lines = [
        f"{paint('cyan', rule['id'])}  {paint(STYLES[rule['state']], rule['state'])}",
        paint("bold", render.safe(rule["title"])),
        paint("dim", render.safe(f"{rule['language']}; {_counts(rule)}")),
        render.snippet(rule["pattern"], "-", "red", paint),
        render.snippet(rule["rewrite"], "+", "green", paint),
    ]
    lines += [paint("dim", f"    only: {render.safe(guard)}") for guard in result["guards"]]
    if result["evidence"]:
        lines += ["", paint("bold", "corrected")]
    for each in result["evidence"]:
        where = f"{each['commit'][:10]} {each['path']}, {each['author'].partition(' <')[0]}, {render.day(each['time'])}"
        lines.append(paint("dim", "  " + render.safe(where)))
        lines.append(render.snippet(each["before"], "-", "red", paint, most=4))
        lines.append(render.snippet(each["after"], "+", "green", paint, most=4))
    if result["standing"]:
        lines += [
            "",
            paint("bold", f"stands in accepted code: {render.count(result['standing_total'], 'place')}"),
        ]
        lines += [f"  {render.safe(_place(each))}" for each in result["standing"]]
    lines += ["", paint("bold", "history")]
    for step in result["history"]:
        became = step["to"] if step["from"] in ("", step["to"]) else f"{step['from']} → {step['to']}"
        said = f"{render.when(step['time'])}  {became}: {step['reason']}"
        lines.append(paint("dim", "  " + render.safe(said)))
    return "\n".join(lines)


def _place(each: Mapping[str, Any]) -> str:
    first = each["before"].split("\n")[0].rstrip("\r")
    return f"{each['path']}:{each['line']}: {first[:100]}"


def _test(result: Mapping[str, Any], paint: render.Paint) -> str:
    lines = []
    for each in result["places"]:
        lines.append(paint("bold", render.safe(f"{each['path']}:{each['line']}:{each['column']}")))
        lines.append(render.snippet(each["before"], "-" if each["after"] else " ", "red", paint))
        if each["after"]:
            lines.append(render.snippet(each["after"], "+", "green", paint))
    more = result["total"] - len(result["places"])
    shown = f" ({more:,} more: `--limit`)" if more else ""
    told = f"{render.count(result['total'], 'place')} in {render.count(result['files'], 'file')}{shown}"
    return "\n".join([*lines, paint("dim", told)])

"""`cortex review`: the few corrections whose category a person's word settles best, one key each."""

from __future__ import annotations

import difflib
import os
import re
import sys
import termios
import tty
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import click

from ..daemon.session import Session
from ..repo.errors import UsageError
from . import render
from .frame import command, json_option, paint, repo_option, session

#: key → (category, what it is called on the screen)
KEYS = {
    "b": ("bug", "bug"),
    "s": ("style", "style"),
    "p": ("preference", "preference"),
    "e": ("evolution", "no lesson"),
}
OTHERS = {"k": "skip", "u": "undo", "q": "quit", "?": "help"}
HELP = """\
b  bug         it was wrong, or broke somewhere
s  style       the same, said better: names, wording, types, what is redundant
p  preference  another way that this project wants: its logger, its helper, its library
e  no lesson   the feature went on, or another change took the line along: it is never recalled
k  skip        ask another time
u  undo        take back the last answer, and ask again
q  quit        every answer so far is kept, and so it is after Ctrl-C"""
#: More lines of a diff than this are cut: with what stands around them they fill a screen.
MOST_LINES = 24
_END = "\x04"
_WORD = re.compile(r"\w+|\s+|[^\w\s]")


@command(
    "review",
    examples="""
cortex review
cortex review --limit 3
cortex review --json | jq -r '.corrections[].id'
cortex feedback 3f2a91c0 --category preference
""",
    codes=(4,),
)
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many at most."
)
@json_option
@repo_option
def review(limit: int, as_json: bool, repo: str) -> None:
    """Say of a few corrections what they are: bug, style, preference, or no lesson; one key each.

    Those that matter most come first: the most unsure, the most frequent, the newest. Every answer is on disk at
    once; what is guessed from now on can be learnt from it. Without a terminal, --json lists them, and
    `cortex feedback ID --category …` answers.
    """
    with session(repo) as opened:
        result = opened.call("review", limit=limit)
        if as_json:
            render.say(render.as_json(result))
            return
        if not result["corrections"]:
            render.say(paint()("dim", "Nothing is unsure: there is no correction to review."))
            return
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise UsageError(
                f"{render.count(result['total'], 'correction')} could be reviewed, and there is no terminal to ask on",
                "List them with `cortex review --json`, and answer with `cortex feedback ID --category bug`.",
            )
        _ask(opened, result["corrections"], result["total"])


def _ask(opened: Session, entries: Sequence[Mapping[str, Any]], total: int) -> None:
    """Go through them; an answer is written before the next question is shown."""
    colours = paint()
    answered: list[int] = []  # which ones, in the order of the answers
    at = 0
    with keys() as pressed, suppress(KeyboardInterrupt):
        while at < len(entries):
            entry = entries[at]
            render.say(screen(entry, at + 1, len(entries), colours))
            key = _key(pressed, colours, bool(answered))
            if key in KEYS:
                category, called = KEYS[key]
                opened.call("feedback", id=entry["id"], category=category)
                render.say(colours("green", f"  {called}") + colours("dim", f"  {entry['id'][:12]}") + "\n")
                answered.append(at)
                at += 1
            elif key == "u":
                at = answered.pop()
                opened.call("unsay", id=entries[at]["id"])
                render.say(colours("yellow", "  taken back") + "\n")
            elif key == "k":
                render.say(colours("dim", "  skipped") + "\n")
                at += 1
            else:
                break
    done = len(set(answered))
    left = total - done
    words = f"{render.count(done, 'answer')} kept" if done else "nothing was answered"
    render.say(colours("bold", words) + colours("dim", f"; {render.count(left, 'correction')} unsure"))


@contextmanager
def keys() -> Iterator[Iterator[str]]:
    """The keys as they are pressed, each as soon as it is; those pressed too early are not lost.

    Ctrl-C stays what it is, and the terminal is put back however this ends.
    """
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSADRAIN)
    try:
        yield _pressed(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _pressed(terminal: int) -> Iterator[str]:
    while data := os.read(terminal, 64):
        text = data.decode("utf-8", "replace")
        # An arrow or a function key comes as several characters at once, and means nothing here.
        yield from ["\x1b"] if text.startswith("\x1b") else text.lower()


def _key(pressed: Iterator[str], colours: render.Paint, undo: bool) -> str:
    """The next key that means something; `q` for the end of the input."""
    shown = [f"{colours('bold', key)} {called}" for key, (_, called) in KEYS.items()]
    shown += [f"{colours('bold', key)} {called}" for key, called in OTHERS.items() if undo or key != "u"]
    render.say("  " + "  ".join(shown))
    sys.stdout.flush()
    for key in pressed:
        if key == _END:
            break
        if key == "?":
            render.say(colours("dim", HELP))
        elif key == "u" and not undo:
            render.say(colours("dim", "  there is no answer to take back"))
        elif key in KEYS or key in OTHERS:
            return key
        else:
            render.say(colours("dim", "  ? shows what the keys mean"))
        sys.stdout.flush()
    return "q"


def screen(entry: Mapping[str, Any], number: int, of: int, colours: render.Paint) -> str:
    """One correction: where, of which commit, both sides, and why it is unsure."""
    place = f"{entry['path']}:{entry['line']}" + (f", in {entry['enclosing']}" if entry["enclosing"] else "")
    commit = f"{entry['commit'][:10]}  {entry['subject']}" if entry["commit"] else "not committed"
    lines = [
        f"{colours('cyan', f'{number} of {of}')}  {colours('bold', render.safe(place))}",
        colours("dim", render.safe(f"  {commit}")),
        colours("dim", render.safe(f"  {entry['author']}, {render.when(entry['time'])[:10]}{_often(entry)}")),
        "",
        *(f"    {line}" for line in diff(entry["before"], entry["after"], colours)),
        "",
        f"  {colours('yellow', render.safe(why(entry)))}",
    ]
    return "\n".join(lines)


def why(entry: Mapping[str, Any]) -> str:
    """Why nobody can be sure of it, in one line."""
    category, percent = entry["category"], round(100 * entry["confidence"])
    if category:
        called = dict(KEYS.values())
        words = f"guessed: {called.get(category, category)}, {percent}% sure"
    elif entry["confidence"]:
        words = f"unsure: {percent}% that it teaches something"
    else:
        words = "nobody has guessed"
    towards, against = ", ".join(entry["speaks_for"]), ", ".join(entry["speaks_against"])
    return "; ".join(
        part
        for part in (
            words,
            f"for a lesson: {towards}" if towards else "",
            f"against: {against}" if against else "",
        )
        if part
    )


def _often(entry: Mapping[str, Any]) -> str:
    told = []
    if entry["count"] > 1:
        told.append(f"{entry['count']} times in the file")
    if entry["commits"] > 1:
        told.append(f"its like in {render.count(entry['commits'], 'commit')}")
    return "".join(f", {each}" for each in told)


def diff(before: str, after: str, colours: render.Paint) -> Iterator[str]:
    """Both sides line by line; in a line that was changed, what differs is bold."""
    old, new = render.safe(before).splitlines(), render.safe(after).splitlines()
    lines: list[str] = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [colours("dim", f"  {line}") for line in old[i:j]]
        elif tag == "replace" and j - i == m - k:
            pairs = [_within(x, y, colours) for x, y in zip(old[i:j], new[k:m], strict=True)]
            lines += [f"{colours('red', '- ')}{left}" for left, _ in pairs]
            lines += [f"{colours('green', '+ ')}{right}" for _, right in pairs]
        else:
            lines += [colours("red", f"- {line}") for line in old[i:j]]
            lines += [colours("green", f"+ {line}") for line in new[k:m]]
    yield from lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        yield colours("dim", f"… {render.count(len(lines) - MOST_LINES, 'more line')}")


def _within(old: str, new: str, colours: render.Paint) -> tuple[str, str]:
    left, right = _WORD.findall(old), _WORD.findall(new)
    out: tuple[list[str], list[str]] = ([], [])
    for tag, i, j, k, m in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for side, words, style in ((0, left[i:j], "red"), (1, right[k:m], "green")):
            text = colours(style, "".join(words))
            out[side].append(text if tag == "equal" else colours("bold", text))
    return "".join(out[0]), "".join(out[1])

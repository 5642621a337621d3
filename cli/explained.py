"""What `cortex ask --explain` adds: how the question was read, what each feature gave, what fell short."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any
from unicodedata import east_asian_width

from ..store.wording import change
from .render import Paint, count, day, safe, snippet

#: Columns where nobody can say how many there are, and the fewest and the most that are used.
USUAL, LEAST, MOST = 80, 40, 100
#: Columns of the longest bar, and of the names of features.
BAR, NAME = 24, 12
#: Smaller shares stand together in one line.
SMALL = 0.005
#: What is said of each gate: of what it is too little, and how that is called.
GATES = {
    "evidence": "too little speaks for it",
    "similarity": "it is hardly alike",
    "words": "hardly a word of the question is in it",
    "score": "it comes too far behind the best one",
    "chance": "it is not sure enough to help",
}
#: What a question to code and history asks for, and what comes of it.
ASKS = {
    "past": "what was done: commits come first",
    "place": "a place: commits count less",
    "code": "code: so do docs",
    "tests": "tests: these count more, and docs less",
    "nothing": "nothing that could be looked for",
}
#: Where candidates came from, in the order in which it is said.
SOURCES = (("words", "by words"), ("graph", "by the graph"), ("vectors_alone", "by vectors alone"))


def columns(environment: Mapping[str, str]) -> int:
    """How wide the terminal is: its own word, or `COLUMNS`, or what is usual."""
    try:
        wide = int(environment.get("COLUMNS", "")) or USUAL
    except ValueError:
        try:
            wide = os.get_terminal_size(1).columns or USUAL
        except OSError:
            wide = USUAL
    return max(LEAST, min(MOST, wide))


def explained(result: Mapping[str, Any], paint: Paint, width: int) -> str:
    """The whole explanation of an answer that has one."""
    told = result["explanation"]
    lines = _understood(result, told, paint, width)
    scale = max((abs(s) for m in result["memories"] for s in m["why"].values()), default=1.0)
    for number, (memory, measured) in enumerate(zip(result["memories"], told["shown"], strict=True), 1):
        lines += ["", *_shown(number, memory, measured, scale, paint, width)]
    lines += ["", *_left(result, told, paint, width)]
    return "\n".join(lines)


def _understood(result: Mapping[str, Any], told: Mapping[str, Any], paint: Paint, width: int) -> list[str]:
    read, task, sources = told["understood"], result["task"], told["sources"]
    rows = [
        ("task", f"{task['type']}, {task['confidence']:.2f} sure; looked up as: {task['route']}"),
        ("read as", {"code": "code", "task": "a task"}.get(read["kind"], "a question in prose")),
        ("languages", "only " + ", ".join(read["languages"]) if read["languages"] else ""),
        ("names", ", ".join(read["named"])),
        ("folder", read["folder"]),
        ("file", read["file"]),
        ("symbols", ", ".join(read["symbols"])),
        ("paths", ", ".join(read["paths"])),
        ("words", ", ".join(read["words"])),
    ]
    if "chance" in told["needed"]:
        asks = [ASKS[word] for word in read["asks"] if word in ASKS]
        rows.insert(2, ("asks for", "; ".join(asks)))
        rows[1] = (
            "read as",
            f"{rows[1][1]}; of code: {read['task_likeness']:.2f} a task, else a description",
        )
    if "candidates" in sources:
        came = ", ".join(f"{sources[name]:,} {how}" for name, how in SOURCES if sources[name])
        of = f"{sources['candidates']:,} of {count(sources['memories'], 'memory', 'memories')}"
        rows.append(("candidates", f"{of}{f': {came}' if came else ''}"))
    places = [
        count(sources[name], one)
        for name, one in (("code", "place of code"), ("docs", "section"), ("history", "commit"))
        if name in sources
    ]
    if places:
        rows.append(("looked at", ", ".join(places).replace("place of codes", "places of code")))
    rows += [("" if at else "needed", said) for at, said in enumerate(_needed(told["needed"]))]
    laps = [f"{name} {ms:.1f}" for name, ms in result["timings_ms"].items() if name != "total"]
    rows.append(("ms", ", ".join(laps)))
    lines = [paint("bold", "How it was looked for")]
    for name, value in rows:
        lines += _row(name, value, paint, width) if value else []
    return lines


def _needed(needed: Mapping[str, float]) -> Iterator[str]:
    if "evidence" in needed:
        nearly = needed["evidence"] > needed["of_so_many"]
        why = "0.8 of what the best one has" if nearly else "among so many memories"
        yield f"{needed['evidence']:.3f} of evidence (similarity, words, language, what is named): {why}"
    if "chance" in needed:
        yield f"a chance of {needed['chance']:.2f} to help, of code, docs and commits"


def _row(name: str, value: str, paint: Paint, width: int) -> list[str]:
    parts = textwrap.wrap(safe(value), width - NAME - 2, break_on_hyphens=False) or [""]
    head = paint("dim", f"  {name.ljust(NAME)}")
    return [f"{head}{parts[0]}", *(" " * (NAME + 2) + part for part in parts[1:])]


def _shown(
    number: int,
    memory: Mapping[str, Any],
    measured: Mapping[str, Any],
    scale: float,
    paint: Paint,
    width: int,
) -> list[str]:
    lines = [
        f"{paint('cyan', str(number))} {paint('bold', _cut(memory['title'] or memory['id'], width - 2))}",
        paint("dim", f"  {_cut(_whose(memory), width - 2)}"),
    ]
    shares = sorted(memory["why"].items(), key=lambda each: -abs(each[1]))
    large = [(name, share) for name, share in shares if abs(share) >= SMALL]
    rest = sum(share for _, share in shares) - sum(share for _, share in large)
    if round(rest, 3):
        large.append(("all others", rest))
    bar = min(BAR, width - NAME - 11)
    for name, share in large:
        long = max(1, round(abs(share) / (scale or 1.0) * bar))
        drawn = paint("green" if share > 0 else "red", ("█" if share > 0 else "░") * min(bar, long))
        lines.append(f"  {name.ljust(NAME)}{share:+7.3f}  {drawn}")
    lines.append(f"  {'= score'.ljust(NAME)}{memory['score']:+7.3f}")
    if measured["measure"]:
        enough = f"{measured['had']:.3f}, where {measured['needed']:.3f} is enough"
        lines += _row(measured["measure"], enough, paint, width)
    if measured["words"]:
        lines += _row("its words", ", ".join(measured["words"]), paint, width)
    for one in memory["evidence"][:3]:
        lines += _seen(one, memory, paint, width)
    return lines


def _whose(memory: Mapping[str, Any]) -> str:
    if memory.get("line"):
        return f"{memory['kind']} in {memory['source']}, {memory['path']}:{memory['line']}"
    if memory["kind"] == "commit":
        return f"commit {memory['id'][:10]}"
    return f"{memory['kind']} {memory['id'][:12]}, {memory['trust']}"


def _seen(one: Mapping[str, Any], memory: Mapping[str, Any], paint: Paint, width: int) -> list[str]:
    named = (one["commit"][:10], one["path"], one["author"].partition(" <")[0], day(one["time"]))
    lines = _row("seen", ", ".join(word for word in named if word), paint, width)
    if memory.get("line") or memory["kind"] == "commit":
        return lines  # the answer quotes it
    before, after = (
        textwrap.dedent(side.replace("\r\n", "\n")).strip("\n") for side in (one["before"], one["after"])
    )
    if "\n" not in before + after:
        # Cut around what changed: what both have in common would be all that is seen of long lines.
        before, after = change(before, after, width - NAME - 4)
    indent = " " * (NAME + 2)
    for text, mark, style in ((before, "-", "red"), (after, "+", "green")):
        if text.strip():
            code = "\n".join(_cut(line, width - NAME - 4) for line in text.splitlines())
            lines.append(snippet(code, mark, style, paint, indent, 4))
    return lines


def _left(result: Mapping[str, Any], told: Mapping[str, Any], paint: Paint, width: int) -> list[str]:
    total = sum(
        number for reason, number in result["dropped"].items() if reason not in ("filtered", "unseen")
    )
    if not total:
        return [paint("bold", "Nothing else was found")]
    lines = [paint("bold", f"Left out: {count(total, 'candidate')}")]
    measures = dict.fromkeys(each["measure"] for each in told["left"] if each["measure"])
    if measures:
        lines += _row("nearest", f"each with its {' or '.join(measures)}", paint, width)
    for each in told["left"]:
        score = f"{each['had']:.3f}" if each["measure"] else f"{each['score']:.3f}"
        lines.append(f"  {score}  {_cut(each['title'] or each['id'], width - 9)}")
        said = textwrap.wrap(safe(_why_not(each)), width - 4, break_on_hyphens=False)
        lines += [paint("dim", "    " + line) for line in said]
    counts = ", ".join(f"{reason} {number:,}" for reason, number in result["dropped"].items() if number)
    return [*lines, *_row("in all", counts, paint, width)]


def _why_not(each: Mapping[str, Any]) -> str:
    short = each["needed"] - each["had"]
    whose = f"{each['kind']} {each['id'] if ':' in each['id'] else each['id'][:12]}"
    if each["reason"] == "weak" and each["measure"]:
        said = GATES.get(each["measure"], each["said"])
        return f"{said}: {short:.3f} short of {each['needed']:.3f} ({whose})"
    return f"{each['reason']}: {each['said']} ({whose})"


def _cut(text: str, width: int) -> str:
    """A text on one line in at most so many columns; some letters take two of them."""
    line, used = " ".join(safe(text).split()) if "\n" in text else safe(text).expandtabs(4), 0
    for at, letter in enumerate(line):
        used += 1 + (east_asian_width(letter) in "WF")
        if used > width:
            return line[: max(0, at - 1)].rstrip() + "…"
    return line

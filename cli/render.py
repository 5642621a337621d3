"""Words on the terminal: colour only where it is wanted, and no control characters from anyone's text."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from ..store.wording import count as count
from ..store.wording import times as times

TYPE_CHECKING = False  # the quick path pays for this file: see daemon/client.py
if TYPE_CHECKING:
    from typing import Any, TextIO

CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
#: C0 and C1 controls except line end and tab: text from a repository must not move the cursor.
_CONTROLS = {code: "�" for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (9, 10)}


class Paint:
    """Colours, or none: `Paint(stream, environment)` decides."""

    def __init__(self, stream: TextIO, environment: Mapping[str, str]) -> None:
        wanted = "NO_COLOR" not in environment and environment.get("TERM") != "dumb"
        forced = environment.get("CLICOLOR_FORCE", "0") != "0"
        self.on = (wanted and stream.isatty()) or forced

    def __call__(self, style: str, text: str) -> str:
        """`text` in a style: bold, dim, red, green, yellow, cyan."""
        return f"\033[{CODES[style]}m{text}\033[0m" if self.on and text else text


def safe(text: object) -> str:
    """Text from anywhere, without control characters, printable whatever it holds."""
    return str(text).translate(_CONTROLS).encode("utf-8", "replace").decode("utf-8")


def as_json(value: object) -> str:
    """The JSON form that `--json` prints."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace").decode("utf-8")


def say(text: str, stream: TextIO | None = None) -> None:
    """Print; a reader that has gone away (`| head`) is not an error."""
    print(text, file=stream or sys.stdout)


#: Kinds of memories whose plural is not made with an s.
MANY = {"fix": "fixes"}


def in_conflict(number: int) -> str:
    """How many memories have two sides, and what to do about it."""
    has = "has" if number == 1 else "have"
    return f"{count(number, 'memory', 'memories')} {has} two sides in conflict: see `cortex log --conflicts`"


def snippet(text: str, mark: str, style: str, paint: Paint, indent: str = "    ", most: int = 8) -> str:
    """Code under a mark (`-` or `+`), at most `most` lines of it."""
    lines = safe(text.replace("\r\n", "\n")).strip("\n").split("\n")
    shown = [paint(style, f"{indent}{mark} {line}") for line in lines[:most]]
    if len(lines) > most:
        shown.append(paint("dim", f"{indent}  … {count(len(lines) - most, 'more line')}"))
    return "\n".join(shown)


def ask(result: Mapping[str, Any], paint: Paint, explained: str = "") -> str:
    """What `cortex ask` prints; `explained` stands between what was found and how long it took."""
    # What was passed over matters where something is missing.
    all_told = result["abstained"] or explained
    said = [note for note in result.get("notes", ()) if all_told or not note.startswith("passed over")]
    notes = [paint("dim", f"note: {safe(note)}") for note in said]
    if result["abstained"]:
        where = "memory, code or history" if "search" in result["timings_ms"] else "memory"
        nothing = paint("dim", f"Nothing in {where} is close enough to help with this.")
        return "\n".join([nothing, *(["", explained] if explained else []), *notes])
    lines = [safe(result["context"]).rstrip(), *(["", explained] if explained else [])]
    task = result["task"]
    took = result["timings_ms"].get("total", 0.0)
    lines += [
        "",
        paint(
            "dim",
            f"{_shown(result['memories'])}, {result['tokens']} tokens, "
            f"task: {task['type']} ({task['confidence']:.2f}), {took:.1f} ms",
        ),
        *notes,
    ]
    return "\n".join(lines)


def _shown(memories: Sequence[Mapping[str, Any]]) -> str:
    """How many memories there are, and how many places and commits beside them."""
    places = sum(bool(each.get("line")) for each in memories)
    commits = sum(each["kind"] == "commit" for each in memories)
    rest = len(memories) - places - commits
    told = [count(rest, "memory", "memories")] if rest or not memories else []
    told += [count(places, "place")] if places else []
    return ", ".join(told + ([count(commits, "commit")] if commits else []))


def check(result: Mapping[str, Any], paint: Paint, verbose: bool = False) -> str:
    """What `cortex check` prints."""
    lines: list[str] = []
    first: dict[str, str] = {}  # rule → where it spoke first, and said why
    for each in result["findings"]:
        place = f"{each['path']}:{each['line']}"
        lines += finding(each, paint, verbose, first.get(each["rule"], ""))
        first.setdefault(each["rule"], place)
    lines += [paint("dim", f"note: {safe(note)}") for note in result.get("notes", ())]
    skipped = len(result["skipped"])
    files = count(result["checked_files"], "file")
    found = len(result["findings"])
    summary = f"{count(found, 'finding')} in {files}" if found else f"{files} checked, nothing found"
    if skipped:
        summary += f", {skipped} skipped"
    if result.get("hidden"):
        summary += f", {result['hidden']:,} hidden by the baseline"
    if found:
        said = "`cortex fix` writes what is offered; a comment `cortex: ignore[RULE] why` silences a rule"
        lines.append(paint("dim", said))
    lines.append(paint("dim", f"{summary} ({result['elapsed_ms']:.0f} ms)"))
    return "\n".join(lines)


def notes(result: Mapping[str, Any]) -> None:
    """Print what there is to say beside findings, a line each."""
    for note in result.get("notes", ()):
        say(f"cortex: {safe(note)}")


def finding(each: Mapping[str, Any], paint: Paint, verbose: bool = False, said_at: str = "") -> list[str]:
    """One finding: what to write instead, why, how often, and where that comes from.

    `said_at` is where the same rule spoke before: the rest is not said again.
    """
    place = f"{each['path']}:{each['line']}:{each['column']}"
    blocks = paint("red", " [blocks]") if each.get("blocks") else ""
    lines = [
        f"{paint('bold', safe(place))}: {paint('yellow', safe(each['message']))}{blocks}",
        snippet(each["before"], "-", "red", paint),
        snippet(each["after"], "+", "green", paint),
    ]
    said = [f"why: {each['reason']}"] if each.get("reason") and not said_at else []
    for number, one in enumerate(() if said_at else each["evidence"][:3]):
        named = [one["path"], one["author"].partition(" <")[0], day(one["time"])]
        where = ", ".join(word for word in named if word)
        said.append(f"{'seen:' if not number else '     '} {one['commit'][:10] or 'not committed'} {where}")
    said.append(f"rule {each['rule'][:12]}, as at {said_at}" if said_at else _why(each))
    for other in each.get("others", ()) if verbose else ():
        said.append(f"also: {other['message']} (rule {other['rule'][:12]}, {_surely(other)})")
        said += [f"        + {line}" for line in other["after"].split("\n")[:8]]
    if not verbose and each.get("others"):
        said.append(f"{count(len(each['others']), 'less sure rule')} would write something else: `--verbose`")
    return [*lines, *(paint("dim", "    " + safe(line)) for line in said)]


def _surely(each: Mapping[str, Any]) -> str:
    return f"{round(each['confidence'] * 100)}% sure"


def day(ms: int) -> str:
    """The day of a time as the person's clock shows it; empty for 0."""
    return when(ms)[:10] if ms else ""


def _why(finding: Mapping[str, Any]) -> str:
    """Which rule speaks, how sure it is, and what the accepted code says of it."""
    stood = finding.get("backtest", {}).get("stood", 0)
    stands = "stands" if stood == 1 else "stand"
    code = (
        f"{count(stood, 'like place')} {stands} in accepted code"
        if stood
        else "no accepted code says otherwise"
    )
    return f"rule {finding['rule'][:12]}, {_surely(finding)}; {code}"


def waiting(found: Mapping[str, int]) -> str:
    """What is said of records that are ahead of the clock."""
    many = found["records"] != 1
    return (
        f"{count(found['records'], 'record')} {'wait' if many else 'waits'}: "
        f"{'they are' if many else 'it is'} more than a day ahead of this machine's clock, and "
        f"{'count' if many else 'counts'} when that is right, or from {when(found['until'])} on"
    )


def memories(result: Mapping[str, Any], paint: Paint) -> str:
    """What `cortex log` prints."""
    waits = [paint("yellow", waiting(result["waiting"]))] if result.get("waiting", {}).get("records") else []
    if not result["memories"]:
        said = "No memories yet. They come from commits that change what an assistant wrote."
        return "\n".join(waits or [paint("dim", said)])
    disputed = {each["id"]: each for each in result["conflicts"]}
    lines = waits
    for alike in _said_once(result["memories"]):
        memory = alike[0]
        lines.append(f"{paint('cyan', memory['id'][:12])}  {paint('bold', safe(memory['title']))}")
        lines.append(paint("dim", f"              {safe(_line(memory))}"))
        if others := [each["id"][:12] for each in alike[1:]]:
            more = f", and {len(others) - 3:,} more" if len(others) > 3 else ""
            lines.append(paint("dim", f"              the same in {', '.join(others[:3])}{more}"))
        for each in alike:
            if each["id"] in disputed:
                lines += _versions(disputed[each["id"]], paint, "              ")
    if result["total"] > len(result["memories"]):
        lines.append(
            paint("dim", f"… {result['total'] - len(result['memories']):,} more: `cortex log --limit 0`")
        )
    lines.append(paint("dim", f"corrections: {changes(result['changes'])}"))
    return "\n".join(lines)


def _said_once(memories: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Memories of one kind that say the same in so many words, together where the newest of them stands."""
    found: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for memory in memories:
        found.setdefault((memory["kind"], memory["title"], memory["language"]), []).append(memory)
    return list(found.values())


def changes(found: Mapping[str, int]) -> str:
    """What was changed in generated code, by kind; what is not learnt is said to be not."""
    learnt = [
        f"{found[name]:,} {words}"
        for name, words in (
            ("person", "by hand"),
            ("directed", "directed"),
            ("people", "between people"),
        )
        if found.get(name)
    ]
    counted = [
        count(found[name], one, many)
        for name, one, many in (
            ("second_thoughts", "second thought", "second thoughts"),
            ("formatted", "generation formatted", "generations formatted"),
        )
        if found.get(name)
    ]
    told = ", ".join(learnt) or "none learnt"
    return told + (f"; not learnt: {', '.join(counted)}" if counted else "")


def memory(result: Mapping[str, Any], paint: Paint) -> str:
    """What `cortex show` prints."""
    lines = [f"{paint('cyan', result['id'])}", paint("bold", safe(result.get("title", result["kind"])))]
    if "text" in result:
        lines += [paint("dim", safe(_line(result))), "", safe(result["text"])]
        if reason := result["body"].get("reason"):
            lines.append(paint("dim", f"why: {safe(reason)}"))
    else:
        lines += ["", as_json(result["body"])]
    if result["deleted"]:
        lines.append(paint("red", "deleted"))
    if result["versions"]:
        lines += ["", *_versions(result, paint)]
    for each in result.get("evidence", []):
        lines.append("")
        # What shows a preference or a decision stands in the tree, and is no edit of any commit.
        where = each["commit"][:10] or (
            "" if result["kind"] in ("preference", "decision") else "not committed"
        )
        lines.append(paint("dim", safe(f"{where}  {each['path']}  {each['author']}".strip())))
        if each["before"]:
            lines.append(snippet(each["before"], "-", "red", paint))
        if each["after"]:
            lines.append(snippet(each["after"], "+", "green", paint))
    if "rule" in result:
        lines += ["", paint("bold", "pattern"), safe(_indent(result["rule"].get("pattern", "")))]
        lines += [paint("bold", "rewrite"), safe(_indent(result["rule"].get("rewrite", "")))]
        lines += [
            paint("bold", "history"),
            *(paint("dim", safe("    " + _step(step))) for step in result["history"]),
        ]
    elif result.get("history"):
        steps = [f"{step['from'] or 'active'} → {step['to']}: {step['reason']}" for step in result["history"]]
        lines += ["", paint("bold", "history"), *(paint("dim", safe("    " + step)) for step in steps)]
    return "\n".join(lines)


def conflicts(result: Mapping[str, Any], paint: Paint) -> str:
    """What `cortex log --conflicts` prints."""
    if not result["conflicts"]:
        return paint("dim", "Nothing is in conflict.")
    return "\n".join(conflict(each, paint) for each in result["conflicts"])


def conflict(result: Mapping[str, Any], paint: Paint) -> str:
    """Both sides of one memory, and how to settle it."""
    if not result["versions"]:
        return paint("dim", f"{result['id'][:12]} is not in conflict.")
    return "\n".join(
        [f"{paint('cyan', result['id'][:12])}  {safe(result['kind'])}", *_versions(result, paint)]
    )


def _versions(result: Mapping[str, Any], paint: Paint, indent: str = "") -> list[str]:
    told = f"in conflict: {count(len(result['versions']), 'version')} were written at once"
    lines = [paint("yellow", f"{indent}{told}")]
    for each in result["versions"]:
        where = "here" if each["here"] else "elsewhere"
        held = ", counts until it is settled" if each["counts"] else ""
        who = f"{each['author'] or 'somebody'}, {when(each['time'])}, {where}{held}"
        lines.append(f"{indent}  {each['record'][:12]}  {paint('dim', safe(who))}")
        said = [each["title"], *(line for line in each["text"].splitlines()[:6] if line != each["title"])]
        lines += [f"{indent}      {safe(line)}" for line in said if line]
    lines.append(
        paint(
            "dim",
            f"{indent}  settle it: `cortex settle {result['id'][:12]} --take mine`, theirs, or a version's id",
        )
    )
    return lines


def when(ms: int) -> str:
    """A time as the person's clock shows it; `never` for 0."""
    from datetime import datetime  # the quick path does without

    return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M") if ms else "never"


def _indent(text: str) -> str:
    return "\n".join("    " + line for line in text.split("\n"))


def _step(step: Mapping[str, Any]) -> str:
    # A rule that stays in its state says so in its reason.
    became = "" if step["from"] == step["to"] else f"{step['from'] or 'new'} → {step['to']}: "
    return (
        f"{became}{step['reason']} (support {step['support']} from "
        f"{count(step['commits'], 'commit')}; back-test: matched {step['matched']}, stood {step['stood']}, "
        f"changed {step['changed']}; confidence {step['confidence']:.2f})"
    )


def _line(memory: Mapping[str, Any]) -> str:
    words = [
        memory["kind"],
        memory.get("category", ""),
        memory["scope"],
        memory["language"],
        memory["status"],
    ]
    if memory["support"]:
        words.append(f"support {memory['support']}")
    if memory["against"]:
        words.append(f"against {memory['against']}")
    if memory["trust"] != "own":
        words.append(f"{memory['trust']} from {memory['author']}")
    return " · ".join(word for word in words if word)


def table(rows: Sequence[tuple[str, str]], paint: Paint) -> str:
    """Names and values in two columns."""
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{paint('dim', name.ljust(width))}  {value}" for name, value in rows)

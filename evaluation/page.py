"""The report as one page: no script, nothing fetched; text from the repository is data, and escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from .plots import bars, curve, shares
from .report import interval, percent

_CSS = """
:root { color-scheme: light dark; --ink: #1d232b; --soft: #5d6875; --line: #d9dee5; --back: #ffffff;
  --card: #f6f8fa; --one: #2f6fb0; --two: #d9822b; --three: #8a94a1; --gone: #b3372f; --came: #1f7a3d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --soft: #98a3b1; --line: #343c47; --back: #14181d;
  --card: #1c2229; --one: #6cabe8; --two: #eba45c; --three: #6b7683; --gone: #f08a80; --came: #74cf91; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem 4rem; background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2.5rem 0 .5rem; }
p { margin: .4rem 0; } .soft { color: var(--soft); font-size: .9rem; } .verdict { font-size: 1.15rem; }
.verdict p { margin: .5rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .5rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 500; white-space: normal; }
.scroll { overflow-x: auto; } svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; } svg .ink { fill: var(--ink); }
.one { fill: var(--one); } .two { fill: var(--two); } .three { fill: var(--three); }
.axis { stroke: var(--line); } .stroke { stroke: var(--one); stroke-width: 2; fill: none; }
.whisker { stroke: var(--ink); stroke-width: 1.2; opacity: .65; } .band { fill: var(--one); opacity: .15; }
figure { margin: 0; padding: 1rem; background: var(--card); border-radius: 8px; }
figcaption { color: var(--soft); font-size: .9rem; margin-bottom: .5rem; }
pre { margin: .25rem 0; padding: .5rem .75rem; background: var(--card); border-radius: 6px; overflow-x: auto;
  font: 12.5px/1.45 ui-monospace, monospace; } .gone { color: var(--gone); } .came { color: var(--came); }
details { margin: .75rem 0; } summary { cursor: pointer; }
"""
_COLUMNS = (
    ("at_writing", "had a twin when written"),
    ("at_correcting", "… when corrected"),
    ("kept", "twin in memory"),
    ("recalled", "recalled"),
    ("bm25", "BM25 alone"),
    ("shuffled", "by chance"),
)
_RELATED = (
    ("related_at_writing", "had one when written"),
    ("related", "recalled"),
    ("related_bm25", "BM25 alone"),
    ("related_shuffled", "by chance"),
)


def page(result: Mapping[str, Any], name: str) -> str:
    """The whole page of a report; `name` is the repository's."""
    body = [
        f"<h1>What Cortex would have been worth in {escape(name)}</h1>",
        f'<p class="soft">{_scope(result)}</p>',
        '<div class="verdict">' + "".join(f"<p>{escape(each)}</p>" for each in result["verdict"]) + "</div>",
    ]
    if result["corrections"]["total"]:
        body += [*_corrections(result), *_recall(result), *_guard(result), *_examples(result["examples"])]
    body += [f'<p class="soft">{escape(note)}</p>' for note in result["notes"]]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Cortex in {escape(name)}</title><style>{_CSS}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _scope(result: Mapping[str, Any]) -> str:
    commits, found = result["commits"], result["corrections"]
    return (
        f"{commits['looked_at']:,} commits, {commits['wrote']:,} by {escape(result['written_by'])} that wrote code, "
        f"{found['total']:,} corrections, {found['learnable']:,} of which something can be learnt. "
        f"Seed {result['seed']}. At each commit only what was corrected before it is known."
    )


def _figure(caption: str, picture: str) -> str:
    return f"<figure><figcaption>{escape(caption)}</figcaption>{picture}</figure>"


def _corrections(result: Mapping[str, Any]) -> list[str]:
    months = result["corrections"]["by_month"]
    return [
        "<h2>Corrections over time</h2>",
        _figure(
            "Corrections a month; the orange part was recalled when the code was written.",
            bars([(each["month"], each["corrections"], each["recalled"]) for each in months]),
        ),
    ]


def _recall(result: Mapping[str, Any]) -> list[str]:
    groups = result["groups"]
    all_of = groups.get("learnable")
    out = ["<h2>An earlier twin, and what recall made of it</h2>"]
    if all_of:
        out.append(
            _figure(
                "Share of the corrections, with 95% intervals. A twin is the same abstract edit in another commit.",
                shares([(label, all_of[key]) for key, label in _COLUMNS]),
            )
        )
    out.append(_table([(_label(name), group) for name, group in groups.items()], _COLUMNS))
    if all_of:
        out += [
            '<p class="soft">A looser measure: a memory that brought the same interface (at least half of the called, '
            "taken or capitalised names that came). Read it beside chance.</p>",
            _table([(_label(name), group) for name, group in groups.items()], _RELATED),
        ]
    tokens = result["recall"]["tokens"]
    if tokens["drawn"]:
        rows = [
            ("none" if not each["up_to"] else f"to {each['up_to']}", each["tasks"], 0)
            for each in tokens["histogram"]
        ]
        out += [
            "<h2>Tokens</h2>",
            _figure(
                f"Tokens of an answer, of {tokens['drawn']:,} tasks drawn by chance: {tokens['mean']} a task, "
                f"about {round(tokens['in_all'], -3):,} for all {tokens['of']:,} tasks.",
                bars(rows),
            ),
        ]
    return out


def _label(name: str) -> str:
    return "all that can be learnt" if name == "learnable" else name


def _table(rows: Sequence[tuple[str, Mapping[str, Any]]], columns: Sequence[tuple[str, str]]) -> str:
    head = "".join(f"<th>{escape(title)}</th>" for title in ("", "number", *(label for _, label in columns)))
    body = []
    for name, group in rows:
        cells = [f"<td>{escape(name)}</td><td>{group[columns[0][0]]['n']:,}</td>"]
        for key, _ in columns:
            share = group[key]
            said = f"{percent(share['share'])} ({share['k']:,})" if share["n"] else "–"
            cells.append(f'<td title="{interval(share)}">{said}</td>')
        body.append("<tr>" + "".join(cells) + "</tr>")
    return f'<div class="scroll"><table><tr>{head}</tr>{"".join(body)}</table></div>'


def _guard(result: Mapping[str, Any]) -> list[str]:
    guard, controls = result["guard"], result["controls"]
    out = ["<h2>The guard</h2>"]
    if len(guard["curve"]) > 0:
        out.append(
            _figure(
                "Precision (up) against the share of corrections caught (right), as rules of less and less confidence "
                "may speak; silent rules included. The band is the 95% interval.",
                curve(guard["curve"]),
            )
        )
    else:
        out.append(
            "<p>No rule, spoken or silent, ever matched a line that was written: there is no curve.</p>"
        )
    rows = [
        ("warnings", guard["warnings"], guard["lift"]),
        ("silent rules too", guard["silent_too"], guard["lift_silent_too"]),
    ]
    titles = ("", "flags", "rules", "right", "changed otherwise", "stood", "caught", "lift")
    head = "".join(f"<th>{title}</th>" for title in titles)
    body = []
    for label, said, lift in rows:
        right, caught = said["right"], said["caught"]
        body.append(
            f"<tr><td>{label}</td><td>{said['flags']:,}</td><td>{said['rules']:,}</td>"
            f"<td>{percent(right['share']) if right['n'] else '–'}</td><td>{said['changed_otherwise']:,}</td>"
            f"<td>{said['stood']:,}</td><td>{percent(caught['share'] or 0)}</td><td>{_lift(lift)}</td></tr>"
        )
    exact = controls["exact_words"]
    body.append(
        f"<tr><td>control: exact words</td><td>{exact['n']:,}</td><td></td>"
        f"<td>{percent(exact['share']) if exact['n'] else '–'}</td><td></td><td></td><td></td>"
        f"<td>{_lift(controls['exact_words_lift'])}</td></tr>"
    )
    shuffled, other, base = (
        controls["shuffled_right"],
        controls["other_rewrite"],
        controls["unflagged_corrected"],
    )
    body.append(
        f"<tr><td>control: rules of shuffled pairs</td><td>{shuffled['n']:,}</td>"
        f"<td>{controls['shuffled_rules']:,}</td><td>{percent(shuffled['share']) if shuffled['n'] else '–'}</td>"
        "<td></td><td></td><td></td><td></td></tr>"
    )
    body.append(
        f"<tr><td>control: another rule’s rewrite</td><td>{other['n']:,}</td><td></td>"
        f"<td>{percent(other['share']) if other['n'] else '–'}</td><td></td><td></td><td></td><td></td></tr>"
    )
    out.append(f'<div class="scroll"><table><tr>{head}</tr>{"".join(body)}</table></div>')
    out.append(
        f'<p class="soft">Lift: how often flagged hunks were corrected, over unflagged ones of like size. '
        f"Of {base['n']:,} unflagged hunks {percent(base['share'] or 0)} were corrected.</p>"
    )
    return out


def _lift(lift: Mapping[str, Any] | None) -> str:
    return f"{lift['lift']} ({lift['low']} to {lift['high']})" if lift else "–"


def _examples(examples: Sequence[Mapping[str, Any]]) -> list[str]:
    if not examples:
        return []
    out = ["<h2>To read one by one</h2>"]
    for each in examples:
        known = f"<p>Known before: {escape(each['known'])}</p>" if each.get("known") else ""
        asked = f"<p>Asked: {escape(each['subject'])}</p>" if each.get("subject") else ""
        fate = each.get("fate", "")
        later = f"<p>Corrected in {escape(each['corrected_in'][:10])}</p>" if each.get("corrected_in") else ""
        out.append(
            f"<details><summary>{escape(each['via'])}{f', {escape(fate)}' if fate else ''}: "
            f'{escape(each["path"])} <span class="soft">{escape(each["commit"][:10])}</span></summary>'
            f'{asked}{known}{later}<pre><span class="gone">{escape(each["before"])}</span>\n'
            f'<span class="came">{escape(each["after"])}</span></pre></details>'
        )
    return out

"""The model card: what a training run read, how it learnt, how good the result is, and where it ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from collecting import Package
from judging import ASKED, Verdict, gained
from records import KINDS

from cortex.models.descriptions import ENCODER

_MEANING = {
    "doc": "a doc comment and its function",
    "name": "a name and its function",
    "type": "a doc comment and its class or type",
    "comment": "an inline comment and the lines below it",
    "change": "a commit's subject and a function that it changed",
}
_TASKS = {"doc": "docstring → function", "change": "commit subject → changed function"}


@dataclass(frozen=True)
class Run:
    """What one run of the training did."""

    command: str
    started: str  # from what: "chance", or a model file's name and hash
    plan: str
    kept: Sequence[tuple[Package, str, Counter[str]]]  # package, licence as read, pairs of each kind
    failed: Sequence[str]
    dropped: Counter[str]
    apart: Sequence[str]
    versions: str


def card(run: Run, data: bytes, new: Verdict, old: Verdict) -> str:
    """The card's text."""
    digest = sha256(data).hexdigest()
    kinds: Counter[str] = Counter()
    for *_, counts in run.kept:
        kinds.update(counts)
    lines = [
        "# The encoder: how a file was made",
        "",
        f"Written by `{run.command}`.",
        "",
        f"- **File.** {len(data) / 1e6:.1f} MB, SHA-256 `{digest}`.",
        f"- **Use.** {_use(digest)}",
        f"- **Start.** From {run.started}.",
        f"- **Training.** {run.plan}. {run.versions}.",
        f"- **Data.** {sum(kinds.values()):,} pairs of {len(run.kept)} sources: "
        + "; ".join(f"{kinds[kind]:,} of {_MEANING[kind]}" for kind in KINDS)
        + ". Left out: "
        + (", ".join(f"{count:,} ({why})" for why, count in sorted(run.dropped.items())) or "nothing")
        + ".",
        f"- **Not had.** {', '.join(run.failed) or 'nothing was missing'}.",
        f"- **Kept apart**, to judge on: {', '.join(run.apart)}.",
        "- **Limits.** English and code in Python, Go, JavaScript and TypeScript. Word order is not seen. "
        "What packages say of themselves is learnt: a question in other words than theirs is answered worse.",
        "",
        "## Figures, on the sources kept apart",
        "MRR@10, each answer sought among all functions of its source; 95% intervals by bootstrap over questions. "
        "Where the file before learnt from one of these sources, the comparison is to its advantage.",
        "",
        "| task | this file | the file in `models/data` before | difference |",
        "| --- | --- | --- | --- |",
    ]
    for kind in ASKED:
        by, low, high = gained(new.gains[kind], old.gains[kind])
        lines.append(
            f"| {_TASKS[kind]} | {new.told(kind)} | {old.told(kind)} | {by:+.3f} [{low:+.3f}, {high:+.3f}] |"
        )
    lines += [
        "",
        f"One processor: a question {new.query_ms:.2f} ms, 1,000 snippets {new.snippets_s:.2f} s.",
        "",
        "## Sources",
        "The licence is the one that the package's own metadata, or its LICENSE file, names.",
        "",
        "| kind | name | commit | licence | " + " | ".join(KINDS) + " |",
        "| --- | --- | --- | --- |" + " --- |" * len(KINDS),
    ]
    for package, licence, counts in run.kept:
        cells = " | ".join(str(counts[kind]) for kind in KINDS)
        lines.append(f"| {package.kind} | {package.name} | {package.commit[:12]} | {licence} | {cells} |")
    return "\n".join(lines) + "\n"


def _use(digest: str) -> str:
    if digest == ENCODER.sha256:
        return "It is the encoder that ships in `models/data`."
    return f"It does not ship: `models/data` holds another encoder, with SHA-256 `{ENCODER.sha256}`."

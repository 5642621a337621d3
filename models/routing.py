"""Where a question is best looked up: in code, docs, what was debugged, the architecture, or in general."""

from __future__ import annotations

import re

from .tasktext import opening
from .vocabulary import TECHNOLOGIES

ROUTES = ("code", "docs", "debug", "architecture", "general")

_ARCHITECTURE = re.compile(
    r"\b(?:architectur\w*|layer\w*|overview|big picture|entry points?|high.level|design\w*|dependency graph|data flow"
    r"|monorepo|trade-?offs?|organi[sz]ed|structured?|coupled|coupling|seams?|boundar(?:y|ies)|abstractions?"
    r"|invariants?|consistency|lifecycle|multi.tenan\w+|stateless|scaled?|circular imports?|components|services"
    r"|processes|walk me through what happens|relation(?:ship)? (?:of|between)|reason(?:s|ing)? (?:for|behind)"
    r"|(?:was|were|been) decided|what depends|modules? (?:depend|import)|module dependenc\w+"
    r"|(?:how|where) (?:do|does|is|are) .+ (?:talk|communicate|fit together|relate|flow|get from)\b"
    r"|(?:path|way|flow|request|data) from .+ (?:to|till|into)|why (?:did|do|does|have|are|were|was|is) (?:we|our|the)"
    r"|(?:may|allowed to|should) .+ (?:directly|live)|next to|(?:could|can) (?:this|it|we) .*\bwithout)\b"
)
#: A rearrangement of more than some functions.
_STRUCTURE = re.compile(
    r"\b(?:layer\w*|architectur\w*|restructure|decoupl\w+|boundar(?:y|ies)|interface so that)\b"
)
_DOCS = re.compile(
    r"\b(?:install\w*|configur\w+|config|options?|settings?|flags?|usage|syntax|defaults?|env(?:ironment)? (?:vars?"
    r"|variables?)|version(?:s|ed)?|supported|windows|changelog|what's new|licen[cs]e\w*|minimum|requirements?"
    r"|documented|docs?|documentation|readme|tutorial|quickstart|getting started|guide|runbook|handbook|conventions?"
    r"|rules for|contribut\w+|commit messages?|exit codes?|source of truth|recommended way|where can i read"
    r"|who do i (?:report|ask|contact)|how to|(?:does|can) (?:it|this) (?:work|run) with"
    r"|how (?:do|can|would|should) (?:i|you|we|one) (?:\w+ ){0,2}(?:run|use|install|start|enable|disable|set|deploy"
    r"|rotate|upgrade|build|write|add))\b"
)
_FAILURE = re.compile(
    r"\b(?:traceback|stack ?trace|exception|errors?|panics?|crash\w*|segfault|fails?|failing|failed|failure|flaky"
    r"|broken|bugs?|leak\w*|deadlock\w*|incident|outage|regression|spikes?|seen this|(?:went|goes) wrong"
    r"|(?:\w+ing|called) \d+ times)\b"
)
#: What is wrong with tests and pipelines; an error that a test is to provoke is not.
_UNSTEADY = re.compile(r"\b(?:fails|failed|failing|flaky|crashes|hangs|red|exit code)\b")
#: What no repository says: knowledge, taste, the conversation itself.
_KNOWLEDGE = re.compile(
    r"\b(?:opinions?|in general|generally|best (?:practice|way)|good idea|which is better|versus|vs\.?|compare"
    r"|(?:when|where) (?:should|do|would) (?:i|one|you) use|what (?:did|have) you|did you|thread.?safe|per thread"
    r"|what does .+ (?:do|mean) and why)\b|how does it work\?$"
)
#: What says that this repository is meant.
_OURS = re.compile(
    r"\b(?:our|ours|we|us|here|this (?:repo|project|code ?base|file|function|class|module)|my)\b"
)
#: A name from code: a path, a call, snake or camel case, or what stands in backticks.
_NAME = re.compile(
    r"`[^`]+`|\b\w+\(\)|\b[a-z0-9]+_\w+|\b[a-z]+[A-Z]\w*|\b[\w-]+\.(?:py|go|tsx?|jsx?|rs|java|c|h)\b"
)
_WORD = re.compile(r"[a-z][a-z0-9-]+")
_BY_TYPE = {
    "bug fix": "debug", "feature": "code", "refactor": "code", "test": "code", "docs": "docs",
    "performance": "code", "build": "code", "migration": "architecture",
}  # fmt: skip


def route(text: str, label: str) -> str:
    """One of `ROUTES` for a text of which `label` is the task type, as `TaskClassifier.classify` says it."""
    begun = opening(text)
    if label in _BY_TYPE:
        if label == "refactor" and _STRUCTURE.search(begun):
            return "architecture"
        if label in ("test", "build") and _UNSTEADY.search(begun):
            return "debug"
        return _BY_TYPE[label]
    if _FAILURE.search(begun):
        return "debug"
    ours = bool(_OURS.search(begun) or _NAME.search(text))
    if _KNOWLEDGE.search(begun) and not ours:
        return "general"
    if _ARCHITECTURE.search(begun):
        return "architecture"
    if _DOCS.search(begun):
        return "docs"
    words = _WORD.findall(begun)
    if ours or (len(words) > 2 and not TECHNOLOGIES.intersection(words)):
        return "code"
    return "general"

"""What questions are answered with: `ask` and `graph`."""

from __future__ import annotations

from typing import TypedDict

from . import Evidence


class Task(TypedDict):
    """What kind of task a question is about."""

    type: str
    confidence: float
    route: str


class RecalledMemory(TypedDict):
    """One memory of an answer, or one place of code, docs or history; the values of `why` add up to `score`.

    `changed` says what a commit changed; `path` is empty and lines are 0 for what is no place.
    """

    id: str
    kind: str
    scope: str
    source: str
    title: str
    text: str
    score: float
    why: dict[str, float]
    trust: str
    evidence: list[Evidence]
    path: str
    line: int
    end_line: int
    changed: list[str]


class Understanding(TypedDict):
    """How the words of a question were read; `task_likeness` (0 to 1) is what code and history are searched by.

    `asks` is what they are asked for: past, place, code, tests, or nothing that could be looked for.
    """

    kind: str
    task_likeness: float
    languages: list[str]
    named: list[str]
    folder: str
    file: str
    symbols: list[str]
    paths: list[str]
    words: list[str]
    asks: list[str]


class Measured(TypedDict):
    """What had to be enough of something that was shown: it `had` so much of `measure`, and `needed` so much.

    `words` are those of the question that a memory holds, itself or another one of the same sense (`~`).
    """

    id: str
    measure: str
    had: float
    needed: float
    words: list[str]


class LeftOut(TypedDict):
    """Something that was not shown: the reason in a word and in plain ones, and what was measured at its gate."""

    id: str
    kind: str
    source: str
    title: str
    score: float
    why: dict[str, float]
    reason: str
    said: str
    measure: str
    had: float
    needed: float


class Explanation(TypedDict):
    """Why an answer is what it is: `sources` counts where candidates came from, `needed` what each source asks for.

    `shown` is in the order of `memories`; `left` are the nearest of what was left out.
    """

    understood: Understanding
    sources: dict[str, int]
    needed: dict[str, float]
    shown: list[Measured]
    left: list[LeftOut]


class AskResult(TypedDict):
    """`cortex ask --json`; `context` is ready to inject, `tokens` is its length by `tokenizer`.

    `notes` says how far code and history were searched; `explanation` is None unless it was asked for.
    """

    schema: int
    query: str
    task: Task
    context: str
    tokens: int
    tokenizer: str
    memories: list[RecalledMemory]
    dropped: dict[str, int]
    abstained: bool
    timings_ms: dict[str, float]
    notes: list[str]
    explanation: Explanation | None


class GraphNode(TypedDict):
    """One node, `depth` steps from the root; `left_out` neighbours were too many. Figures are 0 for no function."""

    id: str
    kind: str
    title: str
    depth: int
    left_out: int
    cyclomatic: int
    cognitive: int


#: A word of Python's stands among the fields of an edge.
GraphEdge = TypedDict("GraphEdge", {"from": str, "relation": str, "to": str})


class GraphResult(TypedDict):
    """`cortex graph --json`."""

    schema: int
    root: str
    nodes: list[GraphNode]
    edges: list[GraphEdge]
    left_out: int
    notes: list[str]

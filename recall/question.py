"""What is asked, and what can be told of it from its words alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from ..store.words import query_terms, stem
from .concepts import Concepts, concepts_of

#: Of a longer question only the beginning is read; of the file under work so many characters.
LONGEST, LONGEST_FILE = 8_000, 60_000

#: Names of languages in questions, options and file endings; the values are what memories carry.
LANGUAGES = {
    "python": "python", "py": "python", "pytest": "python", "django": "python", "flask": "python",
    "go": "go", "golang": "go", "goroutine": "go", "goroutines": "go",
    "typescript": "typescript", "ts": "typescript", "mts": "typescript", "cts": "typescript",
    "tsx": "tsx", "jsx": "javascript", "javascript": "javascript", "js": "javascript",
    "mjs": "javascript", "cjs": "javascript", "react": "tsx", "angular": "typescript",
}  # fmt: skip
#: What holds for one of these mostly holds for all of them.
_FAMILY = ("javascript", "tsx", "typescript")

#: Words that most tasks hold: they say what kind of work it is, hardly ever which memory helps with it, and
#: count a quarter.
QUARTER = 0.25
_COMMON = """
add adjust allow app application avoid build call change check class code component create declare define
display do element endpoint ensure example feature file fix function go golang handle helper implement improve
input introduce javascript job line list main make method module move name new object output page parameter
print project put python react read remove rename replace return run script server service set show something
start step store support test thing turn type typescript update user value variable work write
"""
COMMON = frozenset(stem(word) for word in _COMMON.split())

#: Names of code that are long enough to say something.
NAME = re.compile(r"[A-Za-z_$][\w$]{2,}")
_CODE = re.compile(r"`|[A-Za-z_]\w*\(|\w\.\w+\(|[a-z]+_[a-z]|[a-z][A-Z]\w|::|->|=>|[{};]|\w\[|==|\bnil\b")
_TASKS = frozenset(
    """
    add allow bump change clean convert correct create delete deprecate disable document drop enable
    ensure expose extend extract fix handle implement improve include introduce make migrate move
    optimise optimize pass prevent reduce refactor remove rename replace return set simplify skip speed
    split stop support switch test tidy update upgrade use validate wrap write
    """.split()  # noqa: SIM905 - read as prose
)


@dataclass(frozen=True)
class Question:
    """One question: at most `k` memories in at most `budget` tokens.

    `language` is a hard filter, and so is `path` when it names a folder (`src/` or `src/api`). A path with an
    ending is the file under work: it says the language, and memories of the same place come first. `code` is its
    text as it is now, where that is at hand: what was corrected and stands there applies, what does not hardly does.
    So much more evidence than usual, `bar`, is asked of a memory: where others answer too.
    """

    text: str
    k: int = 5
    budget: int = 500
    language: str = ""
    path: str = ""
    code: str = ""
    bar: float = 0.0


@dataclass(frozen=True)
class Understood:
    """What the words of a question say: `kind` is "code", "task" or "prose" and chooses the fusion.

    `terms` are looked for, those of the file under work first; `weighted` are those of the words alone. `here` are the
    names in the code that was given, and `code` is that of the file on one line, empty where it is not at hand.
    """

    text: str
    kind: str
    terms: tuple[str, ...]
    weighted: tuple[tuple[str, float, Concepts], ...]  # each term, how much it says, and its concepts
    languages: tuple[str, ...]  # those that a memory must have; empty for any
    named: frozenset[str]  # those that the text names: a wish, not a filter
    folder: str
    file: str
    here: frozenset[str] = frozenset()
    code: str = ""
    bar: float = 0.0


def understand(question: Question) -> Understood:
    """Read a question."""
    text = question.text[:LONGEST]
    path = question.path.replace("\\", "/").removeprefix("./")
    ending = PurePosixPath(path).suffix.lstrip(".").lower()
    language = question.language.strip().lower()
    if not language and ending:
        language = LANGUAGES.get(ending, "")
    terms = tuple(query_terms(text))
    kind = _kind(text)
    code = question.code[:LONGEST_FILE]
    file = path if ending else ""
    words = {word.lower() for word in re.findall(r"[A-Za-z]+", text)}
    found = {LANGUAGES[word] for word in words & LANGUAGES.keys() if word != "go" or _says_go(text)}
    return Understood(
        text=text,
        kind=kind,
        terms=tuple(dict.fromkeys((*query_terms(file), *terms))),
        weighted=tuple((term, QUARTER if term in COMMON else 1.0, concepts_of((term,))) for term in terms),
        languages=_family(LANGUAGES.get(language, language)) if language else (),
        named=frozenset(each for name in found for each in _family(name)),
        folder="" if ending else path.rstrip("/"),
        file=file,
        here=frozenset(NAME.findall(code or (text if kind == "code" else ""))),
        code=" ".join(code.split()),
        bar=question.bar,
    )


def _family(language: str) -> tuple[str, ...]:
    return _FAMILY if language in _FAMILY else (language,)


def _says_go(text: str) -> bool:
    """Whether "go" is the language and not the verb."""
    return re.search(r"\bGo\b(?! (to|through|on|back|over|and)\b)|\bin go\b", text) is not None


def _kind(text: str) -> str:
    if _CODE.search(text):
        return "code"
    first = re.match(r"\W*([A-Za-z]+)", text)
    return "task" if first and first[1].lower() in _TASKS else "prose"

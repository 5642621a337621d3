"""A task's text without its courtesy, its words and their stems, and whom it speaks to."""

from __future__ import annotations

import re

_CHARACTERS = 2_000  # what a task is about is said at its start
_WORDS = 120
_SUBJECT_WORDS = 18

_COURTESY = re.compile(
    r"(?:\s|[,.!:])*(?:(?:hi|hey|hello|ok|okay|so|now|also|then|next|and|please|pls|kindly|just|maybe|let'?s)\b"
    r"|(?:can|could|would|will) (?:you|we)\b(?: please)?"
    r"|(?:i|we)(?:'d| would)? (?:want|need|like)(?: you)?(?: to(?: be able to)?)?\b"
    r"|(?:help me(?: to)?|you should|we should|i have to|we have to|try to|go ahead and|your task is to)\b)"
)
_WORD = re.compile(r"[a-z][a-z0-9]*(?:n't)?|[0-9]+")
#: A message to somebody: persons, wishes, full sentences, questions, several lines. 7% of commit subjects match.
_ADDRESS = re.compile(
    r"\n|\?\s*$|[.!;,] \S+ \S+ \S+"
    r"|\b(?:please|pls|plz|i|i'm|i'd|i've|we|we're|our|us|my|me|you|your|can|could|should|want|needs?|it's|isn't"
    r"|doesn't|don't|doesnt|dont|there's|there (?:is|are)|let's|thanks|hey|hi|ok)\b"
    r"|^(?:how|what|what's|whats|why|where|which|who|when|is|are|does|do|explain|describe|the|a|this|that|these"
    r"|it)\b",
    re.I,
)
_ENDINGS = re.compile(r"(?:ations?|ings?|ions?|ers?|e[ds]|ly|s|e)$")


def shown(text: str) -> str:
    """The start of a text: what is read of it."""
    return text[:_CHARACTERS]


def opening(text: str) -> str:
    """The text in lower case from its first word that is not courtesy ("could you please" and the like)."""
    text = shown(text).lower().replace("\u2019", "'").strip()
    for _ in range(4):
        match = _COURTESY.match(text)
        if not match or match.end() == len(text):
            break
        text = text[match.end() :].lstrip(" ,.:!")
    return text


def stem(word: str) -> str:
    """A word without its commonest endings: rough, but alike for `optimize`, `optimizes`, `optimizing`."""
    short = _ENDINGS.sub("", word)
    return short if len(short) >= 3 else word


def words(text: str) -> list[str]:
    """The ASCII words of a text without its courtesy, in order."""
    return [match.group() for match in _WORD.finditer(opening(text))][:_WORDS]


def looks_written_to_someone(text: str) -> bool:
    """Whether a text reads like a message to somebody; a bare imperative may as well be a commit's subject."""
    return bool(_ADDRESS.search(shown(text))) or len(text.split()) > _SUBJECT_WORDS

"""What tells a name from a keyword or an operator, in whatever of the languages."""

from __future__ import annotations

import keyword
import re

from ...analyzers.languages import words

WORD = re.compile(r"[A-Za-z_]\w*\Z")
OPERATORS = words("== != === !== <> ! is ||")
KEYWORDS = frozenset(keyword.kwlist) | words(
    """var let const function async new typeof instanceof func defer go range package struct interface map
    chan select switch case default fallthrough goto throw catch void delete this extends implements
    public private protected static readonly enum export"""
)
#: Words that are keywords in Python, and may be names elsewhere.
_PYTHON_ALONE = words("assert raise pass del elif except lambda nonlocal global and or not is")


def is_keyword(word: str) -> bool:
    """Whether a word belongs to one of the languages."""
    return word in KEYWORDS


def is_name(token: str, language: str = "") -> bool:
    """Whether a token names something: a word of two letters or more that is no keyword of `language`, or of any."""
    if not WORD.match(token) or len(token) < 2:
        return False
    return token not in KEYWORDS or (token in _PYTHON_ALONE and language not in ("python", ""))


def runs(template: str) -> list[str]:
    """The operators of a template: runs of punctuation between spaces, words and holes."""
    return re.findall(r"(?<![^\w\s)\]])[!=<>|&]+(?![^\w\s($\[\"'])", template)

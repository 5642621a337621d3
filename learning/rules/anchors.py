"""Whether a generalisation means by itself what its examples meant where they stood."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ...analyzers.languages import words
from ...analyzers.parse import Node
from ...analyzers.rewriting import elements
from .antiunify import General
from .naming import KEYWORDS, OPERATORS, is_name, runs

_QUOTED = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`")
_PARAMETERS = words("formal_parameters parameters parameter_list")
#: Names that stand in nearly every file of their language.
_ANYWHERE = words("self cls this super")


def says_itself(general: General, node: Node) -> bool:
    """Whether a pattern means by itself what it meant where it stood: not a parameter that gets another name, whose
    body is not seen, and not a lone name in brackets, which were those of a call or a class.
    """
    before, after = (["(", *elements(each)] for each in (general.pattern, general.rewrite))
    if node.kind not in _PARAMETERS:
        return before[1] != "(" or len(before) > 4
    if len(before) != len(after):
        return True
    changed = [k for k, (x, y) in enumerate(zip(before, after, strict=True)) if x != y]
    return not all(is_name(before[k]) and is_name(after[k]) and before[k - 1] in "(," for k in changed)


def anchored(general: General, language: str) -> bool | None:
    """Whether a word holds the pattern down; False for an operator alone, or a variable; None for nothing at all.

    A change of keywords alone is a linter's, and a keyword holds a pattern down only where a name came to it
    (`except:`, which became `except Exception:`). Words in a string hold nothing, and neither does a lone name, or
    one that every class has (`self.$A = {}`).
    """
    before = [token for token in elements(_QUOTED.sub("$_", general.pattern)) if not token.startswith("$")]
    if len(elements(_QUOTED.sub("$_", general.pattern))) < 2:
        return None
    gone = set(Counter(elements(general.pattern)) - Counter(elements(general.rewrite)))
    came = set(Counter(elements(general.rewrite)) - Counter(elements(general.pattern)))
    if not (gone | came) or all(token in KEYWORDS for token in gone | came):
        return None
    named = [k for k, token in enumerate(before) if is_name(token, language) and token not in _ANYWHERE]
    if named:
        return any(_names_thing(before, k) for k in named)
    if "$" not in general.pattern and len(before) > 2 and any(is_name(token) for token in came):
        return False  # numbers and operators alone, but these very ones
    # Of an import that keywords alone hold down nothing is known.
    if any(token in KEYWORDS - {"from", "import"} for token in before) and any(
        is_name(token) for token in came
    ):
        return True
    kept = runs(general.rewrite)
    return False if any(run in OPERATORS and run not in kept for run in runs(general.pattern)) else None


def _names_thing(tokens: Sequence[str], at: int) -> bool:
    """Whether a name is of something that is called, taken from, imported or a type: not of a variable, which is
    another thing elsewhere.
    """
    last, following = tokens[at - 1] if at else "", tokens[at + 1] if at + 1 < len(tokens) else ""
    return last in (".", "@", "new", "import", "from") or following in ("(", ".") or tokens[at][:1].isupper()

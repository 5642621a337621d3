"""The built-in token counter: how long a text is for a language model, about."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

from ..repo.errors import DamagedError
from .descriptions import BUILTIN, COUNTERS, ModelFile, choose, read
from .merges import Merges
from .sessions import give_back

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_LONGEST_TOKEN = (
    32  # characters, as training/tokens.py says: no more of a text than this a token need be read
)


#: So many characters are counted pair by pair before the tokenizer is made: those of some ten answers.
_FEW = 20_000


class BpeCounter:
    """Counts the tokens of a byte-level BPE of our own, scaled to the count of a public LLM tokenizer.

    `docs/models.md` has how far it is from o200k_base and cl100k_base, by language. Raises `DamagedError` for data
    that are no merges.
    """

    def __init__(self, model: ModelFile, data: bytes) -> None:
        self.name = model.version
        try:
            self._merges = Merges(data)
        except ValueError as error:
            raise DamagedError(
                f"the model file {model.file} cannot be read: {error}", "install Cortex again"
            ) from error
        self._left = _FEW
        self._scale = model.scale

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        self._left = 0
        made = self._merges.tokenizer()
        give_back()  # to make it takes more than is kept of it
        return made

    def _encode(self, text: str) -> Encoding:
        # A lone surrogate is no character, and the tokenizer takes none.
        if not text.isascii():
            text = text.encode("utf-8", "replace").decode("utf-8")
        return self._tokenizer.encode(text, add_special_tokens=False)

    def count(self, text: str) -> int:
        """The tokens of a text; 0 for an empty one."""
        self._left -= len(text)
        found = self._merges.count(text) if self._left >= 0 else None
        return math.ceil((len(self._encode(text).ids) if found is None else found) * self._scale)

    def truncate(self, text: str, budget: int) -> str:
        """The longest head of a text, cut between tokens, whose count is at most `budget`."""
        most = math.floor(max(budget, 0) / self._scale)
        head = text[: (most + 1) * _LONGEST_TOKEN]
        ends = [end for _, end in self._encode(head).offsets]
        if len(head) == len(text) and len(ends) <= most:
            return text
        kept = min(len(ends), most)
        while kept > 0:
            head = text[: ends[kept - 1]]
            # A head alone may be cut into more tokens than it was as part of the whole.
            over = self.count(head) - budget
            if over <= 0:
                return head
            kept -= over
        return ""


def load(name: str = BUILTIN) -> BpeCounter:
    """The counter called `name`; `UsageError` for an unknown one, `DamagedError` for a changed file."""
    model = choose(COUNTERS, name, "token counter")
    return BpeCounter(model, read(model))

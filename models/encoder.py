"""The built-in encoder: texts to vectors, from static token vectors weighted by kind of text."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import shake_256

import numpy as np
import numpy.typing as npt

from ..repo.errors import DamagedError, UsageError
from .descriptions import BUILTIN, ENCODERS, ModelFile, choose, read
from .sessions import Device, device_of, open_session
from .words import WordPiece, fold, words

Floats = npt.NDArray[np.float32]

_KINDS = {"query": 0, "code": 1}
_TOKENS = 600  # of a text's head; the model was trained on no longer ones
_CHARACTERS = 32_768  # read at most, so that a text of megabytes costs what a long one costs
_BATCH = 64
_HEAD = 160  # characters of a first line


class StaticEncoder:
    """Encodes texts in microseconds; safe to share between threads.

    The model is a weighted mean: the vector of each distinct token, times a weight learnt for the kind of
    text, times 1 + log of its count. Where the file says `head`, the first line of code counts twice: a
    signature says more of a function than any line below it. `name` changes with the file, so that vectors
    are never mixed.
    """

    def __init__(self, model: ModelFile, data: bytes, device: Device = "auto") -> None:
        self.name = model.version
        self.width = model.width
        self._session = open_session(data, device)
        self.device = device_of(self._session)
        told = self._session.get_modelmeta().custom_metadata_map
        vocabulary = told.get("vocab", "")
        if not vocabulary:
            raise DamagedError(f"the model {model.file} carries no vocabulary", "install Cortex again")
        self._pieces = WordPiece(vocabulary.split("\n"))
        self._headed = told.get("head") == "twice"

    def encode(self, texts: Sequence[str], kind: str = "query") -> Floats:
        """Texts to float32 rows (n, width) of length 1; `kind` is "query" or "code".

        A long text is judged by its first 600 tokens. A text without a single ASCII letter or digit gets a
        direction of its own, made of its words: near texts that share them, and near nothing else.
        Raises `UsageError` for another kind, or for a string where a list of strings is meant.
        """
        if kind not in _KINDS:
            raise UsageError(f"there is no kind of text called {kind!r}", 'use "query" or "code"')
        if isinstance(texts, str):
            raise UsageError("encode takes a list of texts, not one text", "put it in a list: encode([text])")
        rows = np.empty((len(texts), self.width), np.float32)
        bags: list[tuple[int, npt.NDArray[np.int64], Floats]] = []
        for index, text in enumerate(texts):
            text = text[:_CHARACTERS]
            if kind == "code" and self._headed:
                text = text.partition("\n")[0][:_HEAD] + "\n" + text
            head = fold(text)
            ids = self._pieces.ids(head, _TOKENS)
            if ids:
                tokens, counts = np.unique(np.array(ids, np.int64), return_counts=True)
                bags.append((index, tokens, (1 + np.log(counts)).astype(np.float32)))
            else:
                rows[index] = _foreign(head, self.width)
        # Batches of like length waste the least on padding.
        bags.sort(key=lambda bag: len(bag[1]))
        for start in range(0, len(bags), _BATCH):
            batch = bags[start : start + _BATCH]
            rows[[index for index, _, _ in batch]] = self._run(batch, _KINDS[kind])
        return rows

    def _run(self, batch: list[tuple[int, npt.NDArray[np.int64], Floats]], kind: int) -> Floats:
        longest = len(batch[-1][1])
        tokens = np.zeros((len(batch), longest), np.int64)
        weights = np.zeros((len(batch), longest), np.float32)
        for row, (_, ids, frequencies) in enumerate(batch):
            tokens[row, : len(ids)] = ids
            weights[row, : len(ids)] = frequencies
        feed = {"input_ids": tokens, "tf": weights, "kind": np.array([kind], np.int64)}
        (out,) = self._session.run(None, feed)
        return np.asarray(out, np.float32)


def load(name: str = BUILTIN, device: Device = "auto") -> StaticEncoder:
    """The encoder called `name`; `UsageError` for an unknown one, `DamagedError` for a changed file."""
    model = choose(ENCODERS, name, "encoder")
    return StaticEncoder(model, read(model), device)


def _foreign(text: str, width: int) -> Floats:
    """A unit row for a text beyond the vocabulary: the sum of a direction for each of its words."""
    total = np.zeros(width, np.float64)
    for word in sorted(set(words(text))) or [""]:
        noise = shake_256(word.encode("utf-8", "surrogatepass")).digest(width)
        total += np.frombuffer(noise, np.uint8) - 127.5
    return np.asarray(total / np.linalg.norm(total), np.float32)

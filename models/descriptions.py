"""The model files that ship with Cortex: one frozen description each, and reading a file by its hash."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ..repo.errors import DamagedError, UsageError

FOLDER = Path(__file__).parent / "data"
BUILTIN = "builtin"


@dataclass(frozen=True)
class ModelFile:
    """One file in `models/data`: what it is, its hash, and under which licence it may be passed on."""

    name: str
    file: str
    sha256: str
    licence: str
    about: str
    width: int = 0  # of an encoder's rows; 0 for anything else
    scale: float = 1.0  # of a counter: what a token of its own is worth in tokens of a public one

    @property
    def version(self) -> str:
        """The name with the start of the hash: what was made by one file is never taken for another's."""
        return f"{self.name}@{self.sha256[:12]}"


ENCODER = ModelFile(
    name="static256",
    file="cortex_static256.onnx",
    sha256="43a088e45da0bd792cafa2239de51e646507bcf02f82971922da6537a776d1b0",
    licence="MIT",
    about="Static token vectors for code and questions about code, int8, the vocabulary inside; by training/encoder.",
    width=256,
)

COUNTER = ModelFile(
    name="bpe56k",
    file="cortex_tokens.pairs",
    sha256="14837ac9d65e1f91a11dfa840f029e023ada26dcc2d03e237d6f5a4be359e1d6",
    licence="MIT",
    about="The merges of a byte-level BPE over code and prose, two ids of 16 bits each; by training/tokens.py.",
)

CLASSIFIER = ModelFile(
    name="tasktype",
    file="cortex_tasktype.onnx",
    sha256="c1c81d767e4bae5788d8bae8b3995248b1ef41258ca06eb77395069f4237b7c0",
    licence="MIT",
    about="A linear softmax over hashed words, a small network for prompts, calibrated; by training/tasktypes.py.",
)

ENCODERS = {BUILTIN: ENCODER}
CLASSIFIERS = {BUILTIN: CLASSIFIER}
COUNTERS = {BUILTIN: COUNTER}
FILES = (ENCODER, CLASSIFIER, COUNTER)


def choose(models: dict[str, ModelFile], name: str, what: str) -> ModelFile:
    """The description called `name`; raises `UsageError` with the names there are."""
    try:
        return models[name]
    except KeyError:
        raise UsageError(f"there is no {what} called {name!r}", f"use one of: {', '.join(models)}") from None


def read(model: ModelFile, folder: Path = FOLDER) -> bytes:
    """The file's bytes; raises `DamagedError` unless they hash to what the description pins."""
    hint = "install Cortex again: pip install --force-reinstall --no-deps cortex-git"
    try:
        data = (folder / model.file).read_bytes()
    except OSError as error:
        raise DamagedError(f"the model file {model.file} cannot be read: {error.strerror}", hint) from error
    if sha256(data).hexdigest() != model.sha256:
        raise DamagedError(f"the model file {model.file} is not the one that Cortex shipped", hint)
    return data

"""Makes the token counter: a byte-level BPE over permissively licensed code and prose.

Run `python training/tokens.py --clones FOLDER`; it writes models/data/cortex_tokens.pairs and its hash.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import struct
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from clones import clone, files
from sources import sources
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from cortex.models.merges import PATTERN, Merges

OUT = Path(__file__).parents[1] / "models" / "data" / "cortex_tokens.pairs"
VOCABULARY = 57_344
SEED = 7

#: Characters taken of each kind of file, over all sources: about what an assistant reads and writes.
SHARES = {
    "python": 12_000_000,
    "go": 12_000_000,
    "typescript": 10_000_000,
    "javascript": 6_000_000,
    "prose": 20_000_000,
    "data": 2_000_000,
    "world": 6_000_000,
}
_KINDS = {
    ".py": "python", ".pyi": "python", ".go": "go", ".ts": "typescript", ".tsx": "typescript",
    ".mts": "typescript", ".js": "javascript", ".jsx": "javascript", ".mjs": "javascript",
    ".cjs": "javascript",
    ".md": "prose", ".rst": "prose", ".mdx": "prose", ".txt": "prose",
    ".json": "data", ".yml": "data", ".yaml": "data", ".toml": "data",
}  # fmt: skip
_LONGEST_FILE = 60_000
_LONGEST_LINES = 200  # characters a line on average: beyond that it was written by a machine


def kind_of(path: str) -> str | None:
    """The kind of a file by its ending, None for one that is not used."""
    return _KINDS.get(Path(path).suffix.lower())


def is_written(text: str) -> bool:
    """Whether a text looks written by people: neither huge, nor of endless lines, nor marked as generated."""
    if not text or len(text) > _LONGEST_FILE or len(text) / (text.count("\n") + 1) > _LONGEST_LINES:
        return False
    return "DO NOT EDIT" not in text[:2000] and "@generated" not in text[:2000]


def translated(catalogue: str) -> str:
    """The translations in a gettext catalogue, one to a line, without the English that they translate."""
    return "\n".join(
        "".join(re.findall(r'^(?:msgstr )?"(.*)"$', entry, re.M))
        for entry in re.findall(r'^(msgstr ".*"(?:\n".*")*)$', catalogue, re.M)
    )


def corpus(folder: Path) -> Iterator[str]:
    """The training texts: of each kind its share, drawn evenly from the sources that have it."""
    found: dict[str, dict[str, list[str]]] = {kind: {} for kind in SHARES}
    for source in sources("tokens"):
        for path, text in files(clone(source, folder), source.commit):
            kind = kind_of(path)
            if kind and is_written(text):
                found[kind].setdefault(source.repository, []).append(text)
    for source in sources("world"):
        for path, text in files(clone(source, folder), source.commit):
            text = translated(text) if path.endswith(".po") else text
            # Half a per cent of other letters is a name here and there; a translation has more.
            if path.endswith((".md", ".po")) and len(text.encode()) > 1.05 * len(text):
                found["world"].setdefault(source.repository, []).append(text)
    chance = random.Random(SEED)
    for kind, share in SHARES.items():
        left = share
        # Those with little are taken whole, and leave the rest of their part to the others.
        for place, (repository, texts) in enumerate(
            sorted(found[kind].items(), key=lambda pair: sum(map(len, pair[1])))
        ):
            part = left // (len(found[kind]) - place)
            chance.shuffle(texts)
            taken = 0
            for text in texts:
                if taken + len(text) > part:
                    break
                taken += len(text)
                yield text
            left -= taken
            print(f"{kind:<12}{repository:<50}{taken:>10,}")


def train(texts: Iterator[str]) -> Tokenizer:
    """A byte-level BPE with `VOCABULARY` entries; every byte is in it, so every text can be counted."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        min_frequency=2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=32,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def pairs(tokenizer: Tokenizer) -> bytes:
    """The merges of a tokenizer as `cortex.models.merges` reads them."""
    model = json.loads(tokenizer.to_str())["model"]
    ids = model["vocab"]
    merges = [(ids[first], ids[last]) for first, last in model["merges"]]
    data = struct.pack(f"<{2 * len(merges)}H", *(number for pair in merges for number in pair))
    if json.loads(Merges(data).tokenizer().to_str())["model"] != model:
        raise ValueError("the ids do not follow from the order of merging")
    return data


def main() -> None:
    """Train, write, and say what was written."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--clones", type=Path, required=True, help="a folder for clones of the sources")
    options.add_argument("--out", type=Path, default=OUT)
    given = options.parse_args()
    tokenizer = train(corpus(given.clones))
    given.out.write_bytes(pairs(tokenizer))
    digest = sha256(given.out.read_bytes()).hexdigest()
    size, entries = given.out.stat().st_size, tokenizer.get_vocab_size()
    print(f"{given.out.name}: {size:,} bytes, {entries:,} entries, {digest}")


if __name__ == "__main__":
    main()

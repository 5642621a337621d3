"""Measures the built-in models: the token counter beside public ones, the encoder's speed, the classifier.

    python benchmarks/models.py tokens --reference FOLDER REPOSITORY…
    python benchmarks/models.py encoder
    python benchmarks/models.py classifier [--clones FOLDER] [--look]

`FOLDER` is where `npm install gpt-tokenizer` was run: it holds the public tokenizers, which node counts with.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pygit2
from classifying import measure

from cortex.models import load_counter, load_encoder

PUBLIC = ("o200k_base", "cl100k_base")
_KINDS = {
    ".py": "Python", ".go": "Go", ".ts": "TypeScript", ".tsx": "TypeScript", ".js": "JavaScript",
    ".md": "prose", ".rst": "prose", ".txt": "prose",
}  # fmt: skip
_COUNT = """
const { createRequire } = require("module");
const load = createRequire(process.argv[1] + "/package.json");
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
const plain = { disallowedSpecial: new Set() };
const out = {};
for (const name of process.argv.slice(2)) {
  const { encode } = load("gpt-tokenizer/cjs/encoding/" + name);
  out[name] = texts.map((text) => encode(text, plain).length);
}
console.log(JSON.stringify(out));
"""


def texts_of(path: Path) -> dict[str, list[str]]:
    """The texts at a repository's HEAD by kind; files that are huge or not UTF-8 are left out."""
    repository = pygit2.Repository(str(path))
    found = defaultdict(list)
    folders = [repository.head.peel(pygit2.Tree)]
    while folders:
        for entry in folders.pop():
            if entry.id not in repository:  # a submodule, or a blob that a thin clone lacks
                continue
            if entry.type_str == "tree":
                folders.append(repository[entry.id].peel(pygit2.Tree))
                continue
            kind = _KINDS.get(Path(entry.name or "").suffix)
            data = repository[entry.id].peel(pygit2.Blob).data if kind else b""
            if kind and 0 < len(data) < 100_000:
                try:
                    found[kind].append(data.decode("utf-8"))
                except UnicodeDecodeError:
                    continue
    return found


def public_counts(reference: Path, texts: Sequence[str]) -> dict[str, list[int]]:
    """The count of every text by each public tokenizer."""
    done = subprocess.run(
        ["node", "-e", _COUNT, str(reference.resolve()), *PUBLIC],
        input=json.dumps(list(texts)), capture_output=True, text=True, check=True,
    )  # fmt: skip
    counts: dict[str, list[int]] = json.loads(done.stdout)
    return counts


def tokens(reference: Path, repositories: Sequence[Path]) -> None:
    """Our count over the public ones, by repository and kind; and the spread over single texts."""
    counter = load_counter("builtin")
    print(counter.name, end="\n\n")
    print("| repository | kind | texts | o200k tokens | ours / o200k | ours / cl100k | texts within 10% |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for path in repositories:
        for kind, texts in sorted(texts_of(path).items()):
            public = public_counts(reference, texts)
            ours = [counter.count(text) for text in texts]
            ratios = [sum(ours) / sum(public[name]) for name in PUBLIC]
            # Of texts with fewer tokens, one token is more than the tolerance.
            pairs = [(a, b) for a, b in zip(ours, public[PUBLIC[0]], strict=True) if b >= 50]
            near = sum(abs(a / b - 1) <= 0.1 for a, b in pairs) / len(pairs) if pairs else 1.0
            name = path.parent.name if path.name == "repo" else path.name
            cells = [name, kind, len(texts), sum(public[PUBLIC[0]]), *(f"{ratio:.3f}" for ratio in ratios)]
            print("|", *(f"{cell} |" for cell in [*cells, f"{near:.0%}"]))


def encoder() -> None:
    """Time to load, for a query, and for a thousand snippets, on one core."""
    start = time.perf_counter()
    model = load_encoder("builtin")
    print(f"{model.name} on {model.device}: loads in {(time.perf_counter() - start) * 1e3:.0f} ms")
    queries = [f"parse the {word} file and return its settings" for word in ("config", "journal", "index")]
    times = []
    for turn in range(600):
        start = time.perf_counter()
        model.encode([queries[turn % 3]])
        times.append(time.perf_counter() - start)
    print(f"query: median {statistics.median(times) * 1e3:.3f} ms, p95 {sorted(times)[570] * 1e3:.3f} ms")
    lines = [
        line
        for path in sorted(Path(__file__).parents[1].glob("[a-z]*/*.py"))
        for line in path.read_text().splitlines()
    ]
    snippets = ["\n".join(lines[at % (len(lines) - 14) :][:14]) for at in range(0, 14_000, 14)]
    start = time.perf_counter()
    model.encode(snippets, kind="code")
    print(f"1,000 snippets of 14 lines: {time.perf_counter() - start:.2f} s")


def main() -> None:
    """Run one measurement."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = options.add_subparsers(dest="what", required=True)
    counting = what.add_parser("tokens")
    counting.add_argument("--reference", type=Path, required=True)
    counting.add_argument("repositories", type=Path, nargs="+")
    what.add_parser("encoder")
    typing = what.add_parser("classifier")
    typing.add_argument("--clones", type=Path, help="clones of the repositories that are kept apart")
    typing.add_argument("--look", action="store_true", help="look at what was set aside last, too")
    given = options.parse_args()
    if given.what == "tokens":
        tokens(given.reference, given.repositories)
    elif given.what == "encoder":
        encoder()
    else:
        measure(given.clones, given.look)


if __name__ == "__main__":
    main()

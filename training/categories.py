"""Makes the weights that a correction's category is guessed with: `learning/corrections/weights.py`.

    python training/categories.py OWNER/NAME=CLONE …

A logistic regression over the traits, fitted to the labels of `benchmarks/labels/categories.jsonl` that count as
development, and to the few examples of `TEXTBOOK`. The labels that were set aside again are not read, and neither is
any other label of a commit that they are of. The clones of the labelled repositories are given as OWNER/NAME=CLONE.
No code of theirs is written anywhere.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from rebuilt import AGAIN, Label, labels, rebuild

from cortex.learning.corrections.categories import CONSTANT
from cortex.learning.corrections.traits import Seen, traits
from cortex.learning.corrections.whole import Whole

OUT = Path(__file__).parents[1] / "learning" / "corrections" / "weights.py"
#: How strongly the weights are held to nothing.
HOLD, HOLD_KINDS = 4.0, 3.0
#: Rows of one commit say nearly the same: each counts for its commit's number of rows to the power of minus this.
SHARED = 0.8
#: The traits that need what else the commit changed.
BESIDE = (
    "what went, went in",
    "what came, came in",
    "its names changed nowhere",
    "a test of",
    "a test, with",
    "the commit brings",
    "the commit adds",
    "the commit is a",
    "what came is defined by",
    "what went is defined no",
    "what it calls",
)
KINDS = ("bug", "style", "preference")
SEED = 20261121
FOLDS, ROUNDS = 10, 4

#: What any reader agrees on: (before, after, category), with no subject and no place.
TEXTBOOK = (
    ("yaml.load(x)", "yaml.safe_load(x)", "bug"),
    ("requests.get(url)", "requests.get(url, timeout=10)", "bug"),
    ("a < b", "a <= b", "bug"),
    ("x > 0", "x >= 0", "bug"),
    ("a and b", "a or b", "bug"),
    ("n - 1", "n + 1", "bug"),
    ("if i > len(items):", "if i >= len(items):", "bug"),
    ("x = parse(s)", "x = parse(s) if s else None", "bug"),
    ("open(p)", "open(p, encoding='utf-8')", "bug"),
    ("cmd.Run()", "if err := cmd.Run(); err != nil {\n\treturn err\n}", "bug"),
    ("", "if x is None:\n    return", "bug"),
    ("total", "count", "style"),
    ("d = load()", "data = load()", "style"),
    ("x = a", "x: int = a", "style"),
    ("def f(a):", "def f(a: str):", "style"),
    ("if x == None:", "if x is None:", "style"),
    ("list(map(f, xs))", "[f(x) for x in xs]", "style"),
    ("moment(x)", "dayjs(x)", "preference"),
    ("print(message)", "logger.info(message)", "preference"),
    ("axios.get(url)", "fetch(url)", "preference"),
    ("os.path.join(a, b)", "Path(a) / b", "preference"),
    ("", "one()\ntwo()\nthree()\nfour()", "evolution"),
    ("", "def g(v):\n    a = load(v)\n    b = a.parse()\n    c = b.walk()\n    return c", "evolution"),
    ("", "names.append(name)\nsizes.append(size)\nkinds.append(kind)", "evolution"),
    ("from a import b", "from a import b, c", "evolution"),
    ('VERSION = "1.2.0"', 'VERSION = "1.3.0"', "evolution"),
    ("old_step()\nmore(a)\nlast(b)", "", "evolution"),
    ("dump(value)", "", "style"),
    ("print(value)", "", "style"),
    ("console.log(value)", "", "style"),
    ('"Please enter a name"', '"Enter the name of a folder"', "style"),
    ("if (x) {\n  throw new Error(m);\n}", "if (x) throw new Error(m);", "style"),
    ("def f(a, b):", "def f(a: int, b: str) -> None:", "style"),
    ('git_hash = "1f2e3d4"', 'git_hash = "a9b8c7d"', "evolution"),
    ("kind: 'a' | 'b'", "kind: 'a' | 'b' | 'c'", "evolution"),
)
#: The same of tests that follow what changed elsewhere in the commit: (before, after, path, places).
FOLLOWS = (
    ("got = fetch(url)", "got = fetch(ctx, url)", "tests/test_fetch.py", 40),
    ("err := send(message)", "err := send(ctx, message)", "send_test.go", 40),
    ("expect(result).toBe(3)", "expect(result.count).toBe(3)", "src/result.test.ts", 20),
)
_FOLLOWED = Whole(
    came={"ctx": 30},
    outside=frozenset({"ctx", "fetch"}),
    altered=frozenset({"fetch", "send"}),
    places=40,
    added=60,
    removed=60,
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Traits (rows, names) with their categories; rows of one group are of one commit."""

    x: Floats
    categories: tuple[str, ...]
    groups: tuple[str, ...]

    def only(self, which: npt.NDArray[np.bool_]) -> Rows:
        """Some of the rows."""
        at = np.flatnonzero(which)
        return Rows(self.x[at], tuple(self.categories[i] for i in at), tuple(self.groups[i] for i in at))

    @property
    def corrects(self) -> Floats:
        """1 for bug, style and preference, 0 for evolution."""
        return np.array([category != "evolution" for category in self.categories], np.float64)


def names() -> list[str]:
    """The traits in their order."""
    return list(traits(Seen("a", "b")))


def table(seen: Sequence[tuple[Seen, str, str]]) -> Rows:
    """Rows of (what is seen, category, group)."""
    rows = [list(traits(each).values()) for each, _, _ in seen]
    return Rows(np.array(rows), tuple(c for _, c, _ in seen), tuple(g for *_, g in seen))


def taught() -> Rows:
    """The examples of the textbook."""
    plain = [(Seen(before, after), category, "") for before, after, category in TEXTBOOK]
    follow = [
        (Seen(before, after, places=places, path=path, whole=_FOLLOWED), "evolution", "")
        for before, after, path, places in FOLLOWS
    ]
    return table([*plain, *follow])


def weighed(groups: Iterable[str]) -> Floats:
    """What each row counts for: one, on average."""
    often = Counter(groups)
    counts = np.array([often[group] ** -SHARED for group in groups])
    return np.asarray(counts / counts.mean(), np.float64)


def chance(weights: Floats, x: Floats) -> Floats:
    """What a logistic model says of rows."""
    return np.asarray(1 / (1 + np.exp(-np.clip(x @ weights[:-1] + weights[-1], -30, 30))), np.float64)


def fit(x: Floats, y: Floats, counts: Floats, hold: float) -> Floats:
    """A logistic regression by Newton's method: weights, held to nothing, and then the constant, which is free."""
    wide = np.hstack([x, np.ones((len(x), 1))])
    held = np.full(wide.shape[1], hold)
    held[-1] = 1e-3
    found = np.zeros(wide.shape[1])

    def loss(weights: Floats) -> float:
        scores = wide @ weights
        return float(counts @ (np.logaddexp(0, scores) - y * scores) + held @ weights**2 / 2)

    for _ in range(30):
        said = chance(found, x)
        slope = wide.T @ (counts * (said - y)) + held * found
        curve = (wide * (counts * said * (1 - said))[:, None]).T @ wide + np.diag(held)
        step = np.linalg.solve(curve, slope)
        while np.abs(step).max() > 1e-6 and loss(found - step) > loss(found):
            step /= 2
        found = found - step
    return found


def fit_kinds(x: Floats, kinds: Sequence[str], counts: Floats, hold: float) -> Floats:
    """A softmax regression over `KINDS` by gradient descent: (traits and a constant, kinds)."""
    wide = np.hstack([x, np.ones((len(x), 1))])
    target = np.eye(len(KINDS))[[KINDS.index(kind) for kind in kinds]]
    held = np.full((wide.shape[1], 1), hold)
    held[-1] = 0.3
    found = np.zeros((wide.shape[1], len(KINDS)))
    rate = 1 / (0.5 * float(np.linalg.norm(wide * np.sqrt(counts)[:, None], 2)) ** 2 + hold)
    for _ in range(4_000):
        scores = wide @ found
        powers = np.exp(scores - scores.max(1, keepdims=True))
        off = (powers / powers.sum(1, keepdims=True) - target) * counts[:, None]
        found -= rate * (wide.T @ off + held * found)
    return found


def fitted(rows: Rows, known: Rows) -> Floats:
    """The model of these rows, and of the textbook."""
    counts = np.concatenate([weighed(rows.groups), np.ones(len(known.groups))])
    return fit(np.vstack([rows.x, known.x]), np.concatenate([rows.corrects, known.corrects]), counts, HOLD)


def validated(rows: Rows, known: Rows, groups: Sequence[str], folds: int, rounds: int) -> Floats:
    """The chance of each row from models that saw no row of its group, averaged over some splits."""
    out = np.zeros(len(groups))
    for turn in range(rounds):
        order = sorted(set(groups))
        random.Random(f"{SEED} {turn}").shuffle(order)
        fold = {group: number % folds for number, group in enumerate(order)}
        of = np.array([fold[group] for group in groups])
        for number in sorted(set(of)):
            out[of == number] += chance(fitted(rows.only(of != number), known), rows.x[of == number]) / rounds
    return out


def steepness(said: Floats, rows: Rows) -> float:
    """By how much the log-odds of rows that were left out must be multiplied to be true (Platt, 1999); at most 1."""
    clipped = np.clip(said, 1e-6, 1 - 1e-6)
    odds = np.log(clipped / (1 - clipped))
    counts = weighed(rows.groups)
    tried = np.arange(0.3, 1.01, 0.05)
    losses = [counts @ (np.logaddexp(0, odds * by) - rows.corrects * odds * by) for by in tried]
    return float(tried[int(np.argmin(losses))])


def told(name: str, said: Floats, rows: Rows) -> None:
    """The accuracy and the calibration of chances."""
    right = (said > 0.5) == (rows.corrects > 0)
    sure = np.abs(said - 0.5) >= 0.1
    print(
        f"{name}: accuracy {right.mean():.3f}; {sure.mean():.2f} are sure, of these {right[sure].mean():.3f}"
    )
    for low in np.arange(0, 1, 0.2):
        within = (said >= low) & (said < low + 0.2)
        if within.any():
            print(
                f"  said {said[within].mean():.2f}, was {rows.corrects[within].mean():.2f} (n {within.sum()})"
            )


def unknown(weights: Floats, rows: Rows) -> None:
    """Give what is not known the weight that the traits it stands for have on average."""
    order = names()
    for missing, beginnings in (
        ("the subject is not known", ("the subject ", "a fix that", "it breaks")),
        ("the places are not known", ("the commit changed",)),
        ("the path is not known", ("a test",)),
        ("the other places are not known", BESIDE),
    ):
        stands = [
            at for at, name in enumerate(order) if name.startswith(beginnings) and "not known" not in name
        ]
        weights[order.index(missing)] = rows.x[:, stands].mean(0) @ weights[stands]


def write(corrects: Floats, kinds: Floats) -> None:
    """The weights as a module, to three digits: less is noise with so few labels."""
    order = [*names(), CONSTANT]
    lines = [
        '"""The weights of the categories: what each trait adds to the log-odds. Made by `training/categories.py`."""',
        "",
        "from __future__ import annotations",
        "",
        "#: Whether an edit corrects something, rather than going on with the feature.",
        "CORRECTS = {",
        *(f'    "{name}": {round(float(weight), 3)},' for name, weight in zip(order, corrects, strict=True)),
        "}",
        "#: Which kind it is, if it corrects something.",
        "KINDS = {",
    ]
    for at, kind in enumerate(KINDS):
        lines += [f'    "{kind}": {{']
        lines += [
            f'        "{name}": {round(float(weight), 3)},'
            for name, weight in zip(order, kinds[:, at], strict=True)
        ]
        lines += ["    },"]
    OUT.write_text("\n".join([*lines, "}"]) + "\n", encoding="utf-8")


def main() -> None:
    """Collect, check by leaving commits and repositories out, fit, write."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("labelled", nargs="+", metavar="OWNER/NAME=CLONE")
    clones = dict(each.split("=", 1) for each in options.parse_args().labelled)
    aside = {label.commit for label in labels() if label.half == AGAIN}

    def own(label: Label) -> bool:
        return label.half != AGAIN and label.commit not in aside

    found = [(label, seen) for label, seen in rebuild(labels(), clones, own) if seen is not None]
    rows = table([(seen, label.label, label.commit) for label, seen in found])
    repositories = [label.repository for label, _ in found]
    known = taught()
    print(f"{len(found)} labels of {len(set(rows.groups))} commits")

    left_out = validated(rows, known, rows.groups, FOLDS, ROUNDS)
    told("by leaving commits out", left_out, rows)
    told(
        "by leaving repositories out",
        validated(rows, known, repositories, len(set(repositories)), 1),
        rows,
    )
    by = steepness(left_out, rows)
    print(f"log-odds times {by:.2f}")

    corrects = fitted(rows, known) * by
    categories = [*rows.categories, *known.categories]
    counts = np.concatenate([weighed(rows.groups), np.ones(len(known.groups))])
    x = np.vstack([rows.x, known.x])
    learnable = [at for at, category in enumerate(categories) if category != "evolution"]
    kinds = fit_kinds(x[learnable], [categories[at] for at in learnable], counts[learnable], HOLD_KINDS)
    unknown(corrects, rows)
    write(corrects, kinds)
    print("written to", OUT)


if __name__ == "__main__":
    main()

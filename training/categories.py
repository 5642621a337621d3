"""Makes the weights that a correction's category is guessed with: `learning/weights.py`.

    python training/categories.py --clones FOLDER OWNER/NAME=CLONE …

Two steps. What an edit itself says is learnt first from other repositories' Conventional Commits (`fix`, `perf` and
`style` against `feat` and `refactor`), whose clones lie in FOLDER. From there the weights are fitted to the development
half of `benchmarks/labels/categories.jsonl`, and to the few examples of `TEXTBOOK`; the half that was set aside is
not read. The clones of the labelled repositories are given as OWNER/NAME=CLONE. No code of theirs is written anywhere.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pygit2

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from rebuilt import Label, labels, rebuild, sides_of

from cortex.analyzers.languages import is_generated, language_of
from cortex.learning.categories import CONSTANT
from cortex.learning.ownership import changes, hunks, text_blob
from cortex.learning.places import LONG_HUNK, text_of
from cortex.learning.traits import CONVENTIONAL, Seen, around, traits

OUT = Path(__file__).parents[1] / "learning" / "weights.py"
#: How many commits of each type are taken from one repository, of its newest `RECENT`, and edits from one commit.
COMMITS = {"fix": 80, "feat": 60, "refactor": 40, "style": 20, "perf": 15}
CORRECTING = ("fix", "perf", "style")
RECENT, EDITS, MOST_FILES, LARGEST = 6_000, 3, 60, 150_000
#: How strongly the weights are held: to nothing in the first step, to the first step's in the second.
HOLD_FIRST, HOLD, HOLD_KINDS = 5.0, 1.0, 4.0
KINDS = ("bug", "style", "preference")
SEED = 20261121
FOLDS, ROUNDS = 10, 6

#: What any reader agrees on: (before, after, category), with no subject and no place.
TEXTBOOK = (
    ("yaml.load(x)", "yaml.safe_load(x)", "bug"),
    ("requests.get(url)", "requests.get(url, timeout=10)", "bug"),
    ("a < b", "a <= b", "bug"),
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
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Traits (rows, names) with their categories; rows of one group are of one commit."""

    x: Floats
    categories: tuple[str, ...]
    groups: tuple[str, ...]

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


def typed_commits(clone: Path) -> Iterator[tuple[Seen, str, str]]:
    """Edits of a repository's Conventional Commits, with the category that their type stands for."""
    repository = pygit2.Repository(str(clone))
    chance = random.Random(f"{SEED} {clone.name}")
    found: dict[str, list[pygit2.Commit]] = defaultdict(list)
    for number, commit in enumerate(repository.walk(repository.head.target)):
        match = CONVENTIONAL.match(commit.message)
        if number >= RECENT:
            break
        if match and len(commit.parent_ids) == 1 and match["type"].lower() in COMMITS:
            found[match["type"].lower()].append(commit)
    for kind, most in COMMITS.items():
        chance.shuffle(found[kind])
        for commit in found[kind][:most]:
            seen = list(_edits(repository, commit))
            chance.shuffle(seen)
            category = "bug" if kind in CORRECTING else "evolution"
            yield from ((each, category, str(commit.id)) for each in seen[:EDITS])


def _edits(repository: pygit2.Repository, commit: pygit2.Commit) -> Iterator[Seen]:
    try:
        found = changes(repository, commit.parents[0].tree, commit.tree)
    except (KeyError, pygit2.GitError):  # a partial clone
        return
    read, places = [], 0
    for each in found if len(found) <= MOST_FILES else ():
        if each.old_id is None or each.new_id is None or each.old_id == each.new_id:
            continue
        if language_of(each.new_path) is None or is_generated(each.new_path):
            continue
        before, after = text_of(repository, each.old_id), text_of(repository, each.new_id)
        old, new = text_blob(repository, each.old_id), text_blob(repository, each.new_id)
        if before is None or after is None or old is None or new is None or len(before) > LARGEST:
            continue
        sides = sides_of(before, after, each.new_path)
        places += sum(
            0 < hunk.old_lines <= LONG_HUNK and hunk.new_lines <= LONG_HUNK for hunk in hunks(old, new)
        )
        read.append((sides, around(before, after, sides)))
    for sides, beside in read:
        for left, right in sides:
            if left.strip():
                yield Seen(left, right, "", places, sides.count((left, right)), beside)


def fit(x: Floats, y: Floats, hold: float, start: Floats) -> Floats:
    """A logistic regression by Newton's method, held to `start` (weights, then the constant, which is free)."""
    wide = np.hstack([x, np.ones((len(x), 1))])
    held = np.full(wide.shape[1], hold)
    held[-1] = 1e-3
    found = start.copy()
    for _ in range(40):
        chance = 1 / (1 + np.exp(-np.clip(wide @ found, -30, 30)))
        slope = wide.T @ (chance - y) + held * (found - start)
        curve = (wide * (chance * (1 - chance))[:, None]).T @ wide + np.diag(held)
        found = found - np.linalg.solve(curve, slope)
    return found


def fit_kinds(x: Floats, kinds: Sequence[str], hold: float) -> Floats:
    """A softmax regression over `KINDS` by gradient descent: (traits and a constant, kinds)."""
    wide = np.hstack([x, np.ones((len(x), 1))])
    target = np.eye(len(KINDS))[[KINDS.index(kind) for kind in kinds]]
    held = np.full((wide.shape[1], 1), hold)
    held[-1] = 0.3
    found = np.zeros((wide.shape[1], len(KINDS)))
    rate = 1 / (0.5 * float(np.linalg.norm(wide, 2)) ** 2 + hold)
    for _ in range(4_000):
        scores = wide @ found
        powers = np.exp(scores - scores.max(1, keepdims=True))
        found -= rate * (wide.T @ (powers / powers.sum(1, keepdims=True) - target) + held * found)
    return found


def validated(rows: Rows, taught: Rows, start: Floats) -> Floats:
    """The chance of each row from models that saw no row of its commit, averaged over some splits."""
    groups = sorted(set(rows.groups))
    out = np.zeros(len(rows.groups))
    for turn in range(ROUNDS):
        order = list(groups)
        random.Random(f"{SEED} {turn}").shuffle(order)
        fold = {group: number % FOLDS for number, group in enumerate(order)}
        of = np.array([fold[group] for group in rows.groups])
        for number in range(FOLDS):
            learnt = of != number
            model = fit(
                np.vstack([rows.x[learnt], taught.x]),
                np.concatenate([rows.corrects[learnt], taught.corrects]),
                HOLD,
                start,
            )
            out[~learnt] += 1 / (1 + np.exp(-(rows.x[~learnt] @ model[:-1] + model[-1]))) / ROUNDS
    return out


def unknown(weights: Floats, rows: Rows) -> None:
    """Give what is not known the weight that the traits it stands for have on average."""
    order = names()
    for missing, beginnings in (
        ("the subject is not known", ("the subject ", "a fix that")),
        ("the places are not known", ("the commit changed",)),
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
    """Collect, fit, check by leaving commits out, write."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--clones", type=Path, required=True, help="a folder of other repositories' clones")
    options.add_argument("labelled", nargs="+", metavar="OWNER/NAME=CLONE")
    given = options.parse_args()
    clones = dict(each.split("=", 1) for each in given.labelled)

    def own(label: Label) -> bool:
        return label.half == "development"

    labelled = table(
        [
            (seen, label.label, label.commit)
            for label, seen in rebuild(labels(), clones, own)
            if seen is not None
        ]
    )
    taught = table([(Seen(before, after), category, "") for before, after, category in TEXTBOOK])
    other = sorted(each for each in given.clones.iterdir() if each.is_dir())
    typed = table([each for clone in other for each in typed_commits(clone)])
    print(f"labels {len(labelled.groups)}, typed commits' edits {len(typed.groups)} of {len(other)} clones")

    order = names()
    subject = [at for at, name in enumerate(order) if "subject" in name or name.startswith("a fix that")]
    bare = typed.x.copy()
    bare[:, subject] = 0.0  # there the subject is the label
    start = fit(bare, typed.corrects, HOLD_FIRST, np.zeros(bare.shape[1] + 1))
    start[-1] = 0.0
    start[subject] = 0.0

    chance = validated(labelled, taught, start)
    right = (chance > 0.5) == (labelled.corrects > 0)
    sure = np.abs(chance - 0.5) >= 0.1
    print(
        f"by leaving commits out: accuracy {right.mean():.3f}; "
        f"{sure.mean():.2f} are sure, of these {right[sure].mean():.3f}"
    )
    for low in np.arange(0, 1, 0.2):
        within = (chance >= low) & (chance < low + 0.2)
        if within.any():
            print(
                f"  said {chance[within].mean():.2f}, was {labelled.corrects[within].mean():.2f} (n {within.sum()})"
            )

    x, y = np.vstack([labelled.x, taught.x]), np.concatenate([labelled.corrects, taught.corrects])
    corrects = fit(x, y, HOLD, start)
    categories = [*labelled.categories, *taught.categories]
    learnable = [at for at, category in enumerate(categories) if category != "evolution"]
    kinds = fit_kinds(x[learnable], [categories[at] for at in learnable], HOLD_KINDS)
    unknown(corrects, labelled)
    write(corrects, kinds)
    print("written to", OUT)


if __name__ == "__main__":
    main()

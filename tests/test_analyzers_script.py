"""The edit script between two versions: exact, short, and silent about formatting."""

from __future__ import annotations

import random
import time
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex.analyzers.flat import LINES, WORDS, Flat, read, write
from cortex.analyzers.matching import common_run, match
from cortex.analyzers.optimal import Small, mapping
from cortex.analyzers.script import Delete, Insert, MisfitError, Move, Update, apply, of_mapping, script

SOURCES = {
    "python": b'''"""What it is."""
import os

class Client:
    # how long
    timeout = 10

    def get(self, u, *, retry=3):
        x = requests.get(u, timeout=self.timeout)
        return f"{x.text} of {u}"  # all

def other(a, b):
    if a and \\
            b:
        return [n for n in range(3)]
    return None
''',
    "go": b"""package p

import "fmt"

// F does.
func F(a int) error {
\tif a > 1 {
\t\treturn fmt.Errorf(`x %d`, a)
\t}
\tfor i := 0; i < a; i++ {
\t\tg(i)
\t}
\treturn nil
}
""",
    "javascript": b"""const a = `x ${f(1)} y
  z`;
function g(b) {
  return b /* why */ ? a : [1, 2]
}
export default g;
""",
    "typescript": b"interface A { b: string }\nexport const f = async (x: A): Promise<void> => {\n  await g(x.b)\n}\n",
    "tsx": b"export function V(p: P) {\n  return <div className={p.c}>\n    some text {p.n}\n  </div>;\n}\n",
}


def kinds(before: bytes, after: bytes, language: str | None) -> list[type]:
    return [type(action) for action in script(before, after, language).actions]


@pytest.mark.parametrize("language", SOURCES)
def test_a_tree_says_all_that_its_source_said(language: str) -> None:
    for form in (language, WORDS, LINES):
        flat = read(SOURCES[language], form)
        assert flat is not None and write(flat) == SOURCES[language]


@pytest.mark.parametrize("language", [*SOURCES, None])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_script_rewrites_the_version_before_exactly(language: str | None, data: st.DataObject) -> None:
    source = SOURCES[language or "python"]
    before, after = data.draw(mutations(source)), data.draw(mutations(source))
    found = script(before, after, language)
    assert apply(found, before) == after
    assert before != after or not found.size


@st.composite
def mutations(draw: st.DrawFn, source: bytes) -> bytes:
    """Versions of a source: lines moved, lost, doubled, indented; words changed; now and then anything at all."""
    lines = source.splitlines(keepends=True)
    for _ in range(draw(st.integers(0, 5))):
        if not lines:
            break
        at, to = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
        how = draw(st.sampled_from(["move", "lose", "double", "indent", "word", "junk", "crlf"]))
        if how == "move":
            lines.insert(to, lines.pop(at))
        elif how == "lose":
            del lines[at:to]
        elif how == "double":
            lines.insert(to, lines[at])
        elif how == "indent":
            lines[at:to] = [b"    " + line for line in lines[at:to]]
        elif how == "word":
            lines[at] = lines[at].replace(b"a", b"bc").replace(b"1", b"22")
        elif how == "junk":
            lines[at] = draw(st.binary(max_size=12))
        else:
            lines[at] = lines[at].replace(b"\n", b"\r\n")
    return b"".join(lines)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60), st.sampled_from(["go", "python", "tsx", None]))
def test_any_bytes_give_an_exact_script(before: bytes, after: bytes, language: str | None) -> None:
    assert apply(script(before, after, language), before) == after


def random_tree(chance: random.Random) -> Flat:
    flat = Flat()
    flat.add("root", -1)
    for _ in range(chance.randrange(14)):
        # A new node goes below one of the last node's ancestors, so that the order stays that of a walk.
        above = len(flat) - 1
        while above and (flat.texts[above] or chance.random() < 0.5):
            above = flat.parents[above]
        leaf = chance.random() < 0.5
        flat.add(
            chance.choice("xyz"), above, b"abc"[(n := chance.randrange(3)) : n + 1] if leaf else b"", b" "
        )
    return flat.close()


def test_a_script_read_from_any_mapping_is_exact(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(400):
        before, after = random_tree(chance), random_tree(chance)
        there = [0] + [-1] * (len(before) - 1)
        free = list(range(1, len(after)))
        chance.shuffle(free)
        for node in range(1, len(before)):
            if free and chance.random() < 0.7 and not before.texts[node] and not after.texts[free[-1]]:
                there[node] = free.pop()
        for mapped in (there, match(before, after)):
            assert rewritten(before, after, mapped) == (shape(after), write(after))


def rewritten(before: Flat, after: Flat, there: list[int]) -> tuple[object, bytes]:
    from cortex.analyzers.script import _Linked

    tree = _Linked(before)
    found = of_mapping(before, after, there, LINES)
    labels = list(before.kinds)
    for action in found.actions:
        if isinstance(action, Insert):
            assert action.node == len(labels)
            labels.append(action.kind)
        tree.do(action)
    for node, gap in found.spaces:
        tree.gaps[node] = gap
    nested: dict[int, object] = {}
    order, stack = [], [0]
    below: dict[int, list[int]] = {}
    while stack:
        node = stack.pop()
        order.append(node)
        below[node] = []
        child = tree.first[node]
        while child >= 0:
            below[node].append(child)
            child = tree.next[child]
        stack += below[node]
    there_kinds = {node: after.kinds[partner] for node, partner in enumerate(there) if partner >= 0}
    for node in reversed(order):
        label = there_kinds.get(node, labels[node])
        nested[node] = (label, tree.texts[node], [nested[each] for each in below[node]])
    return nested[0], tree.text()


def shape(flat: Flat) -> object:
    nested: dict[int, object] = {}
    for node in range(len(flat) - 1, -1, -1):
        nested[node] = (flat.kinds[node], flat.texts[node], [nested[each] for each in flat.children[node]])
    return nested[0]


def test_formatting_alone_gives_no_action() -> None:
    before, after = b"def f(a):\n  return [a,\n 1]\n", b"def f( a ):\n\treturn [a, 1]\n\n"
    found = script(before, after, "python")
    assert not found.actions and found.spaces and found.distance == 0
    assert apply(found, before) == after


def test_a_function_that_moves_is_one_move() -> None:
    before = b"def a():\n    return f(1)\n\ndef b():\n    return g(2)\n\ndef c():\n    return h(3)\n"
    after = b"def c():\n    return h(3)\n\ndef a():\n    return f(1)\n\ndef b():\n    return g(2)\n"
    assert kinds(before, after, "python") == [Move]


def test_a_word_that_changes_is_one_update() -> None:
    (action,) = script(b"x = get(a, 1)\n", b"x = fetch(a, 1)\n", "python").actions
    assert isinstance(action, Update) and action.text == b"fetch"


def test_code_that_is_put_into_an_if_does_not_move() -> None:
    inner = "".join(f"    call{n}(a, {n})\n" for n in range(30))
    before = "def f(a):\n" + inner
    after = "def f(a):\n    if a:\n" + inner.replace("    ", "        ")
    assert set(kinds(before.encode(), after.encode(), "python")) == {Insert}
    assert set(kinds(after.encode(), before.encode(), "python")) == {Delete}


def test_what_does_not_parse_is_compared_word_by_word() -> None:
    found = script(b"def f(:\n  x y z\n", b"def f(:\n  x q z\n", "python")
    assert (found.form, found.size) == (WORDS, 1)
    assert script(b"a b\n", b"a c\n").form == WORDS
    assert script(b"a " * 150_000, b"a\n").form == LINES


def test_lines_of_unknown_text_move_too() -> None:
    lines = [f"the line number {n} of it\n".encode() for n in range(8)]
    assert kinds(b"".join(lines), b"".join([lines[7], *lines[:7]]), None) == [Move]


def test_another_text_is_refused() -> None:
    with pytest.raises(MisfitError):
        apply(script(b"f(1)\n", b"f(2)\n", "python"), b"f(1)\ng(2)\n")


@pytest.mark.parametrize(
    "before", [b"x = " + b"(" * 3_000 + b"1" + b")" * 3_000, b"x = " + b"-" * 5_000 + b"1"]
)
def test_depth_is_no_limit(before: bytes) -> None:
    assert apply(script(before, before.replace(b"1", b"22"), "python"), before) == before.replace(b"1", b"22")


def test_a_file_that_was_written_anew_takes_linear_time() -> None:
    def took(count: int) -> float:
        before = "".join(f"def f{n}(a):\n    return g{n % 7}(a, {n}) + b.c\n" for n in range(count)).encode()
        after = "".join(
            f"def h{n}(b, c):\n    if d{n % 5}:\n        k(b, {n}, c)\n" for n in range(count)
        ).encode()
        start = time.process_time()
        found = script(before, after, "python")
        spent = time.process_time() - start
        assert apply(found, before) == after
        return spent

    took(20)
    assert took(1_600) < 40 * max(took(100), 0.05)


def differ(one: str, other: str, x: int, y: int) -> int:
    return int(one[x] != other[y])


def plain(parents: list[int], labels: str, parents_a: list[int], labels_a: str) -> int:
    """The textbook recursion, for tiny trees: the cost of the cheapest edit of one forest into another."""
    below = [
        [[n for n, p in enumerate(ps) if p == node] for node in range(len(ps))] for ps in (parents, parents_a)
    ]

    def size(forest: tuple[int, ...], side: int) -> int:
        return sum(1 + size(tuple(below[side][node]), side) for node in forest)

    def cost(f: tuple[int, ...], g: tuple[int, ...]) -> int:
        if not f or not g:
            return size(f, 0) + size(g, 1)
        v, w = f[-1], g[-1]
        inner_v, inner_w = tuple(below[0][v]), tuple(below[1][w])
        return min(
            cost(f[:-1] + inner_v, g) + 1,
            cost(f, g[:-1] + inner_w) + 1,
            cost(inner_v, inner_w) + cost(f[:-1], g[:-1]) + (labels[v] != labels_a[w]),
        )

    return cost((0,), (0,))


def test_the_optimal_mapping_costs_what_the_textbook_says(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        sides = []
        for _ in range(2):
            flat = random_tree(chance)
            count = min(len(flat), 6)
            parents = flat.parents[:count]
            sides.append((parents, "r" + "".join(chance.choice("ab") for _ in range(count - 1))))
        (pb, lb), (pa, la) = sides
        pairs = mapping(Small(pb), Small(pa), [1] * len(pb), [1] * len(pa), partial(differ, lb, la))
        cost = len(pb) + len(pa) - 2 * len(pairs) + sum(lb[x] != la[y] for x, y in pairs)
        assert cost == plain(pb, lb, pa, la)


@given(st.lists(st.integers(0, 4), max_size=12), st.lists(st.integers(0, 4), max_size=12))
def test_the_common_run_is_a_longest_one(before: list[int], after: list[int]) -> None:
    lengths = [[0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for i, x in enumerate(before):
        for j, y in enumerate(after):
            lengths[i + 1][j + 1] = lengths[i][j] + 1 if x == y else max(lengths[i][j + 1], lengths[i + 1][j])
    pairs = sorted(common_run(before, after))
    assert len(pairs) == lengths[-1][-1]
    assert all(before[i] == after[j] for i, j in pairs)
    assert [j for _, j in pairs] == sorted({j for _, j in pairs})

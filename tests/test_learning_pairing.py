from __future__ import annotations

from cortex.learning.lineage.lines import changed_ranges, normal, ranges
from cortex.learning.lineage.pairing import NOBODY, Fate, Replay
from cortex.store.kinds import MILLION


def fate(before: str, generated: str, committed: str, elsewhere: tuple[bytes, ...] = ()) -> Fate:
    replay = Replay(before.encode())
    replay.advance(generated.encode(), 0)
    replay.wrote(0, [])
    replay.advance(committed.encode(), NOBODY, elsewhere)
    return replay.close()[0]


def test_what_was_kept_is_accepted_whatever_happened_around_it() -> None:
    found = fate("a = 1\n", "a = 1\nb = two(a)\n", "import x\n\na = 10\nb = two(a)\nc = 3\n")
    assert (found.verdict, found.distance, found.kept) == ("accepted", 0, 1)


def test_a_replaced_line_costs_as_much_as_it_differs() -> None:
    near = fate("", "value = compute(first)\nother = 1\n", "value = compute(second)\nother = 1\n")
    far = fate("", "value = compute(first)\nother = 1\n", "with open(path) as handle:\nother = 1\n")
    assert near.verdict == far.verdict == "edited"
    assert 0 < near.distance < far.distance <= MILLION


def test_a_line_inserted_between_generated_ones_is_an_edit() -> None:
    found = fate("", "def f():\n    return g()\n", "def f():\n    check()\n    return g()\n")
    assert found.verdict == "edited" and found.distance > 0


def test_nothing_left_is_rejected() -> None:
    assert fate("a\n", "a\nvalue = compute(everything)\n", "a\n").verdict == "rejected"


def test_a_function_of_which_only_the_head_is_left_is_rejected() -> None:
    body = "    first = load(path)\n    return parse(first, strict)\n"
    head = "def read(path, strict):\n"
    assert fate("", head + body, head + "    raise NotSupported\n").verdict == "rejected"
    assert fate("", head + body, head + body.replace("strict)", "lenient)")).verdict == "edited"


def test_an_insertion_into_lines_that_were_formatted_too_is_an_edit() -> None:
    generated = 'func f() {\n    one := call(a, first, "x")\n    two := call(b, second, "y")\n}\n'
    formatted = generated.replace("    ", "\t")
    found = fate("", generated, formatted.replace("\ttwo", '\tthree := other(c, third, "z")\n\ttwo'))
    assert (found.verdict, found.kept, found.formatted) == ("edited", 4, 2)
    assert fate("", generated, formatted).verdict == "accepted"


def test_lines_that_went_to_another_file_are_kept() -> None:
    found = fate("a\n", "a\nvalue = compute()\n", "a\n", (b"value=compute()",))
    assert found.verdict == "accepted"


def test_formatting_keeps_the_writer() -> None:
    found = fate("", "x = call(one, two)\n", "x = call(\n    one,\n    two,\n)\n")
    assert (found.verdict, found.distance) == ("accepted", 0)


def test_a_changed_neighbour_is_not_taken_for_a_generated_line() -> None:
    assert fate("one = 1\n", "one = 1\nvalue = compute(one)\n", "one = 2\n").verdict == "rejected"


def test_a_generation_that_only_took_lines_away_is_accepted() -> None:
    assert fate("a\nb\n", "a\n", "a\n").verdict == "accepted"


def test_ranges_and_line_ends() -> None:
    assert ranges([3, 1, 2, 7]) == [(1, 3), (7, 7)]
    assert changed_ranges(b"a\nb\n", b"a\nx\nb\ny\n") == [(2, 2), (4, 4)]
    assert normal(b"a\r\nb\n") == b"a\nb\n" and normal(None) == b""

"""The sweep: one edit, and the other places that it fits."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cortex.learning.sweep.context import contexts, hunks
from cortex.learning.sweep.offers import SURE, Offer, applied, offers
from cortex.learning.sweep.readings import Changed, readings
from cortex.learning.sweep.search import search


def swept(change: Changed, files: Mapping[str, str], least: float = SURE) -> list[Offer]:
    told = readings([change])
    return offers(search(told, [change], {**files, change.path: change.after}.items()), least)


def done(files: Mapping[str, str], found: list[Offer]) -> dict[str, str]:
    return {
        path: applied(text, [each for each in found if each.path == path]) for path, text in files.items()
    }


CALL = "import requests\n\n\ndef load_{n}({arg}):\n    return requests.get({arg}).json()\n"


def test_the_other_calls_become_what_the_first_became():
    files = {
        f"m{n}.py": CALL.format(n=n, arg=arg) for n, arg in enumerate(("page", "x + '/y'", "self.url"), 1)
    }
    before = CALL.format(n=0, arg="url")
    after = before.replace("get(url)", "get(url, timeout=10)")
    found = swept(Changed("m0.py", before, after), files)
    assert len(found) == 3
    for path, text in done(files, found).items():
        assert text == files[path].replace(").json()", ", timeout=10).json()"), path


def test_a_place_that_has_the_after_already_is_none():
    before = CALL.format(n=0, arg="url")
    after = before.replace("get(url)", "get(url, timeout=10)")
    other = CALL.format(n=1, arg="page").replace("get(page)", "get(page, timeout=10)")
    found = swept(Changed("m0.py", before, after), {"m1.py": other}, 0.0)
    assert all(each.path == "m0.py" for each in found)


@pytest.mark.parametrize(
    ("before", "after", "other", "wanted"),
    [
        ("# ask the old_server first\nx = 1\n", "# ask the new_server first\nx = 1\n",
         "y = 2\n# ask the old_server first\n", "y = 2\n# ask the new_server first\n"),
        ("log('cannot reach the old_server')\n", "log('cannot reach the new_server')\n",
         "warn('is it the old_server?')\n", "warn('is it the new_server?')\n"),
        ("class Page(BaseView):\n    x = 1\n", "class Page(BaseView, CachedMixin):\n    x = 1\n",
         "class Book(BaseView):\n    y = 2\n", "class Book(BaseView, CachedMixin):\n    y = 2\n"),
    ],
)  # fmt: skip
def test_what_a_tree_cannot_say_is_found_by_the_tokens_around_it(
    before: str, after: str, other: str, wanted: str
):
    found = swept(Changed("a.py", before, after), {"b.py": other}, 0.2)
    assert done({"b.py": other}, found) == {"b.py": wanted}


def test_a_hole_must_hold_the_same_in_each_of_its_places():
    before, after = "v = max(left_side, left_side)\n", "v = keep_one(left_side)\n"
    files = {"b.py": "w = max(right_side, right_side)\n", "c.py": "w = max(one_side, other_side)\n"}
    change = Changed("a.py", before, after)
    told = [each for each in readings([change]) if each.pattern is not None]
    assert {each.path for each in search(told, [change], files.items())} == {"b.py"}


def test_no_reading_matches_what_it_writes():
    before, after = "run(job_name)\n", "run(job_name, job_name)\n"
    for hunk in hunks(before, after):
        for _, _, context in contexts(hunk):
            assert not list(context.find(after))


def test_a_line_that_the_change_wrote_itself_is_never_offered():
    before = "a = old_helper(1)\nb = old_helper(2)\n"
    after = "a = new_helper(1)\nb = old_helper(2)\n"
    found = swept(Changed("a.py", before, after), {}, 0.0)
    assert {each.line for each in found} == {2}


def test_what_was_passed_over_above_the_edit_lowers_the_rest():
    def chance(passed: int) -> float:
        head = "".join(f"v{n} = old_helper({n})\n" for n in range(passed))
        change = Changed("a.py", f"{head}z = old_helper(9)\n", f"{head}z = new_helper(9)\n")
        found = swept(change, {"b.py": "w = old_helper(7)\n"}, 0.0)
        return max(each.chance for each in found if each.path == "b.py")

    assert chance(4) < chance(0)


def test_a_search_that_is_stopped_gives_what_it_found():
    files = {f"m{n}.py": f"v = old_helper({n})\n" for n in range(9)}
    change = Changed("a.py", "v = old_helper(10)\n", "v = new_helper(10)\n")
    left = [3]

    def stop() -> bool:
        left[0] -= 1
        return left[0] < 0

    told = readings([change])
    found = search(told, [change], files.items(), stop)
    assert 0 < len({each.path for each in found}) <= 3


def test_a_reading_that_finds_hundreds_of_places_says_nothing():
    files = {"b.py": "".join(f"v{n} = old_helper({n})\n" for n in range(1_000))}
    found = swept(Changed("a.py", "v = old_helper(10)\n", "v = new_helper(10)\n"), files, 0.0)
    assert len(found) <= 3, "only the very text is rare enough"


def test_the_surest_comes_first_and_no_two_overlap():
    before = CALL.format(n=0, arg="url")
    after = before.replace("get(url)", "get(url, timeout=10)")
    files = {f"m{n}.py": CALL.format(n=n, arg=arg) for n, arg in enumerate(("url", "page", "x"), 1)}
    found = swept(Changed("m0.py", before, after), files, 0.0)
    assert [each.chance for each in found] == sorted((each.chance for each in found), reverse=True)
    assert len({(each.path, each.line) for each in found}) == len(found)

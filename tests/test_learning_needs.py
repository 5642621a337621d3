"""A rewrite that uses a name which the file does not have: the import comes along, or the offer says so."""

from __future__ import annotations

import time

import pytest

from cortex.learning.guard.findings import ActiveRule, Change, check
from cortex.learning.guard.needs import brought, came_along, insert, lacking
from cortex.learning.sweep.offers import Offer, applied, offers
from cortex.learning.sweep.readings import Changed, readings
from cortex.learning.sweep.search import search
from cortex.store.kinds import Pattern

LANGUAGES = {
    "python": (
        "import os\n\n\ndef f(a):\n    return old_wait(a, 1)\n",
        "import os\nimport pauses\n\n\ndef f(a):\n    return pauses.wait(a, 1)\n",
        "import sys\n\n\ndef g(b):\n    return old_wait(b, 2)\n",
        "import sys\nimport pauses\n\n\ndef g(b):\n    return pauses.wait(b, 2)\n",
        "py",
    ),
    "go": (
        'package p\n\nimport (\n\t"os"\n)\n\nfunc f(a int) int {\n\treturn oldWait(a, 1)\n}\n',
        'package p\n\nimport (\n\t"os"\n\t"x.org/pauses"\n)\n\nfunc f(a int) int {\n\treturn pauses.Wait(a, 1)\n}\n',
        'package q\n\nimport (\n\t"fmt"\n)\n\nfunc g(b int) int {\n\treturn oldWait(b, 2)\n}\n',
        'package q\n\nimport (\n\t"fmt"\n\t"x.org/pauses"\n)\n\nfunc g(b int) int {\n\treturn pauses.Wait(b, 2)\n}\n',
        "go",
    ),
    "javascript": (
        "const os = require('os');\n\nexports.f = a => oldWait(a, 1);\n",
        "const os = require('os');\nconst pauses = require('pauses');\n\nexports.f = a => pauses.wait(a, 1);\n",
        "const fs = require('fs');\n\nexports.g = b => oldWait(b, 2);\n",
        "const fs = require('fs');\nconst pauses = require('pauses');\n\nexports.g = b => pauses.wait(b, 2);\n",
        "js",
    ),
    "typescript": (
        "import { a } from 'a';\n\nexport const f = (x: number) => oldWait(x, 1);\n",
        "import { a } from 'a';\nimport { pause } from 'pauses';\n\nexport const f = (x: number) => pause(x, 1);\n",
        "import { b } from 'b';\n\nexport const g = (y: number) => oldWait(y, 2);\n",
        "import { b } from 'b';\nimport { pause } from 'pauses';\n\nexport const g = (y: number) => pause(y, 2);\n",
        "ts",
    ),
}


def swept(before: str, after: str, other: str, extension: str) -> tuple[str, list[Offer]]:
    change, path = Changed(f"a/one.{extension}", before, after), f"b/two.{extension}"
    found = search(readings([change]), [change], [(path, other)])
    return path, [each for each in offers(found, 0.0) if "ait(" in each.before or "Wait" in each.before]


def headed(head: str, body: str) -> str:
    """The imports of one text over the code of another."""
    return head[: head.rindex("\n\n")] + body[body.rindex("\n\n") :]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_import_that_the_change_brought_comes_along(language: str):
    before, after, other, wanted, extension = LANGUAGES[language]
    _, found = swept(before, after, other, extension)
    assert found and found[0].needs == ()
    assert applied(other, found[:1]) == wanted


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_change_did_not_bring_is_said_and_is_less_sure(language: str):
    before, after, other, wanted, extension = LANGUAGES[language]
    known = headed(after, before)
    _, found = swept(known, after, other, extension)
    name = "pause" if language == "typescript" else "pauses"
    assert found and found[0].needs == (name,) and found[0].imports == ()
    _, sure = swept(known, after, headed(wanted, other), extension)
    assert sure[0].needs == () and found[0].chance < sure[0].chance


def test_members_keys_parameters_and_builtins_need_nothing():
    assert brought("f(a)", "f(a, timeout=len(a)).json()", "python") == ()
    assert brought("f(a)", "g.map(a, x => x.y, { key: 1 })", "javascript") == ("g",)
    assert brought("f(a)", "[each for each in a]", "python") == ()
    assert brought("errors.New(a)", "fmt.Errorf(a)", "go") == ("fmt",)


def test_a_name_in_a_comment_or_as_a_member_is_not_one_that_the_file_has():
    assert lacking(("json",), "x = self.json  # json\ny = 'json'\n", "python") == ("json",)
    assert lacking(("json",), "import json\n", "python") == ()
    assert lacking(("json",), "from everything import *\n", "python") == ()


@pytest.mark.parametrize("language", ["python", "go", "typescript"])
def test_what_nothing_closes_is_read_once(language: str):
    began = time.process_time()
    for sign in ("/*", '"""', "`", "'", "`\\", '\\"', "(", "=>", "def ("):
        assert lacking(("json",), "json = 1\n" + sign * 100_000, language) == ()
        assert brought("", sign * 500, language) == ()
    assert time.process_time() - began < 5


def test_a_sign_in_a_comment_opens_no_string():
    assert lacking(("json",), "# don't `quote\nx = json\n", "python") == ()
    assert lacking(("json",), "// don't `quote\nconst x = json; // `\n", "typescript") == ()


def test_an_import_that_is_relative_to_another_folder_does_not_come_along():
    line = came_along("import os\n", "import os\nfrom .x import wait\n", "python")["wait"]
    assert insert(line, "import os\n", "python", "a/one.py", "b/two.py") is None
    assert insert(line, "import os\n", "python", "a/one.py", "a/two.py") is not None


def test_an_import_of_several_lines_is_no_simple_one():
    assert came_along("", "from a import (\n    b,\n)\n", "python") == {}


def test_two_places_of_a_file_bring_one_import_and_its_line_ends_stay():
    before, after, other, _, _ = LANGUAGES["python"]
    twice = (other + "\n\ndef h(c):\n    return old_wait(c, 3)\n").replace("\n", "\r\n")
    _, found = swept(before, after, twice, "py")
    done = applied(twice, found)
    assert done.count("import pauses\r\n") == 1 and done.count("pauses.wait(") == 2
    assert done.count("\n") == done.count("\r\n")


RULES = {
    "python": ("old_wait($A)", "pauses.wait($A)", "x = old_wait(1)\n", "import pauses\n\nx = old_wait(1)\n"),
    "go": (
        "oldWait($A)", "pauses.Wait($A)", "package p\n\nfunc f() {\n\tx(oldWait(1))\n}\n",
        'package p\n\nimport "x.org/pauses"\n\nfunc f() {\n\tx(oldWait(1))\n}\n',
    ),
    "javascript": (
        "oldWait($A)", "pauses.wait($A)", "x = oldWait(1);\n", "const pauses = require('pauses');\n\nx = oldWait(1);\n",
    ),
    "typescript": (
        "oldWait($A)", "pause($A)",
        "const x = oldWait(1);\n", "import { pause } from 'pauses';\n\nconst x = oldWait(1);\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", RULES)
def test_the_guard_says_what_a_rewrite_needs(language: str):
    pattern, rewrite, without, with_it = RULES[language]
    context, selector = ("package p\nvar x = " + pattern, "call_expression") if language == "go" else ("", "")
    rule = ActiveRule(
        "r1", "Wait well", "Wait well",
        Pattern(language=language, pattern=pattern, rewrite=rewrite, context=context, selector=selector),
        3, 0, 0.9,
    )  # fmt: skip
    (lacks,) = check([Change("a", without, language)], [rule])
    (has,) = check([Change("a", with_it, language)], [rule])
    name = rewrite.partition(".")[0].partition("(")[0]
    assert lacks.needs == (name,) and f"needs: {name}" in lacks.message and lacks.confidence < 0.9
    assert has.needs == () and has.message == "Wait well" and has.confidence == 0.9

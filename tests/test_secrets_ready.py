"""Rules that are compiled in a loose form first, and kept rules that were noted, find what all rules find."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import secret_forms as forms
import secret_kinds as kinds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cortex.repo.places import state_folder
from cortex.store import secret_kept
from cortex.store.secret_kept import NOTE, kept
from cortex.store.secret_rules import OWN, Rule, loosened
from cortex.store.secrets import Scanner, Secret, find

ROOT = Path(__file__).resolve().parent.parent


def texts(chance: random.Random) -> Iterator[str]:
    """Texts with a secret of each kind and form, the same with something broken, and code."""
    for kind in [*kinds.TOKENS, *kinds.NAMED] * 3:
        yield kinds.secret_in_place(chance, kind)[0]
    for form in list(forms.FORMS) * 20:
        text, _ = forms.in_form(chance, form)
        yield text
        cut = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        yield text[: cut[0]] + text[cut[1] :]
    for path in sorted(ROOT.glob("store/*.py")):
        yield path.read_text()


def test_rules_that_wait_for_their_loose_form_find_what_all_find(seed: int, tell: object) -> None:
    rules = [*OWN, *kept()]
    strict = Scanner(replace(rule, loose="") for rule in rules)
    found = 0
    for text in texts(random.Random(seed)):
        # A scanner of its own for each text: nothing was compiled for an earlier one.
        at_once = strict.find(text)
        assert Scanner(rules).find(text) == at_once
        assert find(text) == at_once
        found += len(at_once)
    assert found > 200


@pytest.mark.parametrize("rule", OWN, ids=lambda rule: f"{rule.name}-{OWN.index(rule)}")
def test_a_loose_form_matches_wherever_its_rule_does(rule: Rule) -> None:
    assert rule.loose == loosened(rule.pattern)
    strict, loose = Scanner([replace(rule, loose="")]), Scanner([replace(rule, pattern=rule.loose, loose="")])
    assert strict.unread == loose.unread == []

    @given(st.from_regex(re.compile(rule.pattern, re.ASCII), alphabet=st.characters(max_codepoint=127)))
    @settings(max_examples=5, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def holds(text: str) -> None:
        data = text.encode("ascii")
        if strict.expression(0).search(data):
            assert loose.candidates(data) and loose.expression(0).search(data)

    holds()


@pytest.mark.parametrize(
    ("pattern", "loose"),
    [
        (r"a{3}b{2,}c{0,4}d{1,9}?", "a+b+c*d+?"),
        (r"[{1,2}]x{2}[^]{3}]y", r"[{1,2}]x+[^]{3}]y"),
        (r"\{2,3}[\]{4}]{5}", r"\{2,3}[\]{4}]+"),
    ],
)
def test_what_only_looks_like_a_count_stays(pattern: str, loose: str) -> None:
    assert loosened(pattern) == loose


def test_nothing_is_compiled_as_it_is_for_a_text_without_a_secret() -> None:
    made = Scanner(OWN)
    assert (
        made.find("Call `fetch_token` with the key of https://example.org/a and wait for its answer.") == []
    )
    assert len(made._expressions) <= 3


def test_kept_rules_are_those_of_the_package_though_a_process_does_not_import_it() -> None:
    rules, missed = secret_kept._imported()
    assert missed == [] and kept() == rules and (state_folder() / NOTE).is_file()
    assert kept() == rules
    code = (
        "import sys, json; from cortex.store.secrets import find, scanner; scanner();"
        "print(json.dumps([[r.name, r.pattern, r.kind, r.entropy, r.loose] for r in scanner().rules]),"
        " 'detect_secrets' in sys.modules, 'requests' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told = [[r.name, r.pattern, r.kind, r.entropy, r.loose] for r in [*OWN, *rules]]
    assert done.stdout.strip() == json.dumps(told) + " False False"


def test_a_note_that_is_damaged_or_of_another_package_is_not_believed() -> None:
    file = state_folder() / NOTE
    rules, said = kept(), file.read_bytes()
    for wrong in (b"", said[:-9], said.replace(b"AKIA", b"AKIB"), b'{"made_of": "", "rules": []}'):
        file.write_bytes(wrong)
        assert kept() == rules and file.read_bytes() == said


def test_what_could_not_be_read_whole_is_not_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    read = secret_kept._imported()[0]
    monkeypatch.setattr(secret_kept, "_imported", lambda: (read[1:], ["one"]))
    assert kept() == read[1:]
    assert not (state_folder() / NOTE).exists()


def test_rules_are_there_where_nothing_can_be_noted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("CORTEX_HOME", str(tmp_path / "file" / "home"))
    assert kept() == secret_kept._imported()[0]


def test_a_secret_is_found_as_before() -> None:
    assert find("password = 'hunter22Xy'") == [Secret("password", 12, 22)]

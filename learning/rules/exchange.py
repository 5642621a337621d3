"""Rules as other programs read them: JSON that reads back exactly, and ast-grep's YAML.

What is read is data from anywhere: every field is checked, nothing in it is run, and no regular expression is
taken from it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...analyzers.languages import LANGUAGES
from ...analyzers.patterns import TOKENS, compile
from ...repo.errors import UsageError
from ...store.codec import decode, encode
from ...store.kinds import Memory, Pattern
from .revising import rule_id

FORMAT = "cortex rules"
VERSION = 1
LARGEST = 4 * 1024 * 1024  # characters of a file of rules
MOST = 1_000  # rules in it
LONGEST = 8_000  # characters of a text
MOST_HOLES = 100
MOST_STARS = 10  # in one glob
GUARDS = ("path:", "import:", "bound:", "lacks:", "not-path:", "not-import:", "not-in:", "within:")
WITHIN = ("within:code", "within:string", "within:comment")  # of patterns of tokens
_ID = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
_KEPT = ("title", "text", "language", "framework", "reason", "scope")


@dataclass(frozen=True)
class Exported:
    """A rule outside of a journal; `state` is for a reader, and no promise here."""

    id: str
    body: Memory
    state: str = ""


def to_json(rules: Iterable[Exported]) -> str:
    """All of the rules as JSON that `from_json` reads back."""
    told = []
    for each in rules:
        assert each.body.rule is not None
        pattern = {key: value for key, value in encode(each.body.rule).items() if key != "kind"}
        said = {name: getattr(each.body, name) for name in _KEPT}
        told.append({"id": each.id, "state": each.state, **said, "rule": pattern})
    return (
        json.dumps({"format": FORMAT, "version": VERSION, "rules": told}, indent=2, ensure_ascii=False) + "\n"
    )


def from_json(text: str) -> list[Exported]:
    """The rules in a text; raises `UsageError` for the first thing in it that is not as it should be."""
    if len(text) > LARGEST:
        raise UsageError(f"a file of rules is at most {LARGEST >> 20} MiB long")
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"this is not JSON: {str(error)[:100]}", "`cortex rules export` writes it."
        ) from None
    if not isinstance(given, dict) or given.get("format") != FORMAT or given.get("version") != VERSION:
        raise UsageError(
            f"this is not {FORMAT!r} in version {VERSION}",
            "`cortex rules export` writes it; YAML is not read.",
        )
    rules = given.get("rules")
    if not isinstance(rules, list) or len(rules) > MOST:
        raise UsageError(f"`rules` is a list of at most {MOST:,}")
    return [_read(each, number) for number, each in enumerate(rules, 1)]


def _read(given: object, number: int) -> Exported:
    if not isinstance(given, dict) or not isinstance(given.get("rule"), dict):
        raise UsageError(f"rule {number} has no pattern")
    texts: dict[str, Any] = {}
    for name in _KEPT:
        value = given.get(name, "")
        if not isinstance(value, str) or len(value) > LONGEST or "\0" in value:
            raise UsageError(f"rule {number}: `{name}` is not a text of at most {LONGEST:,} characters")
        texts[name] = value
    if texts["scope"] not in ("universal", "language", "framework", "project", "user"):
        raise UsageError(f"rule {number}: there is no scope {texts['scope'][:20]!r}")
    pattern = _pattern(given["rule"], number)
    name, state = given.get("id", ""), given.get("state", "")
    known = isinstance(name, str) and _ID.fullmatch(name)
    return Exported(
        str(name) if known else rule_id(pattern),
        Memory(type="rule", rule=pattern, **texts),
        state if isinstance(state, str) and len(state) < 20 else "",
    )


def _pattern(given: Mapping[str, object], number: int) -> Pattern:
    pattern = decode(Pattern, given)
    if {key: value for key, value in encode(pattern).items() if key != "kind"} != dict(given):
        raise UsageError(f"rule {number}: its pattern holds what this version does not know")
    if pattern.language not in LANGUAGES:
        raise UsageError(f"rule {number}: there is no grammar for {pattern.language[:40]!r}")
    if len(pattern.holes) > MOST_HOLES or any(
        not _NAME.fullmatch(hole.name) or len(hole.kind) > 100 or len(hole.values) > 20
        for hole in pattern.holes
    ):
        raise UsageError(f"rule {number}: its holes are not holes")
    if any(len(value) > LONGEST for hole in pattern.holes for value in hole.values):
        raise UsageError(f"rule {number}: what fills a hole is too long")
    for guard in pattern.guards:
        if guard.startswith("within:") and (guard not in WITHIN or pattern.selector != TOKENS):
            raise UsageError(f"rule {number}: there is no guard {guard[:60]!r}")
        if not guard.startswith(GUARDS) or (
            guard.startswith(("path:", "not-path:")) and guard.count("*") > MOST_STARS
        ):
            raise UsageError(f"rule {number}: there is no guard {guard[:60]!r}")
    if compile(pattern) is None:
        raise UsageError(f"rule {number}: its pattern cannot be read, or is too large")
    if pattern.pattern == pattern.rewrite:
        raise UsageError(f"rule {number}: it would change nothing")
    if not all(word in pattern.pattern for word in pattern.words):
        raise UsageError(f"rule {number}: its words do not stand in its pattern")
    return pattern


def to_ast_grep(rules: Iterable[Exported]) -> str:
    """The rules as `ast-grep scan` reads them, one document for each. What it cannot say stands in the `note`.

    A rule of tokens has no tree that it could read, and is left out.
    """
    return "---\n".join(_document(each) for each in rules if not is_of_tokens(each))


def is_of_tokens(rule: Exported) -> bool:
    """Whether a rule is a run of tokens, which only Cortex reads."""
    return rule.body.rule is not None and rule.body.rule.selector == TOKENS


def _document(rule: Exported) -> str:
    pattern, body = rule.body.rule, rule.body
    assert pattern is not None
    lines = [
        f"id: {_slug(body.title)}-{rule.id[:8]}",
        f"language: {_yaml(LANGUAGES[pattern.language].pattern_name)}",
        f"severity: {'warning' if rule.state == 'active' else 'hint'}",
        f"message: {_yaml(body.title or 'A rule')}",
    ]
    if note := _note(rule):
        lines.append(f"note: {_yaml(note)}")
    lines.append("rule:")
    if pattern.context:
        lines += [
            "  pattern:",
            f"    context: {_yaml(pattern.context)}",
            f"    selector: {_yaml(pattern.selector)}",
        ]
    else:
        lines.append(f"  pattern: {_yaml(pattern.pattern)}")
    if lacks := [re.escape(each[6:]) for each in pattern.guards if each.startswith("lacks:")]:
        lines += ["  not:", "    regex: " + _yaml(r"(?:^|\W)(?:" + "|".join(lacks) + r")(?:\W|$)")]
    held = [hole for hole in pattern.holes if hole.kind and _is_constrained(pattern, hole.name)]
    if held:
        lines.append("constraints:")
        for hole in held:
            lines += [f"  {hole.name}:", f"    kind: {_yaml(hole.kind)}"]
    if paths := [each[5:] for each in pattern.guards if each.startswith("path:")]:
        lines += ["files:", *(f"  - {_yaml(path)}" for path in paths)]
    if paths := [each[9:] for each in pattern.guards if each.startswith("not-path:")]:
        lines += ["ignores:", *(f"  - {_yaml(path)}" for path in paths)]
    lines.append(f"fix: {_yaml(pattern.rewrite)}")
    return "\n".join(lines) + "\n"


def _is_constrained(pattern: Pattern, name: str) -> bool:
    """Whether a hole's kind is asked for: of what the rewrite throws away it is, and of one node alone."""
    one = re.compile(rf"(?<!\$)\${name}(?![A-Z0-9_])")
    return bool(one.search(pattern.pattern)) and not one.search(pattern.rewrite)


def _note(rule: Exported) -> str:
    pattern = rule.body.rule
    assert pattern is not None
    imports = [each[7:] for each in pattern.guards if each.startswith("import:")]
    bound = [each[6:] for each in pattern.guards if each.startswith("bound:")]
    unlike = [each[11:] for each in pattern.guards if each.startswith("not-import:")]
    outside = [each[7:] for each in pattern.guards if each.startswith("not-in:")]
    parts: Sequence[str] = [
        rule.body.reason,
        f"Holds only where one of these is imported: {', '.join(imports)}." if imports else "",
        f"Holds only where these are names of imports: {', '.join(bound)}." if bound else "",
        f"Does not hold where one of these is imported: {', '.join(unlike)}." if unlike else "",
        f"Does not hold in these definitions: {', '.join(outside)}." if outside else "",
    ]
    return "\n".join(part for part in parts if part)


def _slug(title: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", title.lower())[:6]) or "rule"


def _yaml(text: str) -> str:
    """A text as YAML's double-quoted form: JSON's, with what YAML does not take as it stands written by number."""
    quoted = json.dumps(text, ensure_ascii=False)
    return re.sub(
        "[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]",
        lambda found: f"\\u{ord(found[0]):04x}",
        quoted,
    )

"""Code free of what says nothing: formatting, comments, the order of imports."""

from __future__ import annotations

import re
from collections import Counter

import tree_sitter

from .languages import COMMENTS, LANGUAGES, Language
from .parse import parse

_QUOTES = re.compile(r"^([A-Za-z]{0,2})(\"\"\"|'''|\"|'|`)")
_CLOSERS = frozenset(")]}>")


def tokens(node: tree_sitter.Node, source: bytes, language: Language) -> tuple[str, ...]:
    """The leaves of `node` without comments, formatters' commas and semicolons, and the choice of quotes.

    Where white space is structure, a block is marked by INDENT and DEDENT.
    """
    out: list[str] = []
    cursor = node.walk()
    depth = 0
    while True:
        here = cursor.node
        descend = False
        if here is not None and here.type not in COMMENTS:
            if here.type in language.strings and here.child_count and not interpolates(here, language):
                out.append(_string(source[here.start_byte : here.end_byte].decode("utf-8", "replace")))
            elif here.child_count:
                if language.indents and here.type in language.blocks:
                    out.append("INDENT")
                elif here.type == "tuple" and here.named_child_count == 1:
                    out.append("TUPLE")  # here the comma before the bracket means something
                descend = True
            else:
                _leaf(out, source[here.start_byte : here.end_byte].decode("utf-8", "replace"))
        if descend and cursor.goto_first_child():
            depth += 1
            continue
        while depth and not cursor.goto_next_sibling():
            cursor.goto_parent()
            depth -= 1
            left = cursor.node
            if language.indents and left is not None and left.type in language.blocks:
                out.append("DEDENT")
        if not depth:
            return tuple(out)


def interpolates(node: tree_sitter.Node, language: Language) -> bool:
    """Whether a string has parts that are code."""
    return any(
        child.type in ("interpolation", "template_substitution") or child.type in language.strings
        for child in node.children
    )


def _leaf(out: list[str], text: str) -> None:
    text = text.strip() if text.isspace() or text.strip() == text else text
    if not text or text == ";":
        return
    if text in _CLOSERS and out and out[-1] == ",":
        out.pop()
    if text in ("'", "'''"):
        text = text.replace("'", '"')
    elif len(text) <= 5 and text[-1] == "'" and text[:-1].strip("'").isalpha():
        text = text.replace("'", '"')  # the start of an interpolated string: f'
    out.append(text)


def _string(text: str) -> str:
    """A string with double quotes, where that is the same string."""
    found = _QUOTES.match(text)
    if found is None or found[2] in ('"', '"""', "`"):
        return text
    quote = found[2]
    inner = text[found.end() : -len(quote)] if text.endswith(quote) else text[found.end() :]
    if '"' in inner or "\\" in inner:
        return text
    double = quote.replace("'", '"')
    return f"{found[1]}{double}{inner}{double}"


def normalised(source: str, language: str) -> tuple[tuple[str, ...], Counter[tuple[str, ...]]]:
    """The tokens of a file without its imports, and its imports as a bag."""
    row = LANGUAGES[language]
    data = source.encode("utf-8", "replace")
    code: list[str] = []
    imports: Counter[tuple[str, ...]] = Counter()
    for child in parse(data, language).root_node.children:
        if child.type in row.imports:
            imports.update(import_parts(child, data, row))
        else:
            code.extend(tokens(child, data, row))
            code.append("\n")
    return tuple(part for part in code if part != "\n"), imports


def import_parts(node: tree_sitter.Node, source: bytes, language: Language) -> Counter[tuple[str, ...]]:
    """An import statement as a bag of what it imports, so that order and grouping say nothing."""
    whole = tokens(node, source, language)
    if language.name == "go":
        specs = [each for child in node.children for each in _specs(child)]
        return Counter(tokens(each, source, language) for each in specs)
    names: Counter[tuple[str, ...]] = Counter()
    head: list[str] = []
    for token in whole:
        if token in (",", "(", ")", "{", "}"):
            continue
        head.append(token)
    if "import" in head and language.name == "python" and head and head[0] == "from":
        at = head.index("import")
        rest = " ".join(whole[at + 1 :]).strip("() ").split(" , ")
        for each in rest:
            names.update([(*head[: at + 1], each)])
        return names
    if language.name != "python" and "{" in whole and "}" in whole:
        opened, closed = whole.index("{"), whole.index("}")
        rest = " ".join(whole[opened + 1 : closed]).split(" , ")
        outer = whole[:opened] + whole[closed + 1 :]
        for each in rest:
            names.update([(*outer, each)])
        return names
    names[whole] += 1
    return names


def _specs(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    if node.type == "import_spec":
        return [node]
    return [each for child in node.children for each in _specs(child)]


def alike(before: str, after: str, language: str | None) -> bool:
    """Whether two versions differ in formatting, comments or the order of imports alone."""
    if before == after:
        return True
    if language is None or language not in LANGUAGES:
        return before.split() == after.split()
    return normalised(before, language) == normalised(after, language)

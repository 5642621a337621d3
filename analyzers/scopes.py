"""Whether a name still means what the file's imports bind, or a parameter or a local of the function took it over."""

from __future__ import annotations

import re
from functools import lru_cache

from ast_grep_py import SgNode

from .languages import words

_FUNCTIONS = words(
    """function_definition lambda function_declaration method_declaration func_literal method_definition arrow_function
    function_expression generator_function_declaration generator_function"""
)
_PARAMETERS = ("parameters", "parameter")


def is_shadowed(node: SgNode, name: str) -> bool:
    """Whether a function around `node` has a parameter or a local called `name`."""
    return any(
        around.kind() in _FUNCTIONS and (_takes(around, name) or _assigns(around, name))
        for around in node.ancestors()
    )


def _takes(function: SgNode, name: str) -> bool:
    for field in _PARAMETERS:
        given = function.field(field)
        if given is not None and _parameter(name).search(given.text()):
            return True
    return False


def _assigns(function: SgNode, name: str) -> bool:
    body = function.field("body")
    return body is not None and _local(name).search(body.text()) is not None


@lru_cache(maxsize=1024)
def _parameter(name: str) -> re.Pattern[str]:
    # Neither a default (after =), nor a type (after a colon), nor what has members (a package before its type).
    return re.compile(rf"(?:^|[(,{{\[*\n]|\.\.\.)\s*{re.escape(name)}\b(?!\s*\.)")


@lru_cache(maxsize=1024)
def _local(name: str) -> re.Pattern[str]:
    # `name=value` without spaces is a named argument, even on a line of its own.
    found = re.escape(name)
    others = r"(?:\s*,\s*[\w.]+)*"
    return re.compile(
        rf"(?m)^\s*(?:[\w.]+\s*,\s*)*{found}{others}(?:\s*:=|\s*:\s*[^=\n]+\s=\s|\s=\s)"
        rf"|(?:\b(?:var|let|const)\s+(?:[\w.]+\s*,\s*)*|[{{(;]\s*(?=[\w, ]*:=)){found}\b(?!\s*\.)"
        rf"|\b(?:as|for)\s+(?:[\w.]+\s*,\s*)*{found}\b{others}\s*(?::|\bin\b|:=|\bof\b)"
    )

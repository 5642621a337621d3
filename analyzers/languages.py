"""What is known of each language: one frozen row a language, and the paths and heads that are not source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


def words(text: str) -> frozenset[str]:
    """The set of the words of `text`: how the tables here are written."""
    return frozenset(text.split())


@dataclass(frozen=True)
class Language:
    """One language: its names elsewhere, and the syntax kinds that learning asks about."""

    name: str
    extensions: tuple[str, ...]
    module: str  # the grammar's Python module
    function: str  # its function that gives the language
    pattern_name: str  # ast-grep's name
    line_comment: str
    block_comment: tuple[str, str] | None
    calls: frozenset[str]
    blocks: frozenset[str]  # kinds whose children are statements or members
    imports: frozenset[str]  # statements that import
    definitions: frozenset[str]
    strings: frozenset[str]
    numbers: frozenset[str]
    wrappers: tuple[str, ...]  # programs with one place (%s) where a fragment may parse
    constants: frozenset[str]  # names that mean the same everywhere
    indents: bool = False  # white space is structure


_JS_BLOCKS = words(
    """program statement_block class_body switch_body switch_case switch_default interface_body
    enum_body"""
)
_JS_DEFINITIONS = words("""function_declaration generator_function_declaration method_definition
    class_declaration interface_declaration abstract_class_declaration function_signature""")
_JS_WRAPPERS = (
    "%s",
    "(%s)",
    "({%s})",
    "class A { %s }",
    "function f(%s) {}",
    "function f%s {}",
    "import {%s} from 'm'",
    "f(%s)",
)
_JS_CONSTANTS = words(
    "this super null undefined true false console process window document module exports require err"
)


def _script(
    name: str, extensions: tuple[str, ...], module: str, function: str, pattern_name: str
) -> Language:
    return Language(
        name=name,
        extensions=extensions,
        module=module,
        function=function,
        pattern_name=pattern_name,
        line_comment="//",
        block_comment=("/*", "*/"),
        calls=frozenset({"call_expression", "new_expression"}),
        blocks=_JS_BLOCKS,
        imports=frozenset({"import_statement"}),
        definitions=_JS_DEFINITIONS,
        strings=frozenset({"string", "template_string", "regex"}),
        numbers=frozenset({"number"}),
        wrappers=_JS_WRAPPERS + (() if name == "typescript" else ("<a %s />", "<a>%s</a>")),
        constants=_JS_CONSTANTS,
    )


LANGUAGES: Mapping[str, Language] = {
    language.name: language
    for language in (
        Language(
            name="python",
            extensions=("py", "pyi"),
            module="tree_sitter_python",
            function="language",
            pattern_name="python",
            line_comment="#",
            block_comment=None,
            calls=frozenset({"call"}),
            blocks=frozenset({"module", "block"}),
            imports=frozenset({"import_statement", "import_from_statement", "future_import_statement"}),
            definitions=frozenset({"function_definition", "class_definition"}),
            strings=frozenset({"string", "concatenated_string"}),
            numbers=frozenset({"integer", "float"}),
            wrappers=(
                "%s",
                "%s\n    pass",
                "try:\n    pass\n%s\n    pass",
                "try:\n    pass\n%s",
                "f(%s)",
                "{%s}",
                "def f(%s): pass",
                "def f%s: pass",
                "class C(%s): pass",
            ),
            constants=words("self cls None True False super"),
            indents=True,
        ),
        Language(
            name="go",
            extensions=("go",),
            module="tree_sitter_go",
            function="language",
            pattern_name="go",
            line_comment="//",
            block_comment=("/*", "*/"),
            calls=frozenset({"call_expression"}),
            blocks=words("""source_file block statement_list expression_case default_case communication_case
                type_case expression_switch_statement type_switch_statement select_statement
                field_declaration_list"""),
            imports=frozenset({"import_declaration"}),
            definitions=frozenset({"function_declaration", "method_declaration", "type_spec"}),
            strings=frozenset({"interpreted_string_literal", "raw_string_literal", "rune_literal"}),
            numbers=frozenset({"int_literal", "float_literal", "imaginary_literal"}),
            wrappers=(
                "package p\nfunc f() {\n%s\n}",
                "package p\nvar x = %s",
                "package p\n%s",
                "package p\nvar x %s",
                "package p\nfunc f%s {}",
                "package p\nfunc f(%s) {}",
                "package p\ntype T struct {\n%s\n}",
                "package p\nvar x = T{%s}",
                "package p\nimport (\n%s\n)",
            ),
            constants=words("nil true false err ctx t b iota _"),
        ),
        _script(
            "javascript", ("js", "mjs", "cjs", "jsx"), "tree_sitter_javascript", "language", "javascript"
        ),
        _script(
            "typescript",
            ("ts", "mts", "cts"),
            "tree_sitter_typescript",
            "language_typescript",
            "typescript",
        ),
        _script("tsx", ("tsx",), "tree_sitter_typescript", "language_tsx", "tsx"),
    )
}

_BY_EXTENSION = {
    extension: language.name for language in LANGUAGES.values() for extension in language.extensions
}

# Kinds that hold arguments, parameters or elements: never a rule on their own, always with what holds them.
LISTS = words("""argument_list arguments parameters formal_parameters parameter_list list tuple dictionary set
    object array literal_value named_imports import_spec_list expression_list object_type type_parameters
    type_arguments import_clause export_clause union_type pattern_list""")

# Those of them that are values of their own, as a literal: one hole may stand for the whole.
LITERAL_LISTS = words("list tuple dictionary set object array")

# Kinds of names that stand for an interface, not for a variable: they stay concrete in a pattern.
INTERFACE_NAMES = words("""property_identifier field_identifier package_identifier private_property_identifier
    type_identifier shorthand_property_identifier""")

COMMENTS = frozenset({"comment", "line_comment", "block_comment", "html_comment"})

_GENERATED_PATH = re.compile(
    r"""(^|/)(vendor|node_modules|third_party|_vendor|site-packages|dist|Godeps|\.venv|venv)/
    |\.min\.(js|css|mjs)$|\.pb\.go$|\.pb\.gw\.go$|_pb2(_grpc)?\.pyi?$|_generated?\.go$|\.gen\.(go|ts)$
    |(^|/)(package-lock\.json|yarn\.lock|pnpm-lock\.yaml|poetry\.lock|Cargo\.lock|go\.sum|uv\.lock)$
    |bundle\.js$|\.d\.ts$|\.snap$""",
    re.VERBOSE,
)
# Go's own convention ("Code generated … DO NOT EDIT."), and the marks that other generators leave.
_GENERATED_HEAD = re.compile(
    rb"@generated|Code generated .{0,80}DO NOT EDIT|(?i:\bauto-?generated\b.{0,60}\bdo not edit)"
)
# Nobody types lines like these: bundlers and minifiers do (bytes, in the first 8 KiB).
_LONG_LINE = 1_000
_LONG_MEAN = 150


def language_of(path: str) -> str | None:
    """The name of the language of `path` by its extension; None where there is no grammar for it."""
    name = path.rsplit("/", 1)[-1]
    if "." not in name:
        return None
    return _BY_EXTENSION.get(name.rsplit(".", 1)[-1].lower())


def is_generated(path: str, head: bytes = b"") -> bool:
    """Whether a tool, not a person or an assistant, wrote the file: by path, head, or minified lines."""
    if _GENERATED_PATH.search(path):
        return True
    head = head[:8192]
    if _GENERATED_HEAD.search(head[:2048]):
        return True
    lines = head.split(b"\n")
    return len(head) > _LONG_MEAN * len(lines) + _LONG_LINE or any(len(line) > _LONG_LINE for line in lines)

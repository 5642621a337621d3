"""JavaScript's and TypeScript's choices: quotes, semicolons, names, types, imports, errors, tests, libraries."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter

from .conventions import (
    Found,
    Use,
    captures,
    case,
    is_test,
    library,
    line,
    message_uses,
    table,
    text,
)

_QUERY = """
(string) @string
(expression_statement) @ends
(lexical_declaration) @ends
(return_statement) @ends
(import_statement) @import
(export_statement) @export
(function_declaration) @function
(generator_function_declaration) @function
(program (lexical_declaration (variable_declarator name: (identifier) @arrow value: (arrow_function))))
(program (export_statement
  (lexical_declaration (variable_declarator name: (identifier) @arrow value: (arrow_function)))))
(program (lexical_declaration (variable_declarator name: (identifier) @constant value: [(string) (number)])))
(program (export_statement
  (lexical_declaration (variable_declarator name: (identifier) @constant value: [(string) (number)]))))
(class_declaration) @class
(await_expression) @await
(call_expression function: (identifier) @called)
(call_expression function: (member_expression property: (property_identifier) @then (#eq? @then "then")))
(call_expression function: (identifier) @require
  arguments: (arguments . (string) @required .) (#eq? @require "require"))
(throw_statement) @throw
(binary_expression operator: ["==" "!="] right: (_) @loose)
(binary_expression operator: ["===" "!=="] right: (_) @strict)
"""
_TYPES = """
(interface_declaration) @interface
(type_alias_declaration value: (object_type)) @alias
(array_type) @array
(generic_type name: (type_identifier) @generic (#eq? @generic "Array"))
(predefined_type) @predefined
"""
_LIBRARIES = table(
    {
        "library.http": "axios node-fetch got undici ky superagent request cross-fetch ofetch",
        "library.logging": "winston pino bunyan debug consola log4js loglevel signale",
        "library.dates": "moment dayjs date-fns luxon",
        "library.schemas": "zod yup joi ajv valibot @sinclair/typebox=typebox",
        "tests.framework": """vitest jest=jest @jest/globals=jest mocha ava tape tap node:test bun:test
            @playwright/test=playwright""",
        "tests.assertions": "chai should expect.js assert=assert node:assert=assert node:assert/strict=assert",
    }
)
_FRAMEWORK = re.compile(r"vitest|jest|mocha|\bava\b|\btap|node:test|bun:test|playwright")
_BUILTIN = re.compile(
    r"(node:)?(assert|async_hooks|buffer|child_process|cluster|console|crypto|dns|events|fs|http|http2|https|module"
    r"|net|os|path|perf_hooks|process|querystring|readline|stream|string_decoder|timers|tls|tty|url|util|v8|vm"
    r"|worker_threads|zlib)(/\w+)?\Z"
)


def uses(path: str, source: bytes, language: str, root: tree_sitter.Node) -> Iterator[Use]:
    """The choices that a JavaScript or TypeScript file shows."""
    if path.rsplit("/", 1)[-1].count(".config.") or re.search(r"(^|/)\.[^/]*$", path):
        return  # the tool's own form, not the people's
    test = is_test(path)
    found = captures(_QUERY, language, root)
    yield from _form(found)
    yield from _imports(found, test)
    yield from _names(path, found, test)
    if not test:
        yield from _errors(found)
        for node in found.get("loose", []):
            if text(node) not in ("null", "undefined"):
                yield Use("equality", "loose", line(node))
        for node in found.get("strict", []):
            yield Use("equality", "strict", line(node))
        for node in found.get("await", []):
            yield Use("async", "await", line(node))
        for node in found.get("then", []):
            yield Use("async", "then", line(node))
    if test:
        yield from _tests(path, found)
    if language != "javascript":
        yield from _types(captures(_TYPES, language, root), found, test)


def _form(found: Found) -> Iterator[Use]:
    for node in found.get("string", []):
        said = text(node)
        if said[1:-1] and not set("'\"`") & set(said[1:-1]) and not _is_attribute(node):
            yield Use("quotes", "double" if said[0] == '"' else "single", line(node))
    for node in found.get("ends", []):
        parent = node.parent
        if parent is None or parent.type not in ("program", "statement_block", "export_statement"):
            continue
        yield Use("semicolons", "there" if text(node).endswith(";") else "none", line(node))


def _is_attribute(node: tree_sitter.Node) -> bool:
    return node.parent is not None and node.parent.type == "jsx_attribute"


def _imports(found: Found, test: bool) -> Iterator[Use]:
    for node in found.get("import", []):
        module, at = text(node.child_by_field_name("source")).strip("'\""), line(node)
        yield Use("imports.form", "import", at)
        yield from _module(module, at, test)
        if module.startswith(".") and not re.search(r"\.(css|scss|json|vue|svelte|svg|png)(\?\w+)?$", module):
            yield Use("imports.ending", "there" if re.search(r"\.[cm]?[jt]sx?$", module) else "none", at)
    for node in found.get("required", []):
        yield Use("imports.form", "require", line(node))
        yield from _module(text(node).strip("'\""), line(node), test)


def _module(module: str, at: int, test: bool) -> Iterator[Use]:
    yield from library(_LIBRARIES, module, at, test)
    if _BUILTIN.match(module):
        yield Use("imports.node", "prefix" if module.startswith("node:") else "bare", at)


def _names(path: str, found: Found, test: bool) -> Iterator[Use]:
    stem = path.rsplit("/", 1)[-1].split(".", 1)[0].lstrip("_[")
    if form := case(stem):
        yield Use("naming.files", form, 1)
    if test:
        return
    for node in found.get("function", []):
        name = text(node.child_by_field_name("name"))
        if form := case(name):
            if form != "pascal":  # a component, or a constructor
                yield Use("naming.functions", form, line(node))
        if node.parent is not None and node.parent.type in ("program", "export_statement"):
            yield Use("functions", "function", line(node))
    for node in found.get("arrow", []):
        yield Use("functions", "arrow", line(node))
    for node in found.get("constant", []):
        if form := case(text(node)):
            yield Use("naming.constants", form, line(node))
    for node in found.get("export", []):
        yield Use(
            "exports",
            "default" if any(each.type == "default" for each in node.children) else "named",
            line(node),
        )


def _errors(found: Found) -> Iterator[Use]:
    for node in found.get("throw", []):
        said = re.match(r"throw new \w*Error\(\s*([\"'`])((?:(?!\1).)+)\1", text(node))
        if said:
            yield from message_uses(said[2], line(node))


def _tests(path: str, found: Found) -> Iterator[Use]:
    name = path.rsplit("/", 1)[-1]
    called = [node for node in found.get("called", []) if node.text in (b"it", b"test")]
    if not called:
        return
    imported = [node for name in ("import", "required") for node in found.get(name, [])]
    if not any(_FRAMEWORK.search(text(node)) for node in imported):
        yield Use("tests.framework", "global", 1)
    ending = re.search(r"\.(test|spec)\.[cm]?[jt]sx?$", name)
    yield Use("tests.files", f".{ending[1]}" if ending else "other", 1)
    folder = re.match(r"(?:.*/)?(__tests__|tests?|spec)/", path)
    yield Use("tests.place", f"{folder[1]}/" if folder else "beside", 1)
    for node in called:
        yield Use("tests.word", text(node), line(node))
    for node in found.get("called", []):
        if node.text in (b"expect", b"assert"):
            yield Use("tests.assertions", text(node), line(node))


def _types(types: Found, found: Found, test: bool) -> Iterator[Use]:
    for capture, topic, value in (
        ("interface", "objects", "interface"),
        ("alias", "objects", "type"),
        ("array", "arrays", "[]"),
        ("generic", "arrays", "Array<>"),
    ):
        for node in types.get(capture, []):
            yield Use(topic, value, line(node))
    for node in types.get("interface", []):
        name = text(node.child_by_field_name("name"))
        if re.match(r"[A-Z][a-z]|I[A-Z][a-z]", name):
            yield Use("naming.interfaces", "I" if re.match(r"I[A-Z][a-z]", name) else "plain", line(node))
    if test:
        return
    for node in types.get("predefined", []):
        if node.text in (b"any", b"unknown"):
            yield Use("any", text(node), line(node))
    for node in found.get("function", []):
        if node.parent is not None and node.parent.type == "export_statement":
            there = node.child_by_field_name("return_type") is not None
            yield Use("typing", "returns" if there else "inferred", line(node))

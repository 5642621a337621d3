"""Python's choices: quotes, names, types, docstrings, errors, tests, imports, libraries."""

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
(function_definition) @function
(import_statement) @import
(import_from_statement) @from
(future_import_statement) @future
(except_clause) @except
(raise_statement) @raise
(type) @type
(call function: (attribute object: (string) attribute: (identifier) @formatted (#eq? @formatted "format")))
(binary_operator left: (string) operator: "%") @percent
(call function: (attribute object: (attribute) @path attribute: (identifier)) (#eq? @path "os.path"))
(class_definition superclasses: (argument_list) @bases)
(module (expression_statement (assignment left: (identifier) @constant right: [(string) (integer) (float)])))
"""
_LIBRARIES = table(
    {
        "library.http": "requests httpx aiohttp urllib.request=urllib urllib3 treq pycurl",
        "library.logging": "logging structlog loguru",
        "library.cli": "argparse click typer docopt optparse fire",
        "library.records": "dataclasses attr=attrs attrs pydantic msgspec",
        "tests.framework": "pytest unittest unittest.mock=-",
        "library.mock": "unittest.mock mock pytest_mock=pytest-mock",
    }
)
_HEADED = re.compile(r"^\s*(Args|Arguments|Returns|Raises|Yields|Example|Examples|Attributes):\s*$", re.M)
_RULED = re.compile(r"^\s*(Parameters|Returns|Raises|Yields|Examples|Notes|See Also)\s*\n\s*-{3,}\s*$", re.M)
_FIELDS = re.compile(r"^\s*:(param|type|return|returns|rtype|raises?|arg)\b[^:\n]*:", re.M)


def uses(path: str, source: bytes, language: str, root: tree_sitter.Node) -> Iterator[Use]:
    """The choices that a Python file shows."""
    found = captures(_QUERY, language, root)
    test = is_test(path)
    docs = {node.id for node in _docstrings(root, found.get("function", []))}
    if path.endswith(".pyi"):
        return
    for node in found.get("string", []):
        yield from _string(node, node.id in docs)
    for node in found.get("function", []):
        yield from _function(node, test)
    yield from _imports(path, found, test)
    yield from _errors(found, test)
    for node in found.get("type", []):
        said = text(node)
        if said.startswith(("Optional[", "t.Optional[", "typing.Optional[")):
            yield Use("optional", "Optional", line(node))
        elif re.search(r"\| ?None\b", said) and "\n" not in said:
            yield Use("optional", "bar", line(node))
    for node in found.get("formatted", []):
        yield Use("format", "method", line(node))
    for node in found.get("percent", []):
        yield Use("format", "percent", line(node))
    for node in () if test else found.get("path", []):
        yield Use("library.paths", "os.path", line(node))
    for node in found.get("constant", []):
        name = text(node)
        if not test and case(name) and not name.startswith("_"):
            yield Use("naming.constants", case(name), line(node))
    yield from _tests(path, found, test)


def _docstrings(root: tree_sitter.Node, functions: list[tree_sitter.Node]) -> Iterator[tree_sitter.Node]:
    bodies = [root, *(node.child_by_field_name("body") for node in functions)]
    stack = [child for child in root.children if child.type in ("class_definition", "decorated_definition")]
    while stack:
        node = stack.pop()
        node = (
            (node.child_by_field_name("definition") or node) if node.type == "decorated_definition" else node
        )
        body = node.child_by_field_name("body")
        if node.type == "class_definition" and body is not None:
            bodies.append(body)
            stack += [each for each in body.children if each.type == "class_definition"]
    for body in bodies:
        doc = _doc(body)
        if doc is not None:
            yield doc


def _doc(body: tree_sitter.Node | None) -> tree_sitter.Node | None:
    first = next((child for child in body.children if child.type != "comment"), None) if body else None
    if first is None or first.type != "expression_statement" or not first.children:
        return None
    return first.children[0] if first.children[0].type == "string" else None


def _string(node: tree_sitter.Node, is_doc: bool) -> Iterator[Use]:
    said = text(node)
    bare = said.lstrip("rRbBuUfF")
    if not is_doc and bare[:1] in "\"'" and not bare.startswith(('"""', "'''")):
        inner = bare[1:-1]
        if '"' not in inner and "'" not in inner:
            yield Use("quotes", "double" if bare[0] == '"' else "single", line(node))
    if "f" in said[: len(said) - len(bare)].lower() and "{" in bare:
        yield Use("format", "f-string", line(node))


def _function(node: tree_sitter.Node, test: bool) -> Iterator[Use]:
    name, at = text(node.child_by_field_name("name")), line(node)
    form = case(name.lstrip("_"))
    if form and not test and not name.startswith(("visit_", "do_", "test", "setUp", "tearDown")):
        yield Use("naming.functions", form, at)
    if test or name.startswith("_") or _is_inner(node):
        return
    parameters = node.child_by_field_name("parameters")
    named = [
        child
        for child in (parameters.named_children if parameters else [])
        if child.type in ("identifier", "default_parameter", "typed_parameter", "typed_default_parameter")
        and text(child) not in ("self", "cls")
    ]
    returns = node.child_by_field_name("return_type")
    if named or returns is not None:
        whole = all(child.type.startswith("typed") for child in named) and returns is not None
        bare = returns is None and not any(child.type.startswith("typed") for child in named)
        yield Use("typing", "whole" if whole else "none" if bare else "partly", at)
    doc = _doc(node.child_by_field_name("body"))
    yield Use("docstrings", "there" if doc is not None else "none", at)
    if doc is not None:
        yield from _form(doc)


def _is_inner(node: tree_sitter.Node) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.type == "function_definition":
            return True
        parent = parent.parent
    return False


def _form(doc: tree_sitter.Node) -> Iterator[Use]:
    """How a docstring is written: its quotation marks, where it begins, how its first line ends, its sections."""
    said, at = text(doc).lstrip("rRuU"), line(doc)
    yield Use("docstring.quotes", {'"""': '"""', "'''": "'''"}.get(said[:3], "one"), at)
    inner = said[3:-3]
    if "\n" in inner.strip():
        yield Use("docstring.start", "below" if inner.lstrip(" ").startswith("\n") else "first", at)
    if paragraph := inner.strip().split("\n\n")[0].strip():
        # One that a list or a field follows has no end of its own.
        if not re.search(r"^\s*(:|-|\*|>>>|Args)", paragraph, re.M):
            yield Use("docstring.end", "period" if paragraph.endswith((".", "!", "?")) else "open", at)
    for value, pattern in (("google", _HEADED), ("numpy", _RULED), ("sphinx", _FIELDS)):
        if pattern.search(inner):
            yield Use("docstring.form", value, at)
            break


def _imports(path: str, found: Found, test: bool) -> Iterator[Use]:
    future = any("annotations" in text(node) for node in found.get("future", []))
    if found.get("type") or future:
        yield Use("imports.future", "there" if future else "none", 1)
    for node in found.get("import", []):
        for child in node.named_children:
            module = text(child.child_by_field_name("name") or child)
            yield from library(_LIBRARIES, module, line(node), test)
            if module == "typing":
                yield Use("imports.typing", text(node).removeprefix("import "), line(node))
    for node in found.get("from", []):
        module, at = text(node.child_by_field_name("module_name")), line(node)
        names = [text(child) for child in node.named_children[1:]]
        if module == "unittest" and names == ["mock"]:
            module = "unittest.mock"
        yield from library(_LIBRARIES, module, at, test)
        if module == "typing":
            yield Use("imports.typing", "from", at)
        if module == "pathlib" and not test:
            yield Use("library.paths", "pathlib", at)
        if module.startswith("."):
            yield Use("imports.reach", "relative", at)
        elif module.split(".")[0] in path.split("/")[:-1]:
            yield Use("imports.reach", "absolute", at)


def _errors(found: Found, test: bool) -> Iterator[Use]:
    if test:
        return
    for node in found.get("except", []):
        caught = next(
            (child for child in node.named_children if child.type not in ("block", "comment")), None
        )
        broad = caught is None or re.match(r"\(?(Base)?Exception\b", text(caught)) is not None
        yield Use("errors.caught", "bare" if caught is None else "broad" if broad else "named", line(node))
    for node in found.get("raise", []):
        if not node.named_children:
            continue
        if _in_except(node) and node.named_children[0].type == "call":
            chained = node.child_by_field_name("cause") is not None or len(node.named_children) > 1
            yield Use("errors.chained", "from" if chained else "implicit", line(node))
        said = re.match(r"[\w.]+\(\s*f?([\"'])((?:(?!\1).)+)\1\s*[,)]", text(node.named_children[0]))
        if said:
            yield from message_uses(said[2], line(node))


def _in_except(node: tree_sitter.Node) -> bool:
    parent = node.parent
    while parent is not None and parent.type not in ("function_definition", "class_definition"):
        if parent.type == "except_clause":
            return True
        parent = parent.parent
    return False


def _tests(path: str, found: Found, test: bool) -> Iterator[Use]:
    name = path.rsplit("/", 1)[-1]
    if not test:
        return
    functions = found.get("function", [])
    cases = [node for node in functions if text(node.child_by_field_name("name")).startswith("test")]
    if not cases:
        return
    yield Use(
        "tests.files", "test_*" if name.startswith("test_") else "*_test" if "_test." in name else "other", 1
    )
    folder = re.match(r"(.*/)?(tests?)/", path)
    yield Use(
        "tests.place", f"{folder[2]}/" if folder and not folder[1] else "inside" if folder else "beside", 1
    )
    for node in cases:
        outer = node.parent
        while outer is not None and outer.type not in ("class_definition", "module"):
            outer = outer.parent
        inside = outer is not None and outer.type == "class_definition"
        yield Use("tests.style", "class" if inside else "function", line(node))
        if not inside:
            yield Use("tests.framework", "pytest", line(node))  # nothing else runs a bare function

"""Go's choices: errors, names, comments, tests, libraries. What gofmt settles is none."""

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
(call_expression function: (selector_expression) @called arguments: (argument_list) @given) @call
(function_declaration) @function
(method_declaration) @method
(type_spec) @type
(import_spec path: (_) @import)
(package_clause (package_identifier) @package)
(interface_type) @interface
(var_spec name: (identifier) @variable
  value: (expression_list (call_expression function: (selector_expression) @maker)))
(const_spec name: (identifier) @constant)
(type_identifier) @named
"""
_LIBRARIES = table(
    {
        "library.http": """net/http github.com/go-resty/resty=resty github.com/valyala/fasthttp=fasthttp
            github.com/imroc/req=req""",
        "library.logging": """log log/slog=slog github.com/sirupsen/logrus=logrus go.uber.org/zap=zap
            github.com/rs/zerolog=zerolog k8s.io/klog=klog github.com/bep/logg=logg""",
        "library.cli": """flag github.com/spf13/cobra=cobra github.com/urfave/cli=urfave/cli
            github.com/alecthomas/kong=kong""",
        "library.errors": "errors github.com/pkg/errors github.com/cockroachdb/errors golang.org/x/xerrors",
        "tests.assertions": """github.com/stretchr/testify=testify github.com/frankban/quicktest=quicktest
            github.com/matryer/is=is gotest.tools/v3/assert=gotest.tools github.com/onsi/gomega=gomega""",
    }
)
#: A package that helps tests, by its name: a project's own, where it is no library that is known.
_HELPS = re.compile(r"(test|testutil|assert|require|check)s?\"$")
_LONG_WORD = 11
_TOLD = re.compile(r"\(\s*\"((?:[^\"\\]|\\.)*)\"")
_ERROR = re.compile(r"\b(err|[a-z]\w*Err)\b")


def uses(path: str, source: bytes, language: str, root: tree_sitter.Node) -> Iterator[Use]:
    """The choices that a Go file shows."""
    found, test = captures(_QUERY, language, root), is_test(path)
    for node in found.get("import", []):
        yield from library(_LIBRARIES, text(node).strip('"`'), line(node), test)
    yield from _calls(found, test)
    stem = path.rsplit("/", 1)[-1].removesuffix(".go").removesuffix("_test")
    # Words that are joined cannot be told apart; so long a name is hardly one word.
    if form := "snake" if "_" in stem else "joined" if len(stem) >= _LONG_WORD else case(stem):
        yield Use("naming.files", form, 1)
    for node in found.get("interface", []):
        if not node.named_children:
            yield Use("any", "interface{}", line(node))
    for node in found.get("named", []):
        if node.text == b"any":
            yield Use("any", "any", line(node))
    if test:
        yield from _tests(found)
        helped = [text(node) for node in found.get("import", []) if _HELPS.search(text(node))]
        if helped and not any(_known(each) for each in helped):
            yield Use("tests.assertions", "own", 1)
        return
    yield from _documented(found)
    for node in found.get("method", []):
        yield from _receiver(node)
    for name, maker in zip(found.get("variable", []), found.get("maker", []), strict=False):
        if text(maker) == "errors.New":
            said = text(name)
            kept = said.startswith(("Err", "err"))
            yield Use("naming.errors", "Err" if kept else "other", line(name))
    for node in found.get("constant", []):
        if form := case(text(node)):
            yield Use("naming.constants", "camel" if form == "pascal" else form, line(node))


def _known(module: str) -> bool:
    return any(library(_LIBRARIES, module.strip('"`'), 1, True))


def _calls(found: Found, test: bool) -> Iterator[Use]:
    for called, given in zip(found.get("called", []), found.get("given", []), strict=False):
        name, at = text(called), line(called)
        if name in ("fmt.Errorf", "errors.Wrap", "errors.Wrapf", "errors.New", "errors.Errorf"):
            said = text(given)
            told = _TOLD.match(said)
            inner = told[1] if told else ""
            passed = said[told.end() :] if told else ""
            if name == "fmt.Errorf" and _ERROR.search(passed):
                yield Use("errors.wrap", "%w" if "%w" in inner else "%v", at)
            elif name.startswith("errors.Wrap"):
                yield Use("errors.wrap", "errors.Wrap", at)
            if inner and not test:
                yield from message_uses(inner, at)
        elif test and re.match(r"t\.(Fatal|Fatalf|Error|Errorf)\Z", name):
            yield Use("tests.assertions", "testing", at)
        elif test and re.match(r"(require|assert)\.\w+\Z", name):
            yield Use("tests.assert", name.partition(".")[0], at)


def _documented(found: Found) -> Iterator[Use]:
    for node in (*found.get("function", []), *found.get("method", []), *found.get("type", [])):
        name = text(node.child_by_field_name("name"))
        if not name[:1].isupper():
            continue
        outer = node.parent if node.type == "type_spec" else node
        if outer is None or (node.type == "type_spec" and len(outer.named_children) > 1):
            continue
        above = outer.prev_sibling
        there = (
            above is not None and above.type == "comment" and above.end_point[0] + 1 == outer.start_point[0]
        )
        yield Use("docstrings", "there" if there else "none", line(node))
        if not there:
            continue
        first = above
        while first is not None and first.prev_sibling is not None and first.prev_sibling.type == "comment":
            if first.prev_sibling.end_point[0] + 1 != first.start_point[0]:
                break
            first = first.prev_sibling
        begins = re.match(r"(//|/\*)\s*((A|An|The|Deprecated:)\s+)?" + re.escape(name) + r"\b", text(first))
        yield Use("docstring.start", "name" if begins else "other", line(node))
        if (said := text(above)).startswith("//") and not said.startswith("//go:"):
            yield Use("docstring.end", "period" if said.rstrip().endswith((".", ":")) else "open", line(node))


def _receiver(node: tree_sitter.Node) -> Iterator[Use]:
    inner = node.child_by_field_name("receiver")
    name = (
        next((text(each.child_by_field_name("name")) for each in inner.named_children), "") if inner else ""
    )
    if name and name != "_":
        form = "self" if name in ("self", "this", "me") else "short" if len(name) <= 3 else "long"
        yield Use("naming.receivers", form, line(node))


def _tests(found: Found) -> Iterator[Use]:
    for node in found.get("package", []):
        yield Use("tests.package", "outside" if text(node).endswith("_test") else "inside", line(node))
    for node in found.get("function", []):
        name = text(node.child_by_field_name("name"))
        if not re.match(r"Test[A-Z]", name):
            continue
        body = text(node.child_by_field_name("body"))
        yield Use("tests.parallel", "parallel" if "t.Parallel()" in body else "serial", line(node))
        yield Use("naming.tests", "underscore" if "_" in name else "camel", line(node))
        if re.search(r"\bfor _, \w+ := range ", body):
            named = "t.Run(" in body
            yield Use("tests.table", "t.Run" if named else "loop", line(node))

"""How complex each function is: cyclomatic (McCabe 1976) and cognitive (Campbell, SonarSource 2018).

The cyclomatic number is one more than the decisions of a function. What a decision is, differs by language as people's
tools have it: radon for Python, gocyclo for Go, ESLint's `complexity` for JavaScript and TypeScript. The cognitive one
adds a unit for each break in the flow, and as many more as it is nested deep; runs of one logical operator, `else`,
labelled jumps and recursion add a unit without nesting.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter

from .languages import LANGUAGES, words
from .parse import parse

#: Functions around a function that its cognitive complexity is added to.
_OUTER = 8

_FUNCTIONS = {
    "python": words("function_definition"),
    "go": words("function_declaration method_declaration"),
}
_SCRIPT_FUNCTIONS = words(
    """function_declaration generator_function_declaration function_expression generator_function arrow_function
    method_definition"""
)
#: What raises the nesting inside of a function, and is counted as a part of it.
_INNER = {"python": words("lambda"), "go": words("func_literal")}
#: Decisions that count one each, whatever stands around them.
_DECISIONS = {
    "python": words(
        """if_statement elif_clause conditional_expression for_statement while_statement except_clause
        except_group_clause for_in_clause assert_statement boolean_operator"""
    ),
    "go": words("if_statement for_statement expression_case type_case communication_case"),
}
_SCRIPT_DECISIONS = words(
    """if_statement for_statement for_in_statement while_statement do_statement catch_clause ternary_expression
    switch_case assignment_pattern object_assignment_pattern optional_chain"""
)
#: Breaks of the flow that count by how deep they stand.
_STRUCTURAL = words(
    """if_statement for_statement for_in_statement while_statement do_statement catch_clause except_clause
    except_group_clause ternary_expression conditional_expression match_statement switch_statement
    expression_switch_statement type_switch_statement select_statement"""
)
_ELSE = words("elif_clause else_clause")
_NESTED = words("block expression_case type_case default_case communication_case")
_JUMPS = words("break_statement continue_statement goto_statement")
_LABELS = words("label_name statement_identifier")
_LOGICAL = words("&& || and or")
_CALLS = words("call call_expression")
#: What a field of a class holds runs apart from whatever is around the class.
_APART = words("field_definition public_field_definition class_static_block")
_SELF = words("self cls this")


@dataclass(frozen=True)
class Definition:
    """One definition of a file; lines count from 1, `end` is the byte after its last.

    `name` holds the definitions around it, outermost first, joined by dots; its last part is empty for what has no
    name. Both figures are 0 for what is no function.
    """

    name: str
    line: int
    end_line: int
    end: int
    cyclomatic: int = 0
    cognitive: int = 0


@dataclass
class _Frame:
    """A function while it is counted: `base` is the nesting of its body, `outer` the function around it."""

    name: str
    line: int
    end_line: int
    end: int
    method: bool
    receiver: str
    base: int
    outer: _Frame | None
    cyclomatic: int = 1
    cognitive: int = 0
    recursed: bool = False


@dataclass(frozen=True)
class _Place:
    """Where a node stands: what is inherited from what is around it."""

    parent: str = ""
    nesting: int = 0
    flow: _Frame | None = None  # whose decisions these are
    depth: _Frame | None = None  # whose nesting this is
    names: tuple[str, ...] = ()
    chained: bool = False  # an `else if`, or an operand of a logical operator


def functions(source: bytes, language: str) -> list[Definition]:
    """The functions of a file in their order, nameless ones too."""
    return [each for each in definitions(source, language) if each.cyclomatic]


def definitions(source: bytes, language: str) -> list[Definition]:
    """All that a file defines, functions with their complexity, in the order of their lines."""
    return _Count(language).count(parse(source, language).root_node)


@dataclass
class _Count:
    language: str
    _frames: list[_Frame] = field(default_factory=list)
    _others: list[Definition] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._functions = _FUNCTIONS.get(self.language, _SCRIPT_FUNCTIONS)
        self._inner = _INNER.get(self.language, frozenset())
        self._decisions = _DECISIONS.get(self.language, _SCRIPT_DECISIONS)
        self._definitions = LANGUAGES[self.language].definitions

    def count(self, root: tree_sitter.Node) -> list[Definition]:
        # A stack of our own: a tree from outside may be deeper than Python's.
        stack = [(root, _Place())]
        while stack:
            node, place = stack.pop()
            stack.extend(self._visit(node, place))
        found = self._others + [
            Definition(each.name, each.line, each.end_line, each.end, each.cyclomatic, each.cognitive)
            for each in self._frames
        ]
        return sorted(found, key=lambda each: (each.line, -each.end_line))

    def _visit(self, node: tree_sitter.Node, at: _Place) -> Iterator[tuple[tree_sitter.Node, _Place]]:
        kind = node.type
        body = node.child_by_field_name("body") if kind in self._functions or kind in self._inner else None
        if body is not None and (kind in self._functions or (at.depth is None and kind == "func_literal")):
            yield from self._function(node, body, at)
            return
        if body is not None:
            inner = _Place(kind, at.nesting + 1, at.flow, at.depth, at.names)
            yield from ((child, inner) for child in node.children)
            return
        flow, names = at.flow, at.names
        if kind in self._definitions:
            name = _text(node.child_by_field_name("name"))
            if name and kind not in self._functions:
                names = (*names, name)
                self._others.append(Definition(".".join(names), *_lines(node)))
            flow = None if kind == "class_definition" else flow
        elif kind in _APART:
            flow = None
        self._decide(node, at.parent, flow)
        chained = self._break(node, at)
        yield from self._children(node, _Place(kind, at.nesting, flow, at.depth, names, chained), at)

    def _children(
        self, node: tree_sitter.Node, place: _Place, at: _Place
    ) -> Iterator[tuple[tree_sitter.Node, _Place]]:
        kind = node.type
        nests = kind in _STRUCTURAL or kind in _ELSE
        nested = _Place(kind, place.nesting + 1, place.flow, place.depth, place.names)
        either = node.named_children[::2] if kind == "conditional_expression" else []
        for number, child in enumerate(node.children):
            name = node.field_name_for_child(number) if nests else None
            if kind == "else_clause" and child.type == "if_statement":
                yield child, _Place(kind, place.nesting, place.flow, place.depth, place.names, True)
            elif kind == "if_statement" and name == "alternative" and child.type not in _ELSE:  # Go's
                if child.type != "if_statement":
                    _add(place.depth, 1)
                    yield child, nested
                else:
                    yield child, _Place(kind, place.nesting, place.flow, place.depth, place.names, True)
            elif nests and (
                name in ("body", "consequence")
                or child.type in _NESTED
                or kind == "else_clause"
                or (kind == "ternary_expression" and name == "alternative")
                or child in either
            ):
                yield child, nested
            else:
                yield child, place

    def _function(
        self, node: tree_sitter.Node, body: tree_sitter.Node, at: _Place
    ) -> Iterator[tuple[tree_sitter.Node, _Place]]:
        name = _text(node.child_by_field_name("name"))
        if not name and at.parent in ("variable_declarator", "public_field_definition"):
            above = node.parent
            name = _text(above.child_by_field_name("name")) if above is not None else ""
        names = (*at.names, name)
        nesting = 0 if at.depth is None else at.nesting + (0 if _only_wraps(node, at) else 1)
        frame = _Frame(
            ".".join(names),
            *_lines(node),
            _is_method(node),
            _receiver(node),
            nesting,
            at.depth,
        )
        self._frames.append(frame)
        inner = _Place(node.type, nesting, frame, frame, names if name else at.names)
        # Defaults and decorators of a Python function run where it is defined, and count for nobody.
        yield from ((child, inner) for child in ((body,) if self.language == "python" else node.children))

    def _decide(self, node: tree_sitter.Node, parent: str, flow: _Frame | None) -> None:
        """Count what `node` decides."""
        kind = node.type
        if flow is None:
            return
        if kind in self._decisions:
            flow.cyclomatic += 1
        elif kind == "else_clause" and parent in ("for_statement", "while_statement", "try_statement"):
            flow.cyclomatic += self.language == "python"
        elif kind == "?." and parent == "call_expression":  # in TypeScript's grammar it has no name there
            flow.cyclomatic += 1
        elif kind == "if_clause":
            flow.cyclomatic += parent != "case_clause"
        elif kind == "match_statement":
            flow.cyclomatic += _cases(node)
        elif kind == "binary_expression":
            flow.cyclomatic += _operator(node) in ("&&", "||", "??")
        elif kind == "augmented_assignment_expression":
            flow.cyclomatic += _operator(node) in ("&&=", "||=", "??=")
        elif kind in ("required_parameter", "optional_parameter"):
            flow.cyclomatic += node.child_by_field_name("value") is not None

    def _break(self, node: tree_sitter.Node, at: _Place) -> bool:
        """Count how `node` breaks the flow; whether what it holds goes on with a logical operator."""
        kind, frame = node.type, at.depth
        if frame is None:
            return False
        if kind in _STRUCTURAL:
            if not (at.chained and kind == "if_statement"):
                _add(frame, 1, at.nesting)
            elif at.parent != "else_clause":  # which has counted already
                _add(frame, 1)
        elif kind in _ELSE or (kind in _JUMPS and any(child.type in _LABELS for child in node.children)):
            _add(frame, 1)
        elif kind in ("binary_expression", "boolean_operator") and _operator(node) in _LOGICAL:
            if not at.chained:
                _add(frame, _runs(node))
            return True
        elif kind == "parenthesized_expression":
            return at.chained
        elif kind in _CALLS:
            self._recursion(node.child_by_field_name("function"), frame)
        return False

    def _recursion(self, callee: tree_sitter.Node | None, frame: _Frame | None) -> None:
        """Count a function that calls itself, once."""
        if callee is None:
            return
        before, dot, called = _text(callee).rpartition(".")
        while frame is not None:
            own = frame.name.rpartition(".")[2] == called and not frame.recursed
            if own and (before in (_SELF | {frame.receiver}) - {""} if frame.method else not dot):
                frame.recursed = True
                _add(frame, 1)
                return
            frame = frame.outer


def _add(frame: _Frame | None, units: int, nesting: int | None = None) -> None:
    """Count units for a function and those around it, each with the nesting as seen from there."""
    for _ in range(_OUTER):
        if frame is None:
            return
        frame.cognitive += units * (1 + (nesting - frame.base if nesting is not None else 0))
        frame = frame.outer


def _runs(node: tree_sitter.Node) -> int:
    """How many runs of one logical operator an expression holds, read from left to right through parentheses."""
    stack: list[tree_sitter.Node | str] = [node]
    last, runs = "", 0
    while stack:
        each = stack.pop()
        if isinstance(each, str):
            runs += each != last
            last = each
        elif each.type == "parenthesized_expression":
            stack.extend(reversed(each.named_children))
        elif each.type in ("binary_expression", "boolean_operator") and (sign := _operator(each)) in _LOGICAL:
            left, right = each.child_by_field_name("left"), each.child_by_field_name("right")
            stack.extend(part for part in (right, sign, left) if part is not None)
    return runs


def _cases(node: tree_sitter.Node) -> int:
    """The cases of a `match`, without one that takes everything."""
    body = node.child_by_field_name("body")
    cases = [each for each in body.named_children if each.type == "case_clause"] if body is not None else []
    return max(0, len(cases) - any(map(_takes_all, cases)))


def _takes_all(case: tree_sitter.Node) -> bool:
    patterns = [child for child in case.children if child.type == "case_pattern"]
    return len(patterns) == 1 and _text(patterns[0]).isidentifier() and _text(patterns[0]) not in _CONSTANTS


_CONSTANTS = words("None True False")


def _only_wraps(node: tree_sitter.Node, at: _Place) -> bool:
    """Whether a Python function is a decorator's: nothing but a function, and its return."""
    above = node.parent
    if at.depth is None or node.type != "function_definition" or above is None:
        return False
    if above.type == "decorated_definition" and above.parent is not None:
        above = above.parent
    held = [each.type for each in above.named_children if each.type != "comment"]
    return len(held) == 2 and held[1] == "return_statement"


def _is_method(node: tree_sitter.Node) -> bool:
    if node.type != "function_definition":
        return node.type in ("method_definition", "method_declaration")
    above = node.parent
    while above is not None and above.type in ("decorated_definition", "block"):
        above = above.parent
    return above is not None and above.type == "class_definition"


def _operator(node: tree_sitter.Node) -> str:
    sign = node.child_by_field_name("operator")
    return sign.type if sign is not None else ""


def _receiver(node: tree_sitter.Node) -> str:
    """The name that a Go method gives to what it is called on."""
    given = node.child_by_field_name("receiver")
    return _text(given).strip("()").partition(" ")[0] if given is not None else ""


def _lines(node: tree_sitter.Node) -> tuple[int, int, int]:
    return node.start_point[0] + 1, node.end_point[0] + 1, node.end_byte


def _text(node: tree_sitter.Node | None) -> str:
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""

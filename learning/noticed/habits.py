"""How a convention is said: for each choice what to do, and what was counted."""

from __future__ import annotations

from collections.abc import Mapping

NAMES = {"python": "Python", "go": "Go", "javascript": "JavaScript", "typescript": "TypeScript"}

#: Topic → what was counted, in words.
COUNTED: Mapping[str, str] = {
    "quotes": "string literals",
    "semicolons": "statements",
    "width": "longer lines",
    "equality": "comparisons",
    "typing": "public functions",
    "optional": "optional types",
    "any": "places",
    "objects": "object types",
    "arrays": "array types",
    "async": "places that wait",
    "functions": "functions at the top level",
    "exports": "exports",
    "format": "formatted strings",
    "docstrings": "public definitions",
    "docstring.form": "docstrings with sections",
    "docstring.start": "docstrings",
    "docstring.end": "docstrings",
    "docstring.quotes": "docstrings",
    "errors.wrap": "errors that are passed on",
    "errors.caught": "except clauses",
    "errors.chained": "exceptions raised while one is handled",
    "errors.first": "error messages",
    "errors.end": "error messages",
    "imports.reach": "imports of the package's own modules",
    "imports.typing": "files that import typing",
    "imports.future": "files with annotations",
    "imports.form": "imports",
    "imports.node": "imports of Node's own modules",
    "imports.ending": "relative imports",
    "naming.functions": "names of functions of several words",
    "naming.constants": "names of constants of several words",
    "naming.files": "names of files of several words",
    "naming.components": "names of component files of several words",
    "naming.receivers": "receivers",
    "naming.errors": "error variables",
    "naming.interfaces": "interfaces",
    "naming.tests": "tests",
    "tests.files": "test files",
    "tests.place": "test files",
    "tests.style": "tests",
    "tests.framework": "test files",
    "tests.assertions": "test files",
    "tests.assert": "assertions",
    "tests.package": "test files",
    "tests.parallel": "tests",
    "tests.table": "tests with a table",
    "tests.word": "tests",
}

#: Language → topic → value → what to do; a choice that is not here is not said.
_SAID: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "": {
        "quotes": {
            "double": "Write string literals with double quotes",
            "single": "Write string literals with single quotes",
        },
        "width": {
            "79": "Keep the line length within 79 characters",
            "88": "Keep the line length within 88 characters",
            "100": "Keep the line length within 100 characters",
        },
        "errors.first": {
            "lower": "Begin error messages with a lower-case letter",
            "upper": "Begin error messages with a capital letter",
        },
        "errors.end": {
            "period": "End error messages with a period",
            "open": "End error messages without a period",
        },
    },
    "python": {
        "typing": {
            "whole": "Annotate every parameter and the return type of a function",
            "none": "Write functions without type annotations, as the rest of this code",
        },
        "optional": {
            "bar": "Write optional types as `X | None`",
            "Optional": "Write optional types as `Optional[X]`",
        },
        "format": {
            "f-string": "Format strings with f-strings",
            "method": "Format strings with `.format()`",
            "percent": "Format strings with `%`",
        },
        "docstrings": {"there": "Give every public function a docstring"},
        "docstring.form": {
            "google": "Write docstrings in Google style: `Args:`, `Returns:`, `Raises:`",
            "numpy": "Write docstrings in NumPy style: sections underlined with dashes",
            "sphinx": "Write parameters in docstrings as Sphinx fields: `:param name:`",
        },
        "docstring.start": {
            "first": "Begin a docstring's text on the line of its opening quotes",
            "below": "Begin a docstring's text on the line below its opening quotes",
        },
        "docstring.end": {"period": "End a docstring's first paragraph with a period"},
        "docstring.quotes": {"'''": "Write docstrings with triple single quotes"},
        "errors.caught": {"named": "Catch errors by exceptions that are named: no bare or broad except"},
        "errors.chained": {
            "from": "Chain errors with `raise … from …` when one exception is raised for another",
        },
        "imports.reach": {
            "relative": "Import the package's own modules relatively: `from .module import name`",
            "absolute": "Import the package's own modules absolutely, by the package's full name",
        },
        "imports.typing": {
            "typing as t": "Import typing as `import typing as t`, and write `t.Any`",
            "typing": "Import typing as `import typing`, and write `typing.Any`",
        },
        "imports.future": {"there": "Begin files with `from __future__ import annotations`"},
        "naming.functions": {
            "snake": "Name functions in snake_case",
            "camel": "Name functions in camelCase, as the rest of this code",
        },
        "naming.constants": {"upper": "Name constants in UPPER_CASE"},
        "library.http": {"*": "Make HTTP requests with the library {}"},
        "library.logging": {"*": "Write logs with the library {}"},
        "library.cli": {"*": "Build command-line interfaces with the library {}"},
        "library.records": {"*": "Define data classes with the library {}"},
        "library.paths": {
            "pathlib": "Handle file paths with pathlib",
            "os.path": "Handle file paths with os.path",
        },
        "library.mock": {"*": "Mock in tests with the library {}"},
        "tests.files": {"test_*": "Name test files `test_*.py`", "*_test": "Name test files `*_test.py`"},
        "tests.place": {
            "tests/": "Put tests into the folder `tests/` at the top",
            "test/": "Put tests into the folder `test/` at the top",
            "inside": "Put tests into a `tests` folder beside the code that they test",
        },
        "tests.style": {
            "function": "Write tests as plain functions, not as methods of a class",
            "class": "Write tests as methods of a class",
        },
        "tests.framework": {
            "pytest": "Write tests for the framework pytest",
            "unittest": "Write tests with the framework unittest",
        },
    },
    "go": {
        "any": {
            "any": "Write `any` for the empty interface",
            "interface{}": "Write `interface{}`, not `any`",
        },
        "docstrings": {"there": "Give every exported function and type a doc comment"},
        "docstring.start": {"name": "Begin a doc comment with the name that it documents"},
        "docstring.end": {"period": "End a doc comment with a period"},
        "errors.wrap": {
            "%w": 'Wrap errors with `fmt.Errorf("…: %w", err)`',
            "%v": 'Pass errors on with `fmt.Errorf("…: %v", err)`',
            "errors.Wrap": "Wrap errors with `errors.Wrap`",
        },
        "naming.files": {"snake": "Name files of several words in snake_case"},
        "naming.receivers": {"short": "Name receivers by one to three letters"},
        "naming.errors": {"Err": "Name error variables `Err…` or `err…`"},
        "naming.constants": {
            "camel": "Name constants in camelCase or PascalCase",
            "upper": "Name constants in UPPER_CASE",
        },
        "naming.tests": {
            "camel": "Name tests in PascalCase without underscores: `TestParseFlags`",
            "underscore": "Name tests with an underscore between subject and case: `TestParse_Empty`",
        },
        "library.http": {"*": "Make HTTP requests with the library {}", "net/http": ""},
        "library.logging": {"*": "Write logs with the library {}", "log": ""},
        "library.cli": {"*": "Build command-line interfaces with the library {}"},
        "library.errors": {"*": "Make errors with the library {}", "errors": ""},
        "tests.assertions": {
            "testing": "Assert in tests with the standard library: `t.Errorf`, `t.Fatalf`",
            "*": "Assert in tests with the library {}",
        },
        "tests.assert": {
            "require": "Assert in tests with `require`, which stops the test",
            "assert": "Assert in tests with `assert`, which lets the test go on",
        },
        "tests.package": {
            "inside": "Put tests into the package that they test",
            "outside": "Put tests into a package of their own: `name_test`",
        },
        "tests.parallel": {"parallel": "Begin tests with `t.Parallel()`"},
        "tests.table": {"t.Run": "Run each case of a test's table with `t.Run`"},
    },
    "script": {
        "semicolons": {
            "there": "End statements with semicolons",
            "none": "Write statements without semicolons",
        },
        "equality": {"strict": "Compare with `===` and `!==`"},
        "async": {
            "await": "Wait for promises with `await`, not with `.then()`",
            "then": "Chain promises with `.then()`",
        },
        "functions": {
            "function": "Define functions at the top level with `function`, not as arrow functions",
            "arrow": "Define functions at the top level as arrow functions",
        },
        "exports": {"named": "Export by name, not as default", "default": "Export as default"},
        "imports.form": {
            "import": "Import modules with `import`, not with `require`",
            "require": "Import modules with `require()`",
        },
        "imports.node": {
            "prefix": "Import Node's own modules with the prefix: `node:fs`",
            "bare": "Import Node's own modules without a prefix: `fs`, not `node:fs`",
        },
        "imports.ending": {
            "there": "Write the file's ending in relative imports: `./name.js`",
            "none": "Leave the file's ending out of relative imports: `./name`",
        },
        "naming.files": {
            "kebab": "Name files in kebab-case",
            "camel": "Name files in camelCase",
            "pascal": "Name files in PascalCase",
            "snake": "Name files in snake_case",
        },
        "naming.components": {
            "pascal": "Name component files in PascalCase",
            "kebab": "Name component files in kebab-case",
        },
        "naming.functions": {
            "camel": "Name functions in camelCase",
            "snake": "Name functions in snake_case, as the rest of this code",
        },
        "naming.constants": {
            "upper": "Name constants of plain values in UPPER_CASE",
            "camel": "Name constants of plain values in camelCase",
        },
        "naming.interfaces": {
            "plain": "Name interfaces without the prefix I",
            "I": "Name interfaces with the prefix I",
        },
        "any": {"unknown": "Write `unknown`, not `any`, for what has no known type"},
        "objects": {
            "interface": "Declare object types with `interface`",
            "type": "Declare object types with `type`",
        },
        "arrays": {"[]": "Write array types as `T[]`", "Array<>": "Write array types as `Array<T>`"},
        "typing": {"returns": "Annotate the return type of exported functions"},
        "library.http": {"*": "Make HTTP requests with the library {}"},
        "library.logging": {"*": "Write logs with the library {}"},
        "library.dates": {"*": "Handle dates with the library {}"},
        "library.schemas": {"*": "Validate data with the library {}"},
        "tests.framework": {"*": "Write tests with the framework {}", "global": ""},
        "tests.assertions": {
            "expect": "Assert in tests with `expect()`",
            "assert": "Assert in tests with `assert`",
            "*": "Assert in tests with the library {}",
        },
        "tests.files": {".test": "Name test files `*.test.*`", ".spec": "Name test files `*.spec.*`"},
        "tests.place": {
            "__tests__/": "Put tests into a `__tests__` folder",
            "tests/": "Put tests into a folder `tests/`",
            "test/": "Put tests into a folder `test/`",
            "beside": "Put a test file beside the file that it tests",
        },
        "tests.word": {"it": "Declare tests with `it()`", "test": "Declare tests with `test()`"},
    },
}


def said(language: str, topic: str, value: str) -> str:
    """What to do, in one line; empty where nothing is said of this choice."""
    own = "script" if language in ("javascript", "typescript") else language
    for each in (own, ""):
        values = _SAID.get(each, {}).get(topic)
        if values is not None:
            return values[value] if value in values else values.get("*", "").replace("{}", f"`{value}`")
    return ""


def counted(topic: str) -> str:
    """What was counted, in words."""
    return COUNTED.get(topic, "files that import one")

"""Which conventions a formatter's or linter's configuration says already: those are left to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from ...analyzers.languages import words

#: Reads a file of the tree by its path; None where there is none.
Reader = Callable[[str], "str | None"]

_PRETTY = ("quotes", "semicolons", "width")
#: What starts a code of ruff's → the topics that it checks. Codes are those of ruff's documentation.
_RUFF: Mapping[str, tuple[str, ...]] = {
    "Q": ("quotes", "docstring.quotes"),
    "D": ("docstrings", "docstring.form", "docstring.start", "docstring.end", "docstring.quotes"),
    "ANN": ("typing",),
    "N": ("naming.functions", "naming.constants"),
    "UP": ("optional", "format"),
    "BLE": ("errors.caught",),
    "B": ("errors.chained",),
    "PTH": ("library.paths",),
    "TID": ("imports.reach",),
    "FA": ("imports.future",),
    "E": ("width",),
}
#: A rule's name in an ESLint or Biome configuration → the topic that it checks.
_ESLINT: Mapping[str, tuple[str, ...]] = {
    "quotes": ("quotes",),
    "semi": ("semicolons",),
    "max-len": ("width",),
    "eqeqeq": ("equality",),
    "prefer-node-protocol": ("imports.node",),
    "enforce-node-protocol-usage": ("imports.node",),
    "consistent-type-definitions": ("objects",),
    "array-type": ("arrays",),
    "no-explicit-any": ("any",),
    "naming-convention": ("naming.functions", "naming.constants", "naming.interfaces"),
    "interface-name-prefix": ("naming.interfaces",),
    "camelcase": ("naming.functions",),
    "filename-case": ("naming.files", "naming.components"),
    "explicit-function-return-type": ("typing",),
    "explicit-module-boundary-types": ("typing",),
    "func-style": ("functions",),
    "no-default-export": ("exports",),
    "no-require-imports": ("imports.form",),
    "no-var-requires": ("imports.form",),
    "extensions": ("imports.ending",),
    "file-extension-in-import": ("imports.ending",),
    "consistent-test-it": ("tests.word",),
    "prefer-await-to-then": ("async",),
}
#: Shared configurations that format as well.
_WHOLE = re.compile(
    r"\b(standard|neostandard|airbnb|xo|antfu|unjs|stylistic|eslint-config-(?!prettier|next)\w+)|@[\w-]+/eslint-config"
)
_GOLANGCI: Mapping[str, tuple[str, ...]] = {
    "revive": (
        "docstrings",
        "docstring.start",
        "errors.first",
        "errors.end",
        "naming.receivers",
        "naming.errors",
    ),
    "golint": ("docstrings", "docstring.start", "errors.first", "errors.end", "naming.receivers"),
    "stylecheck": ("docstrings", "docstring.start", "errors.first", "errors.end", "naming.receivers"),
    "staticcheck": ("errors.first", "errors.end"),
    "errorlint": ("errors.wrap",),
    "lll": ("width",),
    "paralleltest": ("tests.parallel",),
    "testpackage": ("tests.package",),
    "godot": ("docstring.end",),
    "errname": ("naming.errors",),
    "depguard": ("library.http", "library.logging", "library.errors"),
    "gomodguard": ("library.http", "library.logging", "library.errors"),
}
PRETTIER = (
    *(
        f".prettierrc{ending}"
        for ending in ("", ".json", ".json5", ".yml", ".yaml", ".js", ".cjs", ".mjs", ".toml")
    ),
    *(f"prettier.config.{ending}" for ending in ("js", "cjs", "mjs")),
    "dprint.json",
)
ESLINT = (
    *(f".eslintrc{ending}" for ending in ("", ".json", ".js", ".cjs", ".yml", ".yaml")),
    *(f"eslint.config.{ending}" for ending in ("js", "mjs", "cjs", "ts")),
)
GOLANGCI = (".golangci.yml", ".golangci.yaml", ".golangci.toml", ".golangci.json")

_OTHERS = """pyproject.toml ruff.toml .ruff.toml setup.cfg package.json .pre-commit-config.yaml biome.json biome.jsonc
    .editorconfig .flake8 mypy.ini .pylintrc"""
#: A folder that holds one of these has settings of its own.
FILES_OF_CONFIGURATION = words(_OTHERS) | {*PRETTIER, *ESLINT, *GOLANGCI}


def configured(read: Reader) -> dict[tuple[str, str], str]:
    """(language, topic) → the file whose configuration says it."""
    out: dict[tuple[str, str], str] = {}
    for language, topic, path in (*_python(read), *_script(read), *_go(read), *_editor(read)):
        out.setdefault((language, topic), path)
    return out


def _python(read: Reader) -> Iterable[tuple[str, str, str]]:
    pyproject = re.sub(r"(^|\s)#.*$", "", read("pyproject.toml") or "", flags=re.M)
    hooks = read(".pre-commit-config.yaml") or ""
    for path in ("ruff.toml", ".ruff.toml"):
        if (text := read(path)) is not None:
            pyproject += "\n[tool.ruff]\n" + re.sub(r"^\[", "[tool.ruff.", text, flags=re.M)
    formats = re.search(r"^\[tool\.(black|ruff\.format|blue|yapf)\b", pyproject, re.M) or re.search(
        r"id:\s*['\"]?(black|ruff-format|blue|yapf)\b", hooks
    )
    tasks = "\n".join(read(path) or "" for path in ("Makefile", "tox.ini", "noxfile.py", "justfile"))
    if formats or re.search(
        r"\bruff\b[\s\"',]+format\b|\bblack\b[\s\"',]+(\.|--check|src)", pyproject + tasks
    ):
        yield from (("python", topic, "pyproject.toml") for topic in ("quotes", "width"))
    ruff = _section(pyproject, "[tool.ruff")
    if re.search(r"required-imports\s*=.*__future__", ruff):
        yield "python", "imports.future", "pyproject.toml"
    if re.search(r"^\s*line-length", ruff, re.M):
        yield "python", "width", "pyproject.toml"
    for chosen in re.findall(r"^\s*(?:lint\.)?(?:extend-)?select\s*=\s*\[(.*?)\]", ruff, re.M | re.S):
        for code in re.findall(r"[\"']([A-Z]+)\d*[\"']", chosen):
            topics = _RUFF.get(code, ())
            if code == "ALL":
                topics = tuple(topic for each in _RUFF.values() for topic in each)
            yield from (("python", topic, "pyproject.toml") for topic in topics)
    for path in ("pyproject.toml", "mypy.ini", ".mypy.ini", "setup.cfg"):
        text = read(path) or ""
        if re.search(r"^\s*(strict|disallow_untyped_defs)\s*=\s*true", text, re.M | re.I):
            yield "python", "typing", path
    for path in (".flake8", "setup.cfg", "tox.ini", ".pylintrc"):
        text = read(path) or ""
        if re.search(r"^\s*max[-_]line[-_]length\s*=", text, re.M):
            yield "python", "width", path
        if path == ".pylintrc" and text:
            yield from (("python", topic, path) for topic in ("naming.functions", "naming.constants"))
    if "pyupgrade" in hooks:
        yield from (("python", topic, ".pre-commit-config.yaml") for topic in ("optional", "format"))


def _section(text: str, head: str) -> str:
    """The lines of all tables of a TOML file whose headers begin so."""
    kept, inside = [], False
    for row in text.splitlines():
        if row.startswith("["):
            inside = row.startswith(head)
        elif inside:
            kept.append(row)
    return "\n".join(kept)


def _script(read: Reader) -> Iterable[tuple[str, str, str]]:
    found: list[tuple[str, str]] = []
    package = read("package.json") or ""
    if re.search(r"^\s*\"prettier\"\s*:", package, re.M):  # its settings, or that it is used at all
        found += [(topic, "package.json") for topic in _PRETTY]
    if re.search(r"^\s*\"(standard|xo|neostandard)\"\s*:", package, re.M):
        found += [(topic, "package.json") for topic in (*_PRETTY, "equality")]
    for path in PRETTIER:
        if read(path) is not None:
            found += [(topic, path) for topic in _PRETTY]
    for path in ("biome.json", "biome.jsonc"):
        if (text := read(path)) is not None:
            found += [(topic, path) for topic in (*_PRETTY, "equality", "any", "imports.node", "arrays")]
    for path in (*ESLINT, *(["package.json"] if '"eslintConfig"' in package else [])):
        text = read(path)
        if text is None:
            continue
        if _WHOLE.search(text):
            found += [(topic, path) for topic in (*_PRETTY[:2], "equality")]
        if re.search(r"typescript-eslint|@typescript-eslint", text) and "ecommended" in text:
            found += [("any", path)] if "no-explicit-any" not in text else []
        for rule, topics in _ESLINT.items():
            if _on(text, rule):
                found += [(topic, path) for topic in topics]
    yield from ((language, topic, path) for language in ("javascript", "typescript") for topic, path in found)


def _on(text: str, rule: str) -> bool:
    """Whether a configuration names a rule, and does not turn it off."""
    for match in re.finditer(rf"[\"'/]?{re.escape(rule)}[\"']?\s*:\s*(.{{0,40}})", text):
        before = text[max(0, match.start() - 1) : match.start()]
        if not re.match(r"[\w-]", before) and not re.match(r"\[?\s*([\"']off[\"']|0\b|off\b)", match[1]):
            return True
    return False


def _go(read: Reader) -> Iterable[tuple[str, str, str]]:
    for path in GOLANGCI:
        text = read(path)
        if text is None:
            continue
        enabled, under = set(), ""
        for row in text.splitlines():
            if key := re.match(r"\s*\"?([\w-]+)\"?\s*[:=]", row):
                under = key[1]
            if under in ("enable", "disable-all", "default"):
                enabled |= set(re.findall(r"^\s*-\s*([\w-]+)", row)) | set(re.findall(r"\"([\w-]+)\"", row))
        yield from (("go", topic, path) for each in enabled for topic in _GOLANGCI.get(each, ()))
        if "interface{}" in text:
            yield "go", "any", path


def _editor(read: Reader) -> Iterable[tuple[str, str, str]]:
    if re.search(r"^\s*max_line_length\s*=\s*\d", read(".editorconfig") or "", re.M):
        yield from ((each, "width", ".editorconfig") for each in ("python", "go", "javascript", "typescript"))

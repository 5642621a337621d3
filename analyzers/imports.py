"""What a file imports, the names that this binds, and the framework that it speaks of."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PYTHON = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(.+)|import[ \t]+(.+))$", re.MULTILINE)
_PYTHON_MANY = re.compile(r"^[ \t]*from[ \t]+[\w.]+[ \t]+import[ \t]*\(([^()]*)\)", re.MULTILINE)
_GO_BLOCK = re.compile(r"^import\s*\((.*?)\)", re.MULTILINE | re.DOTALL)
_GO_ONE = re.compile(r"^import\s+(?:\w+\s+)?\"([^\"]+)\"", re.MULTILINE)
_GO_SPEC = re.compile(r"\"([^\"]+)\"")
_SCRIPT = re.compile(r"""(?:\bfrom\s+|\bimport\s+|\brequire\(\s*|\bimport\(\s*)["']([^"'\n]+)["']""")
_GO_NAMED = re.compile(r"(?:([\w.]+)[ \t]+)?[\"`]([^\"`\s]+)[\"`]")
_GO_IMPORT = re.compile(
    r"^import\s*(?:\((.*?)\)|((?:[\w.]+[ \t]+)?[\"`][^\"`\s]+[\"`]))", re.MULTILINE | re.DOTALL
)
_SCRIPT_CLAUSE = re.compile(
    r"""\bimport\s+(?:type\s+)?([\w$\s{},*]+?)\s+from\s*["'](?:[^"'\n]+)["']"""
    r"""|\b(?:const|let|var)\s+([\w$]+|\{[^{}]*\})\s*=\s*(?:await\s+)?(?:require|import)\s*\("""
    r"""|\bimport\s+([\w$]+)\s*=\s*require\s*\("""
)
_GO_VERSION = re.compile(r"v\d+\Z")
_GO_DOTTED = re.compile(r"\.v\d+\Z")
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*\Z")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_MOST = 60
_MOST_NAMES = 400
_HEAD = 60_000

FRAMEWORKS: Mapping[str, str] = {
    "django": "django",
    "flask": "flask",
    "fastapi": "fastapi",
    "starlette": "starlette",
    "sqlalchemy": "sqlalchemy",
    "pydantic": "pydantic",
    "torch": "pytorch",
    "tensorflow": "tensorflow",
    "celery": "celery",
    "github.com/gin-gonic/gin": "gin",
    "github.com/labstack/echo": "echo",
    "github.com/gofiber/fiber": "fiber",
    "github.com/spf13/cobra": "cobra",
    "gorm.io/gorm": "gorm",
    "react": "react",
    "next": "next",
    "vue": "vue",
    "@angular/core": "angular",
    "svelte": "svelte",
    "express": "express",
    "@nestjs/common": "nest",
    "fastify": "fastify",
    "hono": "hono",
}


def imports_of(source: str, language: str | None) -> tuple[str, ...]:
    """The modules that a file imports, in their order, each once; at most 60, from the file's head."""
    head = source[:_HEAD]
    if language == "python":
        found = [name for each in _PYTHON.finditer(head) for name in _python_names(each)]
    elif language == "go":
        found = [spec for block in _GO_BLOCK.finditer(head) for spec in _GO_SPEC.findall(block[1])]
        found += _GO_ONE.findall(head)
    elif language in ("javascript", "typescript", "tsx"):
        found = _SCRIPT.findall(head)
    else:
        found = []
    return tuple(dict.fromkeys(found))[:_MOST]


def _python_names(match: re.Match[str]) -> list[str]:
    if match[1]:
        return [match[1]]
    return [part.split()[0] for part in match[3].split(",") if part.split()]


def names_of(source: str, language: str | None) -> tuple[str, ...]:
    """The names that a file's imports bind, as its code writes them: aliases, what is taken out of a module,
    and for Go what a path implies (`gopkg.in/yaml.v3` → yaml). In their order, each once.
    """
    head = source[:_HEAD]
    if language == "python":
        found = _python_bound(head)
    elif language == "go":
        found = [
            name
            for block in _GO_IMPORT.finditer(head)
            for alias, path in _GO_NAMED.findall(_COMMENT.sub("", block[1]) if block[1] else block[2] or "")
            for name in ([alias] if alias else go_names(path))
        ]
    elif language in ("javascript", "typescript", "tsx"):
        found = [name for each in _SCRIPT_CLAUSE.finditer(head) for name in _script_bound(each)]
    else:
        found = []
    return tuple(dict.fromkeys(name for name in found if _IDENTIFIER.match(name) and name != "_"))[
        :_MOST_NAMES
    ]


def go_names(path: str) -> list[str]:
    """The names that a Go package of this path may have: its last part without a version, and without the
    prefix or suffix that paths wear and packages do not (`go-redis` is redis).
    """
    parts = [part for part in path.split("/") if part]
    if len(parts) > 1 and _GO_VERSION.match(parts[-1]):
        parts.pop()
    last = _GO_DOTTED.sub("", parts[-1]) if parts else ""
    if _IDENTIFIER.match(last):
        return [last]
    bare = re.sub(r"^go[-.]|[-.]go$", "", last)
    return [each for each in (bare, bare.replace("-", "_"), bare.replace("-", "")) if _IDENTIFIER.match(each)]


def _python_bound(head: str) -> list[str]:
    clauses = [(each.start(), each[1]) for each in _PYTHON_MANY.finditer(head)]
    out: list[tuple[int, str]] = []
    for each in _PYTHON.finditer(head):
        if each[1]:
            if not each[2].lstrip().startswith("("):
                clauses.append((each.start(), each[2]))
            continue
        for part in each[3].partition("#")[0].split(","):
            words = part.split()
            if words:  # `import a.b` binds a, `import a.b as c` binds c
                out.append((each.start(), words[2] if len(words) > 2 else words[0].partition(".")[0]))
    for at, clause in clauses:
        for part in re.sub(r"#[^\n]*", "", clause).replace("\\", " ").split(","):
            words = part.split()
            if words:
                out.append((at, words[2] if len(words) > 2 and words[1] == "as" else words[0]))
    return [name for _, name in sorted(out, key=lambda each: each[0])]


def _script_bound(match: re.Match[str]) -> list[str]:
    """The names of one clause: `a, { b as c, type d }`, `* as e`, or of `const { f: g } = require(…)`."""
    out = []
    for part in re.split(r"[{},]", _COMMENT.sub("", match[1] or match[2] or match[3] or "")):
        # An alias comes last: after `as`, after `:`; a default stands behind `=`.
        words = part.partition("=")[0].replace(":", " ").split()
        if words and words[-1] not in ("type", "*"):
            out.append(words[-1])
    return out


def framework_of(imports: tuple[str, ...]) -> str:
    """The first framework that the imports name; empty for none that is known."""
    for name in imports:
        for key in (
            name,
            name.split(".")[0],
            name.split("/")[0],
            "/".join(name.split("/")[:3]),
            "/".join(name.split("/")[:2]),
        ):
            if key in FRAMEWORKS:
                return FRAMEWORKS[key]
    return ""

"""What a file imports, and the framework that this speaks of."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PYTHON = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(.+)|import[ \t]+(.+))$", re.MULTILINE)
_GO_BLOCK = re.compile(r"^import\s*\((.*?)\)", re.MULTILINE | re.DOTALL)
_GO_ONE = re.compile(r"^import\s+(?:\w+\s+)?\"([^\"]+)\"", re.MULTILINE)
_GO_SPEC = re.compile(r"\"([^\"]+)\"")
_SCRIPT = re.compile(r"""(?:\bfrom\s+|\bimport\s+|\brequire\(\s*|\bimport\(\s*)["']([^"'\n]+)["']""")
_MOST = 60
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

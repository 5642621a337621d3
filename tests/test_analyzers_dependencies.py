"""Imports: what a file imports leads to files of its tree, or to a module outside of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cortex.analyzers.dependencies import Import, Resolver, imported


def leads(files: Mapping[str, str], path: str, language: str, source: str) -> set[str]:
    def read(name: str) -> bytes | None:
        return files[name].encode() if name in files else None

    resolver = Resolver(files.keys(), read)
    return {found for each in imported(source, language) for found in resolver.resolve(path, language, each)}


PYTHON = {
    "src/shop/__init__.py": "",
    "src/shop/cart.py": "",
    "src/shop/api/__init__.py": "",
    "src/shop/api/views.py": "",
    "tools/run.py": "",
    "tools/paint.py": "",
}


@pytest.mark.parametrize(
    ("path", "source", "expected"),
    [
        ("src/shop/api/views.py", "from ..cart import total", {"src/shop/cart.py"}),
        (
            "src/shop/api/views.py",
            "from .. import cart, api",
            {"src/shop/cart.py", "src/shop/api/__init__.py"},
        ),
        ("src/shop/api/views.py", "from . import helper", {"src/shop/api/__init__.py"}),
        (
            "src/shop/cart.py",
            "from shop.api import views as v, other",
            {"src/shop/api/views.py", "src/shop/api/__init__.py"},
        ),
        ("src/shop/cart.py", "import shop.api.views", {"src/shop/api/views.py"}),
        ("src/shop/cart.py", "import os.path, json as j", {"module:os", "module:json"}),
        ("tools/run.py", "import paint", {"tools/paint.py"}),
        ("src/shop/cart.py", "from .api import (  # why\n    views,\n)", {"src/shop/api/views.py"}),
        ("src/shop/cart.py", "from ..... import far", set()),
        ("src/shop/cart.py", 'x = """\nfrom shop import cart\n"""', set()),
    ],
)
def test_python(path: str, source: str, expected: set[str]):
    assert leads(PYTHON, path, "python", source) == expected


def test_a_tree_whose_root_is_the_package():
    files = {
        "pyproject.toml": '[tool.setuptools]\npackage-dir = { cortex = "." }\n',
        "__init__.py": "",
        "store/fold.py": "",
    }
    assert leads(files, "tests/t.py", "python", "from cortex.store.fold import View") == {"store/fold.py"}
    assert leads(files, "tests/t.py", "python", "from other.store.fold import View") == {"module:other"}


def test_go_by_the_module_that_go_mod_names():
    files = {
        "go.mod": "module example.org/shop // why\n\ngo 1.22\n",
        "main.go": "",
        "cart/cart.go": "",
        "cart/sum.go": "",
        "cart/cart_test.go": "",
        "tool/go.mod": 'module "example.org/shop/tool"\n',
        "tool/run/run.go": "",
    }
    source = 'package main\nimport (\n\t"fmt"\n\tc "example.org/shop/cart"\n'
    source += '\t"example.org/shop/tool/run"\n\t"example.org/shopping"\n)\n'
    assert leads(files, "main.go", "go", source) == {
        "module:fmt",
        "cart/cart.go",
        "cart/sum.go",
        "tool/run/run.go",
        "module:example.org/shopping",
    }


SCRIPTS = {
    "package.json": '{"name": "shop", "workspaces": ["packages/*"]}',
    "tsconfig.json": """{ // why
        "compilerOptions": {"baseUrl": ".", "paths": {"@/*": ["./src/*"], "~cart": ["src/cart/index.ts"],}, }, }""",
    "src/cart/index.ts": "",
    "src/sum.tsx": "",
    "src/main.ts": "",
    "src/old.js": "",
    "packages/ui/package.json": '{"name": "@shop/ui", "main": "dist/index.js"}',
    "packages/ui/src/index.ts": "",
    "packages/ui/src/button.ts": "",
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import { a } from './cart'", {"src/cart/index.ts"}),
        ("import a from './sum.js'; export * from './old'", {"src/sum.tsx", "src/old.js"}),
        ("const a = require('../src/old.js'); await import('./sum')", {"src/old.js", "src/sum.tsx"}),
        ("import a from '@/sum'; import b from '~cart'", {"src/sum.tsx", "src/cart/index.ts"}),
        ("import a from 'src/sum'", {"src/sum.tsx"}),
        (
            "import a from '@shop/ui'; import b from '@shop/ui/button'",
            {"packages/ui/src/index.ts", "packages/ui/src/button.ts"},
        ),
        (
            "import a from 'react/jsx'; import fs from 'node:fs'; import b from '@x/y/z'",
            {"module:react", "module:fs", "module:@x/y"},
        ),
        ("// import a from './sum'\n/* import b from './old' */", set()),
        ("import a from '../../../etc/passwd'; import b from './gone'", set()),
    ],
)
def test_scripts(source: str, expected: set[str]):
    assert leads(SCRIPTS, "src/main.ts", "typescript", source) == expected


def test_configuration_that_is_none_leads_nowhere():
    files = {
        "package.json": "[1]",
        "tsconfig.json": '{"compilerOptions": {"paths": 3}}',
        "go.mod": "\x00",
        "a.ts": "",
    }
    assert leads(files, "b.ts", "typescript", "import './a'; import 'x'") == {"a.ts", "module:x"}
    assert Resolver(["a.go"], lambda _: None).resolve("a.go", "go", Import("x/y")) == ["module:x/y"]

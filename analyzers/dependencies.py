"""What files of a repository import of each other: relative and package imports resolved to files, the rest by name."""

from __future__ import annotations

import json
import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from .imports import imports_of

#: Of a file so many imports are told, and of a Go package so many files.
MOST, FILES = 200, 40
#: Files that say what packages are called and where their code lies; so many are read.
CONFIGURATION = ("go.mod", "package.json", "tsconfig.json", "jsconfig.json", "pyproject.toml")
CONFIGURATIONS = 300
_LARGEST = 256 * 1024
_SCRIPT_ENDS = ("", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".d.ts", ".vue", ".svelte")
_SCRIPT_INDEX = tuple(f"/index{ending}" for ending in _SCRIPT_ENDS[1:8])
_TEXT = re.compile(r'("""|\'\'\').*?\1', re.DOTALL)
_COMMENT = re.compile(r"/\*.*?\*/|^\s*//[^\n]*", re.DOTALL | re.MULTILINE)
_FROM = re.compile(r"^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]*(\([^()]*\)|(?:\\\n|[^\n#;])+)", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*import[ \t]+((?:\\\n|[^\n#;])+)", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z_]\w*")
_GO_MODULE = re.compile(r"^module[ \t]+\"?([^\s\"]+)", re.MULTILINE)
_ROOT_PACKAGE = re.compile(r"package-dir[^\n]*?\"?(\w+)\"?\s*=\s*[\"']\.[\"']")
_JSON_NOISE = re.compile(r'("(?:\\.|[^"\\\n])*")|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)


@dataclass(frozen=True)
class Import:
    """One import: the module as it is written, and what is taken out of it, which may be modules too."""

    module: str
    names: tuple[str, ...] = ()


def imported(source: str, language: str) -> tuple[Import, ...]:
    """The imports of a file, each once, in no order that means anything."""
    if language != "python":
        text = source if language == "go" else _COMMENT.sub("", source)
        return tuple(Import(name) for name in imports_of(text, language))
    text = _TEXT.sub('""', source)
    found = [Import(each[1], tuple(_python_names(each[2]))) for each in _FROM.finditer(text)]
    for each in _IMPORT.finditer(text):
        found += [Import(part.split()[0]) for part in each[1].replace("\\\n", " ").split(",") if part.split()]
    return tuple(dict.fromkeys(each for each in found if each.module != "__future__"))[:MOST]


def _python_names(clause: str) -> Iterator[str]:
    for part in re.sub(r"#[^\n]*", "", clause).strip("()").replace("\\\n", " ").split(","):
        words = part.split()
        if words and _NAME.fullmatch(words[0]):
            yield words[0]


class Resolver:
    """Where imports lead in one tree: `paths` are all of its files, `read` gives what one holds, or None."""

    def __init__(self, paths: Collection[str], read: Callable[[str], bytes | None]) -> None:
        self._paths = paths if isinstance(paths, (set, frozenset)) else frozenset(paths)
        self._read = read
        self._roots = self._python_roots()
        self._go_files: dict[str, list[str]] = defaultdict(list)
        self._modules: dict[str, str] = {}  # a Go module → its folder
        self._packages: dict[str, tuple[str, str]] = {}  # a package of scripts → its folder, where it begins
        self._aliases: dict[str, list[tuple[str, list[str]]]] = {}  # a folder → what its tsconfig stands for
        self._named: set[str] = set()  # what the tree's root is called as a Python package
        for path in sorted(self._paths):
            if path.endswith(".go") and not path.endswith("_test.go"):
                self._go_files[posixpath.dirname(path)].append(path)
        configuration = [each for each in self._paths if posixpath.basename(each) in CONFIGURATION]
        configuration = [each for each in configuration if "node_modules/" not in each]
        for path in sorted(configuration, key=lambda each: (each.count("/"), each))[:CONFIGURATIONS]:
            self._configure(path)

    def resolve(self, path: str, language: str, wanted: Import) -> list[str]:
        """The files that an import of `path` leads to; else `module:` and its name; nothing where no file is."""
        if language == "python":
            return self._python(path, wanted)
        return self._go(wanted.module) if language == "go" else self._script(path, wanted.module)

    # Python

    def _python_roots(self) -> tuple[str, ...]:
        packages = {
            posixpath.dirname(each) for each in self._paths if posixpath.basename(each) == "__init__.py"
        }
        above = {posixpath.dirname(each) for each in packages if each} - packages
        return tuple(sorted(above | {"", "src"}, key=lambda each: (each.count("/"), each)))

    def _python(self, path: str, wanted: Import) -> list[str]:
        here = posixpath.dirname(path)
        dots = len(wanted.module) - len(wanted.module.lstrip("."))
        parts = [part for part in wanted.module.split(".") if part]
        if dots:
            base = here
            for _ in range(dots - 1):
                if not base:
                    return []
                base = posixpath.dirname(base)
            return self._python_below(base, parts, wanted.names)
        for root in dict.fromkeys((*self._roots, here)):
            if found := self._python_below(root, parts, wanted.names):
                return [each for each in found if each != path]
        if parts[0] in self._named and (found := self._python_below("", parts[1:], wanted.names)):
            return found
        return [f"module:{parts[0]}"]

    def _python_below(self, base: str, parts: list[str], names: tuple[str, ...]) -> list[str]:
        at = posixpath.join(base, *parts)
        inner = [found for name in names if (found := self._python_file(posixpath.join(at, name)))]
        own = self._python_file(at) if parts or base else ""
        if len(inner) < len(names) or not names:
            while not own and len(parts) > 1 and not names:  # `import a.b` may name what a/__init__ holds
                parts = parts[:-1]
                own = self._python_file(posixpath.join(base, *parts))
            inner += [own] if own else []
        return list(dict.fromkeys(inner))

    def _python_file(self, at: str) -> str:
        tried = (f"{at}.py", f"{at}/__init__.py", f"{at}.pyi", f"{at}/__init__.pyi")
        return next((each.lstrip("/") for each in tried if each.lstrip("/") in self._paths), "")

    # Go

    def _go(self, name: str) -> list[str]:
        for module in sorted(self._modules, key=len, reverse=True):
            if name == module or name.startswith(module + "/"):
                folder = posixpath.join(self._modules[module], name[len(module) + 1 :]).rstrip("/")
                return self._go_files.get(folder, [])[:FILES]
        return [f"module:{name}"]

    # JavaScript and TypeScript

    def _script(self, path: str, name: str) -> list[str]:
        if name.startswith("."):
            found = self._script_file(posixpath.normpath(posixpath.join(posixpath.dirname(path), name)))
            return [found] if found else []
        for folder in _above(path):
            for alias, targets in self._aliases.get(folder, ()):
                head, star, tail = alias.partition("*")
                if name == alias or (star and name.startswith(head) and name.endswith(tail)):
                    held = name[len(head) : len(name) - len(tail)] if star else ""
                    for target in targets:
                        if found := self._script_file(posixpath.normpath(target.replace("*", held))):
                            return [found]
        package = "/".join(name.split("/")[: 2 if name.startswith("@") else 1])
        if package in self._packages:
            folder, begins = self._packages[package]
            inner = name[len(package) + 1 :]
            tried = [f"{folder}/{inner}", f"{folder}/src/{inner}"] if inner else [f"{folder}/{begins}"]
            tried += [] if inner else [f"{folder}/src/index", f"{folder}/index", f"{folder}/lib/index"]
            for each in tried:
                if found := self._script_file(posixpath.normpath(each.lstrip("/"))):
                    return [found]
        return [f"module:{package.removeprefix('node:')}"]

    def _script_file(self, at: str) -> str:
        if at.startswith(".."):
            return ""
        stem, ending = posixpath.splitext(at)
        typed = {".js": (".ts", ".tsx"), ".mjs": (".mts",), ".cjs": (".cts",), ".jsx": (".tsx",)}.get(
            ending, ()
        )
        tried = [at + end for end in (*_SCRIPT_ENDS, *_SCRIPT_INDEX)] + [stem + end for end in typed]
        return next((each for each in tried if each in self._paths), "")

    # What configuration says

    def _configure(self, path: str) -> None:
        data = self._read(path)
        if data is None or len(data) > _LARGEST:
            return
        text, folder, name = (
            data.decode("utf-8", "replace"),
            posixpath.dirname(path),
            posixpath.basename(path),
        )
        if name == "go.mod":
            if match := _GO_MODULE.search(text):
                self._modules.setdefault(match[1], folder)
        elif name == "pyproject.toml":
            self._named.update(_ROOT_PACKAGE.findall(text) if not folder else ())
        elif name == "package.json":
            said = _json(text)
            called = said.get("name")
            if isinstance(called, str) and called:
                begins = next((each for key in _BEGINS if isinstance(each := said.get(key), str)), "index")
                self._packages.setdefault(called, (folder, begins))
        else:
            self._aliases[folder] = _aliases(_json(text), folder)


#: Where a package of scripts says that it begins, the source first.
_BEGINS = ("source", "types", "module", "main")


def _aliases(said: Mapping[str, object], folder: str) -> list[tuple[str, list[str]]]:
    """What a tsconfig stands for, as paths from the tree's root; the longest first. `extends` is not followed."""
    options = said.get("compilerOptions")
    if not isinstance(options, dict):
        return []
    base, paths, out = options.get("baseUrl"), options.get("paths"), []
    at = posixpath.join(folder, base) if isinstance(base, str) else folder
    for alias, targets in paths.items() if isinstance(paths, dict) else ():
        if isinstance(targets, list):
            out.append((str(alias), [posixpath.join(at, each) for each in targets if isinstance(each, str)]))
    out.sort(key=lambda each: -len(each[0]))
    return out + ([("*", [posixpath.join(at, "*")])] if isinstance(base, str) else [])


def _above(path: str) -> Iterator[str]:
    """The folders around a file, the nearest first, the root last."""
    while path:
        path = posixpath.dirname(path)
        yield path


def _json(text: str) -> Mapping[str, object]:
    """An object of JSON that may hold comments and trailing commas; empty for anything else."""
    try:
        said = json.loads(_JSON_NOISE.sub(lambda each: each[1] or "", text.removeprefix("\ufeff")))
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}

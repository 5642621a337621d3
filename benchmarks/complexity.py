"""How complex functions are, beside the tools that people read it from: on functions drawn from real repositories.

    python benchmarks/complexity.py REPOSITORY… [--functions 1000] [--seed 1] [--python PYTHON] [--eslint FOLDER]

`--python` is a Python that has radon, `--eslint` a folder with ESLint, @typescript-eslint/parser and
typescript in its node_modules. For Go no tool is needed: gocyclo's published rules are counted anew by keywords and
operators, comments and strings aside. Only ASCII files are taken: the tools count characters, and Cortex counts bytes.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pygit2

from cortex.analyzers.complexity import functions
from cortex.analyzers.languages import is_generated, language_of

LARGEST, OF_A_FILE = 200_000, 10
LANGUAGES = ("python", "go", "javascript", "typescript", "tsx")
_GO_NOISE = re.compile(rb"//[^\n]*|/\*.*?\*/|`[^`]*`|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
_GO_DECISIONS = re.compile(rb"\b(?:if|for|case)\b|&&|\|\|")
ASSERTED = "decisions within an assert, which radon does not look into"
UNKNOWN = "not explained"

RADON = """
import ast, json, sys
from radon.visitors import ComplexityVisitor
def around(tree):
    seen = ComplexityVisitor.from_ast(tree)
    return dict([*take(seen.functions), *classes(seen.classes)])
def asserted(node):  # what radon does not look into
    return sum(units(each) for held in own(node) if isinstance(held, ast.Assert) for each in ast.walk(held))
def own(node):
    for each in ast.iter_child_nodes(node):
        if not isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield each
            yield from own(each)
def take(functions):
    for each in functions:
        yield each.lineno, each.complexity
        yield from take(each.closures)
def classes(found):
    for each in found:
        yield from take(each.methods)
        yield from classes(each.inner_classes)
def units(each):
    if isinstance(each, ast.BoolOp):
        return len(each.values) - 1
    return len(each.ifs) + 1 if isinstance(each, ast.comprehension) else isinstance(each, ast.IfExp)
out = {}
for number, text in json.load(open(sys.argv[1])).items():
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        continue
    cyclomatic = around(tree)
    nodes = {each.lineno: each for each in ast.walk(tree) if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))}
    out[number] = {line: [cyclomatic[line], asserted(node)] for line, node in nodes.items() if line in cyclomatic}
print(json.dumps(out))
"""
ESLINT = """
const fs = require('fs'), path = require('path'), root = process.argv[2];
const at = name => require(require.resolve(name, {paths: [root]}));
const {Linter} = at('eslint'), rule = at('eslint/use-at-your-own-risk').builtinRules.get('complexity');
const parser = at('@typescript-eslint/parser'), out = {};
let seen;
const wrapped = {create: context => rule.create(Object.create(context, {
  options: {value: [{max: 0}]},
  report: {value: told => { if (/Function/.test(told.node.type)) {
    // A field of a class is told as well as the function that it holds, which is never less.
    const end = told.node.range[1]; seen[end] = Math.max(seen[end] || 0, told.data.complexity) }}}}))};
for (const [number, [text, name]] of Object.entries(JSON.parse(fs.readFileSync(process.argv[3])))) {
  seen = {};
  const typed = /[tT][sS][xX]?$/.test(name);
  const found = new Linter({configType: 'flat'}).verify(text, [{
    files: ['**/*.{js,mjs,cjs,jsx,ts,mts,cts,tsx}'], plugins: {own: {rules: {wrapped}}}, rules: {'own/wrapped': 2},
    languageOptions: {...(typed ? {parser} : {}), sourceType: /cjs$/.test(name) ? 'commonjs' : 'module',
      parserOptions: {ecmaFeatures: {jsx: !typed || /x$/.test(name)}}}}], {filename: name, allowInlineConfig: false});
  if (!found.some(each => each.fatal)) out[number] = seen;
}
console.log(JSON.stringify(out));
"""


def main() -> None:
    """Compare, and print a table and each kind of difference."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("repositories", nargs="+", metavar="REPOSITORY")
    options.add_argument("--functions", type=int, default=1_000, help="how many of each language")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--python", default="", help="a Python that has radon")
    options.add_argument("--eslint", default="", help="a folder with ESLint in its node_modules")
    options.add_argument(
        "--show", type=int, default=0, help="so many differences of each language, to be read"
    )
    given = options.parse_args()
    pygit2.settings.set_extensions(["partialclone"])
    files = list(gathered(given.repositories))
    random.Random(given.seed).shuffle(files)
    print("| language | beside | functions | equal | differ |\n| --- | --- | --- | --- | --- |")
    for language in LANGUAGES:
        chosen = [each for each in files if language_of(each[0]) == language]
        if language == "python" and given.python:
            compare(language, "radon", of_radon(given.python, chosen, given.functions), given)
        elif language == "go":
            compare(language, "gocyclo's rules", of_gocyclo(chosen), given)
        elif language != "python" and given.eslint:
            compare(language, "ESLint", of_eslint(given.eslint, chosen, given.functions), given)


#: File and place → ours, theirs, the function's text, and by how much ours is more for reasons that are known.
Told = dict[tuple[int, int], tuple[int, int, str, dict[str, int]]]


def gathered(repositories: list[str]) -> Iterator[tuple[str, bytes]]:
    """Path and text of the code of the trees that are checked out."""
    for folder in repositories:
        repository = pygit2.Repository(folder)
        folders = [("", repository.revparse_single("HEAD").peel(pygit2.Tree))]
        while folders:
            prefix, tree = folders.pop()
            for entry in tree:
                path = f"{prefix}{entry.name}"
                if isinstance(entry, pygit2.Tree):
                    folders.append((path + "/", entry))
                elif isinstance(entry, pygit2.Blob) and language_of(path) and entry.size <= LARGEST:
                    if (
                        entry.data.isascii()
                        and not is_generated(path, entry.data)
                        and not entry.data.startswith(b"#!")
                    ):
                        yield path, entry.data


def drawn(files: list[tuple[str, bytes]], most: int) -> list[tuple[str, bytes]]:
    """So many files that they hold enough functions, and some more where a tool cannot read one."""
    count, out = 0, []
    for path, data in files:
        held = functions(data, language_of(path) or "")
        count += min(OF_A_FILE, len(held))
        if held:
            out.append((path, data))
        if count > 1.3 * most:
            break
    return out


def of_radon(python: str, files: list[tuple[str, bytes]], most: int) -> Told:
    """Python, by radon: it says nothing of what stands in a class within a function."""
    files = drawn(files, most)
    theirs = asked([python, "-c", RADON], {number: data.decode() for number, (_, data) in enumerate(files)})
    out: Told = {}
    for number, (_, data) in enumerate(files):
        for each in functions(data, "python")[:OF_A_FILE]:
            said = theirs.get(str(number), {}).get(str(each.line))
            if said is not None:
                text = lines(data, each.line, each.end_line)
                out[number, each.line] = (each.cyclomatic, said[0], text, {ASSERTED: said[1]})
    return out


def of_gocyclo(files: list[tuple[str, bytes]]) -> Told:
    """Go: 1, and one for each `if`, `for`, `case`, `&&` and `||` (github.com/fzipp/gocyclo)."""
    out: Told = {}
    for number, (_, data) in enumerate(files):
        for each in functions(data, "go")[:OF_A_FILE]:
            start = sum(map(len, data.splitlines(keepends=True)[: each.line - 1]))
            text = data[start : each.end]
            out[number, each.line] = (
                each.cyclomatic,
                1 + len(_GO_DECISIONS.findall(_GO_NOISE.sub(b" ", text))),
                text.decode(),
                {},
            )
    return out


def of_eslint(folder: str, files: list[tuple[str, bytes]], most: int) -> Told:
    """JavaScript and TypeScript, by ESLint's rule in its default form."""
    files = drawn(files, most)
    with tempfile.TemporaryDirectory() as at:
        script = Path(at) / "told.cjs"
        script.write_text(ESLINT)
        sources = {number: [data.decode(), path] for number, (path, data) in enumerate(files)}
        theirs = asked(["node", str(script), str(Path(folder).resolve())], sources)
    out: Told = {}
    for number, (path, data) in enumerate(files):
        held = functions(data, language_of(path) or "")
        ends = Counter(each.end for each in held)  # two functions may end with the same byte: `a => b => c`
        for each in held[:OF_A_FILE]:
            said = theirs.get(str(number), {}).get(str(each.end))
            if said is not None and ends[each.end] == 1:
                out[number, each.end] = (each.cyclomatic, said, lines(data, each.line, each.end_line), {})
    return out


def asked(words: list[str], sources: object) -> dict[str, dict[str, Any]]:
    """What a tool says of sources."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(sources, file)
        file.flush()
        done = subprocess.run([*words, file.name], capture_output=True, text=True, check=True)
    told: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return told


def lines(data: bytes, first: int, last: int) -> str:
    """Some lines of a file, from 1."""
    return b"\n".join(data.split(b"\n")[first - 1 : last]).decode()


def compare(language: str, tool: str, told: Told, given: argparse.Namespace) -> None:
    """One row, and what differs by how much."""
    chosen = list(told.values())[: given.functions]
    differ = [each for each in chosen if each[0] != each[1]]
    print(f"| {language} | {tool} | {len(chosen):,} | {len(chosen) - len(differ):,} | {len(differ)} |")
    kinds = Counter(why(each) for each in differ)
    for kind, count in kinds.most_common():
        print(f"  {count} {kind}")
    for each in [each for each in differ if why(each) == UNKNOWN][: given.show]:
        print(f"--- ours {each[0]}, theirs {each[1]}\n{each[2]}")


def why(told: tuple[int, int, str, dict[str, int]]) -> str:
    """The kind of a difference: what accounts for all of it."""
    ours, theirs, _, reasons = told
    if ours - theirs == sum(reasons.values()):
        return " and ".join(reason for reason, units in reasons.items() if units)
    return UNKNOWN


if __name__ == "__main__":
    main()

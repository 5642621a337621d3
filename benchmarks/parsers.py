"""The parsers of the languages themselves, where at hand: Python's compile(), gofmt, and TypeScript's compiler."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

#: Text and language.
Source = tuple[str, str]
#: Reads [[text, kind], …], writes whether each has no syntax error. `NODE_PATH` says where `typescript` is.
_SCRIPT = """
const ts = require("typescript");
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
const said = given.map(([text, kind]) => {
  const parsed = ts.createSourceFile("file." + kind, text, ts.ScriptTarget.Latest, false);
  return parsed.parseDiagnostics.length === 0;
});
console.log(JSON.stringify(said));
"""
_ENDINGS = {"typescript": "ts", "tsx": "tsx", "javascript": "jsx"}


def python(sources: Sequence[Source]) -> list[bool] | None:
    """Whether Python reads each; nothing of it is run."""
    return [_compiles(text) for text, _ in sources]


def _compiles(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<text>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def go(sources: Sequence[Source]) -> list[bool] | None:
    """Whether gofmt reads each; None where there is no gofmt."""
    program = shutil.which("gofmt")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as name:
        for number, (text, _) in enumerate(sources):
            (Path(name) / f"{number}.go").write_bytes(text.encode("utf-8", "replace"))
        said = subprocess.run([program, "-e", "-l", name], capture_output=True, text=True, check=False).stderr
        return [f"/{number}.go:" not in said for number in range(len(sources))]


def typescript(sources: Sequence[Source]) -> list[bool] | None:
    """Whether TypeScript's parser reads each; None where there is no node, or no `typescript` for it."""
    program = shutil.which("node")
    if program is None:
        return None
    asked = json.dumps([[text, _ENDINGS[language]] for text, language in sources])
    done = subprocess.run([program, "-e", _SCRIPT], input=asked, capture_output=True, text=True, check=False)
    return list(json.loads(done.stdout)) if done.returncode == 0 else None

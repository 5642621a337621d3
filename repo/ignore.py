"""Which paths Cortex leaves alone: the file `ignore` of a store, in the syntax of gitignore."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

# To import it takes ten milliseconds, and no question needs it.
_LARGEST = 256 * 1024


@dataclass(frozen=True)
class Ignore:
    """The patterns of one store; `problems` are lines that are no patterns, which are passed over."""

    spec: GitIgnoreSpec
    problems: tuple[str, ...] = ()

    def matches(self, path: str) -> bool:
        """Whether `path`, relative to the work tree with `/` between its parts, is to be left alone."""
        # A name that is not UTF-8 carries surrogates, which the matching engine refuses.
        return bool(self.spec.match_file(path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")))


def read(store: Path) -> Ignore:
    """The patterns of the store's `ignore` file; none when there is no such file, or it cannot be read."""
    try:
        with (store / "ignore").open("rb") as file:
            text = file.read(_LARGEST).decode("utf-8", "replace")
    except OSError:
        return parse("")
    return parse(text)


def parse(text: str) -> Ignore:
    """Patterns from text, one a line; a line that is no pattern is passed over and told in `problems`."""
    from pathspec import GitIgnoreSpec

    good: list[str] = []
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        problem = _problem(line)
        if problem:
            problems.append(f"line {number}: {problem}")
        else:
            good.append(line)
    return Ignore(GitIgnoreSpec.from_lines(good), tuple(problems))


def _problem(line: str) -> str:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError as error:
        return str(error)
    return ""

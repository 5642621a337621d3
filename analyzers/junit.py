"""What a test run said, by its JUnit XML file: the one format that nearly all test runners write.

The file is not trusted: a document type, and with it every entity, is refused, and so is what is too large or
too deep. Nothing outside the file is ever read.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.parsers import expat

from ..repo.errors import UsageError

LARGEST = 64 << 20  # bytes
_DEEPEST = 100
_MOST_NAMED = 20
_NAME = 300
_HINT = "Give the XML file that your test runner writes: `pytest --junit-xml FILE`, `go-junit-report`, `jest-junit`."


@dataclass(frozen=True)
class TestResults:
    """How many test cases did what; `failing` names the first that did not pass, `duration` is in ms."""

    __test__ = False  # no test class, whatever pytest takes it for

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    duration: int = 0
    failing: tuple[str, ...] = ()


def read_junit(data: bytes) -> TestResults:
    """Count the test cases of a JUnit XML file. Raises `UsageError` for anything that is not one."""
    if len(data) > LARGEST:
        raise UsageError(f"the file of test results is larger than {LARGEST >> 20} MiB", _HINT)
    reading = _Reading()
    try:
        reading.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise UsageError(f"the file of test results is not XML: {error}", _HINT) from None
    except (ValueError, LookupError) as error:  # an encoding that expat does not know
        raise UsageError(f"the file of test results cannot be read: {error}", _HINT) from None
    if not reading.cases:
        raise UsageError("the file of test results holds no test case", _HINT)
    return TestResults(
        reading.counts["passed"],
        reading.counts["failure"],
        reading.counts["error"],
        reading.counts["skipped"],
        round(reading.seconds * 1000),
        tuple(reading.failing),
    )


class _Reading:
    def __init__(self) -> None:
        self.counts = {"passed": 0, "failure": 0, "error": 0, "skipped": 0}
        self.cases = 0
        self.seconds = 0.0
        self.failing: list[str] = []
        self._depth = 0
        self._case = ""
        self._verdict: str | None = None  # of the case that is open
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.ExternalEntityRefHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def _refuse(self, *_: object) -> int:
        raise UsageError(
            "the file of test results declares a document type or entities: these are refused", _HINT
        )

    def _start(self, name: str, given: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UsageError("the file of test results is nested too deeply", _HINT)
        if self._depth == 1 and name not in ("testsuites", "testsuite"):
            raise UsageError(f"the file of test results begins with <{name[:40]}>", _HINT)
        if name == "testcase":
            self.cases += 1
            self._verdict = "passed"
            self._case = "::".join(part for part in (given.get("classname"), given.get("name")) if part)
            self.seconds += _seconds(given.get("time", ""))
        elif name in ("failure", "error", "skipped") and self._verdict == "passed":
            self._verdict = name

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name == "testcase" and self._verdict is not None:
            self.counts[self._verdict] += 1
            if self._verdict in ("failure", "error") and len(self.failing) < _MOST_NAMED:
                self.failing.append(self._case[:_NAME])
            self._verdict = None


def _seconds(text: str) -> float:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return 0.0
    return value if 0 <= value < 1e7 else 0.0

"""The quick path of `ask`, `check` and `hook`: a JSON line over the daemon's socket, no click and no numpy.

It understands the plain forms of these commands. Help, a mistake, or no daemon: the full command line takes
over, and says the same in its own words.
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Mapping, Sequence

from .. import __version__
from ..daemon import client
from ..repo.errors import FINDINGS, OK, CortexError
from . import render

TYPE_CHECKING = False  # typing itself takes longer to load than all of this
if TYPE_CHECKING:
    from typing import Any


class Form:
    """How a command is written: options with a value and its type, and flags."""

    def __init__(self, values: Mapping[str, tuple[str, type]], flags: Mapping[str, str]) -> None:
        self.values = values
        self.flags = flags


FORMS = {
    "ask": Form(
        {
            "--k": ("k", int),
            "-k": ("k", int),
            "--budget": ("budget", int),
            "--language": ("language", str),
            "--path": ("path", str),
            "--in": ("sources", str),
            "--repo": ("repo", str),
            "-C": ("repo", str),
        },
        {"--json": "json", "--explain": "explain"},
    ),
    "check": Form(
        {"--since": ("since", str), "--repo": ("repo", str), "-C": ("repo", str)},
        {"--json": "json"},
    ),
}
TIMEOUT = 10.0
HOOK_TIMEOUT = 1.7  # seconds; the shim gives up at 2
LATE_FOR = 60.0  # seconds, after the daemon let a hook wait in vain, in which the next ones wait
BRIEFLY = 0.2  # seconds


def run(
    arguments: Sequence[str], environment: Mapping[str, str], hook_timeout: float = HOOK_TIMEOUT
) -> int | None:
    """The exit status, or None when the full command line must do it.

    `hook_timeout` is how many seconds a hook may wait for the daemon.
    """
    if not arguments or environment.get("CORTEX_NO_DAEMON", "") not in ("", "0"):
        return None
    if arguments[0] == "hook":
        return _hook(arguments[1:], hook_timeout)
    if arguments[0] not in FORMS:
        return None
    if any(key.startswith(("CORTEX_RECALL_", "CORTEX_GUARD_")) for key in environment):
        return None  # settings from this environment: the daemon does not see it
    parsed = parse(FORMS[arguments[0]], arguments[1:])
    if parsed is None:
        return None
    options, words = parsed
    op = arguments[0]
    if op == "ask" and not words:
        return None
    if client.is_of_another_version(__version__):
        return None  # the full command line replaces it
    repo = str(options.pop("repo", "."))
    as_json, explain = options.pop("json", False), options.pop("explain", False)
    args: dict[str, Any] = {**options, "cwd": os.getcwd(), "at": os.path.realpath(repo)}
    if op == "ask":
        args["question"], args["explain"] = " ".join(words), bool(explain)
    elif words:
        args["files"] = words
    try:
        reply = client.exchange(op, os.path.realpath(repo), args, timeout=TIMEOUT)
    except (client.NoDaemon, client.Wedged):
        return None
    except CortexError:
        return None  # the full command line finds the same error, and words it
    if reply.version != __version__:
        return None  # it had not said so before: the full command line asks again, and replaces it
    result: dict[str, Any] = reply.result
    if as_json:
        render.say(render.as_json(result))
    else:
        paint = render.Paint(sys.stdout, environment)
        render.say(_ask(result, paint, environment) if op == "ask" else render.check(result, paint))
    return FINDINGS if op == "check" and result["blocked"] else OK


def _ask(result: Mapping[str, Any], paint: render.Paint, environment: Mapping[str, str]) -> str:
    if not result["explanation"]:
        return render.ask(result, paint)
    from .explained import columns, explained  # only who asks why pays for it

    return render.ask(result, paint, explained(result, paint, columns(environment)))


def _hook(arguments: Sequence[str], timeout: float) -> int | None:
    """Answer a shim: `hook git pre-commit --spooled FILE` or `hook agent NAME --spooled FILE`, event on stdin."""
    if len(arguments) != 4 or arguments[2] != "--spooled":
        return None
    kind, name, _, file = arguments
    event = sys.stdin.buffer.read()
    at = os.getcwd()
    late = Late(file, kind)
    try:
        if client.is_of_another_version(__version__):
            raise client.NoDaemon("the daemon is of another version", client.START)
        if kind == "agent":
            args = {
                "agent": name,
                "payload": event.decode("utf-8", "surrogateescape"),
                "file": file,
                "at": at,
            }
            reply = client.call("hook", at, args, timeout=late.patience(timeout))["reply"]
            late.forget()
            if reply:
                render.say(str(reply))
            return OK
        if name != "pre-commit":
            return None
        index = next((line[6:] for line in event.split(b"\n") if line.startswith(b"index=")), b"")
        args = {"index_file": index.decode("utf-8", "surrogateescape"), "at": at}
        result = client.call("check", at, args, timeout=late.patience(timeout))
        late.forget()
    except client.NoDaemon:
        sys.stdin = io.TextIOWrapper(io.BytesIO(event))  # the full command line reads it again
        return None
    except client.Wedged as error:
        late.note()
        if kind == "git":
            render.say(f"cortex: {error.message}: nothing was checked; `cortex daemon status` says how it is")
        return OK
    except CortexError:
        return OK  # the event lies in the spool; a hook never gets in the way
    if result["findings"]:
        render.say(render.check(result, render.Paint(sys.stdout, os.environ)))
    else:
        render.notes(result)
    return FINDINGS if result["blocked"] else OK


class Late:
    """The note, beside the shim, that the daemon let a hook wait in vain: those that follow wait less."""

    def __init__(self, spooled: str, kind: str) -> None:
        self.path = os.path.join(os.path.dirname(spooled), "..", "hooks", f".late-{kind}")
        self.noted = False

    def patience(self, seconds: float) -> float:
        """How many seconds to wait: `seconds`, but little for a minute after those were waited in vain."""
        try:
            age = time.time() - os.stat(self.path).st_mtime
        except OSError:
            return seconds
        self.noted = True
        return min(seconds, BRIEFLY) if 0 <= age < LATE_FOR else seconds

    def note(self) -> None:
        """It did not answer. A brief wait does not count: a slow daemon gets its whole time once a minute."""
        try:
            if self.noted and time.time() - os.stat(self.path).st_mtime < LATE_FOR:
                return
            with open(self.path, "wb"):
                os.utime(self.path)
        except OSError:
            return  # the next hook waits as long as this one

    def forget(self) -> None:
        """It answered."""
        if self.noted:
            try:
                os.unlink(self.path)
            except OSError:
                return


def parse(form: Form, arguments: Sequence[str]) -> tuple[dict[str, Any], list[str]] | None:
    """Options and words of a command; None for anything that is not plain."""
    options: dict[str, Any] = {}
    words: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            words += rest
            break
        name, equals, value = word.partition("=")
        if word in form.flags:
            options[form.flags[word]] = True
        elif name in form.values:
            if not equals:
                if not rest:
                    return None
                value = rest.pop(0)
            key, kind = form.values[name]
            try:
                options[key] = kind(value)
            except ValueError:
                return None
        elif word.startswith("-"):
            return None
        else:
            words.append(word)
    return options, words

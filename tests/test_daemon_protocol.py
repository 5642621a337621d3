"""The socket's lines: what is well formed comes through, and nothing else does any harm."""

import json
import time

import pytest

from cortex.daemon import protocol, requests
from cortex.daemon.protocol import ProtocolError
from cortex.repo.errors import BusyError, DamagedError, UsageError


def test_a_request_comes_back_as_it_was_sent() -> None:
    args = {"text": "a\nb\u2028\U0001f600", "path": "caf\udce9", "n": 3, "deep": {"a": [1, None, True, 1.5]}}
    line = protocol.request_line("ask", "/somewhere", args, 1500)
    assert line.endswith(b"\n") and line.count(b"\n") == 1 and line.isascii()
    assert requests.parse_request(line) == requests.Request("ask", "/somewhere", args, 1500)


@pytest.mark.parametrize("error", [UsageError("a", "b"), BusyError("a"), DamagedError("a", "c")])
def test_an_error_keeps_its_class_hint_and_exit_code(error: Exception) -> None:
    body = json.loads(protocol.encode(protocol.error_body(error)))
    back = protocol.rebuilt(body)
    assert type(back) is type(error)
    assert (back.message, back.hint, back.exit_code) == (error.message, error.hint, error.exit_code)


def test_an_error_of_a_class_of_its_own_keeps_its_exit_code() -> None:
    class OddError(DamagedError):
        pass

    back = protocol.rebuilt(protocol.error_body(OddError("a", "b")))
    assert isinstance(back, protocol.RemoteError)
    assert (back.kind, back.exit_code, back.hint) == ("OddError", 4, "b")


def test_a_failure_of_the_daemon_is_told_as_one() -> None:
    back = protocol.rebuilt(protocol.error_body(ZeroDivisionError("x")))
    assert back.exit_code == 3 and "ZeroDivisionError" in back.message and "logs" in back.hint


def test_what_is_no_json_is_not_sent() -> None:
    for value in (object(), {1: {2}}, float("nan"), "x" * protocol.MAX_LINE):
        with pytest.raises(ProtocolError):
            protocol.encode({"value": value})


HOSTILE = {
    "deep": b"[" * 100_000,
    "deep and closed": b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "crowded": b'{"a":[' + b"1," * 4_000_000 + b"1]}",
    "crowded with objects": b"[" + b"{}," * 4_000_000 + b"{}]",
    "crowded with strings": b"[" + b'"",' * 4_000_000 + b'""]',
    "unterminated": b'"' + b'\\"' * 8_000_000,
    "backslashes": b"\\" * 16_000_000,
    "long integer": b'{"v":' + b"9" * 1_000_000 + b"}",
    "huge float": b'{"v":1e999999}',
    "not a number": b'{"v":NaN}',
    "bare": b"1",
    "empty": b"",
    "nul": b"\0" * 1000,
    "not utf-8": b'{"v":"\xff"}',
    "too long": b" " * (protocol.MAX_LINE + 1),
    "another version": b'{"v":2,"op":"ask"}',
    "true is no version": b'{"v":true,"op":"ask"}',
    "no op": b'{"v":1}',
    "odd args": b'{"v":1,"op":"ask","args":[]}',
    "odd repo": b'{"v":1,"op":"ask","repo":"a\\u0000b"}',
    "odd deadline": b'{"v":1,"op":"ask","deadline_ms":-1}',
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_line_is_refused_within_a_second(line: bytes) -> None:
    began = time.thread_time()
    with pytest.raises(ProtocolError):
        requests.parse_request(line)
    assert time.thread_time() - began < 1.0


def test_a_large_file_full_of_brackets_is_no_crowd() -> None:
    text = '{"a": [1, 2, "\\"b\\""]},\n' * 300_000
    assert requests.parse_request(protocol.request_line("record", "/r", {"text": text})).args["text"] == text

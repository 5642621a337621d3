"""How a command reaches the daemon. Every command pays for this file: it loads json and os.

Neither it nor what it imports loads dataclasses, pathlib or typing: together they take as long as json and
socket, which is what a command may cost beside its answer. Of socket the C half does: no enums, no selectors.
"""

from __future__ import annotations

import _socket
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Mapping

from ..repo.errors import PlaceError
from ..repo.home import runtime_folder, state_folder
from .protocol import MAX_LINE, TAKEN_MS, ProtocolError, Reply, parse, rebuilt, request_line

TOLD = "daemon.json"
START = "Run `cortex daemon start`, or go on without it: what it would do now is done when it is back."
NONE_RUNS = "no daemon runs"
Progress = Callable[[Mapping[str, object]], None]


class NoDaemon(PlaceError):  # noqa: N818 - a state of affairs, and mostly no error
    """No daemon can be reached: none runs, or a sandbox keeps its socket away. Nothing was acted upon."""


class Gone(NoDaemon):
    """The daemon went away after it had been asked: that may be done or not, and is not acknowledged."""


class Wedged(PlaceError):  # noqa: N818 - a state of affairs
    """The daemon took the connection, and did not answer in time."""


def socket_path() -> str:
    """Where the daemon listens: what it says itself in `daemon.json`, else where one would listen."""
    told = describe().get("socket")
    return told if isinstance(told, str) and told.startswith("/") else default_socket()


def default_socket() -> str:
    """Where a daemon for this state folder listens: at most 100 bytes, one name per state folder."""
    return f"{runtime_folder()}/{_hash(os.path.realpath(state_folder())):016x}.sock"


def is_of_another_version(version: str) -> bool:
    """Whether the daemon says of itself that it is not of this `version`: cheap, and before it is asked."""
    told = describe().get("version")
    return isinstance(told, str) and told != version


def describe() -> dict[str, object]:
    """What the daemon wrote of itself into `daemon.json`: pid, version, started, socket; empty without one.

    A daemon that was killed leaves it behind: it says where to look, not that somebody is there.
    """
    try:
        with open(os.path.join(state_folder(), TOLD), "rb") as file:
            told = json.loads(file.read(65_536))
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def call(
    op: str,
    repo: str = "",
    args: Mapping[str, object] | None = None,
    timeout: float = 10.0,
    progress: Progress | None = None,
) -> dict[str, object]:
    """Ask the daemon for `op` and return its result; see `exchange` for what is raised."""
    return exchange(op, repo, args, timeout, progress).result


def exchange(
    op: str,
    repo: str = "",
    args: Mapping[str, object] | None = None,
    timeout: float = 10.0,
    progress: Progress | None = None,
) -> Reply:
    """Ask the daemon for `op`, and return its answer with the time that it took inside.

    `timeout` is in seconds, from the request or the last sign of progress; a daemon that does not even say
    within five that it has read the request is wedged. Raises `NoDaemon`, `Gone`,
    `Wedged`, or the error that the daemon met, with its exit code.
    """
    line = request_line(op, repo, args or {}, int(timeout * 1000))
    end = time.monotonic() + min(timeout, TAKEN_MS / 1000)
    connection = _connect(end)
    try:
        try:
            connection.settimeout(_left(end))
            connection.sendall(line)
        except TimeoutError:
            raise _wedged(timeout) from None
        except OSError:
            pass  # it may have refused the request and said why: that is still to be read
        return _read(connection, timeout, progress)
    finally:
        connection.close()


def peer_uid(connection: _socket.socket) -> int:
    """Whose process is at the other end; -1 where the system does not tell."""
    try:
        if sys.platform == "darwin":
            # struct xucred { u_int cr_version; uid_t cr_uid; … }: unix(4), SOL_LOCAL = 0, LOCAL_PEERCRED = 1
            return int.from_bytes(connection.getsockopt(0, 1, 76)[4:8], sys.byteorder)
        # struct ucred { pid_t pid; uid_t uid; gid_t gid; }: unix(7)
        return int.from_bytes(
            connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)[4:8], sys.byteorder
        )
    except (OSError, AttributeError):
        return -1


def is_own_folder(folder: str) -> bool:
    """Whether `folder` is a real folder of ours that nobody else may enter or change."""
    found = os.lstat(folder)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def _connect(end: float) -> _socket.socket:
    told, usual = socket_path(), default_socket()
    try:
        return _connect_to(told, end)
    except NoDaemon:
        if told == usual:
            raise
        return _connect_to(usual, end)


def _connect_to(path: str, end: float) -> _socket.socket:
    folder = path.rpartition("/")[0]
    try:
        if not is_own_folder(folder):
            raise NoDaemon(
                f"{folder} is not a folder of yours alone: the daemon's socket is not trusted there",
                "Remove it, or set XDG_RUNTIME_DIR to a folder of your own; then run `cortex daemon start`.",
            )
        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    except OSError as error:
        raise _unreachable(error) from error
    try:
        while True:
            try:
                connection.settimeout(_left(end))
                connection.connect(path)
                break
            except (BlockingIOError, TimeoutError):  # its queue of connections is full
                if time.monotonic() >= end - 0.02:
                    raise Wedged("the daemon takes no connection", _WEDGED) from None
                time.sleep(0.02)
        owner = peer_uid(connection)
        if owner not in (-1, os.getuid()):
            raise NoDaemon(f"the socket {path} belongs to another user ({owner})", START)
    except OSError as error:
        connection.close()
        raise _unreachable(error) from error
    except PlaceError:
        connection.close()
        raise
    return connection


def _read(connection: _socket.socket, timeout: float, progress: Progress | None) -> Reply:
    first = min(timeout, TAKEN_MS / 1000)  # until the daemon says that it has read the request
    end = time.monotonic() + first
    pending = bytearray()
    seen = 0  # how far `pending` was searched for a line end
    while True:
        at = pending.find(b"\n", seen)
        if at >= 0:
            said = _parse(bytes(pending[:at]))
            del pending[: at + 1]
            seen = 0
            if "ok" in said:
                return _reply(said)
            told = said.get("progress")
            if progress is not None and isinstance(told, dict):
                progress(told)
            first = timeout
            end = time.monotonic() + timeout
            continue
        seen = len(pending)
        if seen > MAX_LINE:
            raise Gone("the daemon's answer is too long", START)
        try:
            connection.settimeout(_left(end))
            more = connection.recv(262_144)
        except TimeoutError:
            raise _wedged(first) from None
        except OSError as error:
            raise Gone(f"the daemon went away: {error.strerror}", START) from error
        if not more:
            raise Gone("the daemon went away before it answered", START)
        pending += more


def _parse(line: bytes) -> dict[str, object]:
    try:
        return parse(line)
    except ProtocolError as error:
        raise Gone(f"the daemon's answer cannot be read: {error.message}", START) from error


def _reply(said: Mapping[str, object]) -> Reply:
    if said["ok"] is not True:
        raise rebuilt(said.get("error"))
    result, ms, version = said.get("result"), said.get("ms"), said.get("version")
    return Reply(
        result if isinstance(result, dict) else {},
        float(ms) if isinstance(ms, (int, float)) else 0.0,
        version if isinstance(version, str) else "",
    )


_WEDGED = (
    "`cortex daemon stop --force`, then `cortex daemon start`, gets it going again; nothing is lost by it."
)


def _wedged(timeout: float) -> Wedged:
    return Wedged(f"the daemon did not answer within {timeout:g} s", _WEDGED)


def _unreachable(error: OSError) -> NoDaemon:
    if isinstance(error, (FileNotFoundError, ConnectionRefusedError)):
        return NoDaemon(NONE_RUNS, START)
    return NoDaemon(f"the daemon's socket cannot be reached: {error.strerror or error}", START)


def _left(end: float) -> float:
    return max(0.001, end - time.monotonic())


def _hash(path: str) -> int:
    """FNV-1a, 64 bits: names a socket, guards nothing, and spares the import of hashlib."""
    value = 0xCBF29CE484222325
    for byte in os.fsencode(path):
        value = (value ^ byte) * 0x100000001B3 % (1 << 64)
    return value

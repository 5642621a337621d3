"""The daemon's socket: takes requests, gives each to its repository's worker; none holds up another."""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from ..repo.errors import BusyError, CortexError, PlaceError, UsageError
from ..repo.places import find
from .client import is_own_folder, peer_uid
from .logs import logger
from .protocol import MAX_LINE, TAKEN_MS, ProtocolError, encode, error_body
from .requests import Request, parse_request
from .workers import Workers

MAX_PATH = 100  # bytes: sun_path holds 104 on macOS, 108 on Linux
IDLE_S = 30.0
DEADLINE_S = 900.0
_END, _AGAIN = b"e", b"a"
_TAKEN = encode({"taken": True})


class Connection:
    """One client, and what it waits for. Two threads may want to answer it: only the first one does."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.request: Request | None = None
        self.seen = time.monotonic()  # the last sign of life of the request that runs
        self.abandoned = False
        self._sending = threading.Lock()
        self._answered = False

    def begin(self, request: Request) -> None:
        """A request was read."""
        with self._sending:
            self.request, self._answered, self.seen = request, False, time.monotonic()

    def taken(self) -> None:
        """Say that the request was read: a client that hears nothing need not wait as long as for the answer."""
        with self._sending, contextlib.suppress(OSError):
            self.sock.sendall(_TAKEN)

    def gone(self) -> bool:
        """Whether the client has hung up: it went another way by now, and doing it here too would double it."""
        there = select.poll()
        there.register(self.sock, select.POLLIN)
        try:
            return bool(there.poll(0)) and self.sock.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True

    def progress(self, told: Mapping[str, object]) -> None:
        """Say how far it is; a client that is gone is no reason to stop the work."""
        with self._sending:
            self.seen = time.monotonic()
            if not self._answered:
                with contextlib.suppress(OSError):
                    self.sock.sendall(encode({"progress": dict(told)}))

    def answer(self, line: bytes) -> bool:
        """Send the one answer; False when it was sent already, or the client is gone."""
        with self._sending:
            if self._answered:
                return False
            self._answered = True
            self.request = None
            try:
                self.sock.sendall(line)
            except OSError:
                return False
        return True

    def late(self, now: float) -> Request | None:
        """The request that ran past its deadline."""
        request = self.request
        if request is None:
            return None
        allowed = min(DEADLINE_S, request.deadline_ms / 1000 or DEADLINE_S)
        return request if now - self.seen > allowed else None


class Server:
    """Listens on a Unix socket in a folder of the person's own, for processes of the same user alone."""

    def __init__(
        self,
        workers: Workers,
        path: str,
        version: str,
        stop: threading.Event,
        *,
        connections: int = 64,
        per_repository: int = 16,
        started: int = 0,
    ) -> None:
        self.path = path
        self._workers = workers
        self._version = version
        self._stop = stop
        self._started = started
        self._room = threading.BoundedSemaphore(connections)
        self._per_repository = per_repository
        self._lock = threading.Condition()
        self._open: set[Connection] = set()
        self._busy: Counter[str] = Counter()
        self._listening: socket.socket | None = None
        self._inode = 0
        self._wake = os.pipe()
        self._accepting = threading.Thread(target=self._accept, name="accept", daemon=True)
        self._own: Mapping[str, Callable[[Request], dict[str, object]]] = {
            "ping": self._ping,
            "status": self._status,
            "stop": self._stopping,
            "register": self._register,
            "unregister": self._unregister,
        }

    def start(self) -> None:
        """Bind and listen. The caller holds the daemon's lock: a socket that lies there is a dead one's.

        Raises `PlaceError` when the socket cannot be made.
        """
        try:
            self._listening = self._bind()
        except OSError as error:
            raise PlaceError(
                f"the daemon cannot listen on {self.path}: {error.strerror or error}",
                "Set XDG_RUNTIME_DIR to a folder of your own with a short path.",
            ) from error
        self._accepting.start()

    def keep_name(self) -> None:
        """Listen anew when the socket's file is gone: what tidies up `/tmp` takes it for an old file."""
        try:
            if Path(self.path).stat().st_ino == self._inode:
                return
        except OSError:
            logger.warning("the socket %s was removed: it is made again", self.path)
        os.write(self._wake[1], _AGAIN)

    def reap(self) -> None:
        """Answer for requests that ran past their deadline; their work goes on, and nobody waits for it."""
        now = time.monotonic()
        with self._lock:
            late = [
                (each, request) for each in self._open if (request := each.late(now)) and not each.abandoned
            ]
            for connection, _ in late:
                connection.abandoned = True
                self._room.release()
        for connection, request in late:
            logger.warning("%s in %s runs past its deadline", request.op, request.repo)
            threading.Thread(
                target=self._give_up, args=(connection, request), name="late", daemon=True
            ).start()

    def _give_up(self, connection: Connection, request: Request) -> None:
        error = BusyError(
            f"`{request.op}` takes longer than was allowed", "It goes on in the daemon; look again later."
        )
        connection.answer(self._error(error, connection.seen))
        _hang_up(connection.sock)

    def close(self, grace_s: float) -> int:
        """Take no more, finish what was begun within `grace_s` seconds; how many requests were not."""
        os.write(self._wake[1], _END)
        if self._accepting.ident is not None:
            self._accepting.join()
        if self._listening is not None:
            self._listening.close()
            with contextlib.suppress(OSError):
                if Path(self.path).stat().st_ino == self._inode:
                    Path(self.path).unlink()
        with self._lock:
            for connection in self._open:
                if connection.request is None:
                    _hang_up(connection.sock, reading_only=True)
            end = time.monotonic() + grace_s
            while any(not each.abandoned for each in self._open) and time.monotonic() < end:
                self._lock.wait(0.1)
            left = len(self._open)
        for descriptor in self._wake:
            os.close(descriptor)
        return left

    def _bind(self) -> socket.socket:
        if len(os.fsencode(self.path)) > MAX_PATH:
            raise OSError(0, f"its path is longer than {MAX_PATH} bytes")
        path = Path(self.path)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if not is_own_folder(str(path.parent)):
            raise OSError(0, f"{path.parent} is not a folder of yours alone")
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.bind(self.path)
            with contextlib.suppress(
                OSError
            ):  # some containers' file systems refuse it; the folder is closed anyway
                os.chmod(self.path, 0o600)
            listening.listen(128)
            listening.setblocking(False)
            self._inode = path.stat().st_ino
        except OSError:
            listening.close()
            raise
        return listening

    def _accept(self) -> None:
        listening = self._listening
        assert listening is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake[0], selectors.EVENT_READ)
            selector.register(listening, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._wake[0] not in ready:
                    self._take(listening)
                elif os.read(self._wake[0], 1) == _END:
                    return
                else:
                    selector.unregister(listening)
                    listening.close()
                    self._listening = listening = self._bind()
                    selector.register(listening, selectors.EVENT_READ)

    def _take(self, listening: socket.socket) -> None:
        try:
            sock, _ = listening.accept()
        except BlockingIOError:
            return
        except OSError:  # out of descriptors, say: give back some time rather than spin
            logger.exception("a connection could not be taken")
            time.sleep(0.2)
            return
        sock.settimeout(IDLE_S)
        if peer_uid(sock) not in (-1, os.getuid()):
            logger.warning("a process of user %d was turned away", peer_uid(sock))
            sock.close()
        elif not self._room.acquire(blocking=False):
            with contextlib.suppress(OSError):
                sock.settimeout(0.1)
                busy = BusyError("the daemon has too many requests at once", "Try again in a moment.")
                sock.sendall(self._error(busy, time.monotonic()))
            sock.close()
        else:
            self._spawn(Connection(sock))

    def _spawn(self, connection: Connection) -> None:
        with self._lock:
            self._open.add(connection)
        try:
            threading.Thread(target=self._talk, args=(connection,), name="request", daemon=True).start()
        except RuntimeError:  # no more threads to be had
            logger.exception("a request could not be taken")
            self._done(connection)

    def _done(self, connection: Connection) -> None:
        connection.sock.close()
        with self._lock:
            self._open.discard(connection)
            self._lock.notify_all()
            if not connection.abandoned:
                self._room.release()

    def _talk(self, connection: Connection) -> None:
        pending = bytearray()
        try:
            while not self._stop.is_set() and not connection.abandoned:
                line = _line(connection.sock, pending)
                if line is None:
                    return
                began = time.monotonic()
                try:
                    request = parse_request(line)
                except ProtocolError as error:
                    connection.answer(self._error(error, began))
                    return
                if connection.gone():
                    return
                connection.begin(request)
                if request.deadline_ms > TAKEN_MS:
                    connection.taken()
                connection.answer(self._answer(request, connection, began))
        except ProtocolError as error:
            connection.answer(self._error(error, time.monotonic()))
        except OSError:
            return  # the client went away, or said nothing for too long
        finally:
            self._done(connection)

    def _answer(self, request: Request, connection: Connection, began: float) -> bytes:
        try:
            own = self._own.get(request.op)
            result = own(request) if own else self._handle(request, connection)
            return encode({"ok": True, "result": dict(result), "ms": _ms(began), "version": self._version})
        except CortexError as error:
            return self._error(error, began)
        except Exception as error:  # noqa: BLE001 - one request fails, the daemon goes on
            logger.exception("%s in %s failed", request.op, request.repo)
            return self._error(error, began)

    def _handle(self, request: Request, connection: Connection) -> Mapping[str, object]:
        if not request.repo:
            raise UsageError(f"`{request.op}` needs a repository", "Name one.")
        slot = self._workers.find(request.repo)
        key = str(slot.key)
        with self._lock:
            if self._busy[key] >= self._per_repository:
                raise BusyError(f"too many requests wait for {slot.entry.name}", "Try again in a moment.")
            self._busy[key] += 1
        try:
            with slot.use() as worker:
                told = worker.handle(request.op, request.args, connection.progress)
                if worker.waits():
                    slot.more = True
                    slot.nudge()
                return told
        finally:
            with self._lock:
                self._busy[key] -= 1
                if not self._busy[key]:
                    del self._busy[key]

    def _ping(self, _: Request) -> dict[str, object]:
        return {"pid": os.getpid(), "version": self._version, "started": self._started}

    def _status(self, request: Request) -> dict[str, object]:
        shapes = self._workers.shapes()
        return {
            **self._ping(request),
            "repositories": [shape.plain() for shape in shapes],
            "queue": sum(shape.queue for shape in shapes),
        }

    def _stopping(self, request: Request) -> dict[str, object]:
        told = self._status(request)
        logger.info("asked to stop")
        self._stop.set()
        self._workers.changed.set()
        return told

    def _register(self, request: Request) -> dict[str, object]:
        place = find(request.repo)
        slot = self._workers.register(place, request.repo)
        return {"path": str(slot.entry.name), "common": str(slot.key)}

    def _unregister(self, request: Request) -> dict[str, object]:
        return {"known": self._workers.forget(request.repo)}

    def _error(self, error: BaseException, began: float) -> bytes:
        return encode({"ok": False, "error": error_body(error), "ms": _ms(began), "version": self._version})


def _line(sock: socket.socket, pending: bytearray) -> bytes | None:
    """The next line, taken out of `pending`; None at the end. Raises `ProtocolError` when it is too long."""
    seen = 0
    while (at := pending.find(b"\n", seen)) < 0:
        seen = len(pending)
        if seen > MAX_LINE:
            raise ProtocolError(f"a request is longer than {MAX_LINE:,} bytes")
        more = sock.recv(262_144)
        if not more:
            return None
        pending += more
    line = bytes(pending[:at])
    del pending[: at + 1]
    return line


def _hang_up(sock: socket.socket, reading_only: bool = False) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RD if reading_only else socket.SHUT_RDWR)


def _ms(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 3)

"""Writes that survive a crash; every system call of the store goes through one object that tests replace."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..repo.errors import CortexError, PlaceError
from ..repo.files import naming

T = TypeVar("T")

#: Names that begin so are files under construction: readers pass them over.
TEMPORARY = ".tmp-"


class NotWrittenError(PlaceError):
    """The disk refused a write: nothing of it counts as stored."""


@dataclass(frozen=True)
class Stat:
    """What the store asks of a file's status; `size` in bytes, `mtime` in nanoseconds; `other` is what is
    neither a plain file nor a folder.
    """

    ino: int
    size: int
    mtime: int
    folder: bool
    other: bool = False


class System:
    """The system calls that the store makes. Tests put faults, or a whole simulated disk, in its place."""

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        """A descriptor of a plain file or a folder, which no child process inherits.

        Raises `OSError`, for anything else too: to open a pipe waits for somebody at its other end.
        """
        fd = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, mode)
        kind = os.fstat(fd).st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            os.close(fd)
            raise OSError(errno.EINVAL, "not a plain file", str(path))
        return fd

    def close(self, fd: int) -> None:
        """Give a descriptor back."""
        os.close(fd)

    def write(self, fd: int, data: bytes | memoryview) -> int:
        """Write, perhaps only a part; the number of bytes written."""
        return os.write(fd, data)

    def pread(self, fd: int, count: int, offset: int) -> bytes:
        """At most `count` bytes from `offset`."""
        return os.pread(fd, count, offset)

    def truncate(self, fd: int, size: int) -> None:
        """Cut a file back to `size` bytes."""
        os.ftruncate(fd, size)

    def sync(self, fd: int) -> None:
        """Return when the file's bytes and size (or a folder's names) are on the medium itself."""
        if sys.platform == "darwin":
            # fsync stops at the drive's cache there: fsync(2), "F_FULLFSYNC".
            with contextlib.suppress(OSError):
                fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
                return
            os.fsync(fd)
        elif stat.S_ISREG(os.fstat(fd).st_mode):
            os.fdatasync(fd)
        else:
            os.fsync(fd)

    def replace(self, source: Path, target: Path) -> None:
        """Rename within one file system, over what is there."""
        os.replace(source, target)

    def unlink(self, path: Path) -> None:
        """Take a name away."""
        os.unlink(path)

    def mkdir(self, path: Path, mode: int = 0o700) -> None:
        """Make a folder."""
        os.mkdir(path, mode)

    def listdir(self, path: Path) -> list[str]:
        """The names in a folder, in no order."""
        return os.listdir(path)

    def stat(self, path: Path) -> Stat:
        """The status of a name, links not followed; raises `FileNotFoundError`."""
        return _stat(os.lstat(path))

    def fstat(self, fd: int) -> Stat:
        """The status of an open file."""
        return _stat(os.fstat(fd))

    def flock(self, fd: int, operation: int) -> None:
        """flock(2)."""
        fcntl.flock(fd, operation)

    def now(self) -> float:
        """Seconds of a clock that only runs forward."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


SYSTEM = System()


def _stat(status: os.stat_result) -> Stat:
    folder, plain = stat.S_ISDIR(status.st_mode), stat.S_ISREG(status.st_mode)
    return Stat(status.st_ino, status.st_size, status.st_mtime_ns, folder, not (folder or plain))


def retry(call: Callable[[], T]) -> T:
    """`call()` until no signal cuts it short."""
    while True:
        try:
            return call()
        except InterruptedError:
            continue


def refused(error: OSError, path: Path) -> CortexError:
    """The error that a person is shown for a write which the disk refused."""
    where = f"cannot write {path}: {error.strerror or error}"
    hints = {
        errno.ENOSPC: "The disk is full: free some space, then run this again.",
        errno.EDQUOT: "The quota is used up: free some space, then run this again.",
        errno.EROFS: "The file system is read-only: what is stored can be read, and nothing can be added.",
        errno.EACCES: "Check who owns this folder and its permissions.",
        errno.EPERM: "Check who owns this folder and its permissions.",
        errno.EMFILE: "Too many files are open in this process: raise `ulimit -n`, or try again.",
        errno.ENFILE: "Too many files are open on this machine: try again.",
        errno.EIO: "The disk reports an input/output error: check it, and run `cortex doctor`.",
    }
    return NotWrittenError(where, hints.get(error.errno or 0, "Nothing was stored: run this again."))


@contextmanager
def opened(system: System, path: Path, flags: int, mode: int = 0o600) -> Iterator[int]:
    """A descriptor, closed at the end. What the disk refuses meanwhile names the file."""
    fd = retry(lambda: system.open(path, flags, mode))
    try:
        with naming(path):
            yield fd
    finally:
        system.close(fd)


def write_all(system: System, fd: int, data: bytes) -> None:
    """Write all of `data`. A full disk makes `os.write` return short, without an exception."""
    rest = memoryview(data)
    while rest:
        part = rest
        written = retry(lambda: system.write(fd, part))  # noqa: B023 - called at once
        if written <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        rest = rest[written:]


def read(system: System, path: Path, offset: int = 0) -> bytes:
    """The bytes of a file from `offset` on; raises `FileNotFoundError`."""
    with opened(system, path, os.O_RDONLY | os.O_NOFOLLOW) as fd:
        return read_fd(system, fd, offset)


def read_fd(system: System, fd: int, offset: int = 0) -> bytes:
    """The bytes of an open file from `offset` on."""
    parts = []
    while part := retry(lambda: system.pread(fd, 1 << 20, offset)):  # noqa: B023 - called at once
        parts.append(part)
        offset += len(part)
    return b"".join(parts)


def sync_folder(system: System, folder: Path) -> None:
    """Make the names in `folder` durable."""
    with opened(system, folder, os.O_RDONLY | os.O_DIRECTORY) as fd:
        retry(lambda: system.sync(fd))


def sync_path(system: System, path: Path, top: Path) -> None:
    """Make a file durable, and its name, and the names of the folders from there up to inside `top`."""
    with opened(system, path, os.O_RDONLY) as fd:
        retry(lambda: system.sync(fd))
    for folder in path.parents:
        sync_folder(system, folder)
        if folder == top:
            return


def make_folder(system: System, folder: Path, top: Path) -> None:
    """Make `folder` and what is missing between it and `top`, each name durable in the folder above it."""
    if exists(system, folder):
        return
    if folder != top:
        make_folder(system, folder.parent, top)
    with contextlib.suppress(FileExistsError):
        retry(lambda: system.mkdir(folder))
    sync_folder(system, folder.parent)


def exists(system: System, path: Path) -> bool:
    """Whether there is anything by this name."""
    try:
        system.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def names(system: System, folder: Path) -> list[str]:
    """The names in a folder, sorted, without files under construction; none where there is no folder."""
    try:
        return sorted(name for name in system.listdir(folder) if not name.startswith(TEMPORARY))
    except (FileNotFoundError, NotADirectoryError):
        return []


def write_file(system: System, path: Path, data: bytes) -> None:
    """Put `data` at `path`, whole or not at all: a temporary file, fsync, rename, fsync of the folder.

    Raises `OSError`; what was at `path` is untouched then, or already replaced by all of `data`.
    """
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{os.urandom(6).hex()}")
    try:
        with opened(system, temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as fd:
            write_all(system, fd, data)
            retry(lambda: system.sync(fd))
        retry(lambda: system.replace(temporary, path))
    except OSError:
        with contextlib.suppress(OSError):
            system.unlink(temporary)
        raise
    sync_folder(system, path.parent)

"""Events of a work tree, through watchdog: on Linux by an emitter that leaves out what is ignored.

watchdog's own recursive watch would put one kernel watch on each folder of `.git` and `node_modules`, and its
version 6 says nothing when the kernel drops events. Source: inotify(7).
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from watchdog.events import FileDeletedEvent, FileModifiedEvent, FileSystemEvent
from watchdog.observers.api import BaseObserver, EventEmitter

MAX_FOLDERS = 50_000
LOST = "lost"

_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
_OVERFLOW, _IGNORED, _ISDIR = 0x4000, 0x8000, 0x40000000
_ONLYDIR, _DONT_FOLLOW, _EXCL_UNLINK = 0x01000000, 0x02000000, 0x04000000
_MASK = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _ONLYDIR | _DONT_FOLLOW | _EXCL_UNLINK
_MOVES_AT_ONCE = 50  # folders moved in one batch; beyond it all watches are made anew


class TooLarge(OSError):  # noqa: N818 - a state of affairs
    """More folders than are worth a watch each."""


class LostEvent(FileSystemEvent):
    """Some events never came: what there is must be looked at instead."""

    event_type = LOST


@dataclass(frozen=True)
class Plan:
    """What to watch: `trees` with all below them but what `skip` names; `flat`, folders by themselves."""

    trees: tuple[str, ...]
    flat: tuple[str, ...]
    skip: Callable[[str], bool]
    limit: int = MAX_FOLDERS


@dataclass
class Handler:
    """Gives each event to `sink`: (path, whether events were lost)."""

    sink: Callable[[str, bool], None] = field(compare=False)

    def __hash__(self) -> int:
        return id(self)

    def dispatch(self, event: FileSystemEvent) -> None:
        """Called by watchdog, in its own thread."""
        if event.event_type == LOST:
            self.sink("", True)
            return
        for path in (event.src_path, event.dest_path):
            if path:
                self.sink(os.fsdecode(path), False)


def observe(plan: Plan, sink: Callable[[str, bool], None]) -> BaseObserver:
    """Start watching. Raises `TooLarge`, or `OSError` when the system has no watches left."""
    handler: Any = Handler(sink)
    if sys.platform == "linux":
        observer = BaseObserver(_emitter(plan))
        observer.schedule(handler, (plan.trees or plan.flat)[0], recursive=True)
    else:
        from watchdog.observers import Observer

        observer = Observer()
        for folder in _outermost((*plan.trees, *plan.flat)):
            observer.schedule(handler, folder, recursive=True)
    observer.daemon = True
    observer.start()
    return observer


def folders(root: str, skip: Callable[[str], bool]) -> Iterable[str]:
    """`root` and the folders below it, without links, without what `skip` names."""
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        yield folder
        try:
            with os.scandir(folder) as entries:
                waiting += [each.path for each in entries if _is_folder(each) and not skip(each.path)]
        except OSError:
            continue  # gone meanwhile, or not ours to read


def limit() -> int:
    """How many folders of one repository may be watched: the limit is the person's, editors need some too."""
    try:
        return min(MAX_FOLDERS, int(Path("/proc/sys/fs/inotify/max_user_watches").read_bytes()) // 4)
    except (OSError, ValueError):
        return MAX_FOLDERS


class Inotify(EventEmitter):
    """Emits what happens to the files of a plan: one kernel queue, one watch per folder."""

    plan: Plan

    def on_thread_start(self) -> None:
        """Set the watches, in the caller's thread: what goes wrong is raised to it."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._wake = os.pipe()
        self._fd = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._paths: dict[int, str] = {}
        self._flat: set[int] = set()
        try:
            if self._fd < 0:
                raise _last_error()
            self._watch_all()
        except OSError:
            self._close()
            raise

    def on_thread_stop(self) -> None:
        """Wake the thread up, so that it ends."""
        try:
            os.write(self._wake[1], b"x")
        except OSError:
            return  # it has ended already

    def run(self) -> None:
        """Until stopped, or until the watches run out: then loss is told for the last time."""
        try:
            super().run()
        except OSError:
            self.queue_event(LostEvent(""))
        finally:
            self._close()

    def queue_events(self, timeout: float) -> None:
        """Wait for the kernel, however long, and pass on what it says."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        poll.register(self._wake[0], select.POLLIN)
        if any(fd == self._wake[0] for fd, _ in poll.poll()):
            return
        try:
            data = os.read(self._fd, 262_144)
        except BlockingIOError:
            return
        at = moved = 0
        while at + 16 <= len(data):
            wd, mask, _, length = struct.unpack_from("iIII", data, at)
            name = os.fsdecode(data[at + 16 : at + 16 + length].rstrip(b"\0"))
            at += 16 + length
            moved += bool(mask & _ISDIR and mask & _MOVED_FROM)
            if mask & _OVERFLOW or moved > _MOVES_AT_ONCE:
                self._start_over()
                return
            self._take(wd, mask, name)

    def _take(self, wd: int, mask: int, name: str) -> None:
        if mask & _IGNORED:
            self._paths.pop(wd, None)
            self._flat.discard(wd)
            return
        folder = self._paths.get(wd)
        if folder is None or not name:
            return
        path = f"{folder}/{name}"
        if not mask & _ISDIR:
            if mask & (_CLOSE_WRITE | _MOVED_TO):
                self.queue_event(FileModifiedEvent(path))
            elif mask & (_DELETE | _MOVED_FROM):
                self.queue_event(FileDeletedEvent(path))
        elif wd not in self._flat and not self.plan.skip(path):
            if mask & _MOVED_FROM:
                self._forget(path)
            elif mask & (_CREATE | _MOVED_TO):
                self._add_tree(path, tell=True)

    def _watch_all(self) -> None:
        for tree in self.plan.trees:
            self._add_tree(tree, tell=False)
        for folder in self.plan.flat:
            wd = self._add(folder)
            if wd is not None:
                self._flat.add(wd)

    def _start_over(self) -> None:
        """Events were dropped, new folders may have been missed: set every watch again, and say so."""
        self._watch_all()  # a folder that is watched keeps its watch
        self.queue_event(LostEvent(""))

    def _add_tree(self, root: str, tell: bool) -> None:
        """Watch a folder and those below it; `tell` of its files too, as they may be older than the watch."""
        for folder in folders(root, self.plan.skip):
            self._add(folder)
            if tell:
                try:
                    with os.scandir(folder) as entries:
                        for each in entries:
                            if not _is_folder(each):
                                self.queue_event(FileModifiedEvent(each.path))
                except OSError:
                    continue

    def _add(self, folder: str) -> int | None:
        if len(self._paths) >= self.plan.limit:
            raise TooLarge(errno.ENOSPC, f"more than {self.plan.limit} folders", folder)
        wd = int(self._libc.inotify_add_watch(self._fd, os.fsencode(folder), _MASK))
        if wd >= 0:
            self._paths[wd] = folder
            return wd
        error = _last_error()
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP):
            return None  # gone meanwhile, or not ours to read
        raise error

    def _forget(self, root: str) -> None:
        """A folder moved away: where it went, if it is in the tree, is told next. What it held is not."""
        below = root + "/"
        for wd, path in list(self._paths.items()):
            if path == root or path.startswith(below):
                del self._paths[wd]
                self._libc.inotify_rm_watch(self._fd, wd)
        self.queue_event(LostEvent(""))

    def _close(self) -> None:
        for descriptor in (self._fd, *self._wake):
            if descriptor >= 0:
                os.close(descriptor)


def _emitter(plan: Plan) -> type[EventEmitter]:
    return type("PlannedInotify", (Inotify,), {"plan": plan})


def _last_error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _outermost(paths: Iterable[str]) -> list[str]:
    """Those that lie in none of the others: a stream covers all below its folder."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not any(path.startswith(other + "/") for other in kept):
            kept.append(path)
    return kept

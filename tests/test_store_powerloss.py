"""Rows 1 and 2 of the test programme: a simulated disk that loses power, and the bugs it must catch."""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cortex.repo.errors import CortexError
from cortex.store.durable import Stat, System
from cortex.store.journal import FileJournal, create
from cortex.store.kinds import Correction, Generation
from cortex.store.record import Draft, Record

STORE = Path("/r/cortex")
NOW = 1_700_000_000_000
SECTOR = 64  # small, so that one record spans several


class PowerLoss(BaseException):
    """The machine went off in the middle of a system call. Not an Exception: nothing cleans up after it."""


@dataclass
class Node:
    """One inode: what is in the cache, what is on the medium, and what was done in between."""

    ino: int
    folder: bool
    data: bytearray = field(default_factory=bytearray)
    disk: bytes = b""
    pending: list[tuple[str, int, bytes]] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    disk_names: dict[str, int] = field(default_factory=dict)
    changes: list[tuple[tuple[str, int | None], ...]] = field(default_factory=list)
    mtime: int = 0


class SimulatedDisk(System):
    """A file system in memory which keeps apart what was written from what is durable."""

    def __init__(self) -> None:
        self.nodes: dict[int, Node] = {0: Node(0, True), 1: Node(1, True)}
        self.nodes[0].names = {"r": 1}
        self.nodes[0].disk_names = {"r": 1}
        self.fds: dict[int, tuple[int, bool]] = {}
        self.calls = 0
        self.stop_at = -1
        self._next = 10

    def tick(self) -> None:
        self.calls += 1
        if self.calls == self.stop_at:
            raise PowerLoss

    def node(self, path: Path) -> Node:
        at = self.nodes[0]
        for part in path.parts[1:]:
            if not at.folder:
                raise NotADirectoryError(20, "not a folder", str(path))
            if part not in at.names:
                raise FileNotFoundError(2, "no such file", str(path))
            at = self.nodes[at.names[part]]
        return at

    def change(self, folder: Node, *names: tuple[str, int | None]) -> None:
        self._next += 1
        for name, ino in names:
            if ino is None:
                folder.names.pop(name, None)
            else:
                folder.names[name] = ino
        folder.changes.append(names)
        folder.mtime = self._next

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        self.tick()
        try:
            node = self.node(path)
            if flags & os.O_EXCL:
                raise FileExistsError(17, "exists", str(path))
        except FileNotFoundError:
            if not flags & os.O_CREAT:
                raise
            self._next += 1
            node = self.nodes[self._next] = Node(self._next, False)
            self.change(self.node(path.parent), (path.name, node.ino))
        if flags & os.O_TRUNC:
            node.data.clear()
            node.pending.append(("truncate", 0, b""))
        self._next += 1
        self.fds[self._next] = (node.ino, bool(flags & os.O_APPEND))
        return self._next

    def close(self, fd: int) -> None:
        del self.fds[fd]

    def write(self, fd: int, data: bytes | memoryview) -> int:
        node = self.nodes[self.fds[fd][0]]
        self.calls += 1
        if self.calls == self.stop_at:  # the machine goes off when a part was written
            part = bytes(data)[: len(data) // 2]
            node.pending.append(("write", len(node.data), part))
            node.data += part
            raise PowerLoss
        node.pending.append(("write", len(node.data), bytes(data)))
        node.data += data
        self._next += 1
        node.mtime = self._next
        return len(data)

    def pread(self, fd: int, count: int, offset: int) -> bytes:
        return bytes(self.nodes[self.fds[fd][0]].data[offset : offset + count])

    def truncate(self, fd: int, size: int) -> None:
        self.tick()
        node = self.nodes[self.fds[fd][0]]
        del node.data[size:]
        node.pending.append(("truncate", size, b""))

    def sync(self, fd: int) -> None:
        self.tick()
        node = self.nodes[self.fds[fd][0]]
        if node.folder:
            node.disk_names = dict(node.names)
            node.changes.clear()
        else:
            node.disk = bytes(node.data)
            node.pending.clear()

    def replace(self, source: Path, target: Path) -> None:
        self.tick()
        assert source.parent == target.parent or "quarantine" in target.parts
        folder = self.node(source.parent)
        self.change(folder, (target.name, self.node(source).ino), (source.name, None))

    def unlink(self, path: Path) -> None:
        self.tick()
        self.node(path)
        self.change(self.node(path.parent), (path.name, None))

    def mkdir(self, path: Path, mode: int = 0o700) -> None:
        self.tick()
        folder = self.node(path.parent)
        if path.name in folder.names:
            raise FileExistsError(17, "exists", str(path))
        self._next += 1
        self.nodes[self._next] = Node(self._next, True)
        self.change(folder, (path.name, self._next))

    def listdir(self, path: Path) -> list[str]:
        return list(self.node(path).names)

    def stat(self, path: Path) -> Stat:
        node = self.node(path)
        return Stat(node.ino, len(node.data), node.mtime, node.folder)

    def fstat(self, fd: int) -> Stat:
        node = self.nodes[self.fds[fd][0]]
        return Stat(node.ino, len(node.data), node.mtime, node.folder)

    def flock(self, fd: int, operation: int) -> None:
        pass

    def killed(self) -> SimulatedDisk:
        """The same disk after the process died and the machine did not."""
        after = copy.deepcopy(self)
        after.fds.clear()
        after.calls, after.stop_at = 0, -1
        return after

    def after_power_loss(self, chance: random.Random) -> SimulatedDisk:
        """One of the states that the medium may be in: of what was not synced, any part may be there."""
        after = self.killed()
        for node in after.nodes.values():
            if node.folder:
                names = dict(node.disk_names)
                kept = chance.choice(["all", "none", "prefix", "any"])
                until = chance.randrange(len(node.changes) + 1)
                for index, change in enumerate(node.changes):
                    if (
                        kept == "all"
                        or (kept == "prefix" and index < until)
                        or (kept == "any" and chance.random() < 0.5)
                    ):
                        for name, ino in change:
                            if ino is None:
                                names.pop(name, None)
                            else:
                                names[name] = ino
                node.names = names
                node.disk_names = dict(names)
                node.changes.clear()
            else:
                node.data = bytearray(self._content(node, chance))
                node.disk = bytes(node.data)
                node.pending.clear()
        return after

    def _content(self, node: Node, chance: random.Random) -> bytes:
        """Dropped, a prefix, zero-filled, or sector by sector one or the other."""
        if not node.pending:
            return node.disk
        kept = chance.choice(["all", "dropped", "prefix", "zeros", "sectors"])
        if kept == "dropped":
            return node.disk
        count = len(node.pending) if kept == "all" else chance.randrange(1, len(node.pending) + 1)
        data = bytearray(node.disk)
        for index, (what, at, text) in enumerate(node.pending[:count]):
            if what == "truncate":
                del data[at:]
                continue
            if index == count - 1 and kept == "prefix":
                text = text[: chance.randrange(len(text) + 1)]
            elif index == count - 1 and kept == "zeros":
                whole = chance.randrange(len(text) + 1)
                text = text[:whole] + bytes(len(text) - whole)
            elif kept == "sectors":
                text = b"".join(
                    text[i : i + SECTOR] if chance.random() < 0.6 else bytes(len(text[i : i + SECTOR]))
                    for i in range(0, len(text), SECTOR)
                )
            if len(data) < at:
                data += bytes(at - len(data))
            data[at : at + len(text)] = text
        return bytes(data)


class NoSync(SimulatedDisk):
    """Seeded bug: files are not synced."""

    def sync(self, fd: int) -> None:
        if self.nodes[self.fds[fd][0]].folder:
            super().sync(fd)


class NoFolderSync(SimulatedDisk):
    """Seeded bug: folders are not synced."""

    def sync(self, fd: int) -> None:
        if not self.nodes[self.fds[fd][0]].folder:
            super().sync(fd)


class AcknowledgeFirst(SimulatedDisk):
    """Seeded bug: a log is synced only after its record was acknowledged, at the next call but ten."""

    def __init__(self) -> None:
        super().__init__()
        self.owed: list[tuple[int, int]] = []

    def tick(self) -> None:
        for due, ino in list(self.owed):
            if due <= self.calls:
                self.owed.remove((due, ino))
                self.nodes[ino].disk = bytes(self.nodes[ino].data)
                self.nodes[ino].pending.clear()
        super().tick()

    def sync(self, fd: int) -> None:
        ino = self.fds[fd][0]
        if self.nodes[ino].folder:
            super().sync(fd)
        else:
            self.owed.append((self.calls + 10, ino))


class UnsyncedRename(SimulatedDisk):
    """Seeded bug: a temporary file is renamed into place before its bytes are durable."""

    def sync(self, fd: int) -> None:
        ino = self.fds[fd][0]
        if not any(
            name.startswith(".tmp-")
            for each in self.nodes.values()
            for name, i in each.names.items()
            if i == ino
        ):
            super().sync(fd)


class World:
    """One run: random operations, and what was acknowledged."""

    def __init__(self, disk: SimulatedDisk, chance: random.Random) -> None:
        self.disk = disk
        self.chance = chance
        self.now = NOW
        self.acknowledged: dict[str, Record] = {}
        self.broken = ""

    def journal(self) -> FileJournal:
        return FileJournal(STORE, "Ada <ada@example.org>", clock=self.clock, system=self.disk)

    def clock(self) -> int:
        self.now += self.chance.randrange(3)
        return self.now

    def step(self, journal: FileJournal) -> None:
        what = self.chance.random()
        if what < 0.6:
            count = self.chance.randrange(1, 4)
            drafts = [
                Draft(Generation(path=f"p{i}") if self.chance.random() < 0.4 else Correction(before="é" * 9))
                for i in range(count)
            ]
            written = journal.append(drafts)
        elif what < 0.75 and self.acknowledged:
            old = self.chance.choice(list(self.acknowledged.values()))
            written = [journal.edit(old.m, Correction(before="edited"))]
        elif what < 0.82 and self.acknowledged:
            written = [journal.delete(self.chance.choice(list(self.acknowledged.values())).m)]
        else:
            journal.seal()
            written = []
        self.acknowledged |= {record.id: record for record in written}

    def run(self, steps: int, stop_at: int) -> None:
        """Some steps, ended by a power cut in the middle of a call, or after the last of them."""
        self.disk.calls, self.disk.stop_at = 0, stop_at
        try:
            create(STORE, self.disk)
            journal = self.journal()
            for _ in range(steps):
                self.step(journal)
        except PowerLoss:
            pass
        except CortexError as error:
            self.broken = f"{type(error).__name__}: {error}"
            if type(self.disk) is SimulatedDisk:
                raise
        self.disk.stop_at = -1

    def lost(self, disk: SimulatedDisk) -> list[str]:
        """The acknowledged records that a new process does not find on this disk."""
        if not self.acknowledged:
            return []
        if self.broken:
            return [self.broken]
        try:
            journal = FileJournal(STORE, "", clock=self.clock, system=disk)
            found = {record.id for record in journal.records()}
        except Exception as error:  # noqa: BLE001 - whatever it is, the records are not there
            return [f"{type(error).__name__}: {error}"]
        return sorted(self.acknowledged.keys() - found)


def simulate(make: Callable[[], SimulatedDisk], seed: int, states: int) -> tuple[int, int, str]:
    """Run until `states` states were looked at: how many, in how many something was lost, and the first."""
    chance = random.Random(seed)
    looked = losses = 0
    first = ""
    while looked < states:
        world = World(make(), chance)
        world.run(chance.randrange(1, 9), chance.randrange(5, 500))
        for _ in range(chance.randrange(0, 3)):
            # Life goes on after a crash of the process or of the machine, and then the power goes again.
            world.disk = world.disk.killed() if chance.random() < 0.5 else world.disk.after_power_loss(chance)
            if world.lost(world.disk):
                break
            world.run(chance.randrange(1, 6), chance.randrange(5, 300))
        for _ in range(8):
            state = world.disk.after_power_loss(chance)
            looked += 1
            if lost := world.lost(state):
                losses += 1
                first = first or f"seed {seed}, state {looked}: {lost[:2]}"
                break
    return looked, losses, first


def test_no_acknowledged_record_is_lost_when_the_power_goes(seed: int, tell: Callable[[str], None]) -> None:
    looked, losses, first = simulate(SimulatedDisk, seed, 7000)
    tell(f"power loss: {looked:,} states, {losses} lost (CORTEX_SEED={seed})")
    assert losses == 0, first


@pytest.mark.nightly
def test_no_acknowledged_record_is_lost_when_the_power_goes_all_night(
    seed: int, tell: Callable[[str], None]
) -> None:
    looked, losses, first = simulate(SimulatedDisk, seed, 7_000_000)
    tell(f"power loss: {looked:,} states, {losses} lost (CORTEX_SEED={seed})")
    assert losses == 0, first


@pytest.mark.parametrize("bug", [NoSync, NoFolderSync, AcknowledgeFirst, UnsyncedRename])
def test_the_simulator_catches_a_seeded_bug(
    bug: type[SimulatedDisk], seed: int, tell: Callable[[str], None]
) -> None:
    looked, losses, _ = simulate(bug, seed, 400)
    tell(f"seeded bug {bug.__name__}: caught in {losses} of {looked:,} states (CORTEX_SEED={seed})")
    assert losses > 0

"""Marked blocks: lines of ours in a file of the person's, which come out again byte for byte."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .errors import PlaceError

OPEN = b"# >>> cortex >>>\n"
CLOSE = b"# <<< cortex <<<\n"
_BEFORE = b"# before: "


class MarkError(PlaceError):
    """A marked block was changed so that its end cannot be told."""


@dataclass(frozen=True)
class Block:
    """One marked block in a text: where it is, and what the block says of the file before it came."""

    start: int
    end: int
    made: str = ""  # "file": there was no such file; "folder": nor its folder
    digest: str = ""
    mtime: int = 0
    cut: bool = False  # the line before the block had no end, which we added

    @property
    def before(self) -> bytes:
        """The line of the block that keeps these facts."""
        if self.made:
            said = f"no {self.made}"
        else:
            said = f"{self.digest} {self.mtime}" + (" no-line-end" if self.cut else "")
        return _BEFORE + said.encode("ascii") + b"\n"


def find(text: bytes, path: Path) -> Block | None:
    """The marked block in `text`, None where there is none; raises `MarkError` when it has no end."""
    start = 0 if text.startswith(OPEN) else text.find(b"\n" + OPEN) + 1
    if not text.startswith(OPEN, start):
        return None
    end = text.find(b"\n" + CLOSE, start)
    if end < 0:
        raise MarkError(
            f"the lines of Cortex in {path} have lost their end",
            f"Take out the lines from “{OPEN.decode().strip()}” on by hand, then run this again.",
        )
    for line in text[start:end].split(b"\n"):
        if line.startswith(_BEFORE):
            return _read(
                line[len(_BEFORE) :].decode("ascii", "replace").split(" "), start, end + 1 + len(CLOSE)
            )
    return Block(start, end + 1 + len(CLOSE))


def _read(words: list[str], start: int, end: int) -> Block:
    if words[0] == "no":
        return Block(start, end, made=words[-1])
    mtime = int(words[1]) if len(words) > 1 and words[1].isdecimal() else 0
    return Block(start, end, digest=words[0], mtime=mtime, cut="no-line-end" in words)


def put_in(
    path: Path, body: str, *, at: Callable[[bytes], int] = len, header: bytes = b"", mode: int = 0o644
) -> bool:
    """Put `body` as a marked block into `path` at the offset that `at` gives, or renew the one that is there.

    A file that is not there is made, with `header` first. Returns whether anything changed.
    """
    if not path.exists():
        missing = "file" if path.parent.is_dir() else "folder"
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, header + _block(Block(0, 0, made=missing), body), mode)
        return True
    text = path.read_bytes()
    there = find(text, path)
    if there:
        new = text[: there.start] + _block(there, body) + text[there.end :]
    else:
        offset = at(text)
        cut = offset > 0 and text[offset - 1 : offset] != b"\n"
        fresh = Block(0, 0, digest=_digest(text), mtime=path.stat().st_mtime_ns, cut=cut)
        new = text[:offset] + (b"\n" if cut else b"") + _block(fresh, body) + text[offset:]
    if new == text:
        return False
    write(path, new, path.stat().st_mode & 0o7777)
    return True


def whole(header: bytes, body: str) -> bytes:
    """A file that holds nothing but `header` and the marked block."""
    return header + _block(Block(0, 0, made="file"), body)


def take_out(path: Path, header: bytes = b"") -> bool:
    """Take the marked block out of `path`; a file or folder made for it goes too. False: there was none."""
    sweep(path)
    if not path.is_file():
        return False
    text = path.read_bytes()
    block = find(text, path)
    if block is None:
        return False
    rest = text[: block.start] + text[block.end :]
    if block.cut and block.start == len(rest):
        rest = rest[:-1]
    if block.made and rest in (b"", header):
        path.unlink()
        if block.made == "folder":
            with contextlib.suppress(OSError):  # something else is in there by now
                path.parent.rmdir()
        return True
    same = _digest(rest) == block.digest
    write(path, rest, path.stat().st_mode & 0o7777, block.mtime if same else 0)
    return True


def write(path: Path, data: bytes, mode: int, mtime: int = 0) -> None:
    """Replace the file at `path` at one stroke; a link stays a link. `mtime` in ns, 0 for now."""
    target = Path(os.path.realpath(path))
    draft = target.with_name(f".{target.name}.{secrets.token_hex(6)}.cortex")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(mode)
        with contextlib.suppress(OSError):  # another's file, changed by the superuser, stays theirs
            was = target.stat()
            os.chown(draft, was.st_uid, was.st_gid)
        if mtime:
            os.utime(draft, ns=(mtime, mtime))
        draft.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise PlaceError(
            f"cannot write {path}: {error.strerror}", "Make its folder writable, then run this again."
        ) from error


def sweep(path: Path) -> None:
    """Remove the drafts that a killed `write` left beside `path`."""
    target = Path(os.path.realpath(path))
    draft = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{12}}\.cortex")
    with contextlib.suppress(OSError):
        for entry in list(target.parent.iterdir()):
            if draft.fullmatch(entry.name):
                entry.unlink()


def _block(facts: Block, body: str) -> bytes:
    return OPEN + facts.before + body.encode("utf-8", "surrogateescape") + CLOSE


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]

"""What makes a repository's own code findable: words and vectors of its files; derived, rebuilt when in doubt."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from ..repo.errors import BusyError, PlaceError
from . import codefiles
from .codefiles import FileEntry, Place
from .codewords import Bag, Units, Vocabulary, bag
from .lock import writer_lock
from .protocols import Encoder, Floats, Passage, Source

#: Windows of lines that are embedded of a long text, each under its first line: so long, and so far apart.
WINDOW, STRIDE = 14, 10
HEAD = 160
#: Of a doc comment so much stands before the code.
DOC = 400
LONGEST = 4_000
#: What is read at a time: so much is lost by a kill.
PIECE = 48
#: More places than these are not held; what is beyond is counted as passed over.
MOST = 60_000
#: More pieces than these are made one when nothing is left to read.
PIECES = 6
IDLE_S = 0.1
TOO_MANY = "too many places"
Numbers = npt.NDArray[np.int64]


def windows(text: str) -> list[str]:
    """A text as the windows of lines that are embedded; itself where it is short."""
    lines = text.split("\n")
    if len(lines) <= WINDOW + 4:
        return [text]
    head = lines[0][:HEAD]
    starts = range(0, len(lines) - WINDOW + STRIDE, STRIDE)
    return [head + "\n" + "\n".join(lines[at : at + WINDOW]) for at in starts]


def text_of(passage: Passage, docs: bool = True) -> str:
    """What is embedded of a passage: its doc comment, and its code."""
    doc = passage.doc[:DOC] + "\n" if docs and passage.doc else ""
    return (doc + passage.code)[:LONGEST]


def name_of(path: str, name: str) -> str:
    """What a passage is called, with its file."""
    return f"{PurePosixPath(path).stem} {name}"


def bag_of(path: str, passage: Passage, vocabulary: Vocabulary, docs: bool = True) -> Bag:
    """The words of a passage, by field."""
    stem = path.rpartition(".")[0] or path
    doc = passage.doc[:DOC] if docs else ""
    return bag(
        (passage.name.replace(".", " "), stem.replace("/", " "), doc, passage.code[:LONGEST]), vocabulary
    )


@dataclass(frozen=True)
class Cosines:
    """How near a question is to each place: its best window, all of it, its name, its path, and as code."""

    window: Floats
    whole: Floats
    name: Floats
    path: Floats
    as_code: Floats


class Corpus:
    """The files of one tree, side by side, as they are asked."""

    def __init__(self, entries: Sequence[FileEntry], vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.entries = entries
        self.places: list[tuple[FileEntry, Place]] = [
            (each, place) for each in entries for place in each.places
        ]
        sizes = [len(each.places) for each in entries]
        files = np.repeat(np.arange(len(entries), dtype=np.int64), sizes)
        self.units = Units([bag for each in entries for bag in each.bags], files)
        windows = np.fromiter((place.windows for _, place in self.places), np.int64, len(self.places))
        starts = np.concatenate([[0], np.cumsum([len(each.rows) for each in entries])]).astype(np.int64)
        self._path = starts[:-1]
        # Within a file the rows follow its path's, place by place.
        before = np.concatenate([[0], np.cumsum(windows + 2)])[:-1]
        firsts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)[:-1]
        inside = before - (before[np.minimum(firsts, max(0, len(before) - 1))][files] if len(before) else 0)
        self._name: Numbers = (starts[files] + 1 + inside).astype(np.int64)
        self._windows = windows
        self._facts: Floats | None = None

    def __len__(self) -> int:
        return len(self.places)

    @cached_property
    def names(self) -> list[str]:
        """The name of each place."""
        return [place.name for _, place in self.places]

    @cached_property
    def paths(self) -> list[str]:
        """The path of each place."""
        return [entry.path for entry, _ in self.places]

    @cached_property
    def lines(self) -> Mapping[tuple[str, str], int]:
        """Where each named place begins, by its path and name; the first where there are several."""
        return {(entry.path, place.name): place.first for entry, place in reversed(self.places) if place.name}

    @cached_property
    def called(self) -> Mapping[str, Sequence[int]]:
        """Which places have a name, by the last part of it."""
        out: dict[str, list[int]] = {}
        for at, (_, place) in enumerate(self.places):
            out.setdefault(place.name.rpartition(".")[2], []).append(at)
        return out

    @cached_property
    def sections(self) -> npt.NDArray[np.bool_]:
        """Which places are prose."""
        return np.array([place.kind == "section" for _, place in self.places], np.bool_)

    def facts(self, made: Callable[[Sequence[tuple[str, str]]], Floats]) -> Floats:
        """What is told of each place by its path and name alone, made once."""
        if self._facts is None:
            self._facts = made(list(zip(self.paths, self.names, strict=True)))
        return self._facts

    def among(self, folder: str, endings: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Which places lie in a folder, in files with one of these endings; without a wish each does."""
        inside = f"{folder.rstrip('/')}/" if folder else ""
        tail = tuple(endings)
        told = [
            entry.path.startswith(inside) and (not tail or entry.path.endswith(tail))
            for entry in self.entries
        ]
        return np.array(told, np.bool_)[self.units.files]

    @cached_property
    def _rows(self) -> codefiles.Rows:
        rows = [each.rows for each in self.entries]
        return np.concatenate(rows) if rows else np.zeros((0, 1), np.int8)

    def cosines(self, query: Floats, as_code: Floats) -> Cosines:
        """The cosines of a question, embedded as a question and as code, with each place."""
        if not len(self):
            none = np.zeros(0, np.float32)
            return Cosines(none, none, none, none, none)
        blocks = (self._rows[at : at + 8_192] for at in range(0, len(self._rows), 8_192))
        both = codefiles.cosines(blocks, np.stack([query, as_code], axis=1))
        padded = np.concatenate([both, np.full((1, 2), -1.0, np.float32)])
        first = self._name + np.where(self._windows > 0, 2, 1)
        bounds = np.stack([first, self._name + 2 + self._windows], axis=1).ravel()
        best = np.maximum.reduceat(padded, bounds, axis=0)[::2]
        path = both[self._path, 0][self.units.files]
        return Cosines(best[:, 0], both[self._name + 1, 0], both[self._name, 0], path, best[:, 1])


class CodeIndex:
    """The index of a repository's code, in `folder`. Each file is read once for each content of it.

    `notes` says what went wrong on disk; the index then lives in memory.
    """

    def __init__(
        self, folder: Path, encoder: Encoder, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder = folder
        self.encoder = encoder
        self.notes: list[str] = []
        self._clock = clock
        self._vocabulary = Vocabulary()
        self._known: dict[str, FileEntry] = {}
        self._opened = False
        self._files: dict[str, tuple[str, str]] = {}  # key → path and blob, of the tree that is asked
        self._waiting: dict[str, tuple[str, str]] = {}
        self._corpus: Corpus | None = None

    @property
    def behind(self) -> int:
        """How many files still wait to be read."""
        return len(self._waiting)

    @property
    def read(self) -> int:
        """How many files of the tree were read, or passed over."""
        return len(self._files) - len(self._waiting)

    def passed(self) -> Mapping[str, int]:
        """How many files were passed over, by reason."""
        known = (self._known.get(key) for key in self._files)
        return Counter(each.passed for each in known if each is not None and each.passed)

    def corpus(self) -> Corpus:
        """What was read of the tree so far."""
        if self._corpus is None:
            there = [self._known[key] for key in self._files if key in self._known]
            self._corpus = Corpus([each for each in there if each.places], self._vocabulary)
        return self._corpus

    def refresh(self, source: Source, seconds: float | None = None, first: Sequence[str] = ()) -> bool:
        """Make the index hold the files of `source`, for about that long; True when nothing waits any more.

        Files whose path holds one of the words `first` are read before the others.
        """
        end = None if seconds is None else self._clock() + seconds
        if not self._opened:
            self._open()
        files = {f"{blob} {path}": (path, blob) for path, blob in source.files()}
        if files.keys() != self._files.keys():
            self._files, self._corpus = files, None
        waiting = [key for key in files if key not in self._known]
        waiting.sort(key=lambda key: not any(word in files[key][0].lower() for word in first))
        self._waiting = {key: files[key] for key in waiting}
        held = sum(len(self._known[key].places) for key in files if key in self._known)
        while self._waiting and (end is None or self._clock() < end):
            made = []
            for key in list(self._waiting)[:PIECE]:
                entry = self._made(*self._waiting.pop(key), source, held >= MOST)
                held += len(entry.places)
                made.append(entry)
                self._known[key] = entry
                if end is not None and self._clock() >= end:
                    break
            self._corpus = None
            self._write(made, whole=False)
        if not self._waiting:
            self._tidy()
        return not self._waiting

    def _made(self, path: str, blob: str, source: Source, full: bool) -> FileEntry:
        """Read one file."""
        found = TOO_MANY if full else source.read(path, blob)
        width = self.encoder.width
        if isinstance(found, str) or not found:
            passed = found if isinstance(found, str) else ""
            return FileEntry(path, blob, (), (), np.zeros((0, width), np.int8), passed)
        told, code = [path.replace("/", " ")], []
        places = []
        for each in found:
            text = text_of(each)
            cut = windows(text)
            more = cut if len(cut) > 1 else []
            places.append(Place(each.kind, each.name, each.first, each.last, len(more)))
            told.append(name_of(path, each.name))
            code += [text, *more]
        as_told = self.encoder.encode(told)
        as_code = self.encoder.encode(code, kind="code")
        rows, at = [as_told[:1]], 0
        for number, place in enumerate(places, 1):
            rows += [as_told[number : number + 1], as_code[at : at + 1 + place.windows]]
            at += 1 + place.windows
        bags = tuple(bag_of(path, each, self._vocabulary) for each in found)
        return FileEntry(path, blob, tuple(places), bags, codefiles.packed(np.concatenate(rows)))

    # On disk

    def _open(self) -> None:
        self._opened = True
        for name, digest in codefiles.read_manifest(self.folder, self.encoder.name).items():
            path = self.folder / name
            entries = codefiles.take(path, digest, self.encoder.width, self._vocabulary)
            if entries is None:
                self.notes.append(f"{name} was missing or damaged: what it held is read again")
            for entry in entries or ():
                self._known[entry.key] = entry

    def _tidy(self) -> None:
        """Make one piece of many, without what no tree holds any more."""
        pieces = codefiles.read_manifest(self.folder, self.encoder.name)
        stale = len(self._known) - len(self._files)
        if len(pieces) > PIECES or stale > 2 * len(self._files) + PIECE:
            kept = [self._known[key] for key in self._files]
            if self._write(kept, whole=True):
                self._known = {entry.key: entry for entry in kept}

    def _write(self, entries: Sequence[FileEntry], whole: bool) -> bool:
        """Put a piece beside the others, or in their place."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with writer_lock(self.folder, IDLE_S):
                there = {} if whole else dict(codefiles.read_manifest(self.folder, self.encoder.name))
                name, digest = codefiles.keep(self.folder, entries, self._vocabulary)
                codefiles.write_manifest(self.folder, self.encoder.name, {**there, name: digest})
        except BusyError:
            return False  # another process keeps what it read of the same files
        except (OSError, PlaceError) as error:
            self.notes = [f"the index of code cannot be kept on disk ({error}): it stays in memory"]
            return False
        return True

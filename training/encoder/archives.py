"""Reading packages as they were downloaded: wheels, npm's tarballs, Debian's; nothing is unpacked to disk or run."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from mining import taken

SUFFIXES = frozenset({".whl", ".tgz", ".deb"})
_LARGEST = 1_000_000
_COPYRIGHT = re.compile(r"/usr/share/doc/[^/]+/copyright$")


def files(archive: Path) -> Iterator[tuple[str, str]]:
    """(path, text) of the code in an archive."""
    for path, data in _members(archive, taken):
        yield path, data.decode("utf-8", "replace")


def licence(archive: Path) -> str | None:
    """The licence as the package's own metadata name it."""
    if archive.suffix == ".whl":
        found = _first(archive, lambda path: path.endswith(".dist-info/METADATA"))
        return _of_metadata(found) if found else None
    if archive.suffix == ".tgz":
        found = _first(archive, lambda path: path.count("/") == 1 and path.endswith("/package.json"))
        told = json.loads(found).get("license") if found else None
        return str(told.get("type") if isinstance(told, dict) else told) if told else None
    found = _first(archive, lambda path: _COPYRIGHT.search(path) is not None)
    return _of_copyright(found) if found else None


def _of_metadata(text: str) -> str | None:
    for pattern in (
        r"^License-Expression: (.+)$",
        r"^Classifier: License :: (?:OSI Approved :: )?(.+)$",
        r"^License: (.+)$",
    ):
        told = re.findall(pattern, text.partition("\n\n")[0], re.M)
        if told:
            return "; ".join(told)[:80]
    return None


def _of_copyright(text: str) -> str | None:
    whole = re.search(r"^Files:\s*\*\s*$.*?^License:\s*(.+?)$", text, re.S | re.M)
    match = whole or re.search(r"^License:\s*(.+?)$", text, re.M)
    return match.group(1).strip() if match else None


def _first(archive: Path, wanted: Callable[[str], bool]) -> str | None:
    return next((data.decode("utf-8", "replace") for _, data in _members(archive, wanted)), None)


def _members(archive: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                if entry.file_size < _LARGEST and wanted(entry.filename):
                    yield entry.filename, opened.read(entry)
    elif archive.suffix == ".tgz":
        with tarfile.open(archive) as opened:
            yield from _of_tar(opened, wanted)
    else:
        with subprocess.Popen(
            ["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            with tarfile.open(fileobj=process.stdout, mode="r|") as opened:
                yield from _of_tar(opened, wanted)
            process.stdout.close()


def _of_tar(opened: tarfile.TarFile, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    for entry in opened:
        if entry.isfile() and entry.size < _LARGEST and wanted(entry.name):
            data = opened.extractfile(entry)
            if data is not None:
                yield entry.name, data.read()

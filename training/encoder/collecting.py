"""Bringing the sources by name: packages with pip, npm and apt, repositories with git; what is there stays."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import archives
import clones
import licences
import pygit2
from sources import Source

_HERE = Path(__file__).parent
_WAIT = 300  # seconds that one download may take
#: Never learnt from, in whatever packing: what the encoder is judged on, here and elsewhere in this repository.
APART = (
    Source("psf/requests", "1f6589ec3a1ee910f9a65cc3ceac60b26677bc0e", "Apache-2.0", ()),
    Source("pallets/flask", "2ac89889f4cc330eabd50f295dcef02828522c69", "BSD-3-Clause", ()),
    Source("gin-gonic/gin", "dcaa4296d111981ffb31ac3eba90bb63e1eb5ab9", "MIT", ()),
    Source("spf13/cobra", "adbc8813901bba65827259daa8e22ff94ec1f30e", "Apache-2.0", ()),
    Source("expressjs/express", "a3714473feb3d2908add734d340e7755fd85e0a3", "MIT", ()),
    Source("axios/axios", "23a25af0688d1db2c396deb09229d2271cc24f6c", "MIT", ()),
)
_NEVER = re.compile(
    r"(^|[-_./])(requests|flask|gin|gin-gonic|cobra|express|axios"
    r"|hono|httpx|yargs|bubbletea|litestar|hugo|aider|beads|claude-mem)([-_./]|$)",
    re.I,
)
#: A handful that shows every step: each tool, three languages.
SAMPLE = ("attrs", "click", "commander", "async", "golang-github-miekg-dns-dev", "golang-go.uber-zap-dev")


@dataclass(frozen=True)
class Package:
    """One source: `kind` is "pypi", "npm", "deb" or "git"; a git one has its commit."""

    kind: str
    name: str
    licence: str
    commit: str = ""

    @property
    def key(self) -> str:
        """A name for files."""
        return f"{self.kind}-{re.sub(r'[^A-Za-z0-9.+-]', '+', self.name.lstrip('@'))}"


@dataclass(frozen=True)
class Brought:
    """A package on this machine: its archive, or its clone."""

    package: Package
    place: Path

    def licence(self) -> str | None:
        """The licence as the package itself says; None where it is not permissive, or not told."""
        if self.package.kind != "git":
            told = archives.licence(self.place)
            return told if told and licences.permissive(told) else None
        tree = pygit2.Repository(str(self.place))[self.package.commit].peel(pygit2.Tree)
        texts = (
            each.data.decode("utf-8", "replace")
            for each in tree
            if isinstance(each, pygit2.Blob) and str(each.name).upper().startswith(("LICEN", "COPYING"))
        )
        return next((found for found in map(licences.of_text, texts) if found), None)

    def files(self) -> Iterator[tuple[str, str]]:
        """(path, text) of its files, in an order by chance that is always the same."""
        if self.package.kind == "git":
            found = list(clones.files(pygit2.Repository(str(self.place)), self.package.commit))
        else:
            found = list(archives.files(self.place))
        random.Random(self.package.key.partition("-")[2]).shuffle(found)
        return iter(found)


def never(name: str) -> bool:
    """Whether a package or repository is, or belongs to, one that is set apart."""
    return bool(_NEVER.search(name))


def packages(kinds: frozenset[str], sample: bool = False) -> list[Package]:
    """The packages of some kinds, in the lists' order; with `sample` the handful."""
    out = []
    for line in (_HERE / "packages.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        kind, name, licence = line.split("\t")
        out.append(Package(kind, name, licence))
    for line in (_HERE / "repositories.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        name, commit, licence = line.split("\t")
        out.append(Package("git", name, licence, commit))
    if sample:
        out = [each for each in out if each.name in SAMPLE]
    return [
        each
        for each in out
        if each.kind in kinds and not never(each.name) and licences.permissive(each.licence)
    ]


def collected(
    wanted: list[Package], folder: Path, repositories: Path, failed: list[str]
) -> Iterator[Brought]:
    """Bring each package, or find it there; the names of those that cannot be had are added to `failed`."""
    for package in wanted:
        try:
            if package.kind == "git":
                source = Source(package.name, package.commit, package.licence, ())
                place = Path(clones.clone(source, repositories).path)
            else:
                place = _archive(package, folder / package.key)
        except (OSError, subprocess.SubprocessError, pygit2.GitError) as error:
            failed.append(package.key)
            print(f"  not had: {package.key} ({type(error).__name__})", flush=True)
            continue
        yield Brought(package, place)


def _archive(package: Package, folder: Path) -> Path:
    """The package's archive in a folder of its own."""
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(_command(package), cwd=folder, capture_output=True, timeout=_WAIT)
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, package.kind)
        (folder / "done").touch()
    return next(each for each in sorted(folder.iterdir()) if each.suffix in archives.SUFFIXES)


def _command(package: Package) -> list[str]:
    """What brings one package, without what it depends on, and without running anything of it."""
    if package.kind == "pypi":
        return [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--only-binary",
            ":all:",
            package.name,
        ]
    if package.kind == "npm":
        return ["npm", "pack", "--silent", "--ignore-scripts", package.name]
    return ["apt-get", "download", "-q", package.name]

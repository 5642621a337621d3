"""The HNSW graphs on disk. A damaged one can crash the process, so nothing is loaded before its hash is right."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from . import derived
from .derived import Manifest
from .growing import GrowingVectors


def read(
    folder: Path,
    manifest: Manifest,
    vectors: Mapping[str, GrowingVectors],
    heads: Mapping[str, str],
    note: Callable[[str], None],
) -> int:
    """Take up the graphs, without what changed since they were saved; how many rows they hold."""
    taken = 0
    for name, rows in vectors.items():
        graph, names = f"near-{name}.voyager", f"near-{name}.json"
        if graph not in manifest.files:
            continue
        paths = {each: folder / each for each in (graph, names)}
        if any(derived.sha256(path) != manifest.files.get(each) for each, path in paths.items()):
            note(f"{graph} was missing or damaged, and is built again")
            continue
        held = json.loads(paths[names].read_bytes())
        stale = [m for m, _, head in held if heads.get(m) != head]
        rows.restore(paths[graph], {m: number for m, number, _ in held}, stale)
        taken += len(rows.near)
    return taken


def save(
    folder: Path, manifest: Manifest, vectors: Mapping[str, GrowingVectors], heads: Mapping[str, str]
) -> None:
    """Write the graphs of those that are large enough to have one, and enter them in the manifest."""
    for name, rows in vectors.items():
        if len(rows) < rows.large:
            continue
        graph, names = f"near-{name}.voyager", f"near-{name}.json"
        temporary = folder / f"{graph}.new"
        held = [(m, number, heads[m]) for m, number in rows.near.save(temporary)]
        manifest.files[graph] = derived.sha256(temporary)
        temporary.replace(folder / graph)
        derived.replace(folder / names, json.dumps(held).encode())
        manifest.files[names] = derived.sha256(folder / names)

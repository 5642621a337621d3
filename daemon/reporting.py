"""What `cortex status` says of one repository."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from .. import __version__
from ..hooks import spool, standing
from ..hooks.install import state as hooks_state
from ..learning.live.outcomes import changes, outcomes
from ..repo import mirrors
from ..store.quarantine import Quarantine
from ..store.secrets import clean
from ..store.wording import count
from .contracts import SCHEMA
from .sharing import SYNCED
from .state import State
from .sweeping import waiting


def report(state: State) -> dict[str, object]:
    """What is watched, learnt and pending; sizes; models; the last sync; problems."""
    from ..store.analytics import figures  # DuckDB, which nothing else of the daemon needs

    store = state.place.store
    items = state.items()
    kinds: dict[str, int] = {}
    for item in items:
        kinds[item.kind] = kinds.get(item.kind, 0) + 1
    rules: dict[str, int] = {}
    for item in items:
        if item.status:
            rules[item.status] = rules.get(item.status, 0) + 1
    problems = [f"{each.path}:{each.line}: {each.reason}" for each in state.journal.problems()]
    problems += [
        f"hook {each.name} is not heard: {each.note or each.state}"
        for each in hooks_state(state.place).missing
    ]
    if again := standing.times(state.place, state.clock()):
        more = "" if len(again) < standing.MOST_A_DAY else "; until tomorrow that is not done again"
        often = count(len(again), "time")
        problems.append(
            f"another tool wrote hooks anew, and Cortex's lines were put back, {often} in a day{more}"
        )
    problems += list(state.settings().warnings)
    problems += mirrors.warnings(state.place)
    if held := len(Quarantine(store).contents()) + len(list((store / "quarantine").glob("spool-*"))):
        where = store / "quarantine"
        problems.append(
            f"{count(held, 'finding')} in quarantine ({where}): the notes beside the bytes say why"
        )
    told: dict[str, object] = {
        "schema": SCHEMA,
        "version": __version__,
        "repository": str(state.place.root or state.place.gitdir),
        "store": str(store),
        "memories": kinds,
        "rules": rules,
        "outcomes": outcomes(state.view()),
        "changes": changes(state.view()),
        "conflicts": len(state.view().conflicts()),
        "pending": {"spool": spool.count(store / "spool")},
        "sizes": {
            name: _size(store / name) for name in ("wal", "seg", "private", "index", "quarantine", "spool")
        },
        "figures": dataclasses.asdict(figures(store)),
        "index": dict(zip(("behind", "notes"), state.behind(), strict=True)),
        "models": {"set": state.models.name, "loaded": state.models.loaded},
        "last_sync": _last_sync(store),
        "sweep": waiting(state),
        "problems": problems,
    }
    cleaned: dict[str, object] = clean(told)[0]  # a reason quotes what could not be read
    return cleaned


def _size(folder: Path) -> int:
    """Bytes of all files below `folder`."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) if folder.is_dir() else 0


def _last_sync(store: Path) -> int:
    """When the last exchange ended, in ms; 0 for never."""
    mark = store / "index" / SYNCED
    return mark.stat().st_mtime_ns // 1_000_000 if mark.exists() else 0

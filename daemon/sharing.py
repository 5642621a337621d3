"""Sharing: the engine's part of `cortex sync`."""

from __future__ import annotations

from ..store.secrets import count_in_lines
from ..store.sync import sync as exchange
from . import noticing, receiving
from .contracts import SCHEMA
from .state import State

#: Its time is that of the last exchange.
SYNCED = "synced"


def sync(state: State, *, remote: str = "") -> dict[str, object]:
    """Fetch, verify, unite and push the branch of shared memories."""
    chosen = remote or state.settings().text("sync.remote") or None
    report = exchange(state.place, state.journal, chosen, scan=count_in_lines)
    if report.fetched:
        noticing.unite(state)
        receiving.judge(state)  # what arrived may warn here only after it was tried here
    if report.remote:
        mark = state.place.store / "index" / SYNCED
        mark.parent.mkdir(mode=0o700, exist_ok=True)
        mark.touch()
    return {
        "schema": SCHEMA,
        "remote": report.remote,
        "branch": report.branch,
        "commit": report.commit,
        "fetched": report.fetched,
        "pushed": report.pushed,
        "records": report.records,
        "rejected": [{"path": path, "reason": reason} for path, reason in report.rejected],
    }

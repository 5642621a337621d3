"""Proof that a capture works: a payload goes through the installed shim, and must come out in the spool."""

from __future__ import annotations

import json
import os
import subprocess
import time
import uuid
from dataclasses import dataclass

from ..hooks.install import state
from ..repo.git import clean_environment
from ..repo.places import Place
from .checkup import GONE, NOT_OURS, shim_fault

#: Seconds that a spooled event has to show up; the shim itself gives up after three.
WAIT_S = 6.0


@dataclass(frozen=True)
class Capture:
    """Whether what an agent's hook says arrives, and how that was seen."""

    works: bool
    detail: str


def capture(place: Place) -> Capture:
    """Run the shim of `place` as an agent does, with a payload that nothing is learnt from."""
    shim = place.store / "hooks" / "run"
    if place.root is None:
        return Capture(True, "a bare repository captures nothing")
    if not shim.is_file():
        return Capture(False, f"{shim} is missing: run `cortex init` again")
    why = shim_fault(place)
    if why == NOT_OURS:
        return Capture(False, f"{shim} {why}: `cortex doctor --repair` writes it anew")
    if why.startswith(GONE):
        return Capture(False, f"{shim} {why}")
    if not (place.store / "spool").is_dir():
        return Capture(False, f"{place.store / 'spool'} is no folder: `cortex doctor --repair` makes one")
    missing = [hook.name for hook in state(place).missing]
    marker = f"doctor-{uuid.uuid4()}"
    payload = {"hook_event_name": "Notification", "session_id": marker, "cwd": str(place.root)}
    try:
        done = subprocess.run(  # noqa: S603 - our own shim, no shell between
            ["/bin/sh", str(shim), "agent", "claude-code"],
            cwd=place.root,
            input=json.dumps(payload),
            env=clean_environment({"CORTEX_PROBE": marker}),
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Capture(False, f"the shim did not end: {error}")
    if done.returncode != 0:
        return Capture(False, f"the shim ended with {done.returncode}")
    if not _heard(place):
        return Capture(False, "the event stayed in the spool: nothing takes it (`cortex daemon start`)")
    if missing:
        return Capture(
            True, f"an agent's hook arrives; git hooks not heard: {', '.join(missing)}; refs are scanned"
        )
    return Capture(True, "an agent's hook arrives, and git hooks are installed")


def _heard(place: Place) -> bool:
    """Whether the spool is empty again: whoever took the event has written down what it said."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        waiting = [name for name in os.listdir(place.store / "spool") if ".agent." in name]
        if not waiting:
            return True
        time.sleep(0.05)
    return False

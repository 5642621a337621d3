"""The stage of the demonstration: clones, a home and a daemon of its own, and the words that tell what happens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..repo.errors import FINDINGS, CortexError
from ..repo.git import clean_environment, git
from . import render
from .frame import paint

#: Seconds that the daemon has for what it does in the background.
WAIT_S = 120.0  # a machine may be busy


@dataclass(frozen=True)
class Written:
    """A function as the assistant writes it, and as the person leaves it."""

    path: str
    task: str
    generated: str
    corrected: str


class DemoFailedError(CortexError):
    """A step of the demonstration did not happen."""

    exit_code = FINDINGS


class Stage:
    """A temporary home with clones and a daemon of its own, and the words that tell what goes on there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.mate = folder / "teammate"
        self.origin = folder / "origin.git"
        self._paint = paint()
        self._number = 0
        # The program rather than `-m`, which would import a `json.py` that lies in the clone.
        beside = Path(sys.executable).parent / "cortex"
        self._program = [str(beside)] if beside.exists() else [sys.executable, "-m", "cortex"]
        # An environment apart: the person's daemon, agent settings and git settings are not touched.
        self.environment = clean_environment(
            {
                "CORTEX_HOME": str(folder / "home"),
                "HOME": str(folder / "home"),
                "XDG_RUNTIME_DIR": str(folder / "home"),
                "GIT_CONFIG_GLOBAL": os.devnull,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            }
        )
        (folder / "home").mkdir(mode=0o700)

    def step(self, words: str) -> None:
        """Begin a step."""
        self._number += 1
        render.say(f"\n{self._paint('bold', f'{self._number}. {words}')}")

    def note(self, words: str) -> None:
        """Say something about the step."""
        for line in words.rstrip("\n").split("\n"):
            render.say(f"   {line}")

    def happened(self, truth: bool, words: str) -> None:
        """Check that a step happened; raises `DemoFailedError` when it did not."""
        if not truth:
            raise DemoFailedError(
                f"this did not happen: {words}", "Run it with --keep and look into the folder."
            )
        render.say(f"   {self._paint('green', '✓')} {words}")

    def cortex(self, *arguments: str, cwd: Path | None = None, fails: bool = False) -> str:
        """Run `cortex` and return what it printed."""
        done = self._run([*self._program, *arguments], cwd or self.work)
        if done.returncode != 0 and not fails:
            raise DemoFailedError(
                f"cortex {arguments[0]} ended with {done.returncode}: {done.stderr.strip()}"
            )
        return done.stdout

    def json(self, *arguments: str, cwd: Path | None = None) -> Mapping[str, Any]:
        """Run `cortex … --json` and return what it said."""
        told: Mapping[str, Any] = json.loads(self.cortex(*arguments, "--json", cwd=cwd))
        return told

    def clone(self, folder: Path, person: str) -> None:
        """Clone the origin for a person."""
        git("clone", "--quiet", str(self.origin), str(folder), timeout=600)
        git("config", "user.name", person, cwd=folder)
        git("config", "user.email", f"{person.lower()}@example.com", cwd=folder)

    def stage_all(self) -> None:
        """Put all of the work clone into the index."""
        self._run(["git", "add", "--all"], self.work)

    def commit(self, message: str) -> str:
        """Commit all of the work clone with a real `git commit`, hooks and all; returns what the hooks said."""
        self.stage_all()
        done = self._run(["git", "commit", "--quiet", "--message", message], self.work)
        if done.returncode != 0:
            raise DemoFailedError(f"git commit ended with {done.returncode}: {done.stderr.strip()}")
        return done.stderr

    def assistant(self, written: Written, conversation: str) -> str:
        """Write a file as Claude Code does: its hook, as `cortex connect` put it in, gets the payload."""
        file = self.work / written.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(written.generated, encoding="utf-8")
        settings = json.loads((self.work / ".claude" / "settings.json").read_text(encoding="utf-8"))
        base = {
            "session_id": conversation,
            "cwd": str(self.work),
            "transcript_path": "",
            "permission_mode": "default",
        }
        prompt = {**base, "hook_event_name": "UserPromptSubmit", "prompt": written.task}
        wrote = {
            **base,
            "hook_event_name": "PostToolUse",
            "tool_name": "Write",
            "tool_use_id": f"toolu_{conversation}",
            "tool_input": {"file_path": str(file), "content": written.generated},
            "tool_response": {"filePath": str(file), "success": True},
        }
        self._hook(settings, prompt)
        return self._hook(settings, wrote)

    def _hook(self, settings: Mapping[str, Any], payload: Mapping[str, object]) -> str:
        said = ""
        for group in settings["hooks"][payload["hook_event_name"]]:
            for hook in group["hooks"]:
                done = self._run(["/bin/sh", "-c", hook["command"]], self.work, json.dumps(payload))
                said += done.stdout
        return said

    def wait(self, truth: Callable[[], bool]) -> bool:
        """Wait until something is so: the daemon works in the background."""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            if truth():
                return True
            time.sleep(0.2)
        return truth()

    def stop(self) -> None:
        """Stop the daemon of this stage."""
        self._run([*self._program, "daemon", "stop"], self.folder)

    def _run(self, words: Sequence[str], cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - no shell; the words are ours
            words,
            cwd=cwd,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

"""Connecting Claude Code changes its settings by ours alone, and disconnecting leaves no trace."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from cortex.agents import agent
from cortex.agents.claude_settings import COMMAND, GROUPS
from cortex.hooks import spool
from cortex.hooks.install import install
from cortex.repo.errors import DAMAGED, USAGE, CortexError
from cortex.repo.places import find

claude = agent("claude-code")
SETTINGS = {
    "none there": None,
    "empty": b"",
    "empty object": b"{}",
    "empty object on two lines": b"{\n}\n",
    "two spaces": b'{\n  "model": "x",\n  "permissions": {"allow": ["a", "b"]}\n}\n',
    "four spaces, no line end": b'{\n    "z": 1.0,\n    "a": [1,2,   3]\n}',
    "tabs": b'{\n\t"a": "\\u00e9\xc3\xa9"\n}\n',
    "one line": b'{"a": 1, "b": {"c": [ ]}}\n',
    "carriage returns": b'{\r\n  "a": 1\r\n}\r\n',
    "byte order mark": b'\xef\xbb\xbf{\n  "a": 1\n}\n',
    "other hooks": json.dumps(
        {
            "hooks": {
                "Stop": [{"hooks": [{"type": "command", "command": "true"}]}],
                "PostToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "true"}]}],
                "UserPromptSubmit": [],
            },
            "after": None,
        },
        indent=3,
    ).encode(),
    "empty hooks": b'{\n  "hooks": {},\n  "a": 1\n}\n',
}


def lay(root: Path, data: bytes | None) -> Path:
    path = root / ".claude" / "settings.json"
    if data is not None:
        path.parent.mkdir()
        path.write_bytes(data)
        path.chmod(0o600)
        os.utime(path, ns=(1_600_000_000_123_456_789,) * 2)
    return path


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("scope", ["project", "user"])
def test_connecting_adds_ours_and_disconnecting_leaves_no_trace(
    tmp_path: Path, name: str, scope: str
) -> None:
    data = SETTINGS[name]
    path = lay(tmp_path, data)
    was = json.loads((data or b"").decode("utf-8-sig") or "{}")
    root, home = (tmp_path, tmp_path / "no") if scope == "project" else (None, tmp_path)
    assert scope in ("project", "user")

    dry = claude.connect(scope, root, home, dry_run=True)  # type: ignore[arg-type]
    assert dry.changed and COMMAND.split()[0] in dry.diff
    assert (path.read_bytes() if path.exists() else None) == data

    change = claude.connect(scope, root, home)  # type: ignore[arg-type]
    assert change.changed and change.diff == dry.diff and change.path == path
    written = path.read_bytes()
    now = json.loads(written.decode("utf-8-sig"))
    for event, group in GROUPS.items():
        assert now["hooks"][event][-1] == group
        assert now["hooks"][event][:-1] == was.get("hooks", {}).get(event, [])
    assert list(now) == [*was, *([] if "hooks" in was else ["hooks"])]
    assert {key: value for key, value in now.items() if key != "hooks"} == {
        key: value for key, value in was.items() if key != "hooks"
    }
    if data:
        assert change.backup is not None and change.backup.read_bytes() == data
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        removed = [line for line in change.diff.splitlines()[2:] if line.startswith("-")]
        assert len(removed) <= 3  # only lines that ours had to follow

    again = claude.connect(scope, root, home)  # type: ignore[arg-type]
    assert not again.changed and path.read_bytes() == written

    assert claude.disconnect(scope, root, home, dry_run=True).changed and path.read_bytes() == written  # type: ignore[arg-type]
    assert claude.disconnect(scope, root, home).changed  # type: ignore[arg-type]
    assert (path.read_bytes() if path.exists() else None) == data
    if data is not None:
        assert path.stat().st_mtime_ns == 1_600_000_000_123_456_789
        assert [each.name for each in path.parent.iterdir()] == ["settings.json"]
    elif scope == "project":
        assert not path.parent.exists()
    assert not claude.disconnect(scope, root, home).changed  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [name for name in SETTINGS if SETTINGS[name]])
def test_what_changed_since_stays_when_disconnecting(tmp_path: Path, name: str) -> None:
    path = lay(tmp_path, SETTINGS[name])
    claude.connect("project", tmp_path, tmp_path)
    text = path.read_bytes().decode("utf-8-sig")
    end = text.rstrip().rindex("}")
    changed = text[:end].rstrip() + ', "new": {"key": true}' + text[end:]
    path.write_bytes(changed.encode())
    claude.disconnect("project", tmp_path, tmp_path)
    now = json.loads(path.read_bytes().decode("utf-8-sig"))
    was = json.loads((SETTINGS[name] or b"").decode("utf-8-sig") or "{}")
    assert now.pop("new") == {"key": True}
    was_hooks = {event: groups for event, groups in was.pop("hooks", {}).items() if groups}
    now_hooks = {event: groups for event, groups in now.pop("hooks", {}).items() if groups}
    assert (now, now_hooks) == (was, was_hooks)
    assert COMMAND not in path.read_text()
    assert [each.name for each in path.parent.iterdir()] == ["settings.json"]


def test_an_older_form_of_ours_is_replaced(tmp_path: Path) -> None:
    path = lay(tmp_path, b'{"a": 1}')
    claude.connect("project", tmp_path, tmp_path)
    path.write_text(path.read_text().replace("exit 0", "exit 0 # older"))
    assert claude.connect("project", tmp_path, tmp_path).changed
    assert json.loads(path.read_text())["hooks"] == {event: [group] for event, group in GROUPS.items()}


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b'{"a": 1,}',
        b"[]",
        b'{"a": 1} x',
        b'{"a": NaN}',
        b'{"a": 1, "a": 2}',
        b'{"hooks": []}',
        b'{"hooks": {"Stop": 1}}',
        b"\xff",
        b"[" * 5000,
        b'{"a"',
        b"// c\n{}",
    ],
)
def test_broken_settings_are_refused_and_not_touched(tmp_path: Path, data: bytes) -> None:
    path = lay(tmp_path, data)
    for act in (claude.connect, claude.disconnect):
        with pytest.raises(CortexError) as caught:
            act("project", tmp_path, tmp_path)
        assert caught.value.exit_code == DAMAGED and caught.value.hint
    assert path.read_bytes() == data
    assert [each.name for each in path.parent.iterdir()] == ["settings.json"]


def test_settings_behind_a_link_stay_behind_it(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "dotfiles" / "claude.json").write_bytes(b'{"a": 1}\n')
    (tmp_path / ".claude").mkdir()
    path = tmp_path / ".claude" / "settings.json"
    path.symlink_to("../dotfiles/claude.json")
    claude.connect("user", None, tmp_path)
    assert path.is_symlink() and b"hooks" in (tmp_path / "dotfiles" / "claude.json").read_bytes()
    claude.disconnect("user", None, tmp_path)
    assert path.is_symlink() and path.read_bytes() == b'{"a": 1}\n'


def test_a_project_needs_a_work_tree(tmp_path: Path) -> None:
    with pytest.raises(CortexError) as caught:
        claude.connect("project", None, tmp_path)
    assert caught.value.exit_code == USAGE


# The command that the settings carry.


def call(folder: Path, payload: bytes = b"{}", **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["/bin/sh", "-c", COMMAND],
        cwd=folder,
        env={**os.environ, **environment},
        input=payload,
        capture_output=True,
        check=False,
        timeout=20,
    )


def test_the_command_holds_no_path_of_this_machine(repo: Path) -> None:
    claude.connect("project", repo, repo)
    text = (repo / ".claude" / "settings.json").read_text()
    assert str(repo) not in text and str(Path.home()) not in text


@pytest.mark.parametrize("where", ["root", "folder", "linked", "by variable"])
def test_the_command_finds_the_store_from_wherever_the_agent_runs(
    repo: Path, tmp_path: Path, where: str
) -> None:
    program = tmp_path / "cortex"
    program.write_text("#!/bin/sh\ncat\n")
    program.chmod(0o755)
    place = find(repo)
    install(place, program)
    (repo / "deep" / "er").mkdir(parents=True)
    subprocess.run(
        ["git", "worktree", "add", "--quiet", str(tmp_path / "linked")],
        cwd=repo,
        check=True,
        capture_output=True,
    )
    for event in spool.pending(place.store / "spool"):
        spool.done(event)
    folder = {
        "root": repo,
        "folder": repo / "deep" / "er",
        "linked": tmp_path / "linked",
        "by variable": tmp_path,
    }[where]
    more = {"CLAUDE_PROJECT_DIR": str(repo)} if where == "by variable" else {}
    done = call(folder, b'{"a": 1}', **more)
    assert (done.returncode, done.stdout, done.stderr) == (0, b'{"a": 1}', b"")
    assert [event.payload for event in spool.pending(place.store / "spool")] == [b'{"a": 1}']


@pytest.mark.parametrize("where", ["no repository", "not initialised", "missing folder", "no git"])
def test_the_command_is_silent_elsewhere(repo: Path, tmp_path: Path, where: str) -> None:
    (tmp_path / "plain").mkdir()
    if where == "no git":
        install(find(repo), Path("/nowhere"))
    folder = tmp_path / "plain" if where == "no repository" else repo
    more = {"missing folder": {"CLAUDE_PROJECT_DIR": "/nowhere"}, "no git": {"PATH": "/nowhere"}}.get(
        where, {}
    )
    done = call(folder, **more)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_folder_that_poses_as_a_git_folder_runs_nothing(repo: Path, tmp_path: Path) -> None:
    """A branch can carry what git would take for a bare repository, with a script of its own in it."""
    bare = repo / "fixtures"
    subprocess.run(["git", "init", "--quiet", "--bare", str(bare)], check=True)
    (bare / "cortex" / "hooks").mkdir(parents=True)
    (bare / "cortex" / "hooks" / "run").write_text(f"touch {tmp_path / 'canary'}\n")
    shutil.copytree(bare / "cortex", repo / "cortex")
    (repo / ".cortex").symlink_to("cortex")
    call(bare)
    call(repo)
    assert not (tmp_path / "canary").exists()

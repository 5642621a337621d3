"""The daemon on login: what is written is what the platform takes, and it is undone byte for byte."""

import os
import plistlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from cortex.daemon import service
from cortex.repo.errors import PlaceError

PROGRAM = ["/bin/echo", "an argument", 'a"quote', "50%", "$HOME"]
START = ["/usr/bin/true", "daemon", "start"]
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "CORTEX_HOME": "/home/ada/my state"}


class Platform:
    """A runner that notes what it was told to run, and says yes."""

    def __init__(self, failing: str = "") -> None:
        self.ran: list[str] = []
        self._failing = failing

    def __call__(self, command: Sequence[str]) -> tuple[int, str]:
        self.ran.append(" ".join(command))
        return (1, "it broke") if self._failing and self._failing in self.ran[-1] else (0, "state = running")


def test_the_kind_is_what_the_machine_has() -> None:
    assert service.kind(Platform(), "darwin") == "launchd"
    assert service.kind(Platform(), "linux") == "systemd"
    assert service.kind(Platform("systemctl"), "linux") == "plain"


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    text = service.unit(PROGRAM, ENVIRONMENT)
    assert 'ExecStart="/bin/echo" "an argument" "a\\"quote" "50%%" "$$HOME"' in text
    assert 'Environment="CORTEX_HOME=/home/ada/my state"' in text
    if verifier := shutil.which("systemd-analyze"):
        file = tmp_path / "cortex.service"
        file.write_text(text)
        done = subprocess.run(
            [verifier, "verify", "--user", "--man=no", str(file)], capture_output=True, text=True
        )
        said = [line for line in (done.stdout + done.stderr).splitlines() if "cortex.service" in line]
        assert not said, said


def test_launchd_takes_the_agent() -> None:
    agent = plistlib.loads(service.plist(PROGRAM, ENVIRONMENT))
    assert agent["ProgramArguments"] == PROGRAM
    assert agent["EnvironmentVariables"] == ENVIRONMENT
    assert agent["RunAtLoad"] is True and agent["KeepAlive"] == {"SuccessfulExit": False}


@pytest.mark.parametrize("kind", ["systemd", "launchd", "plain"])
def test_it_is_installed_and_undone_without_a_trace(kind: service.Kind, tmp_path: Path) -> None:
    platform = Platform()
    profile = tmp_path / ".profile"
    profile.write_bytes(b"export A=1\n# no line end")
    for _ in range(2):
        told = service.install(PROGRAM, START, ENVIRONMENT, tmp_path, platform, kind)
        assert told.installed and told.kind == kind and told.running in (True, None)
    assert platform.ran
    (undone,) = service.uninstall(tmp_path, platform)
    assert undone.kind == kind
    assert profile.read_bytes() == b"export A=1\n# no line end"
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [profile]
    assert service.uninstall(tmp_path, platform) == []
    assert not service.status(tmp_path, platform, kind).installed


def test_the_block_in_a_profile_is_sound_shell_and_never_fails(tmp_path: Path) -> None:
    profile = tmp_path / ".profile"
    profile.write_text("A=1")
    service.install(PROGRAM, ["/nonexistent/a b", "start"], ENVIRONMENT, tmp_path, Platform(), "plain")
    done = subprocess.run(["/bin/sh", "-ec", f". {profile}; echo $A"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_a_refusal_of_the_platform_is_told_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(PlaceError, match="it broke"):
        service.install(PROGRAM, START, ENVIRONMENT, tmp_path, Platform("enable"), "systemd")


def test_a_profile_that_is_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "dotfiles" / "profile").write_text("A=1\n")
    (tmp_path / ".profile").symlink_to("dotfiles/profile")
    service.install(PROGRAM, START, ENVIRONMENT, tmp_path, Platform(), "plain")
    assert (tmp_path / ".profile").is_symlink()
    service.uninstall(tmp_path, Platform())
    assert (tmp_path / "dotfiles" / "profile").read_text() == "A=1\n"


@pytest.mark.parametrize("content", [None, b"", b"A=1\n", b"A=1"])
@pytest.mark.parametrize("linked", [False, True])
def test_a_profile_comes_back_with_its_bytes_its_mode_and_its_time(
    tmp_path: Path, content: bytes | None, linked: bool
) -> None:
    profile = real = tmp_path / ".profile"
    if linked:
        real = tmp_path / "dotfiles"
        profile.symlink_to(real.name)
    if content is not None:
        real.write_bytes(content)
        real.chmod(0o640)
        os.utime(real, ns=(1_600_000_000_123_456_789,) * 2)
    for _ in range(2):  # the second finds the first one's block
        service.install(["cortex"], ["true"], {}, tmp_path, which="plain")
    assert service.status(tmp_path, which="plain").installed
    service.uninstall(tmp_path, lambda command: (1, ""))
    assert profile.is_symlink() == linked
    if content is None:
        assert not real.exists()
        return
    found = real.stat()
    assert real.read_bytes() == content
    assert (found.st_mode & 0o7777, found.st_mtime_ns) == (0o640, 1_600_000_000_123_456_789)


def test_a_profile_that_was_edited_meanwhile_keeps_the_edit_and_its_time(tmp_path: Path) -> None:
    profile = tmp_path / ".profile"
    profile.write_bytes(b"A=1\n")
    service.install(["cortex"], ["true"], {}, tmp_path, which="plain")
    profile.write_bytes(profile.read_bytes() + b"B=2\n")
    os.utime(profile, ns=(1_700_000_000_000_000_000,) * 2)
    service.uninstall(tmp_path, lambda command: (1, ""))
    assert profile.read_bytes() == b"A=1\nB=2\n"
    assert profile.stat().st_mtime_ns == 1_700_000_000_000_000_000

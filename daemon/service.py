"""The daemon on login: a systemd user unit, a launchd agent, or else a block in `~/.profile`."""

from __future__ import annotations

import contextlib
import hashlib
import os
import plistlib
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..repo.errors import PlaceError
from ..repo.files import write_whole

UNIT = "cortex.service"
LABEL = "io.cortex.daemon"
# The line end before it belongs to the block: the profile may not end with one.
BEGIN = "\n# >>> cortex: the daemon on login >>>"
END = "# <<< cortex <<<"
BEFORE = "# before: "

NO_FILE = "no file"
_SAID = re.compile(re.escape(os.fsencode(f"{BEGIN}\n{BEFORE}")) + rb"(no file|[0-9a-f]{16} [0-9]{1,20})\n")

Kind = Literal["systemd", "launchd", "plain"]
Runner = Callable[[Sequence[str]], tuple[int, str]]


@dataclass(frozen=True)
class Service:
    """What is installed, where, and what the platform says of it."""

    kind: Kind
    file: Path
    installed: bool
    running: bool | None  # None where nothing can be asked
    detail: str = ""

    def plain(self) -> dict[str, object]:
        """Its JSON form."""
        return {**vars(self), "file": str(self.file)}


def run(command: Sequence[str]) -> tuple[int, str]:
    """Run a program of the platform; its exit status and all that it said."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell; the words are ours
            list(command), capture_output=True, text=True, errors="replace", timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, str(error)
    return done.returncode, (done.stdout + done.stderr).strip()


def kind(runner: Runner = run, platform: str = sys.platform) -> Kind:
    """What this machine has to start things on login."""
    if platform == "darwin":
        return "launchd"
    return "systemd" if runner(["systemctl", "--user", "show-environment"])[0] == 0 else "plain"


def unit(program: Sequence[str], environment: Mapping[str, str]) -> str:
    """The text of the systemd user unit; `program` stays in the foreground. Source: systemd.exec(5).

    What would need a namespace (ProtectSystem and its like) is left out: a user's manager often may not
    make one, and the daemon writes into repositories wherever they are. It reaches remotes for `sync`.
    """
    lines = [
        "[Unit]",
        "Description=Cortex: remembers what people correct in generated code",
        "",
        "[Service]",
        "Type=exec",
        f"ExecStart={' '.join(_quoted(word) for word in program)}",
        *(f"Environment={_quoted(f'{key}={value}', variables=False)}" for key, value in environment.items()),
        "WorkingDirectory=/",
        "Restart=on-failure",
        "RestartSec=2",
        "RestartPreventExitStatus=2 3",
        "TimeoutStopSec=60",
        "Nice=5",
        "TasksMax=512",
        "NoNewPrivileges=yes",
        "LockPersonality=yes",
        "RestrictRealtime=yes",
        "RestrictSUIDSGID=yes",
        "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
        "SystemCallArchitectures=native",
        "",
        "[Install]",
        "WantedBy=default.target",
    ]
    return "\n".join(lines) + "\n"


def plist(program: Sequence[str], environment: Mapping[str, str]) -> bytes:
    """The launchd agent. Source: launchd.plist(5)."""
    return plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": list(program),
            "EnvironmentVariables": dict(environment),
            "WorkingDirectory": "/",
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 10,
            "ExitTimeOut": 60,
            "ProcessType": "Background",
            "StandardOutPath": "/dev/null",
            "StandardErrorPath": "/dev/null",
        }
    )


def block(start: Sequence[str], environment: Mapping[str, str], facts: str = "") -> str:
    """What `~/.profile` gets: `start` returns at once when the daemon runs, and never fails a login.

    `facts` say what the file was before: "no file", or its digest and its time in ns.
    """
    assigned = "".join(f"{key}={shlex.quote(value)} " for key, value in environment.items() if key != "PATH")
    return f"{BEGIN}\n{BEFORE}{facts}\n{assigned}{shlex.join(start)} >/dev/null 2>&1 </dev/null || :\n{END}\n"


def install(
    program: Sequence[str],
    start: Sequence[str],
    environment: Mapping[str, str],
    home: Path,
    runner: Runner = run,
    which: Kind | None = None,
) -> Service:
    """Start the daemon on every login, and now; safe to repeat.

    `program` is the daemon in the foreground (`cortex daemon run`), `start` the command that puts it into the
    background; the `environment` is given to it (PATH, so that git is found; CORTEX_HOME where it is set). A
    daemon that runs already is to be stopped before. Raises `PlaceError` with the platform's own words.
    """
    chosen = which or kind(runner)
    file = _file(chosen, home)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if chosen == "systemd":
            write_whole(file, os.fsencode(unit(program, environment)))
        elif chosen == "launchd":
            write_whole(file, plist(program, environment))
        else:
            before = file.read_bytes() if file.exists() else None
            rest, facts = _without(before or b""), _facts(file, before)
            _rewrite(file, rest + os.fsencode(block(start, environment, facts)))
    except OSError as error:
        raise PlaceError(
            f"{file} cannot be written: {error.strerror}", "Make it writable, or go without."
        ) from error
    if chosen == "systemd":
        _must(runner, "systemctl", "--user", "daemon-reload")
        _must(runner, "systemctl", "--user", "enable", UNIT)
        _must(runner, "systemctl", "--user", "restart", UNIT)
    elif chosen == "launchd":
        runner(["launchctl", "bootout", f"gui/{os.getuid()}/{LABEL}"])  # an older one; there may be none
        _must(runner, "launchctl", "bootstrap", f"gui/{os.getuid()}", str(file))
    else:
        _must(runner, *start)
    return status(home, runner, chosen)


def uninstall(home: Path, runner: Runner = run) -> list[Service]:
    """Undo `install`, whichever kind it was; what was there, empty when nothing was."""
    undone = []
    for chosen in ("systemd", "launchd", "plain"):
        found = status(home, runner, chosen)
        if not found.installed:
            continue
        try:
            if chosen == "systemd":
                runner(["systemctl", "--user", "disable", "--now", UNIT])
                found.file.unlink()
                runner(["systemctl", "--user", "daemon-reload"])
            elif chosen == "launchd":
                runner(["launchctl", "bootout", f"gui/{os.getuid()}/{LABEL}"])
                found.file.unlink()
            else:
                content = found.file.read_bytes()
                rest, facts = _without(content), _facts(found.file, content)
                if not rest and facts == NO_FILE:
                    Path(os.path.realpath(found.file)).unlink()
                else:
                    same = facts.startswith(_digest(rest))
                    _rewrite(found.file, rest, int(facts.split()[1]) if same else 0)
        except OSError as error:
            raise PlaceError(f"{found.file} cannot be changed: {error.strerror}") from error
        undone.append(found)
    return undone


def status(home: Path, runner: Runner = run, which: Kind | None = None) -> Service:
    """What is installed of one kind (the machine's own where none is named), and whether it runs."""
    chosen = which or kind(runner)
    file = _file(chosen, home)
    installed = file.is_file()
    if chosen == "plain":
        installed = installed and os.fsencode(BEGIN) in file.read_bytes()
        return Service(chosen, file, installed, None)
    if not installed:
        return Service(chosen, file, False, False)
    if chosen == "systemd":
        code, said = runner(["systemctl", "--user", "is-active", UNIT])
        return Service(chosen, file, True, code == 0, said)
    code, said = runner(["launchctl", "print", f"gui/{os.getuid()}/{LABEL}"])
    return Service(chosen, file, True, code == 0 and "state = running" in said, "" if code == 0 else said)


def _file(chosen: Kind, home: Path) -> Path:
    if chosen == "systemd":
        return home / ".config" / "systemd" / "user" / UNIT
    if chosen == "launchd":
        return home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    return home / ".profile"


def _must(runner: Runner, *command: str) -> None:
    code, said = runner(command)
    if code != 0:
        raise PlaceError(
            f"`{shlex.join(command)}` failed: {said or f'exit status {code}'}",
            "The daemon works without it: `cortex daemon start`.",
        )


def _facts(file: Path, content: bytes | None) -> str:
    """What the profile was before our block came: what the block says, else what is seen now."""
    if content is None:
        return NO_FILE
    match = _SAID.search(content)
    said = match[1].decode("ascii") if match else ""
    if said == NO_FILE or said.startswith(_digest(_without(content))):
        return said
    return f"{_digest(_without(content))} {file.stat().st_mtime_ns}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _rewrite(file: Path, content: bytes, mtime: int = 0) -> None:
    """Change a file of the person's: through a link to the real one, its mode kept; `mtime` in ns, 0 for now."""
    real = Path(os.path.realpath(file))
    mode = real.stat().st_mode & 0o7777 if real.exists() else 0o644
    write_whole(real, content)
    with contextlib.suppress(OSError):
        real.chmod(mode)
    if mtime:
        os.utime(real, ns=(mtime, mtime))


def _without(content: bytes) -> bytes:
    """A profile without our block, byte for byte as it was before."""
    begin, end = os.fsencode(BEGIN + "\n"), os.fsencode(END + "\n")
    at = content.find(begin)
    to = content.find(end, at)
    return content if at < 0 or to < 0 else content[:at] + content[to + len(end) :]


def _quoted(word: str, variables: bool = True) -> str:
    """A word as systemd.syntax(7) wants it; in ExecStart `$` is a variable, everywhere `%` a specifier."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("\n", "\\n")
    return '"' + (escaped.replace("$", "$$") if variables else escaped) + '"'

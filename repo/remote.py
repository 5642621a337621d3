"""Reaching a remote with git, without the programs that the repository's own configuration would start for it."""

from __future__ import annotations

from pathlib import Path

from .git import GitError, git

#: Ways to a remote that run no program of the URL's choice, as `ext::` does. Source: git(1), GIT_ALLOW_PROTOCOL.
PROTOCOLS = "file:git:http:https:ssh"
_NAMED = r"^(core\.(sshcommand|askpass|gitproxy)|credential\.(.*\.)?helper)$"
#: What stands where the person's own settings say nothing; an empty helper takes all earlier ones away.
_PLAIN = {"core.sshcommand": ["ssh"], "core.askpass": [""], "core.gitproxy": [""]}
_PROXY = "core.gitproxy="
_PROGRAMS = {"fetch": "--upload-pack=git-upload-pack", "push": "--receive-pack=git-receive-pack"}


def reach(
    verb: str, *arguments: str, cwd: Path, options: tuple[str, ...] = (), timeout: float = 120.0
) -> bytes:
    """Run `git fetch` or `git push`. A program that the repository's own settings name for the connection is
    passed over in favour of the person's own settings.

    Raises `GitError` as `git` does.
    """
    settings = _persons_own(cwd)
    environment = {"GIT_ALLOW_PROTOCOL": PROTOCOLS}
    proxy = next((each.partition("=")[2] for each in settings if each.startswith(_PROXY)), None)
    if proxy is not None:
        # Of this setting the first value holds, not the last; one "for" some hosts has no place here.
        environment["GIT_PROXY_COMMAND"] = "" if " for " in proxy else proxy
    return git(
        *("-c", "core.alternateRefsCommand=:", *settings, *options),
        *(verb, _PROGRAMS[verb], *arguments),
        cwd=cwd,
        environment=environment,
        timeout=timeout,
    )


def _persons_own(cwd: Path) -> list[str]:
    """Options that give each setting that the repository makes the values that it has elsewhere."""
    try:
        said = git("config", "--show-scope", "--null", "--get-regexp", _NAMED, cwd=cwd)
    except GitError:
        return []  # none is set
    fields = said.decode("utf-8", "surrogateescape").split("\0")
    elsewhere: dict[str, list[str]] = {}
    here: set[str] = set()
    for scope, entry in zip(fields[0::2], fields[1::2], strict=False):
        key, _, value = entry.partition("\n")
        if scope in ("local", "worktree"):
            here.add(key)
        else:
            elsewhere.setdefault(key, []).append(value)
    options: list[str] = []
    for key in sorted(here):
        values = elsewhere.get(key)
        if key in _PLAIN:
            chosen = values[-1:] if values else _PLAIN[key]
        else:
            chosen = ["", *(values or [])]
        for value in chosen:
            options += ["-c", f"{key}={value}"]
    return options

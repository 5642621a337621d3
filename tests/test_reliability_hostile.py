"""Row 15: repositories made to run somebody's program, with a canary that every such program touches."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from running import git

from cortex.cli.main import run as main
from cortex.daemon import engine
from cortex.daemon.state import Models

WROTE = "import requests\n\n\ndef fetch(url):\n    return requests.get(url).json()\n"
EDITED = WROTE.replace("get(url)", "get(url, timeout=10)")
MODELS = Models()

Poison = Callable[[Path, str], None]


def setting(*pairs: tuple[str, str], lines: str = "") -> Poison:
    """A repository's own configuration; CANARY stands for the program."""

    def poison(repo: Path, canary: str) -> None:
        config = repo / ".git" / "config"
        text = config.read_text()
        for key, value in pairs:
            section, _, name = key.rpartition(".")
            head, dot, sub = section.partition(".")
            text += f"[{head}{f' {chr(34)}{sub}{chr(34)}' if dot else ''}]\n\t{name} = {value}\n"
        config.write_text((text + lines).replace("CANARY", canary))

    return poison


def hooks(repo: Path, canary: str) -> None:
    """Every hook that git knows, in a folder of hooks that the configuration names."""
    folder = repo / ".git" / "theirs"
    folder.mkdir()
    for name in (
        *("pre-commit", "post-commit", "post-checkout", "post-merge", "post-rewrite", "pre-push", "update"),
        *("reference-transaction", "post-index-change", "fsmonitor-watchman", "pre-auto-gc", "post-update"),
        *("pre-receive", "post-receive", "proc-receive", "push-to-checkout", "sendemail-validate"),
    ):
        (folder / name).write_bytes(Path(canary).read_bytes())
        (folder / name).chmod(0o755)
    setting(("core.hooksPath", str(folder)))(repo, canary)


def included(repo: Path, canary: str) -> None:
    (repo / "more.config").write_text(f"[core]\n\tfsmonitor = {canary}\n\tpager = {canary}\n")
    setting(("include.path", "../more.config"), ("includeIf.gitdir:/.path", "../more.config"))(repo, canary)


def filters(repo: Path, canary: str) -> None:
    (repo / ".gitattributes").write_text(
        "* filter=evil diff=evil merge=evil -text\n*.py filter=evil diff=evil\n"
    )
    setting(
        *(
            ("filter.evil.clean", "CANARY"),
            ("filter.evil.smudge", "CANARY"),
            ("filter.evil.process", "CANARY"),
        ),
        *(
            ("filter.evil.required", "true"),
            ("diff.evil.textconv", "CANARY"),
            ("diff.evil.command", "CANARY"),
        ),
        *(("diff.external", "CANARY"), ("merge.evil.driver", "CANARY"), ("interactive.diffFilter", "CANARY")),
    )(repo, canary)


def remote(kind: str) -> Poison:
    """The remote's own settings: whom to start in its place."""

    def poison(repo: Path, canary: str) -> None:
        key = {"uploadpack": "remote.origin.uploadpack", "receivepack": "remote.origin.receivepack"}[kind]
        setting((key, "CANARY"))(repo, canary)

    return poison


def url(value: str, *more: tuple[str, str]) -> Poison:
    def poison(repo: Path, canary: str) -> None:
        git(repo, "config", "remote.origin.url", value.replace("CANARY", canary))
        setting(*more)(repo, canary)

    return poison


def link(target: str) -> Poison:
    """`.cortex` tracked as a link to somewhere else."""

    def poison(repo: Path, canary: str) -> None:
        aim = target.replace("OUTSIDE", str(Path(canary).parent / "outside"))
        (repo / ".cortex").symlink_to(aim)

    return poison


def tracked_link(repo: Path, canary: str) -> None:
    link("OUTSIDE")(repo, canary)
    oid = git(repo, "hash-object", "-w", "--stdin", stdin=os.fsencode(os.readlink(repo / ".cortex")))
    git(repo, "update-index", "--add", "--cacheinfo", f"120000,{oid},.cortex")


def folder_of_settings(repo: Path, canary: str) -> None:
    """A `.cortex` that came with the repository, with settings and hooks of its own."""
    (repo / ".cortex" / "hooks").mkdir(parents=True)
    (repo / ".cortex" / "config.toml").write_text(f'[guard]\nmode = "block"\n[hooks]\nrun = "{canary}"\n')
    (repo / ".cortex" / "hooks" / "run").write_bytes(Path(canary).read_bytes())
    (repo / ".cortex" / "hooks" / "run").chmod(0o755)
    (repo / ".claude").mkdir()
    (repo / ".claude" / "settings.json").write_text(f'{{"hooks": {{"Stop": [{{"command": "{canary}"}}]}}}}')


def names(repo: Path, canary: str) -> None:
    """Paths that shells, options and terminals trip over."""
    for name in (
        *(b"--option.py", b"-rf.py", b"new\nline.py", b"quo'te\".py", b"$(touch x).py", b"`x`.py", b"a;b.py"),
        *(b"\x1b[2J.py", b"\x01\x02.py", b"caf\xe9.py", b"\xff\xfe.py", b"sp ace.py", b"tab\t.py", b"*.py"),
        *(
            b"..py",
            b"%s%n.py",
            b":(top)x.py",
            b"!x.py",
            b"#x.py",
            b"~.py",
            b"e\xcc\x81.py",
            b"x" * 200 + b".py",
        ),
    ):
        with open(os.path.join(os.fsencode(repo), name), "wb") as file:
            file.write(WROTE.encode())
    git(repo, "add", "-A")


def attributes(repo: Path, canary: str) -> None:
    (repo / ".gitattributes").write_text(
        "*.py working-tree-encoding=UTF-16 ident eol=crlf export-subst\n" * 500
    )
    (repo / ".git" / "info").mkdir(exist_ok=True)
    (repo / ".git" / "info" / "attributes").write_text("* filter=lfs diff=lfs merge=union\n")
    setting(("filter.lfs.clean", "CANARY"), ("filter.lfs.process", "CANARY"))(repo, canary)


def odd_content(repo: Path, canary: str) -> None:
    """Files that are huge in one way each: lines, nesting, brackets; and files that are none."""
    (repo / "long.py").write_text("x = '" + "a" * 1_000_000 + "'\n")
    (repo / "deep.py").write_text("x = " + "[" * 3000 + "]" * 3000 + "\n")
    (repo / "nul.py").write_bytes(b"x = 1\0\n" * 100)
    (repo / "crlf.py").write_bytes(WROTE.replace("\n", "\r\n").encode())
    (repo / "bom.py").write_bytes(b"\xef\xbb\xbf" + WROTE.encode())
    (repo / "loop.py").symlink_to("loop.py")
    (repo / "device.py").symlink_to("/dev/zero")
    git(repo, "add", "-A")
    os.mkfifo(repo / "pipe.py")


def hostile_branch(repo: Path, canary: str) -> None:
    """A branch cortex/memory with links, programs, strange names, a hostile memory and no format of ours."""
    blob = git(repo, "hash-object", "-w", "--stdin", stdin=b"/etc/passwd")
    script = git(repo, "hash-object", "-w", "--stdin", stdin=Path(canary).read_bytes())
    inner = f"120000 blob {blob}\tlink\n100755 blob {script}\trun\n100644 blob {script}\t--upload-pack=x\n"
    folder = git(repo, "mktree", stdin=inner.encode())
    outer = f"040000 tree {folder}\tseg\n100755 blob {script}\thooks\n100644 blob {script}\tformat.json\n"
    tree = git(repo, "mktree", stdin=outer.encode())
    commit = git(repo, "commit-tree", tree, "-m", "Memory")
    origin = Path(git(repo, "remote", "get-url", "origin"))
    git(repo, "push", "--quiet", str(origin), f"{commit}:refs/heads/cortex/memory")


def template(repo: Path, canary: str) -> None:
    """Alternates, grafts, replacements and an environment file in the git folder."""
    setting(("core.worktree", ".."), ("core.askPass", "CANARY"), ("core.gitProxy", "CANARY"))(repo, canary)
    (repo / ".git" / "info").mkdir(exist_ok=True)
    (repo / ".git" / "info" / "grafts").write_text("")
    (repo / ".git" / "objects" / "info" / "alternates").write_text("/nowhere/objects\n")


def promisor(repo: Path, canary: str) -> None:
    """A partial clone with an object missing: git asks the remote for it, in passing, by the remote's program."""
    missing = git(repo, "rev-parse", "HEAD:gen.py")
    (repo / ".git" / "objects" / missing[:2] / missing[2:]).unlink()
    git(repo, "config", "core.repositoryFormatVersion", "1")
    lazy = (
        ("extensions.partialClone", "lazy"),
        ("remote.lazy.promisor", "true"),
        ("remote.lazy.url", "ext::CANARY"),
    )
    setting(*lazy, *EXT)(repo, canary)


def submodule(repo: Path, canary: str) -> None:
    """Modules in the folder of hooks, with an update that is a program and a URL that is an option."""
    text = f'[submodule "m"]\n\tpath = .git/hooks\n\turl = --upload-pack={canary}\n\tupdate = !{canary}\n'
    (repo / ".gitmodules").write_text(text + text.replace('"m"', '"../../x"'))
    git(repo, "update-index", "--add", "--cacheinfo", f"160000,{'ab' * 20},sub")
    setting(("submodule.recurse", "true"), ("submodule.m.url", "ext::CANARY"), *EXT)(repo, canary)


def notes(repo: Path, canary: str) -> None:
    """git-ai's notes that are no notes, on each commit."""
    for sha, text in zip(
        git(repo, "rev-list", "--all").split(), ("---\n" + "[" * 200_000, "\0"), strict=False
    ):
        git(repo, "notes", "--ref=ai", "add", "-F", "-", sha, stdin=text.encode())


def odd_refs(repo: Path, canary: str) -> None:
    """Refs of ours that hold what is not ours, a replaced object, and a ref that is a link to the outside."""
    blob = git(repo, "hash-object", "-w", "--stdin", stdin=Path(canary).read_bytes())
    tree = git(repo, "mktree", stdin=f"120000 blob {blob}\t..x\n100755 blob {blob}\trun\n".encode())
    for name in ("refs/cortex/kept/ab", "refs/heads/cortex/memory"):
        git(repo, "update-ref", name, git(repo, "commit-tree", tree, "-m", "x"))
    git(repo, "update-ref", f"refs/replace/{git(repo, 'rev-parse', 'HEAD:gen.py')}", blob)
    (repo / ".git" / "refs" / "heads" / "odd").symlink_to("/etc/hostname")


def elsewhere(repo: Path, canary: str) -> None:
    """The git folder is outside, behind a link, with hooks of its own."""
    hooks(repo, canary)
    (repo / ".git").rename(repo.parent / "real.git")
    (repo / ".git").symlink_to(repo.parent / "real.git")


def team_settings(repo: Path, canary: str) -> None:
    """The team's file, which nobody trusted: a remote that is a program, models from a path, and junk."""
    text = (
        f'[sync]\nremote = "ext::{canary}"\n[models]\nset = "{canary}"\n[guard]\nmode = "off"\nmode = "off"\n'
    )
    (repo / ".cortex.toml").write_text(text)
    git(repo, "add", "-A")


def shadows(repo: Path, canary: str) -> None:
    """Programs and modules with the names of those that Cortex uses, where it works."""
    for name in ("git", "python3", "sh", "cortex", "node"):
        (repo / name).write_bytes(Path(canary).read_bytes())
        (repo / name).chmod(0o755)
    for name in ("json", "click", "sitecustomize", "numpy"):
        (repo / f"{name}.py").write_text(f"import os\nos.system({canary!r})\n")
    git(repo, "add", "-A")


EXT = (("protocol.ext.allow", "always"), ("protocol.allow", "always"))

REPOSITORIES: dict[str, Poison] = {
    "core.fsmonitor": setting(("core.fsmonitor", "CANARY"), ("core.fsmonitorHookVersion", "2")),
    "core.hooksPath": hooks,
    "core.sshCommand": setting(("core.sshCommand", "CANARY")),
    "core.pager": setting(("core.pager", "CANARY"), ("pager.log", "CANARY"), ("pager.diff", "CANARY")),
    "core.editor": setting(("core.editor", "CANARY"), ("sequence.editor", "CANARY")),
    "core.alternateRefsCommand": setting(("core.alternateRefsCommand", "CANARY")),
    "aliases": setting(
        *((f"alias.{name}", "!CANARY") for name in ("fetch", "push", "diff-index", "check-ignore", "config")),
        *((f"alias.{name}", "!CANARY") for name in ("ls-files", "rev-parse", "status", "commit", "show")),
    ),
    "gpg programs": setting(
        *(("gpg.program", "CANARY"), ("gpg.ssh.program", "CANARY"), ("commit.gpgSign", "true")),
        *(
            ("tag.gpgSign", "true"),
            ("push.gpgSign", "true"),
            ("user.signingKey", "x"),
            ("log.showSignature", "true"),
        ),
    ),
    "include.path": included,
    "filters and diffs": filters,
    "attributes": attributes,
    "credential.helper": setting(("credential.helper", "!CANARY"), ("core.askPass", "CANARY")),
    "remote.uploadpack": remote("uploadpack"),
    "remote.receivepack": remote("receivepack"),
    "url ext::": url("ext::CANARY", ("protocol.ext.allow", "always"), ("protocol.allow", "always")),
    "url.insteadOf": setting(("url.ext::CANARY .insteadOf", "/"), ("protocol.ext.allow", "always")),
    "url with an option": url("--upload-pack=CANARY"),
    "ssh url with an option": url("ssh://-oProxyCommand=CANARY/x", ("ssh.variant", "ssh")),
    "a remote helper": setting(("remote.origin.vcs", "ext"), ("protocol.ext.allow", "always")),
    "uploadpack.packObjectsHook": setting(("uploadpack.packObjectsHook", "CANARY")),
    "maintenance and gc": setting(
        ("gc.auto", "1"), ("gc.recentObjectsHook", "CANARY"), ("maintenance.auto", "true")
    ),
    "tools": setting(
        *(
            ("difftool.x.cmd", "CANARY"),
            ("diff.tool", "x"),
            ("mergetool.x.cmd", "CANARY"),
            ("merge.tool", "x"),
        ),
        *(("web.browser", "x"), ("browser.x.cmd", "CANARY"), ("sendemail.smtpServer", "CANARY")),
        *(("trailer.x.command", "CANARY"), ("trailer.x.cmd", "CANARY"), ("submodule.x.update", "!CANARY")),
    ),
    ".cortex, a link to the outside": link("OUTSIDE"),
    ".cortex, a link to the hooks": link(".git/hooks"),
    ".cortex, a link to itself": link(".cortex"),
    ".cortex, a tracked link": tracked_link,
    ".cortex, a folder with settings": folder_of_settings,
    "names of files": names,
    "odd content": odd_content,
    "a hostile branch": hostile_branch,
    "a hostile git folder": template,
    "a missing object and a promisor": promisor,
    "submodules": submodule,
    "hostile notes": notes,
    "hostile refs": odd_refs,
    "a git folder elsewhere": elsewhere,
    "settings of the team": team_settings,
    "names that shadow": shadows,
    "the branch's remote ext::": setting(("branch.main.remote", "ext::CANARY"), *EXT),
    "url.pushInsteadOf": setting(("url.ext::CANARY .pushInsteadOf", "/"), *EXT),
    "remote.pushurl ext::": setting(("remote.origin.pushurl", "ext::CANARY"), *EXT),
    "core.gitProxy": url("git://127.0.0.1:9/x", ("core.gitProxy", "CANARY")),
}


def run(*words: str) -> tuple[int, str]:
    """One command in this process: exit status and standard error. An exception is a crash."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(list(words))
    err.flush()
    return status, err.buffer.getvalue().decode()  # type: ignore[attr-defined]


def visit(folder: Path, poison: Poison) -> tuple[list[str], list[str]]:
    """Make a hostile repository and go through the commands: what was touched, what went wrong."""
    folder.mkdir()
    canary = folder / "canary"
    touched = folder / "touched"
    touched.mkdir()
    (folder / "outside").mkdir()
    canary.write_text(f'#!/bin/sh\n: >"{touched}/$$"\nexit 1\n')
    canary.chmod(0o755)
    origin, repo = folder / "origin.git", folder / "repo"
    git(folder, "init", "--quiet", "--bare", str(origin))
    repo.mkdir()
    git(repo, "init", "--quiet", "--initial-branch=main")
    git(repo, "remote", "add", "origin", str(origin))
    (repo / "gen.py").write_text("x = 1\n")
    git(repo, "add", "-A")
    git(repo, "commit", "--quiet", "-m", "Begin")
    # The commit that is learnt from is made beforehand: afterwards no git of the person's may run.
    (repo / "gen.py").write_text(EDITED)
    git(repo, "commit", "--quiet", "-am", "Fetch")
    later = git(repo, "rev-parse", "HEAD")
    git(repo, "reset", "--quiet", "--hard", "HEAD~1")
    poison(repo, str(canary))
    (repo / "gen.py").write_text(WROTE)
    at = ("-C", str(repo))
    wrong: list[str] = []

    def step(*words: str, may_fail: bool = False) -> None:
        status, err = run(*words)
        if status not in ((0, 2, 3, 4) if may_fail else (0,)):
            wrong.append(f"{words}: exit status {status}: {err[-200:]}")

    step("init", str(repo))
    step("record", *at, "--path", str(repo / "gen.py"), "--agent", "t", "--task", "fetch it")
    (repo / ".git" / "refs" / "heads" / "main").write_text(later + "\n")
    (repo / "gen.py").write_text(EDITED)
    for words in (("learn",), ("check",), ("ask", "how do we call requests.get?"), ("log",), ("status",)):
        step(words[0], *at, *words[1:])
    step("check", *at, "gen.py", may_fail=True)
    for path in sorted(repo.glob("*.py")):
        step("check", *at, str(path), may_fail=True)
        step("record", *at, "--path", str(path), may_fail=True)
    step("check", *at, "--since", "HEAD~1")
    step("remember", *at, "Use UTC.")
    step("sync", *at, may_fail=True)
    step("log", *at)
    step("uninit", str(repo))
    outside = [each.name for each in (folder / "outside").iterdir()]
    return [each.name for each in touched.iterdir()] + outside, wrong


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the daemon: it would do the same in another process."""
    monkeypatch.setenv("CORTEX_NO_DAEMON", "1")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    monkeypatch.setattr(engine, "Models", lambda: MODELS)


def test_the_canaries_can_be_touched(tmp_path: Path) -> None:
    """Otherwise the next test would hold whatever happened."""
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "--quiet")
    canary = tmp_path / "canary"
    canary.write_text(f'#!/bin/sh\n: >"{tmp_path}/touched"\nexit 1\n')
    canary.chmod(0o755)
    REPOSITORIES["core.fsmonitor"](repo, str(canary))
    git(repo, "status")
    assert (tmp_path / "touched").exists()


def test_no_program_of_a_repository_is_run(tmp_path: Path, tell: Callable[[str], None]) -> None:
    touched: dict[str, list[str]] = {}
    wrong: dict[str, list[str]] = {}
    for number, (name, poison) in enumerate(REPOSITORIES.items()):
        try:
            alive, failed = visit(tmp_path / str(number), poison)
        except Exception as error:  # noqa: BLE001 - a crash of any kind is the finding
            wrong[name] = ["".join(traceback.format_exception(error)[-14:])]
            continue
        if alive:
            touched[name] = alive
        if failed:
            wrong[name] = failed
    tell(f"hostile repositories: {len(REPOSITORIES)}, {len(touched)} canaries touched, {len(wrong)} crashes")
    assert not touched, touched
    assert not wrong, "\n".join(f"{name}: {each}" for name, all in wrong.items() for each in all)

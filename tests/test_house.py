"""The house keeps its own promises: one top-level name, layers, help for every command, documents that are true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cortex.cli.main import COMMANDS, cortex
from cortex.repo import config
from cortex.repo.errors import EXIT_CODES

ROOT = Path(__file__).resolve().parent.parent
NOT_CODE = {"tests", "benchmarks", "training", "docs", "build", "dist"}


def test_only_the_two_modules_of_the_package_are_at_the_root():
    assert {path.name for path in ROOT.glob("*.py")} == {"__init__.py", "__main__.py"}


def test_packages_lists_every_folder_of_code():
    listed = re.findall(r'^    "(cortex(?:\.\w+)*)",$', (ROOT / "pyproject.toml").read_text(), re.M)
    there = {"cortex"} | {
        "cortex." + ".".join(path.parent.relative_to(ROOT).parts)
        for path in ROOT.glob("*/**/__init__.py")
        if path.relative_to(ROOT).parts[0] not in NOT_CODE
        and not path.relative_to(ROOT).parts[0].startswith(".")
    }
    assert set(listed) == there


def every_command() -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = []
    for name in COMMANDS:
        command = cortex.get_command(click.Context(cortex), name)
        assert command is not None
        if isinstance(command, click.Group):
            found += [(f"{name} {verb}", sub) for verb, sub in command.commands.items()]
        elif not command.hidden:
            found.append((name, command))
    return found


@pytest.mark.parametrize(
    ("name", "command"), every_command(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_has_help_with_examples_and_exit_codes(name: str, command: click.Command):
    text = command.get_help(click.Context(command, info_name=f"cortex {name}"))
    assert "Examples:" in text and f"cortex {name}" in text
    assert "Exit status:" in text and "0  " in text
    assert command.help and len(command.help) > 20


@pytest.mark.parametrize("name", [name for name, _ in every_command()])
def test_every_command_is_in_the_readme(name: str):
    assert f"cortex {name}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_template_shows_every_setting_with_its_default():
    text = (ROOT / ".cortex-template" / "config.toml").read_text(encoding="utf-8")
    section, shown = "", {}
    for line in text.splitlines():
        if match := re.match(r"\[(\w+)\]", line):
            section = match[1]
        elif match := re.match(r"# (\w+) = (\S+)", line):
            shown[f"{section}.{match[1]}"] = match[2].strip('"')
    plain = {
        key: str(option.default).lower() if isinstance(option.default, bool) else str(option.default)
        for key, option in config.OPTIONS.items()
    }
    assert shown == plain


def test_the_exit_codes_are_documented():
    text = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
    for code, words in EXIT_CODES.items():
        assert f"| {code} | {words}" in text


def test_importing_cortex_loads_nothing_heavy():
    heavy = ("numpy", "click", "pygit2", "onnxruntime", "duckdb", "mcp")
    script = f"import sys, cortex; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_quick_path_loads_nothing_but_json_socket_and_itself():
    script = (
        "import json, socket, sys; before = set(sys.modules); from cortex.cli import entry, fast; "
        "print([m for m in sys.modules if m not in before and m.partition('.')[0] not in ('cortex', '__future__')])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_daemon_that_is_asked_nothing_loads_no_model_and_no_database():
    heavy = ("duckdb", "numpy", "onnxruntime", "tokenizers", "voyager")
    script = f"import sys, cortex.daemon.engine, cortex.daemon.process; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_command_runs_ours_in_a_folder_with_its_own_store(tmp_path: Path):
    (tmp_path / "store.py").write_text("raise SystemExit('theirs ran')\n")
    (tmp_path / "daemon.py").write_text("raise SystemExit('theirs ran')\n")
    done = subprocess.run(
        [sys.executable, "-m", "cortex", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and done.stdout.startswith("cortex, version ")


def test_no_machine_path_and_no_registry_is_in_the_tree():
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.split(b"\0")
    words = re.compile(
        rb"/(?:root|work|farm)/[a-z]|file:///|https?://[^\s\"')]*(?:pypi|npmjs|mirror)[^\s\"')]*"
    )
    found = []
    for name in filter(None, tracked):
        path = ROOT / name.decode()
        if (
            path.is_file()
            and path.suffix in {".py", ".md", ".toml", ".sh", ".yml", ""}
            and path.name != "test_house.py"
        ):
            if match := words.search(path.read_bytes()):
                found.append((name.decode(), match[0]))
    assert found == []

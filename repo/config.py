"""Settings: what there is to set, and where each value comes from.

Flag > environment > `.cortex/config.toml` > the team's `.cortex.toml` (once trusted) > the person's own
file > default. The team's file lies in the repository's tree, so anyone who can push can change it: it is
read only while its content is the one that the person trusted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import tomlkit
from tomlkit.exceptions import TOMLKitError

from . import marked
from .errors import UsageError
from .files import read_plain, write_whole
from .places import Place, state_folder, user_config

TEAM_FILE = ".cortex.toml"
#: Bytes of a file of settings: reading TOML takes time that grows faster than its length.
MAX_FILE = 32 * 1024
Value = bool | int | float | str


@dataclass(frozen=True)
class Option:
    """One thing to set: `key` is "section.name", `kind` the type that a value must have."""

    key: str
    default: Value
    help: str
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None

    @property
    def kind(self) -> type[Value]:
        """The type of a value: the default's."""
        return type(self.default)

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "CORTEX_" + self.key.upper().replace(".", "_")


OPTIONS: Mapping[str, Option] = {
    option.key: option
    for option in (
        Option("recall.k", 5, "memories in one answer, at most", least=1, most=5),
        Option("recall.budget", 500, "tokens in one answer, at most", least=50, most=500),
        Option(
            "guard.mode", "warn", "what the pre-commit guard does with findings", ("off", "warn", "block")
        ),
        Option(
            "guard.block_confidence", 0.9, "with mode = block: the least confidence that blocks", (), 0, 1
        ),
        Option("guard.block_rules", "", "with mode = block: ids of rules that block, however sure they are"),
        Option("guard.deadline", 2.0, "seconds after which a commit goes on without the guard", (), 0.1, 30),
        Option("guard.sweep", True, "after a commit look where else in the tree its change would fit"),
        Option("rules.min_support", 3, "corrections that a rule needs before it may warn", least=3, most=100),
        Option(
            "rules.min_commits", 2, "commits that these corrections come from, at least", least=2, most=100
        ),
        Option("rules.active_confidence", 0.8, "chance of being right from which a rule warns", (), 0.5, 1),
        Option(
            "rules.progress_confidence",
            0.7,
            "the same while the change is under way that it is about",
            (),
            0.3,
            1,
        ),
        Option(
            "rules.scope_repositories",
            3,
            "repositories of yours that have to confirm a rule before it rises in scope; 0: it never does",
            least=0,
            most=100,
        ),
        Option("learn.history", True, "learn from the repository's past"),
        Option("learn.since", "", "a revision: the past before it is not learnt from"),
        Option("learn.history_days", 3650, "how far back, in days", least=1, most=36_500),
        Option(
            "learn.conventions",
            "shared",
            "preferences, fixes and decisions: kept to be shared, for this machine alone, or not at all",
            ("shared", "private", "off"),
        ),
        Option("capture.agents", True, "record what assistants write"),
        Option("capture.keep_days", 90, "days for which generated code is kept", least=1, most=3650),
        Option("sync.remote", "", "remote to share memories with; empty: the current branch's, else origin"),
        Option("daemon.autostart", True, "start the daemon when a command needs it"),
        Option("models.set", "builtin", "which models to use", ("builtin",)),
    )
}


@dataclass(frozen=True)
class Setting:
    """A value and where it comes from: flag, environment, a file's path, or default."""

    option: Option
    value: Value
    source: str


@dataclass(frozen=True)
class Settings:
    """All settings of one repository.

    `warnings` says what was passed over, and why; `damaged`, those of them that a person has to mend.
    """

    settings: Mapping[str, Setting]
    warnings: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()

    def __getitem__(self, key: str) -> Setting:
        return self.settings[key]

    def integer(self, key: str) -> int:
        """The value of a whole-number option."""
        return cast(int, self.settings[key].value)

    def number(self, key: str) -> float:
        """The value of a number option."""
        return float(cast(float, self.settings[key].value))

    def text(self, key: str) -> str:
        """The value of a text option."""
        return cast(str, self.settings[key].value)

    def flag(self, key: str) -> bool:
        """The value of a yes-or-no option."""
        return cast(bool, self.settings[key].value)


def load(
    place: Place | None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, Value] | None = None,
) -> Settings:
    """The settings that hold in `place`.

    A file that cannot be read is passed over with a warning, since a typing error there must not stop a
    commit; a bad environment variable or flag raises `UsageError`.
    """
    found = {key: Setting(option, option.default, "default") for key, option in OPTIONS.items()}
    warnings: list[str] = []
    damaged: list[str] = []
    files = [user_config()]
    if place is not None:
        if place.root is not None and (team := place.root / TEAM_FILE).is_file():
            try:
                if is_trusted(place, team):
                    files.append(team)
                else:
                    warnings.append(
                        f"{team} is not read: its content is not trusted (`cortex config --trust`)"
                    )
            except UsageError as error:
                damaged.append(error.message)
        files.append(place.store / "config.toml")
    for file in files:
        try:
            values = _read(file)
        except UsageError as error:
            damaged.append(error.message)
            continue
        for key, value in values.items():
            if key not in OPTIONS:
                damaged.append(f"{file}: there is no setting {key[:100]}")
                continue
            try:
                found[key] = Setting(OPTIONS[key], check(OPTIONS[key], value), str(file))
            except UsageError as error:
                damaged.append(f"{file}: {error.message}")
    for key, option in OPTIONS.items():
        if environment and option.variable in environment:
            found[key] = Setting(option, parse(option, environment[option.variable]), "environment")
        if flags and key in flags:
            found[key] = Setting(option, check(option, flags[key]), "flag")
    return Settings(found, (*warnings, *damaged), tuple(damaged))


def option(key: str) -> Option:
    """The option called `key`; raises `UsageError` naming the ones there are."""
    try:
        return OPTIONS[key]
    except KeyError:
        raise UsageError(f"there is no setting {key}", f"The settings: {', '.join(OPTIONS)}.") from None


def parse(option: Option, text: str) -> Value:
    """A value from what a person typed; raises `UsageError`."""
    if option.kind is bool:
        word = text.strip().lower()
        if word in {"1", "true", "yes", "on"}:
            return True
        if word in {"0", "false", "no", "off"}:
            return False
        raise UsageError(f"{option.key} takes true or false, not {_shown(text)}")
    try:
        if option.kind is not str and len(text) > 100:
            raise ValueError("too long for a number: reading one takes time that grows with its square")
        return check(option, option.kind(text))
    except ValueError:
        kind = "a whole number" if option.kind is int else "a number"
        raise UsageError(f"{option.key} takes {kind}, not {_shown(text)}") from None


def check(option: Option, value: object) -> Value:
    """`value` if it is one that `option` can take; raises `UsageError`."""
    if option.kind is float and type(value) is int and abs(value) < 2**53:
        value = float(value)
    if type(value) is not option.kind:
        raise UsageError(f"{option.key} takes a value like {option.default!r}, not {_shown(value)}")
    if option.choices and value not in option.choices:
        raise UsageError(f"{option.key} takes one of {', '.join(option.choices)}, not {_shown(value)}")
    if isinstance(value, (int, float)):
        if value != value:  # not a number: no bound holds it
            raise UsageError(f"{option.key} takes a number, not {value}")
        if option.least is not None and value < option.least:
            raise UsageError(f"{option.key} is at least {option.least:g}, not {_shown(value)}")
        if option.most is not None and value > option.most:
            raise UsageError(f"{option.key} is at most {option.most:g}, not {_shown(value)}")
    return value


def _shown(value: object) -> str:
    """A value in few words: one of a file may be of any length, and an integer too long to be written out."""
    if isinstance(value, int) and abs(value) >= 2**63:
        return "a number of many digits"
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"


def write(file: Path, key: str, value: Value | None) -> None:
    """Set `key` in `file`, or take it out when `value` is None; comments and order there are kept."""
    document = _document(file)
    section, name = key.split(".", 1)
    if value is None:
        table = document.get(section)
        if isinstance(table, dict) and name in table:
            del table[name]
    else:
        if not isinstance(document.get(section), dict):
            document[section] = tomlkit.table()
        cast(dict[str, Any], document[section])[name] = value
    file.parent.mkdir(parents=True, exist_ok=True)
    mode = file.stat().st_mode & 0o7777 if file.exists() else 0o644
    marked.write(file, tomlkit.dumps(document).encode(), mode)


def trust(place: Place) -> str:
    """Trust the team's file as it is now; returns its SHA-256. A later change asks again."""
    team = place.require_root() / TEAM_FILE
    if not team.is_file():
        raise UsageError(f"there is no {team}", "Only the team's file needs trust.")
    with _reading(team):
        digest = _digest(team)
    known = _trusted()
    known[str(team)] = digest
    file = _trust_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, (json.dumps(known, indent=2, sort_keys=True) + "\n").encode())
    return digest


def is_trusted(place: Place, team: Path) -> bool:
    """Whether the person trusted this very content."""
    with _reading(team):
        return _trusted().get(str(team)) == _digest(team)


def _digest(file: Path) -> str:
    return hashlib.sha256(_bytes(file)).hexdigest()


def _trust_file() -> Path:
    return state_folder() / "trusted.json"


def _trusted() -> dict[str, str]:
    try:
        known = json.loads(_trust_file().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {str(key): str(value) for key, value in known.items()} if isinstance(known, dict) else {}


def _document(file: Path) -> tomlkit.TOMLDocument:
    with _reading(file):
        return tomlkit.parse(_text(file))


def _read(file: Path) -> Mapping[str, object]:
    """The values of a file by "section.name"."""
    with _reading(file):
        return _values(_text(file))


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    """What goes wrong with a file, in words."""
    try:
        yield
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{file} is not valid TOML: {str(error)[:200]}", "Mend the file, or move it away."
        ) from error
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error


def _text(file: Path) -> str:
    try:
        return _bytes(file).decode("utf-8")
    except FileNotFoundError:
        return ""


def _bytes(file: Path) -> bytes:
    """A file of settings; raises `UsageError` for one that is none by its size or its kind."""
    data = read_plain(file, MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise UsageError(f"{file} is larger than {MAX_FILE:,} bytes", "Keep nothing but settings there.")
    return data


@lru_cache(maxsize=64)
def _values(text: str) -> Mapping[str, object]:
    """The values in a text, kept: each request loads the settings, and parsing takes milliseconds."""
    values: dict[str, object] = {}
    for section, table in tomlkit.parse(text).unwrap().items():
        if isinstance(table, dict):
            values.update({f"{section}.{name}": value for name, value in table.items()})
        else:
            values[section] = table
    return values

"""Settings: what wins over what, what is refused, what is kept when a file is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cortex.repo import config
from cortex.repo.errors import UsageError
from cortex.repo.files import write_whole
from cortex.repo.places import Place, find, user_config


@pytest.fixture
def place(repo: Path) -> Place:
    found = find(repo)
    found.store.mkdir(exist_ok=True)
    return found


def test_a_flag_wins_over_the_environment_over_the_clone_over_the_team_over_the_person_over_the_default(
    place: Place,
):
    def now(environment=None, flags=None):
        setting = config.load(place, environment, flags)["recall.budget"]
        return setting.value, setting.source

    assert now() == (500, "default")
    config.write(user_config(), "recall.budget", 400)
    assert now() == (400, str(user_config()))
    team = place.require_root() / config.TEAM_FILE
    team.write_text("[recall]\nbudget = 350\n")
    assert now()[0] == 400
    config.trust(place)
    assert now() == (350, str(team))
    config.write(place.store / "config.toml", "recall.budget", 300)
    assert now() == (300, str(place.store / "config.toml"))
    assert now({"CORTEX_RECALL_BUDGET": "200"}) == (200, "environment")
    assert now({"CORTEX_RECALL_BUDGET": "200"}, {"recall.budget": 100}) == (100, "flag")


def test_the_teams_file_is_read_only_while_its_content_is_the_trusted_one(place: Place):
    team = place.require_root() / config.TEAM_FILE
    team.write_text('[guard]\nmode = "block"\n')
    untrusted = config.load(place)
    assert untrusted.text("guard.mode") == "warn"
    assert "not trusted" in untrusted.warnings[0]
    config.trust(place)
    assert config.load(place).text("guard.mode") == "block"
    team.write_text('[guard]\nmode = "off"\n')
    assert config.load(place).text("guard.mode") == "warn"


def test_a_broken_file_is_passed_over_with_a_warning(place: Place):
    (place.store / "config.toml").write_text("[recall\nk = ")
    settings = config.load(place)
    assert settings.integer("recall.k") == 5
    assert "not valid TOML" in settings.warnings[0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[recall]\nk = 9", "at most 5"),
        ("[recall]\nk = 'x'", "takes a value like 5"),
        ("[recall]\nx = 1", "no setting recall.x"),
    ],
)
def test_a_bad_value_in_a_file_is_passed_over_with_its_reason(place: Place, line: str, words: str):
    (place.store / "config.toml").write_text(line)
    settings = config.load(place)
    assert settings.integer("recall.k") == 5
    assert words in settings.warnings[0]


@pytest.mark.parametrize(
    ("key", "text"),
    [("recall.k", "many"), ("recall.k", "0"), ("guard.mode", "shout"), ("learn.history", "perhaps")],
)
def test_a_bad_value_by_hand_is_refused(key: str, text: str):
    with pytest.raises(UsageError):
        config.parse(config.option(key), text)


def test_writing_a_setting_keeps_comments_and_other_settings(tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_text("# mine\n[recall]\nk = 3  # few\nbudget = 300\n")
    config.write(file, "recall.budget", 200)
    config.write(file, "guard.mode", "block")
    config.write(file, "recall.k", None)
    text = file.read_text()
    assert "# mine" in text and "budget = 200" in text and 'mode = "block"' in text and "k = 3" not in text


def test_a_file_of_settings_that_is_a_link_stays_one_and_keeps_its_mode(tmp_path: Path):
    kept, link = tmp_path / "dotfiles.toml", tmp_path / "config.toml"
    kept.write_text("[recall]\nk = 4\n")
    kept.chmod(0o640)
    link.symlink_to(kept)
    config.write(link, "recall.budget", 400)
    assert link.is_symlink() and kept.stat().st_mode & 0o777 == 0o640
    assert kept.read_text() == "[recall]\nk = 4\nbudget = 400\n"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["config.toml", "dotfiles.toml"]


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool
):
    file = tmp_path / "note"
    write_whole(file, b"old", durable=durable)
    assert file.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="note"):
        write_whole(file, b"new", durable=durable)
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"old"]


def test_an_unknown_setting_names_the_known_ones():
    with pytest.raises(UsageError) as error:
        config.option("recall.q")
    assert "recall.k" in error.value.hint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[recall]\nk = 3\nk = 4\n", "already"),  # was a crash: tomlkit says it with another error
        ("[recall]\nk = 3\n[recall.k]\n", "already"),
        ("[recall]\nk = " + "9" * 400, "many digits"),  # was a crash: no float is so large
        ("[guard]\ndeadline = " + "9" * 400, "many digits"),
        ("[guard]\ndeadline = nan", "takes a number"),  # was taken: nothing is larger than it
        ("[recall]\nk = '" + "x" * 5000 + "'", "takes a value like"),
        ("#" * 40_000, "larger than"),
    ],
)
def test_what_a_file_may_hold_stops_nothing(place: Place, text: str, words: str):
    (place.store / "config.toml").write_text(text)
    settings = config.load(place)
    assert all(each.source == "default" for each in settings.settings.values())
    assert words in settings.warnings[0] and len(settings.warnings[0]) < 600


def test_a_file_of_settings_that_is_a_pipe_is_not_waited_for(place: Place):
    os.mkfifo(place.store / "config.toml")
    assert "not a plain file" in config.load(place).warnings[0]


def test_a_huge_file_of_the_team_is_not_read_whole(place: Place):
    team = place.require_root() / config.TEAM_FILE
    with team.open("wb") as file:
        file.truncate(1 << 40)
    assert "larger than" in config.load(place).warnings[0]
    with pytest.raises(UsageError, match="larger than"):
        config.trust(place)


def test_a_setting_is_written_where_a_value_stands_for_its_section(tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_text("# mine\nrecall = true\n")
    config.write(file, "recall.k", 3)
    assert "# mine" in file.read_text() and "k = 3" in file.read_text()


def test_a_number_of_a_million_digits_is_refused_at_once():
    with pytest.raises(UsageError, match="whole number"):
        config.parse(config.option("recall.k"), "9" * 1_000_000)

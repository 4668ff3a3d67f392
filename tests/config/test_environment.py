"""A wrong setting is named at start, in plain words, with what to do; never taken for something else in silence."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from stafeta.config.environment import SETTINGS, Environment, WrongSettings, as_markdown, load


def wrong(**environ: str) -> str:
    """Load settings that are expected to be wrong and return what is said about them."""
    with pytest.raises(WrongSettings) as caught:
        load({f"STAFETA_{name}": value for name, value in environ.items()})
    return str(caught.value)


def right(**environ: str) -> Environment:
    return load({f"STAFETA_{name}": value for name, value in environ.items()})


def test_nothing_needs_to_be_set() -> None:
    environment = load({"PATH": "/usr/bin"})
    assert environment.site_url == "http://localhost:8000"
    assert environment.database_url == f"sqlite:///{environment.data_dir / 'stafeta.sqlite3'}"
    assert environment.keys_file.parent == environment.data_dir
    assert environment.email_url == environment.sms_url == ""
    assert environment.signup == "first"
    assert environment.is_local
    assert not environment.debug


def test_an_empty_variable_is_an_unset_one() -> None:
    """Compose files and systemd units pass empty values on."""
    assert load({setting.name: " " for setting in SETTINGS}) == load({})


def test_everything_may_be_set() -> None:
    environment = right(
        DATA_DIR="/var/lib/stafeta",
        SITE_URL="https://stafeta.example.com/",
        DATABASE_URL="postgres://u:p@db:5432/stafeta",
        KEYS_FILE="/etc/stafeta/keys.txt",
        EMAIL_URL="smtp://u:p@mail.example.com:587?tls=true",
        EMAIL_FROM="Štafeta <stafeta@example.com>",
        SMS_URL="webhook+https://sms.example.com/send",
        SIGNUP="Open",
        TICK_EVERY_S="0.5",
        LOG_LEVEL="DEBUG",
        PROXIES="2",
    )
    assert environment.data_dir == Path("/var/lib/stafeta")
    assert environment.secret_key_file == Path("/var/lib/stafeta/secret-key")
    assert environment.site_url == "https://stafeta.example.com"
    assert environment.allowed_hosts == ("stafeta.example.com",)
    assert environment.is_https
    assert not environment.is_local
    assert environment.signup == "open"
    assert environment.tick_every_s == 0.5
    assert environment.log_level == "debug"
    assert environment.proxies == 2


def test_a_local_site_answers_to_all_its_names() -> None:
    assert right(SITE_URL="http://127.0.0.1:9000").allowed_hosts == ("localhost", "127.0.0.1", "[::1]")


def test_the_fast_clock_has_its_epoch() -> None:
    environment = right(CLOCK_SCALE="17280", CLOCK_EPOCH="2026-01-31T09:00:00+00:00")
    assert environment.clock_scale == 17280
    assert environment.clock_epoch == datetime(2026, 1, 31, 9, tzinfo=UTC)


def test_all_problems_are_named_at_once() -> None:
    said = wrong(TICK_EVERY_S="often", SIGNUP="maybe", DATA_DIR="data", SITE_ULR="https://x.example")
    for name in ("STAFETA_TICK_EVERY_S", "STAFETA_SIGNUP", "STAFETA_DATA_DIR", "STAFETA_SITE_ULR"):
        assert name in said


def test_a_typing_mistake_is_recognised() -> None:
    assert "Did you mean STAFETA_SITE_URL?" in wrong(SITE_ULR="https://stafeta.example.com")
    assert "there is no such setting" in wrong(WHATEVER="1")


def test_what_the_tests_tell_each_other_is_no_setting() -> None:
    assert right(TEST_DATABASE="postgres") == load({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATA_DIR", "relative/path"),
        ("SITE_URL", "stafeta.example.com"),
        ("SITE_URL", "ftp://stafeta.example.com"),
        ("SITE_URL", "https://stafeta.example.com/app"),
        ("SITE_URL", "https://user@stafeta.example.com"),
        ("SITE_URL", "https://stafeta.example.com:http"),
        ("SITE_URL", "http://[::1"),
        ("ALLOWED_HOSTS", "https://stafeta.example.com"),
        ("ALLOWED_HOSTS", ","),
        ("PROXIES", "-1"),
        ("PROXIES", "1.5"),
        ("PROXIES", "²"),
        ("DATABASE_URL", "mysql://u:p@db/stafeta"),
        ("DATABASE_URL", "postgres://db:port/stafeta"),
        ("DATABASE_URL", "postgres://db/"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite://stafeta.sqlite3/x"),
        ("SECRET_KEY", "too short"),
        ("EMAIL_URL", "mail.example.com"),
        ("EMAIL_FROM", "nobody"),
        ("EMAIL_FROM", "a@b\nBcc: c@d"),
        ("SMS_URL", "+420601123456"),
        ("SIGNUP", "perhaps"),
        ("TICK_EVERY_S", "0"),
        ("TICK_EVERY_S", "nan"),
        ("TICK_EVERY_S", "inf"),
        ("CLOCK_SCALE", "0.5"),
        ("CLOCK_EPOCH", "yesterday"),
        ("CLOCK_EPOCH", "2026-01-31T09:00:00"),
        ("LOG_LEVEL", "loud"),
        ("DEBUG", "perhaps"),
    ],
)
def test_a_wrong_value_is_named_with_what_to_do(name: str, value: str) -> None:
    with pytest.raises(WrongSettings) as caught:
        load({f"STAFETA_{name}": value})
    (problem,) = [found for found in caught.value.problems if found.setting == f"STAFETA_{name}"]
    assert problem.problem
    assert problem.remedy.endswith((".", "?"))


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "EMAIL_URL", "SMS_URL"])
def test_a_wrong_secret_is_never_quoted(name: str) -> None:
    assert "hunter2" not in wrong(**{name: "?:hunter2"})


def test_the_public_never_gets_a_fast_clock_or_the_insides() -> None:
    said = wrong(
        SITE_URL="https://stafeta.example.com", CLOCK_SCALE="2", CLOCK_EPOCH="2026-01-31T09:00:00Z", DEBUG="true"
    )
    assert "STAFETA_CLOCK_SCALE: a public site needs the real clock" in said
    assert "STAFETA_DEBUG" in said


@pytest.mark.parametrize("nowhere", ["", "mailbox:", "console:", "CONSOLE:"])
@pytest.mark.parametrize("setting", ["EMAIL_URL", "SMS_URL"])
def test_a_public_site_never_keeps_its_messages_to_itself(setting: str, nowhere: str) -> None:
    """They would count as accepted, so the ladder would climb to the release with nobody ever asked."""
    channels = {"EMAIL_URL": "smtp://mail.example.com", "SMS_URL": "smsmanager://key"}
    right(SITE_URL="https://stafeta.example.com", **channels)
    said = wrong(SITE_URL="https://stafeta.example.com", **{**channels, setting: nowhere})
    assert f"STAFETA_{setting}: its messages would reach nobody" in said
    right(**{setting: nowhere})


def test_a_fast_clock_needs_its_epoch() -> None:
    assert "STAFETA_CLOCK_EPOCH" in wrong(CLOCK_SCALE="2")


def test_the_table_names_every_setting_once() -> None:
    names = [setting.name for setting in SETTINGS]
    assert len(set(names)) == len(names)
    assert as_markdown().count("| `STAFETA_") == len(names)


def test_the_keys_come_from_one_place_only(tmp_path: Path) -> None:
    assert "STAFETA_KEYS_FILE is set as well" in wrong(KEYS="AGE-SECRET-KEY-1X", KEYS_FILE=str(tmp_path / "keys.txt"))
    assert right(KEYS="AGE-SECRET-KEY-1X", KEYS_FILE=" ").keys == "AGE-SECRET-KEY-1X"
    assert right(KEYS_FILE="/etc/keys.txt").keys == ""


def test_keys_are_never_shown() -> None:
    assert "hunter2" not in repr(right(KEYS="hunter2"))

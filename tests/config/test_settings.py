"""What Django is told: the database of stack.md, and what browsers may do."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from stafeta.config.checks import SQLITE_VERSION_MIN, sqlite_problems
from stafeta.config.database import database
from stafeta.config.environment import load


def test_sqlite_is_the_one_that_does_not_damage_its_file() -> None:
    import sqlite3

    assert sqlite3.sqlite_version_info >= SQLITE_VERSION_MIN
    assert sqlite_problems(sqlite3.sqlite_version_info) == []


def test_an_old_sqlite_is_refused_with_what_to_do() -> None:
    (problem,) = sqlite_problems((3, 40, 1))
    assert "3.40.1" in problem.msg
    assert problem.hint is not None
    assert "pysqlite3" in problem.hint


def test_sqlite_takes_the_write_lock_first_and_loses_nothing_when_the_power_fails() -> None:
    config = database("sqlite:////var/lib/stafeta/stafeta.sqlite3")
    assert config["NAME"] == "/var/lib/stafeta/stafeta.sqlite3"
    assert config["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert config["OPTIONS"]["timeout"] == 20
    assert config["CONN_MAX_AGE"] == 60
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        assert pragma in config["OPTIONS"]["init_command"]


@pytest.mark.django_db
def test_the_pragmas_are_in_force() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("this is about SQLite")
    with connection.cursor() as cursor:
        read = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "foreign_keys")}
    assert read == {"journal_mode": "wal", "foreign_keys": 1}


def test_postgresql_connections_are_kept_and_looked_after() -> None:
    config = database("postgres://dana:s%40cret@db.example.com:5433/stafeta")
    assert config["ENGINE"] == "django.db.backends.postgresql"
    assert (config["HOST"], config["PORT"], config["NAME"]) == ("db.example.com", 5433, "stafeta")
    assert config["PASSWORD"] == "s@cret"
    assert config["CONN_MAX_AGE"] == 60
    assert config["CONN_HEALTH_CHECKS"] is True


def test_the_policy_allows_our_own_files_only(client: Client) -> None:
    policy = client.get("/no/such/page/")["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";") if part.strip())
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == "'self'"
    assert directives["style-src"] == "'self'"
    assert directives["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy


def test_headers_keep_pages_to_themselves(client: Client) -> None:
    headers = client.get("/no/such/page/").headers
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_first_language_is_czech_and_times_are_utc() -> None:
    assert settings.LANGUAGE_CODE == "cs"
    assert [code for code, _ in settings.LANGUAGES] == ["cs", "en"]
    assert settings.USE_TZ
    assert settings.TIME_ZONE == "UTC"


def test_cookies_are_secure_wherever_the_site_is() -> None:
    public = {"SITE_URL": "https://stafeta.example.com", "EMAIL_URL": "smtp://mail", "SMS_URL": "smsmanager://key"}
    assert load({f"STAFETA_{name}": value for name, value in public.items()}).is_https
    assert settings.SESSION_COOKIE_HTTPONLY
    assert settings.SESSION_COOKIE_SECURE is False, "the tests' own site is http://localhost"

"""System checks: what would betray people silently is refused before anything runs."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

SQLITE_VERSION_MIN: Final = (3, 51, 3)


def sqlite_problems(version: tuple[int, ...]) -> list[CheckMessage]:
    """Return the error for a SQLite whose write-ahead log can damage a file that two connections use."""
    if version >= SQLITE_VERSION_MIN:
        return []
    have, want = (".".join(map(str, numbers)) for numbers in (version, SQLITE_VERSION_MIN))
    return [
        Error(
            f"SQLite {have} can damage a database that two processes use; {want} or newer is needed.",
            hint="Install pysqlite3, which brings its own SQLite, or use PostgreSQL (STAFETA_DATABASE_URL).",
            id="stafeta.E001",
        )
    ]


@register("database")
def check_sqlite_version(**_: Any) -> list[CheckMessage]:
    """Refuse an old SQLite where SQLite is used at all."""
    if not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        return []
    import sqlite3

    return sqlite_problems(sqlite3.sqlite_version_info)

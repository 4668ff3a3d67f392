"""The database configuration: one URL, two engines, the same code above (stack.md measured every option)."""

from __future__ import annotations

from typing import Any, Final

import dj_database_url

CONN_MAX_AGE_S: Final = 60
SQLITE_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    # NORMAL may lose a committed confirmation when the power fails.
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA journal_size_limit=67108864",
)


def database(url: str) -> dict[str, Any]:
    """Return Django's description of the database at `url`."""
    config: dict[str, Any] = {**dj_database_url.parse(url, conn_max_age=CONN_MAX_AGE_S, conn_health_checks=True)}
    if config["ENGINE"].endswith("sqlite3"):
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": ";".join(SQLITE_PRAGMAS),
        }
    return config

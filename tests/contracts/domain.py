"""All that matters in the database, to be compared before and after."""

from __future__ import annotations

from typing import Final

from django.db import connection

# Tables that looking may change, and why nothing that matters is in them:
EXEMPT: Final = {
    "django_session": "who is at which browser, the links opened in it, its language; nothing is decided by it alone",
    "stafeta_cache": "rate limits: how often somebody knocked",
    "usersessions_usersession": "when a device of the owner's was last used, for the owner's own list of devices",
}


def domain() -> dict[str, list[str]]:
    """Return every row of every table that is not exempt."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table not in EXEMPT:
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                found[table] = sorted(repr([_plain(cell) for cell in row]) for row in cursor.fetchall())
    return found


def _plain(cell: object) -> object:
    return bytes(cell) if isinstance(cell, memoryview) else cell

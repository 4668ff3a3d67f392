"""What a thief of the database would read: every column of every row of every table, as text."""

from __future__ import annotations

from django.db import connection


def database_as_text() -> str:
    """Return everything in the database, keys and sessions included."""
    parts: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                parts.extend(_as_text(cell) for cell in row)
    return "\n".join(parts)


def _as_text(cell: object) -> str:
    return bytes(cell).decode("latin-1") if isinstance(cell, (bytes, memoryview)) else str(cell)

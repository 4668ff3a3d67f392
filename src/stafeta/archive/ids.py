"""Ids that were given out once are never given out again: not even those of a history that a restore has lost.

A link names ids. Were the id of a recipient who is lost given to somebody else, their old link would be that one's.
"""

from __future__ import annotations

from typing import Final

from django.db import connection, models

# More than any table can have grown by between a backup and its restore.
STEP: Final = 1_000_000
# What the narrowest id, of 32 bits, can hold; who comes near it has restored two thousand times.
ID_MAX: Final = 2**31 - 1


def counted_column(model: type[models.Model]) -> str | None:
    """Return the name of the column whose values the database counts, if there is one."""
    key = model._meta.pk
    return key.column if isinstance(key, models.AutoField | models.BigAutoField) else None


def last_id(model: type[models.Model]) -> int:
    """Return the highest id that this table has ever given out; 0 where it counts none."""
    column = counted_column(model)
    if column is None:
        return 0
    highest: int = model._base_manager.aggregate(found=models.Max("pk"))["found"] or 0
    return max(highest, _counter(model._meta.db_table, column))


def count_on(model: type[models.Model], *, after: int) -> None:
    """Let the next id of this table be higher than `after`, with room for a lost history between."""
    column = counted_column(model)
    if column is None:
        return
    begin = min(max(after, last_id(model)) + STEP, ID_MAX)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            quoted = connection.ops.quote_name(table)
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", [quoted, column, begin])
            return
        cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
        cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, begin])


def _counter(table: str, column: str) -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            quoted = connection.ops.quote_name(table)
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [quoted, column])
            (sequence,) = cursor.fetchone()
            cursor.execute(f"SELECT last_value, is_called FROM {sequence}")  # noqa: S608  # a name of the database's own
            value, is_called = cursor.fetchone()
            return int(value) if is_called else int(value) - 1
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        found = cursor.fetchone()
        return int(found[0]) if found else 0

"""Whose fault an error is: the database's, which is everybody's trouble, or one row's own (invariant 12)."""

from __future__ import annotations

from django.db import DatabaseError, InterfaceError, InternalError, OperationalError


def database_failed(error: BaseException) -> bool:
    """Whether the database itself failed: away, full, locked, read-only, damaged. Then no row is to blame.

    What it says of one row (a value that does not fit, a key that is taken) is that row's own. A damaged SQLite file
    raises the bare DatabaseError; a read-only PostgreSQL an InternalError; a connection that was cut an InterfaceError.
    """
    return isinstance(error, (OperationalError, InterfaceError, InternalError)) or type(error) is DatabaseError

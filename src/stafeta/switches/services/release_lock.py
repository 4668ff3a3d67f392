"""One transaction at a time releases, so that what it counts before it does is still so when it commits.

SQLite lets one transaction write after another anyway; on PostgreSQL it is an advisory lock that ends with the
transaction. A row would do, but a worker that is stopped in the middle would keep the others waiting for it.
"""

from __future__ import annotations

from typing import Final

from django.db import OperationalError, connection, transaction

RELEASES: Final = 0x5374_6166  # "Staf": the number under which PostgreSQL knows this lock
WAIT_S_MAX: Final = 10


def alone_with_releases() -> bool:
    """Whether this transaction may release, until it ends; otherwise another one is about it just now."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [RELEASES])
        return bool(cursor.fetchone()[0])


def wait_for_releases() -> bool:
    """Wait until no other transaction is releasing; False where one was still at it after `WAIT_S_MAX`."""
    if connection.vendor != "postgresql":
        return True
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = %s", [f"{WAIT_S_MAX}s"])
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RELEASES])
    except OperationalError:
        return False
    return True

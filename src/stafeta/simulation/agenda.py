"""When the service next has something to do, if nothing disturbs it: so that a simulation may skip the hours between.

Asked at every step of every life, so in SQL of its own that any database understands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connection

NEVER: Final = timedelta(days=3650)
SECOND: Final = "SELECT counted_ms FROM switches_serviceclock"
SWITCHES: Final = "SELECT MIN(due_at), MIN(due_s) FROM switches_switch WHERE retry_at IS NULL"
TOLD: Final = "SELECT MIN(opens_at_s) FROM vault_grant WHERE closed_at IS NULL AND told_at IS NULL"
REMINDED: Final = "SELECT MIN(remind_at_s) FROM vault_grant WHERE closed_at IS NULL AND first_read_at IS NULL"
QUEUED: Final = "SELECT MIN(next_attempt_at) FROM outbox_message WHERE state = 'queued' AND lease_until IS NULL"
LEASED: Final = "SELECT MIN(lease_until) FROM outbox_message WHERE state = 'queued' AND lease_until IS NOT NULL"
OLDEST: Final = "SELECT MIN(due_s) FROM switches_switch WHERE faults = 0"
HELD: Final = "SELECT MIN(until) FROM switches_hold WHERE ended_at IS NULL"
RELEASED: Final = "SELECT id, cycle FROM switches_switch WHERE phase = 'Released'"


@dataclass(frozen=True, slots=True)
class Agenda:
    """The true times at which the service next has a decision to take, and a message to send; they may have passed."""

    round_at: datetime
    send_at: datetime


def agenda(*, now: datetime, counted_at: datetime, offset: timedelta) -> Agenda:
    """Return what comes next.

    counted_at: when the service second that the database has was read; the next reading counts from there. offset: how
    far the service's clock is ahead of `now`.
    """
    with connection.cursor() as cursor:
        second = counted_s(cursor)
        due_at, due_s = _row(cursor, SWITCHES)
        held_until = _moment(_row(cursor, HELD)[0])
        seconds = [due_s, *_row(cursor, TOLD), *_row(cursor, REMINDED)]
        sends = [moment for sql in (QUEUED, LEASED) if (moment := _moment(_row(cursor, sql)[0])) is not None]
    rounds = [counted_at + timedelta(seconds=s - second) for s in seconds if s is not None]
    rounds += [moment - offset for moment in (_moment(due_at), held_until) if moment is not None]
    return Agenda(min(rounds, default=now + NEVER), min(sends, default=now + NEVER + offset) - offset)


def counted_s(cursor: Any) -> int:
    """Return the service second as the database has it; 0 before the first reading."""
    return int(_row(cursor, SECOND)[0] or 0) // 1000


def released() -> tuple[int, Iterable[tuple[int, int]]]:
    """Return the service second, and (switch, cycle) of everything that is open now."""
    with connection.cursor() as cursor:
        second = counted_s(cursor)
        cursor.execute(RELEASED)
        return second, cursor.fetchall()


def oldest_due_s(second: int) -> int:
    """Return since which service second some sound switch has been due; `second` where none is."""
    with connection.cursor() as cursor:
        return min(second, _row(cursor, OLDEST)[0] or second)


def _row(cursor: Any, sql: str) -> tuple[Any, ...]:
    cursor.execute(sql)
    return cursor.fetchone() or (None,)


def _moment(found: str | datetime | None) -> datetime | None:
    """SQLite keeps moments as text, in UTC."""
    if isinstance(found, str):
        return datetime.fromisoformat(found).replace(tzinfo=UTC)
    return found

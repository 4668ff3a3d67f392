"""The next check-in in local time: the only moment of the ladder that lives on the wall clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

GAP_MINUTES_MAX = 2 * 24 * 60  # the longest gap a zone has ever had is one skipped day (Samoa, 2011)


def next_checkin(*, after: datetime, interval_days: int, at: time, zone: ZoneInfo) -> datetime:
    """Return the aware UTC moment of `at` o'clock in `zone`, `interval_days` local days after `after`.

    A time that a change of the clocks skips means the next valid one; one that occurs twice means the first
    (ladder.md, "Service time").
    """
    day = after.astimezone(zone).date() + timedelta(days=interval_days)
    return first_valid(day, at, zone)


def first_valid(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the first moment at or after `at` on `day` that exists in `zone`, as aware UTC."""
    wanted = datetime.combine(day, at)
    for minutes in range(GAP_MINUTES_MAX):
        local = wanted + timedelta(minutes=minutes)
        moment = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) == local:
            return moment
    raise AssertionError(f"{zone.key} skips more than {GAP_MINUTES_MAX} minutes after {wanted}")

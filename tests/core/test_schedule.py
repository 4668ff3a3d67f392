"""The first prompt of a cycle in the owner's local time (docs/ladder.md, "Service time")."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stafeta.core import schedule
from stafeta.core.schedule import first_valid, next_checkin
from tests.core.strategies import MOMENTS, PROPERTY, ZONES

PRAGUE = ZoneInfo("Europe/Prague")


def local(day: date, at: time, zone: str) -> str:
    """Return what a clock on the wall shows at that moment."""
    return first_valid(day, at, ZoneInfo(zone)).astimezone(ZoneInfo(zone)).strftime("%d %H:%M %z")


def test_an_interval_counts_local_days_from_whatever_hour_the_owner_was_heard() -> None:
    for hour in (0, 9, 12, 22):
        heard = datetime(2026, 3, 1, hour, 30, tzinfo=UTC)
        due = next_checkin(after=heard, interval_days=14, at=time(9), zone=PRAGUE)
        assert due == datetime(2026, 3, 15, 8, 0, tzinfo=UTC)


def test_the_local_day_is_the_owners_not_the_servers() -> None:
    heard = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)  # already 2 March in Prague
    assert next_checkin(after=heard, interval_days=1, at=time(9), zone=PRAGUE) == datetime(2026, 3, 3, 8, tzinfo=UTC)


def test_nine_oclock_stays_nine_oclock_over_a_change_of_the_clocks() -> None:
    heard = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
    due = next_checkin(after=heard, interval_days=14, at=time(9), zone=PRAGUE)
    assert due == datetime(2026, 4, 3, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "at", "zone", "shown"),
    [
        (date(2026, 3, 29), time(2, 0), "Europe/Prague", "29 03:00 +0200"),
        (date(2026, 3, 29), time(2, 30), "Europe/Prague", "29 03:00 +0200"),
        (date(2026, 3, 29), time(1, 59), "Europe/Prague", "29 01:59 +0100"),
        (date(2026, 10, 4), time(2, 15), "Australia/Lord_Howe", "04 02:30 +1100"),
        (date(2011, 12, 30), time(9, 0), "Pacific/Apia", "31 00:00 +1400"),
        (date(2011, 12, 29), time(9, 0), "Pacific/Apia", "29 09:00 -1000"),
        (date(2011, 12, 31), time(9, 0), "Pacific/Apia", "31 09:00 +1400"),
    ],
)
def test_a_time_that_the_clocks_skip_means_the_next_valid_one(day: date, at: time, zone: str, shown: str) -> None:
    assert local(day, at, zone) == shown


@pytest.mark.parametrize(
    ("day", "at", "zone", "shown"),
    [
        (date(2026, 10, 25), time(2, 30), "Europe/Prague", "25 02:30 +0200"),
        (date(2026, 4, 5), time(1, 45), "Australia/Lord_Howe", "05 01:45 +1100"),
    ],
)
def test_a_time_that_occurs_twice_means_the_first(day: date, at: time, zone: str, shown: str) -> None:
    assert local(day, at, zone) == shown
    assert local(day, at.replace(fold=1), zone) == shown


def test_a_zone_that_skips_more_than_any_zone_ever_did_is_an_error_rather_than_a_guess(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schedule, "GAP_MINUTES_MAX", 30)
    with pytest.raises(AssertionError, match="Prague"):
        first_valid(date(2026, 3, 29), time(2, 0), PRAGUE)


@PROPERTY
@given(
    day=st.dates(date(2000, 1, 1), date(2060, 1, 1)),
    at=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    zone=st.sampled_from(ZONES),
)
def test_the_moment_found_is_never_before_the_wanted_one_and_within_two_days(day: date, at: time, zone: str) -> None:
    wanted = datetime.combine(day, at)
    shown = first_valid(day, at, ZoneInfo(zone)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert wanted <= shown < wanted + timedelta(days=2)


@PROPERTY
@given(
    heard=MOMENTS,
    interval_days=st.integers(1, 365),
    zone=st.sampled_from(ZONES),
)
def test_the_next_prompt_is_always_ahead_and_never_two_days_beyond_its_interval(
    heard: datetime, interval_days: int, zone: str
) -> None:
    due = next_checkin(after=heard, interval_days=interval_days, at=time(9), zone=ZoneInfo(zone))
    assert due.tzinfo is UTC
    assert timedelta(days=interval_days - 2) < due - heard < timedelta(days=interval_days + 2)
    assert due > heard

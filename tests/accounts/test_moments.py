"""Dates as people say them, in the zone of the switch."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils.translation import override

from stafeta.accounts.moments import Moment

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PRAGUE = "Europe/Prague"


def said(at: datetime, zone: str = PRAGUE, now: datetime = NOW) -> Moment:
    return Moment(at, zone, now)


def test_moment_is_said_in_the_zone_of_the_switch() -> None:
    at = datetime(2026, 12, 1, 23, 5, tzinfo=UTC)
    with override("en"):
        assert str(said(at)) == "Wednesday 2 December at 0:05"
        assert said(at, "America/New_York").on == "on Tuesday 1 December at 18:05"
        assert said(at).brief == "2 Dec 0:05"
        assert said(at).day == "2 December"


def test_year_is_said_only_where_it_is_another_one() -> None:
    with override("en"):
        assert said(datetime(2027, 1, 1, 8, 0, tzinfo=UTC)).on == "on Friday 1 January 2027 at 9:00"
        new_year = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
        assert said(datetime(2027, 3, 1, 8, 0, tzinfo=UTC), now=new_year).on == "on Monday 1 March at 9:00"


def test_language_is_that_of_the_moment_of_reading() -> None:
    moment = said(datetime(2026, 12, 2, 8, 0, tzinfo=UTC))
    with override("cs"):
        czech = str(moment)
    with override("en"):
        assert str(moment) != czech
    assert "prosince" in czech

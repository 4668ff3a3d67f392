"""When something happens, in the words, the grammar and the zone of the people reading (pages.md, "Copy")."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import dateformat
from django.utils.dates import MONTHS_ALT, WEEKDAYS
from django.utils.translation import pgettext

_VOCALISED_HOURS = frozenset({2, 3, 4, 12, 13, 14, 20, 21, 22, 23})


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as local people say it; the language is the one active when it is read.

    at: aware. zone: IANA name. now: aware; a year is said only where it is not this one.
    """

    at: datetime
    zone: str
    now: datetime

    def __str__(self) -> str:
        """Return e.g. "Tuesday 2 December at 9:00", as the subject of a sentence or on its own."""
        return pgettext("moment", "{weekday} {date} {at} {time}").format(
            weekday=WEEKDAYS[self._weekday], **self._parts()
        )

    @property
    def on(self) -> str:
        """Return e.g. "on Tuesday 2 December at 9:00", as it stands inside a sentence."""
        return pgettext("moment", "{on_weekday} {date} {at} {time}").format(
            on_weekday=_on_weekday(self._weekday), **self._parts()
        )

    @property
    def brief(self) -> str:
        """Return e.g. "2 Dec 9:00", for an SMS."""
        # Translators: letters of Django's `date` filter; the result must be plain ASCII.
        return dateformat.format(self._local, pgettext("moment, brief", "j M G:i"))

    @property
    def day(self) -> str:
        """Return e.g. "2 December", for a day whose hour does not matter."""
        return self._date()

    @property
    def _local(self) -> datetime:
        return self.at.astimezone(ZoneInfo(self.zone))

    @property
    def _weekday(self) -> int:
        return self._local.weekday()

    def _date(self) -> str:
        local = self._local
        if local.year == self.now.astimezone(ZoneInfo(self.zone)).year:
            words = pgettext("date", "{day} {month}")
        else:
            words = pgettext("date", "{day} {month} {year}")
        return words.format(day=local.day, month=MONTHS_ALT[local.month], year=local.year)

    def _parts(self) -> dict[str, str]:
        local = self._local
        return {"date": self._date(), "at": _at(local.hour), "time": _time(local)}


def _time(local: datetime) -> str:
    return f"{local.hour}:{local.minute:02}"


def _at(hour: int) -> str:
    """Return the preposition before a time: Czech says "v 9:00" and "ve 12:00"."""
    if hour in _VOCALISED_HOURS:
        return pgettext("before 2, 3, 4, 12, 13, 14, 20 to 23 o'clock", "at")
    return pgettext("before the other hours", "at")


def _on_weekday(weekday: int) -> str:
    return (
        pgettext("moment", "on Monday"),
        pgettext("moment", "on Tuesday"),
        pgettext("moment", "on Wednesday"),
        pgettext("moment", "on Thursday"),
        pgettext("moment", "on Friday"),
        pgettext("moment", "on Saturday"),
        pgettext("moment", "on Sunday"),
    )[weekday]

"""Until when a pause lasts."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from stafeta.core.policy import PAUSE_DAYS_MAX, Choices
from stafeta.core.schedule import first_valid


class PauseForm(forms.Form):
    """The day on which the owner wants to be asked again; a valid form has `until`, at the hour of the schedule."""

    day = forms.DateField(
        label=gettext_lazy("Ask me again on"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy(
            "On that day I ask you at your usual hour. Until then nothing is asked and nothing opens."
        ),
    )

    def __init__(self, *args: Any, choices: Choices, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._choices = choices
        self._now = now
        today = now.astimezone(ZoneInfo(choices.zone)).date()
        self._first, self._last = today + timedelta(days=1), today + timedelta(days=PAUSE_DAYS_MAX - 1)
        self.fields["day"].widget.attrs.update({"min": self._first.isoformat(), "max": self._last.isoformat()})

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        if not self._first <= day <= self._last:
            words = _("Choose a day from %(first)s to %(last)s.")
            raise ValidationError(words % {"first": _day(self._first), "last": _day(self._last)})
        return day

    @property
    def until(self) -> datetime:
        """The moment at which a valid form lets the pause end (aware UTC)."""
        return first_valid(self.cleaned_data["day"], self._choices.at, ZoneInfo(self._choices.zone))


def _day(day: date) -> str:
    return date_format(day, pgettext("date", "j F Y"))

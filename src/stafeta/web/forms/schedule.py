"""The owner's choices as a form. The limits are the core's; here they only become sentences."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from stafeta.core.errors import PolicyError
from stafeta.core.policy import DAY_S, HOUR_S, LIMITS, Choices
from stafeta.web.forms.fields import ZoneField

WINDOWS_S = (12 * HOUR_S, DAY_S, 2 * DAY_S, 3 * DAY_S, 7 * DAY_S, 14 * DAY_S, 30 * DAY_S)
GO_AHEAD_HELP = gettext_lazy(
    "Two of them, or the only one, can then say that something happened. You still get a last call on every "
    "channel and 24 hours to answer."
)


def span_words(span_s: int) -> str:
    """Return a window in words: "12 hours", "3 days"."""
    if span_s % DAY_S == 0:
        days = span_s // DAY_S
        return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    hours = span_s // HOUR_S
    return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}


def policy_sentence(error: PolicyError) -> str:
    """Return the limits that a choice broke, both of them, in the unit people see."""
    least, most = int(error.least), int(error.most)
    if error.field.endswith("_s"):
        return _("Choose from %(least)s to %(most)s.") % {"least": span_words(least), "most": span_words(most)}
    if error.field.endswith("_days"):
        words = ngettext("Choose from %(least)d to %(most)d day.", "Choose from %(least)d to %(most)d days.", most)
    else:
        words = _("Choose a number from %(least)d to %(most)d.")
    return words % {"least": least, "most": most}


class WindowField(forms.TypedChoiceField):
    """A reaction window from a few sensible ones; one that was chosen elsewhere joins them."""

    def __init__(self, label: Any, **kwargs: Any) -> None:
        super().__init__(label=label, coerce=int, **kwargs)

    def offer(self, present_s: int) -> None:
        """Offer the usual windows and the present one, in the active language."""
        self.choices = [(span_s, span_words(span_s)) for span_s in sorted({*WINDOWS_S, present_s})]


def _number(name: str, label: Any, **kwargs: Any) -> forms.IntegerField:
    """Return a field whose widget knows the core's limits; whether they hold, the core says."""
    limits = LIMITS[name]
    widget = forms.NumberInput(attrs={"min": limits.least, "max": limits.most, "inputmode": "numeric"})
    return forms.IntegerField(label=label, widget=widget, **kwargs)


class ScheduleForm(forms.Form):
    """Every choice of the ladder; a valid form has `choices`."""

    interval_days = _number(
        "interval_days",
        gettext_lazy("Days between two questions"),
        help_text=gettext_lazy("Counted from your last sign of life."),
    )
    at = forms.TimeField(
        label=gettext_lazy("At"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=gettext_lazy("When you usually have a moment."),
    )
    zone = ZoneField()
    email_attempts = _number("email_attempts", gettext_lazy("How many times by e-mail"))
    email_window_s = WindowField(gettext_lazy("Time to answer each"))
    sms_attempts = _number("sms_attempts", gettext_lazy("Then how many times by SMS"))
    sms_window_s = WindowField(gettext_lazy("Time to answer each"))
    trusted_attempts = _number("trusted_attempts", gettext_lazy("Then how many times people close to me"))
    trusted_window_s = WindowField(gettext_lazy("Time to answer each"))
    may_go_ahead = forms.BooleanField(
        label=gettext_lazy("They may let the handovers open sooner"), required=False, help_text=GO_AHEAD_HELP
    )
    cooling_off_days = _number(
        "cooling_off_days",
        gettext_lazy("Days of a last wait"),
        help_text=gettext_lazy("You are asked once more, and nothing opens before it is over. 0 for none."),
    )

    def __init__(self, *args: Any, choices: Choices, **kwargs: Any) -> None:
        kwargs["initial"] = {field.name: getattr(choices, field.name) for field in fields(choices)}
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if isinstance(field, WindowField):
                field.offer(getattr(choices, name))
        self.choices: Choices | None = None

    def clean(self) -> dict[str, Any]:
        chosen = {name: value for name, value in self.cleaned_data.items() if value is not None}
        for name in LIMITS:
            if name in chosen:
                try:
                    replace(Choices(), **{name: chosen[name]})
                except PolicyError as error:
                    self.add_error(name, policy_sentence(error))
        if not self.errors:
            self.choices = Choices(**chosen)
        return self.cleaned_data

"""For how long the operator holds everything, and why."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from stafeta.switches.services.hold import MAINTENANCE_HOURS_MAX, REASON_CHARS_MAX


class HoldForm(forms.Form):
    """Whole hours, and a reason that owners read on their dashboards."""

    hours = forms.IntegerField(
        label=gettext_lazy("Hours"),
        min_value=1,
        max_value=MAINTENANCE_HOURS_MAX,
        initial=2,
        help_text=gettext_lazy("At most 168. The hold ends by itself; you can lift it earlier."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=REASON_CHARS_MAX,
        help_text=gettext_lazy("Owners read it on their dashboards."),
    )

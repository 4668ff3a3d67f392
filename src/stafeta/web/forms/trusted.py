"""What a trusted contact fills in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

WAIT_DAYS_SUGGESTED = 7


class WaitForm(forms.Form):
    """For how many days to wait; `most` is what this cycle has left, at least one."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, most: int) -> None:
        super().__init__(data)
        self.fields["days"] = forms.IntegerField(
            label=_("For how many days?"),
            initial=min(WAIT_DAYS_SUGGESTED, most),
            min_value=1,
            max_value=most,
            error_messages={
                "required": _("Write for how many days."),
                "invalid": _("Write a whole number of days."),
                "min_value": _("It must be one day at least."),
                "max_value": ngettext_lazy(
                    "It can be %(limit_value)d day at most.", "It can be %(limit_value)d days at most.", "limit_value"
                ),
            },
        )

"""What an owner writes, and who it is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from stafeta.accounts.models import User
from stafeta.core.protection import Level
from stafeta.vault.models import (
    ACCESS_DAYS_DEFAULT,
    ACCESS_DAYS_LEAST,
    ACCESS_DAYS_MOST,
    DELAY_DAYS_MOST,
    Handover,
    Recipient,
)
from stafeta.vault.sealing import CONTENT_BYTES_MAX, content_bytes
from stafeta.web.starters import STARTERS

TOO_LONG = "too_long"
_AT_LEAST = ngettext_lazy(
    "It must be %(limit_value)d day at least.", "It must be %(limit_value)d days at least.", "limit_value"
)
_AT_MOST = ngettext_lazy(
    "It can be %(limit_value)d day at most.", "It can be %(limit_value)d days at most.", "limit_value"
)
_DAYS_ERRORS = {
    "required": _("Write a number of days."),
    "invalid": _("Write a whole number of days."),
    "min_value": _AT_LEAST,
    "max_value": _AT_MOST,
}


class HandoverForm(forms.Form):
    """Title and text. The title is stored as it is; the text only encrypted."""

    title = forms.CharField(
        label=_("Title"),
        max_length=200,
        help_text=_("The title is not encrypted, so keep secrets out of it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": _("Give it a title."),
            "max_length": _("The title can have %(limit_value)d characters at most."),
        },
    )
    content = forms.CharField(
        label=_("What is to be handed over"),
        required=False,
        strip=False,
        help_text=_("Stored only encrypted. You may use Markdown: # heading, - list, **bold**."),
        widget=forms.Textarea(
            attrs={"class": "editor-text", "rows": 18, "spellcheck": "true", "autocomplete": "off", "dir": "auto"}
        ),
    )

    def clean_content(self) -> str:
        content: str = self.cleaned_data["content"]
        length = content_bytes(content.replace("\r\n", "\n"))
        if length > CONTENT_BYTES_MAX:
            words = gettext("The text is too long: %(size)s, the most is %(most)s. Shorten it, or split it in two.")
            sizes = {"size": filesizeformat(length), "most": filesizeformat(CONTENT_BYTES_MAX)}
            raise ValidationError(words % sizes, code=TOO_LONG)
        return content

    @property
    def is_too_long(self) -> bool:
        return self.has_error("content", TOO_LONG)


class PeopleField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # no generic at run time
    """Some of the people offered. Whatever else is sent is refused before a database is asked for it."""

    def clean(self, value: Any) -> Any:
        offered = {str(pk) for pk in self.queryset.values_list("pk", flat=True)} if self.queryset is not None else set()
        if isinstance(value, list | tuple) and not {str(one) for one in value} <= offered:
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice", params={"value": ""})
        return super().clean(value)


class TermsForm(forms.Form):
    """Who gets a handover, when after the release, and for how long. Only the owner's own recipients are offered."""

    delay_days = forms.IntegerField(
        label=_("How many days after the release does it open?"),
        min_value=0,
        max_value=DELAY_DAYS_MOST,
        help_text=_("0: at once. A letter to those close to you may wait, what clients need should not."),
        error_messages=_DAYS_ERRORS,
    )
    access_days = forms.IntegerField(
        label=_("For how many days may it be read?"),
        min_value=ACCESS_DAYS_LEAST,
        max_value=ACCESS_DAYS_MOST,
        initial=ACCESS_DAYS_DEFAULT,
        error_messages=_DAYS_ERRORS,
    )
    recipients = PeopleField(
        queryset=Recipient.objects.none(),
        required=False,
        error_messages={
            "invalid_choice": _("One of the chosen people is no longer among your recipients."),
            "invalid_pk_value": _("One of the chosen people is no longer among your recipients."),
        },
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, owner: User, handover: Handover) -> None:
        initial = {
            "recipients": [person.pk for person in handover.recipients.all()],
            "delay_days": handover.delay_days,
            "access_days": handover.access_days,
        }
        super().__init__(data, initial=initial)
        self.fields["recipients"].queryset = owner.recipients.all()  # type: ignore[attr-defined]

    @property
    def chosen(self) -> set[str]:
        """The ids of the people ticked now, also in a form that has errors."""
        return {str(getattr(value, "pk", value)) for value in self["recipients"].value() or []}


class NewForm(forms.Form):
    """What to start from."""

    starter = forms.ChoiceField(
        label=_("Start from"),
        choices=lambda: [(key, starter.label) for key, starter in STARTERS.items()],
    )
    level = forms.ChoiceField(
        label=_("Level of protection"),
        choices=[(level.value, level.value) for level in Level],
        initial=Level.GUARDED.value,
        required=False,
    )

"""What an owner writes about a recipient or a trusted contact."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stafeta.switches.models import TrustedContact
from stafeta.vault.models import Recipient
from stafeta.web.forms.fields import LanguageField, PhoneField
from stafeta.web.people import Entry

EMAIL_CHARS_MAX = 254


class EntryForm(forms.Form):
    """One person: name, e-mail, phone, language. `others`: those entered before, whose e-mails are taken."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        max_length=EMAIL_CHARS_MAX,
        help_text=gettext_lazy("Their own mailbox, not one that several people read."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    phone = PhoneField(
        help_text=gettext_lazy("Codes and urgent questions come here by SMS. Czech numbers need no prefix.")
    )
    language = LanguageField(help_text=gettext_lazy("Messages to them are written in it."))

    def __init__(self, *args: Any, others: Iterable[Recipient | TrustedContact], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._taken = {other.email.lower(): other.name for other in others}
        self.fields["phone"].widget.attrs["autocomplete"] = "off"

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if email in self._taken:
            raise ValidationError(
                _("You have entered this e-mail already, for %(name)s.") % {"name": self._taken[email]}
            )
        return email

    @property
    def entry(self) -> Entry:
        """What a valid form says."""
        return Entry(**{name: self.cleaned_data[name] for name in ("name", "email", "phone", "language")})

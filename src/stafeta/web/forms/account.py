"""What owners say about themselves."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.account.internal.userkit import filter_users_by_email
from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from stafeta.accounts.models import User
from stafeta.accounts.selectors import established
from stafeta.web.forms.fields import CodeField, LanguageField, PhoneField, ZoneField


class SignupForm(AllauthSignupForm):  # type: ignore[misc]
    """A new owner: who they are, how they sign in, where they are reached."""

    field_order = ("name", "email", "password1", "phone", "language")

    name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        help_text=_("As your clients and colleagues know you; they will see it in messages."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    phone = PhoneField(
        help_text=_("You are asked here too before anything is handed over. Czech numbers need no prefix.")
    )
    language = LanguageField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].initial = translation.get_language()
        self.fields["email"].label = _("E-mail")
        self.fields["email"].help_text = _("You sign in with it, and it is where you are asked whether you are well.")

    def validate_unique_email(self, value: str) -> str:
        """Let the first visitor try again after a typo: an account nobody could sign in to yet makes way for theirs."""
        taken = {user.pk for user in filter_users_by_email(value)}
        if settings.SIGNUP == "first" and not established().filter(pk__in=taken).exists():
            return value
        email: str = super().validate_unique_email(value)
        return email

    def signup(self, request: HttpRequest, user: User) -> None:  # noqa: ARG002 - the signature is allauth's
        """Complete the account that allauth has just made."""
        user.name = self.cleaned_data["name"]
        user.phone = self.cleaned_data["phone"]
        user.language = self.cleaned_data["language"]
        user.save(update_fields=["name", "phone", "language"])


class PersonForm(forms.Form):
    """Name, language and zone of the account."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        help_text=_("As your clients and colleagues know you; they will see it in messages."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    language = LanguageField(help_text=_("Messages to you and these pages are in it."))
    zone = ZoneField(help_text=_("Your check-ins come at the hour of this place."))


class PhoneForm(forms.Form):
    """The number to prove."""

    phone = PhoneField()


class CodeForm(forms.Form):
    """The answer to an SMS."""

    code = CodeField()

"""What django-allauth asks of this house: every mail goes through the outbox, and secrets at rest are ciphertext."""

# ruff: noqa: ARG002 - the signatures are allauth's

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any
from uuid import uuid4

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils import translation

from stafeta import clock
from stafeta.accounts.derived_keys import derive
from stafeta.accounts.models import User
from stafeta.accounts.selectors import established, is_anybody_established
from stafeta.outbox.services.queue import ORDINARY, URGENT, Draft, enqueue

MAIL_PREFIX = "accounts."
EMAIL_CHARS_MAX = 254  # RFC 5321, 4.5.3.1.3, as erratum 1690 corrects it
_ALLAUTH = "allauth.account"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts whose name is the e-mail address; nothing is sent while a request waits."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether anybody may make an account now (STAFETA_SIGNUP)."""
        if settings.SIGNUP == "first":
            return not is_anybody_established()
        return bool(settings.SIGNUP == "open")

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Save a new account; the first visitor's second attempt replaces an account nobody could sign in to yet."""
        with transaction.atomic():
            if settings.SIGNUP == "first":
                gone, _rows = User.objects.exclude(pk__in=established().values("pk")).delete()
                if gone:  # the mail that the limit counts went with the account
                    ratelimit.clear(request, app=_ALLAUTH, action="confirm_email", key=form.cleaned_data["email"])
            saved: User = super().save_user(request, user, form, commit)
        return saved

    def clean_email(self, email: str) -> str:
        """Refuse what the database would not hold. Raises ValidationError."""
        MaxLengthValidator(EMAIL_CHARS_MAX)(email)
        return email

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return self.get_login_redirect_url(request)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Lead who has not proved their phone yet to that page, everybody else to the dashboard."""
        if isinstance(request.user, User) and not request.user.has_verified_phone:
            return resolve_url("account-phone")
        return super().get_login_redirect_url(request)  # type: ignore[no-any-return]

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return resolve_url("account")

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """Queue the mail that proves an address; its link is a MAC, made when the mail is sent."""
        address = emailconfirmation.email_address
        name = "email_confirmation_signup" if signup else "email_confirmation"
        _queue(name, owner_id=address.user_id, params={"address": address.pk}, priority=URGENT)

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Queue the mail with the way to a new password; its token is made when the mail is sent."""
        _queue("password_reset_key", owner_id=user.pk, params={"person": user.pk, "to": email}, priority=URGENT)

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Queue a notice that something about the account changed, to `email` or the address of the account."""
        addresses = {key: value for key, value in (context or {}).items() if key in _ADDRESSES}
        params = {"person": user.pk, "to": email or user.email, **addresses}
        _queue(template_prefix.rsplit("/", 1)[1], owner_id=user.pk, params=params)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue what goes to an address rather than to an account. `context` may hold keys: nothing of it is kept."""
        params = {"to": email, "language": translation.get_language() or settings.LANGUAGE_CODE}
        _queue(template_prefix.rsplit("/", 1)[1], owner_id=None, params=params, priority=URGENT)


_ADDRESSES = frozenset({"from_email", "to_email", "deleted_email"})


def _queue(name: str, *, owner_id: int | None, params: dict[str, Any], priority: int = ORDINARY) -> None:
    draft = Draft(
        key=f"accounts:{name}:{uuid4().hex}",
        kind=f"{MAIL_PREFIX}{name}",
        channel="email",
        owner_id=owner_id,
        params=params,
        priority=priority,
    )
    enqueue([draft], now=clock.now())


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors whose secrets a thief of the database cannot read."""

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _fernet().decrypt(encrypted_text.encode()).decode()

    def _get_site_name(self) -> str:
        return "Štafeta"


def _fernet() -> Fernet:
    return Fernet(urlsafe_b64encode(derive("second factors")))

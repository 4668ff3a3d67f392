"""The messages about accounts, rendered when they are sent: links and codes are made here and stored nowhere.

Every mail is a template `web/account/mail/<name>.txt` (see `outbox/render.py`), called as django-allauth calls its own.
"""

from __future__ import annotations

from typing import Any, Final

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from stafeta import clock
from stafeta.accounts.addresses import mask_phone
from stafeta.accounts.code_sms import code_sms
from stafeta.accounts.models import User
from stafeta.accounts.moments import Moment
from stafeta.core.errors import Obsolete
from stafeta.outbox.kinds import Rendered, register
from stafeta.outbox.models import Message
from stafeta.outbox.render import render_mail
from stafeta.web.adapter import MAIL_PREFIX

# Notices that something about an account changed; each tells what to do if it was not the owner.
NOTICES: Final = (
    "email_changed",
    "email_confirm",
    "email_deleted",
    "password_changed",
    "password_reset",
    "password_set",
    "totp_activated",
    "totp_deactivated",
    "webauthn_added",
    "webauthn_removed",
    "recovery_codes_generated",
)


def register_renderers() -> None:
    """Tell the outbox who renders the messages about accounts."""
    register(f"{MAIL_PREFIX}email_confirmation", _confirmation)
    register(f"{MAIL_PREFIX}email_confirmation_signup", _confirmation)
    register(f"{MAIL_PREFIX}password_reset_key", _password_reset_key)
    register(f"{MAIL_PREFIX}unknown_account", _unknown_account)
    register(f"{MAIL_PREFIX}account_already_exists", _already_exists)
    register(f"{MAIL_PREFIX}phone_code", _phone_code)
    register(f"{MAIL_PREFIX}phone_changed", _phone_changed)
    for name in NOTICES:
        register(f"{MAIL_PREFIX}{name}", _notice)


def _confirmation(message: Message) -> Rendered:
    address = EmailAddress.objects.select_related("user").filter(pk=message.params["address"]).first()
    if address is None or address.verified:
        raise Obsolete("the address was proved or given up")
    url = _absolute("account_confirm_email", EmailConfirmationHMAC(address).key)
    return _mail(message, to=address.email, language=address.user.language, user=address.user, button_url=url)


def _password_reset_key(message: Message) -> Rendered:
    user = _person(message)
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"}).replace("UID-KEY", key)
    return _mail(
        message,
        to=message.params["to"],
        language=user.language,
        user=user,
        button_url=f"{settings.SITE_URL}{path}",
        hours=settings.PASSWORD_RESET_TIMEOUT // 3600,
    )


def _unknown_account(message: Message) -> Rendered:
    return _mail(message, to=message.params["to"], language=message.params["language"])


def _already_exists(message: Message) -> Rendered:
    to = message.params["to"]
    user = User.objects.filter(email__iexact=to).first()
    language = user.language if user else message.params["language"]
    return _mail(message, to=to, language=language, button_url=_absolute("account_reset_password"))


def _notice(message: Message) -> Rendered:
    user = _person(message)
    return _mail(
        message,
        to=message.params["to"],
        language=user.language,
        user=user,
        when=Moment(at=message.queued_at, zone=user.zone, now=clock.now()),
        button_url=_absolute("account_reset_password"),
        **{key: message.params[key] for key in ("from_email", "to_email", "deleted_email") if key in message.params},
    )


def _phone_changed(message: Message) -> Rendered:
    user = _person(message)
    if message.channel == Message.Channel.EMAIL:
        return _notice_of_phone(message, user)
    with translation.override(user.language):
        # Translators: an SMS in plain ASCII, without accents, of at most 150 characters.
        text = _(
            "Stafeta: this number no longer belongs to your account. If it was not you, sign in and check: %(url)s"
        )
        return Rendered(to=message.params["to"], text=text % {"url": settings.SITE_URL}, language=user.language)


def _notice_of_phone(message: Message, user: User) -> Rendered:
    return _mail(
        message,
        to=message.params["to"],
        language=user.language,
        user=user,
        phone=mask_phone(user.phone),
        when=Moment(at=message.queued_at, zone=user.zone, now=clock.now()),
        button_url=_absolute("account_reset_password"),
    )


def _phone_code(message: Message) -> Rendered:
    user = _person(message)
    to, text = code_sms(
        challenge_id=message.params["challenge"],
        counter=message.params["counter"],
        language=user.language,
        now=clock.real_now(),
    )
    return Rendered(to=to, text=text, language=user.language)


def _person(message: Message) -> User:
    user = User.objects.filter(pk=message.params["person"], is_active=True).first()
    if user is None:
        raise Obsolete("the account is gone")
    return user


def _mail(message: Message, *, to: str, language: str, **context: Any) -> Rendered:
    name = message.kind.removeprefix(MAIL_PREFIX)
    facts = {"site_url": settings.SITE_URL, "to": to, **context}
    mail = render_mail(f"web/account/mail/{name}", facts, language=language)
    return Rendered(to=to, subject=mail.subject, text=mail.text, html=mail.html, language=language)


def _absolute(name: str, *args: str) -> str:
    return f"{settings.SITE_URL}{reverse(name, args=args)}"

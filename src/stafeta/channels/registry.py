"""From the address in a setting to the channel. A new channel is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path
from typing import Final, TypeVar

from stafeta.channels import email_anymail
from stafeta.channels.base import Channel, EmailMessage, SmsMessage
from stafeta.channels.console import ConsoleChannel
from stafeta.channels.email_anymail import AnymailChannel
from stafeta.channels.email_smtp import SmtpChannel
from stafeta.channels.mailbox import MailboxChannel
from stafeta.channels.receipts import ReceiptAddresses
from stafeta.channels.sms_smsmanager import SmsManagerChannel
from stafeta.channels.sms_twilio import TwilioChannel
from stafeta.channels.sms_webhook import WebhookChannel
from stafeta.channels.url import ChannelUrl
from stafeta.core.errors import ConfigurationError

EMAIL_SETTING: Final = "STAFETA_EMAIL_URL"
SMS_SETTING: Final = "STAFETA_SMS_URL"
SENDER_SETTING: Final = "STAFETA_EMAIL_FROM"
_UNSET: Final = "mailbox:"


@dataclass(frozen=True, slots=True)
class Place:
    """What a channel may need beyond its address."""

    mailbox_dir: Path
    now: Callable[[], datetime]
    sender: str = ""
    receipts: ReceiptAddresses = field(default_factory=ReceiptAddresses)


_Made = TypeVar("_Made")
_Factories = Mapping[str, Callable[[ChannelUrl, Place], _Made]]

_EMAIL: Final[_Factories[Channel[EmailMessage]]] = {
    "smtp": lambda url, place: SmtpChannel(url, sender=place.sender),
    "smtps": lambda url, place: SmtpChannel(url, sender=place.sender),
    **dict.fromkeys(email_anymail.SCHEMES, lambda url, place: AnymailChannel(url, sender=place.sender)),
    "console": lambda _url, _place: ConsoleChannel(),
    "mailbox": lambda _url, place: MailboxChannel(place.mailbox_dir, now=place.now),
}
_SMS: Final[_Factories[Channel[SmsMessage]]] = {
    "twilio": lambda url, place: TwilioChannel(url, receipts_to=place.receipts.to_announce("twilio")),
    "smsmanager": lambda url, place: SmsManagerChannel(url, receipts_to=place.receipts.to_announce("smsmanager")),
    "webhook+http": lambda url, _place: WebhookChannel(url),
    "webhook+https": lambda url, _place: WebhookChannel(url),
    "console": lambda _url, _place: ConsoleChannel(),
    "mailbox": lambda _url, place: MailboxChannel(place.mailbox_dir, now=place.now),
}


def email_channel(url: str, *, mailbox_dir: Path, sender: str, now: Callable[[], datetime]) -> Channel[EmailMessage]:
    """The channel for `STAFETA_EMAIL_URL`; an empty one means the built-in mailbox. Nothing is connected or written
    yet, so that it also serves to check a setting. Raises ConfigurationError, which never repeats the URL."""
    if "@" not in parseaddr(sender)[1]:
        raise ConfigurationError(
            setting=SENDER_SETTING,
            problem="it is not an e-mail address",
            remedy="Write it as Štafeta <stafeta@your.domain>.",
        )
    return _make(_EMAIL, url, setting=EMAIL_SETTING, place=Place(mailbox_dir, now, sender))


def sms_channel(
    url: str, *, mailbox_dir: Path, now: Callable[[], datetime], receipts: ReceiptAddresses | None = None
) -> Channel[SmsMessage]:
    """The channel for `STAFETA_SMS_URL`; as `email_channel`. receipts: what to tell a provider that reports back."""
    place = Place(mailbox_dir, now, receipts=receipts or ReceiptAddresses())
    return _make(_SMS, url, setting=SMS_SETTING, place=place)


def _make(factories: _Factories[_Made], text: str, *, setting: str, place: Place) -> _Made:
    url = ChannelUrl.parse(text or _UNSET, setting=setting)
    factory = factories.get(url.scheme)
    if factory is None:
        known = ", ".join(f"{scheme}:" for scheme in factories)
        raise ConfigurationError(
            setting=setting,
            problem="it begins with a scheme that is not known here",
            remedy=f"Begin it with one of {known}; leave it empty for the built-in mailbox.",
        )
    return factory(url, place)

"""Which services may report: those that carry the messages, and nobody else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from stafeta.channels.base import ChannelKind
from stafeta.channels.email_anymail import SCHEMES
from stafeta.channels.receipts import Hook, ReceiptAddresses
from stafeta.channels.receipts_anymail import anymail_hook
from stafeta.channels.receipts_signed import signed_hook
from stafeta.channels.receipts_sms import smsmanager_hook, twilio_hook
from stafeta.channels.registry import EMAIL_SETTING, SMS_SETTING
from stafeta.channels.url import ChannelUrl


@dataclass(frozen=True, slots=True)
class _Maker:
    service: str
    make: Callable[[ChannelUrl, ReceiptAddresses], Hook]


_SMTP: Final = _Maker("smtp", lambda _url, place: signed_hook("smtp", ChannelKind.EMAIL, secret=place.secret))
_WEBHOOK: Final = _Maker("webhook", lambda _url, place: signed_hook("webhook", ChannelKind.SMS, secret=place.secret))
_EMAIL: Final[Mapping[str, _Maker]] = {
    "smtp": _SMTP,
    "smtps": _SMTP,
    **{scheme: _Maker(scheme.removeprefix("anymail+"), lambda url, _place: anymail_hook(url)) for scheme in SCHEMES},
}
_SMS: Final[Mapping[str, _Maker]] = {
    "twilio": _Maker("twilio", twilio_hook),
    "smsmanager": _Maker("smsmanager", smsmanager_hook),
    "webhook+http": _WEBHOOK,
    "webhook+https": _WEBHOOK,
}


def hook_of(service: str, *, email_url: str, sms_url: str, addresses: ReceiptAddresses) -> Hook | None:
    """Return the hook of a service that carries our messages; None for any other, and where no secret is set.

    Raises ConfigurationError where its reports could not be verified.
    """
    for maker, url in _live(email_url, sms_url) if addresses.secret else ():
        if maker.service == service:
            return maker.make(url, addresses)
    return None


def live_hooks(*, email_url: str, sms_url: str, addresses: ReceiptAddresses) -> tuple[Hook, ...]:
    """Return every hook that reports may come in by. Raises ConfigurationError as `hook_of` does."""
    return tuple(maker.make(url, addresses) for maker, url in _live(email_url, sms_url)) if addresses.secret else ()


def _live(email_url: str, sms_url: str) -> list[tuple[_Maker, ChannelUrl]]:
    written = ((_EMAIL, email_url, EMAIL_SETTING), (_SMS, sms_url, SMS_SETTING))
    parsed = [(makers, ChannelUrl.parse(text, setting=setting)) for makers, text, setting in written if text]
    return [(makers[url.scheme], url) for makers, url in parsed if url.scheme in makers]

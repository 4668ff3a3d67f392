"""Who may report, what providers are told of it, and what is taken over from what a server wrote."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from stafeta.channels.base import Channel, SmsMessage
from stafeta.channels.email_anymail import SERVICES
from stafeta.channels.hooks import hook_of, live_hooks
from stafeta.channels.receipts import ReceiptAddresses, aware, status_in, words
from stafeta.channels.receipts_anymail import VIEWS
from stafeta.channels.registry import email_channel, sms_channel
from stafeta.core.errors import ConfigurationError
from tests.channels.contract import sms
from tests.servers.providers import SmsManagerStandIn, TwilioStandIn
from tests.servers.reports import MAIL_SERVICES

SECRET = "receipts-of-the-tests-0123456789"
PUBLIC = ReceiptAddresses("https://stafeta.example.com", SECRET)


def channel_to(url: str, receipts: ReceiptAddresses) -> Channel[SmsMessage]:
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return sms_channel(url, mailbox_dir=Path("/nowhere"), now=lambda: now, receipts=receipts)


def services(email_url: str, sms_url: str, addresses: ReceiptAddresses = PUBLIC) -> list[str]:
    return [hook.service for hook in live_hooks(email_url=email_url, sms_url=sms_url, addresses=addresses)]


def test_every_mail_service_has_a_hook() -> None:
    assert set(VIEWS) == set(SERVICES)
    assert set(MAIL_SERVICES) == set(SERVICES)


@pytest.mark.parametrize("service", MAIL_SERVICES)
def test_a_channel_and_its_hook_are_made_of_one_url(service: str) -> None:
    url = MAIL_SERVICES[service].url
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    channel = email_channel(url, mailbox_dir=Path("/nowhere"), sender="s@example.com", now=lambda: now)
    assert channel.name == f"anymail-{service}"
    assert services(url, "") == [service]
    channel.close()


def test_only_what_carries_messages_may_report() -> None:
    assert services("smtp://mail.example.com", "webhook+https://gateway.example.com") == ["smtp", "webhook"]
    assert services("", "") == services("console:", "mailbox:") == []
    assert services("smtp://mail.example.com", "", ReceiptAddresses(PUBLIC.site_url, "")) == []
    assert hook_of("smtp", email_url="", sms_url="smsmanager://KEY", addresses=PUBLIC) is None


@pytest.mark.parametrize(
    "url",
    [
        "anymail+mailersend://TOKEN@",
        "anymail+sendgrid://KEY@?webhook_key=of-no-use",
        "anymail+mailgun://KEY@d.example.com?webhook_key=žluťoučký",
    ],
)
def test_a_hook_that_could_verify_nothing_is_named_without_its_key(url: str) -> None:
    with pytest.raises(ConfigurationError, match="STAFETA_EMAIL_URL") as raised:
        services(url, "")
    assert "of-no-use" not in str(raised.value)


@pytest.mark.parametrize("service", [service for service, known in SERVICES.items() if not known.signs])
def test_a_signing_key_for_a_service_that_signs_nothing_is_a_mistake(service: str) -> None:
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    with pytest.raises(ConfigurationError, match="webhook_key"):
        email_channel(
            f"anymail+{service}://KEY:SECRET@region?webhook_key=k",
            mailbox_dir=Path("/nowhere"),
            sender="s@example.com",
            now=lambda: now,
        )


@pytest.mark.parametrize(
    ("receipts", "told"),
    [
        (PUBLIC, [f"https://stafeta.example.com/receipts/twilio/{SECRET}/"]),
        (ReceiptAddresses("http://localhost:8000", SECRET), []),  # Twilio refuses messages that name such an address
        (ReceiptAddresses("https://stafeta.example.com", ""), []),
    ],
)
def test_twilio_is_told_where_to_report(receipts: ReceiptAddresses, told: list[str]) -> None:
    with TwilioStandIn() as provider:
        channel = channel_to(provider.url, receipts)
        channel.send(sms())
        channel.close()
    assert provider.callbacks == told


def test_smsmanager_is_told_where_to_report() -> None:
    with SmsManagerStandIn() as provider:
        channel = channel_to(provider.url, PUBLIC)
        channel.send(sms())
        channel.close()
    assert provider.requests[0]["callback"] == f"https://stafeta.example.com/receipts/smsmanager/{SECRET}/"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("550 5.1.1 <dana@example.org>: no such mailbox", "5.1.1"),
        ("452-4.2.2 The email account is over quota", "4.2.2"),
        ("550 no such user", "550"),
        ("blocked: https://stafeta.example.com/l/s3cret/ from 5.1.1.2", ""),
        ("your code is 12345678", ""),
        ("5501", ""),
        (None, ""),
        ({"a": 1}, ""),
    ],
)
def test_of_what_a_server_wrote_only_the_status_code_is_taken_over(text: object, status: str) -> None:
    assert status_in(text) == status


def test_words_say_each_thing_once() -> None:
    assert words("bounced", "bounced", "", None, "5.1.1") == "bounced, 5.1.1"


def test_a_moment_without_an_offset_is_utc() -> None:
    naive = dt.datetime(2026, 3, 1, 12)  # noqa: DTZ001 - as some services write it
    assert aware(naive) == dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    assert aware("yesterday") is None

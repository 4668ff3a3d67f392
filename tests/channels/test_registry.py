"""Settings become channels; wrong ones are named, with what to do, and never repeated."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from stafeta.channels.base import Channel, EmailMessage, SmsMessage
from stafeta.channels.registry import email_channel, sms_channel
from stafeta.channels.url import ChannelUrl
from stafeta.core.errors import ConfigurationError

SECRET = "s3cret"


def email_to(url: str, *, sender: str = "stafeta@example.org") -> Channel[EmailMessage]:
    return email_channel(
        url, mailbox_dir=Path("/nowhere"), sender=sender, now=lambda: dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    )


def sms_to(url: str) -> Channel[SmsMessage]:
    return sms_channel(url, mailbox_dir=Path("/nowhere"), now=lambda: dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("", "mailbox"),
        ("mailbox:", "mailbox"),
        ("console:", "console"),
        ("smtp://localhost", "smtp"),
        ("SMTP://[::1]:2525?tls=false", "smtp"),
        (f"smtp://user:{SECRET}@mail.example.org:587?tls=true&timeout=5", "smtp"),
        (f"smtps://user:{SECRET}@mail.example.org", "smtp"),
        (f"anymail+postmark://{SECRET}@?message_stream=outbound", "anymail-postmark"),
    ],
)
def test_an_email_url_makes_its_channel(url: str, name: str) -> None:
    channel = email_to(url)
    assert channel.name == name
    assert SECRET not in repr(channel)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("", "mailbox"),
        ("console:", "console"),
        (f"twilio://AC1:{SECRET}@+420600000001", "twilio"),
        (f"twilio://AC1:{SECRET}@Stafeta", "twilio"),
        (f"smsmanager://{SECRET}", "smsmanager"),
        (f"smsmanager://{SECRET}?sender=Stafeta", "smsmanager"),
        ("webhook+http://127.0.0.1:8080/sms", "webhook"),
        (f"webhook+https://user:{SECRET}@sms.example.org/send", "webhook"),
    ],
)
def test_an_sms_url_makes_its_channel(url: str, name: str) -> None:
    channel = sms_to(url)
    assert channel.name == name
    assert SECRET not in repr(channel)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.org",
        f"smpt://user:{SECRET}@mail.example.org",
        f"smtp://user:{SECRET}@",
        "smtp://",
        "smtp:localhost",
        f"smtp://user:{SECRET}@{'a' * 64}.example.org",
        f"smtp://:{SECRET}@localhost",
        f"smtp://{SECRET}@localhost",
        f"smtp://user:{SECRET}@localhost:port",
        f"smtp://user:{SECRET}@localhost:99999",
        f"smtp://user:{SECRET}/rest@localhost",
        f"smtp://user:{SECRET}#rest@localhost",
        f"smtp://user:{SECRET}[@localhost",
        f"smtp://user:{SECRET}@localhost?tsl=true",
        f"smtp://user:{SECRET}@localhost?tls=maybe",
        f"smtp://user:{SECRET}@localhost?timeout=0",
        f"smtp://user:{SECRET}@localhost?timeout=nan",
        f"smtp://user:{SECRET}@localhost?timeout=soon",
        f"smtp://user:{SECRET}@localhost?timeout=3600",
        f"smtps://user:{SECRET}@localhost?tls=true",
        f"anymail+nobody://{SECRET}@",
        f"anymail+postmark://{SECRET}",
        f"anymail+mailgun://{SECRET}@",
        f"anymail+mailjet://{SECRET}@",
        f"anymail+postmark://{SECRET}@?api=ftp://x",
        f"anymail+sendgrid://{SECRET}@?message_stream=x",
        f"twilio://AC1:{SECRET}@+420600000001",
    ],
)
def test_a_wrong_email_url_is_named_and_kept_to_ourselves(url: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        email_to(url)
    assert raised.value.setting == "STAFETA_EMAIL_URL"
    assert raised.value.remedy
    assert SECRET not in f"{raised.value} {raised.value!r} {raised.value.__cause__!r}"


@pytest.mark.parametrize(
    "url",
    [
        f"twilio://AC1:{SECRET}@",
        f"twilio://{SECRET}@+420600000001",
        f"twilio://AC1:{SECRET}@+420600000001?edge=x",
        "smsmanager://",
        f"smsmanager://{SECRET}/path",
        f"smsmanager://{SECRET}-ž",
        f"webhook+http://user:{SECRET}@",
        f"webhook+ftp://user:{SECRET}@host/",
        f"https://user:{SECRET}@host/",
        f"smtp://user:{SECRET}@localhost",
    ],
)
def test_a_wrong_sms_url_is_named_and_kept_to_ourselves(url: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        sms_to(url)
    assert raised.value.setting == "STAFETA_SMS_URL"
    assert raised.value.remedy
    assert SECRET not in f"{raised.value} {raised.value!r} {raised.value.__cause__!r}"


@pytest.mark.parametrize("sender", ["", "Štafeta", "Štafeta <>"])
def test_a_sender_that_is_no_address_is_named(sender: str) -> None:
    with pytest.raises(ConfigurationError, match="STAFETA_EMAIL_FROM"):
        email_to("", sender=sender)


def test_the_address_is_decoded_and_keeps_its_case() -> None:
    url = ChannelUrl.parse("Twilio://S%40D:t%2Fk@MGaBc?api=http://127.0.0.1:1", setting="X")
    assert (url.scheme, url.user, url.password, url.host) == ("twilio", "S@D", "t/k", "MGaBc")
    assert url.options == {"api": "http://127.0.0.1:1"}
    assert "t/k" not in repr(url)

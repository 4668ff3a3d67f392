"""How reports come in from outside: the addresses, a moment, a message that was accepted, and a request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import time_machine
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from stafeta.channels.receipts_signed import SIGNATURE_HEADER, TIMESTAMP_HEADER, signature
from stafeta.outbox.models import Message
from tests.make import NOON
from tests.servers import reports
from tests.servers.reports import AT, DANA, Report

SECRET = "receipts-of-the-tests-0123456789"
SITE = "https://stafeta.example.com"
PHONE = "+420601000001"
TWILIO_URL = "twilio://AC1:s3cret-token@+420600000001"
MOMENT = datetime.fromtimestamp(AT, tz=UTC)

# What each event makes of an accepted message, and whether its address is suppressed from then on.
MEANS = {
    "delivered": ("accepted", False),
    "hard": ("bounced", True),
    "soft": ("bounced", False),
    "deferred": ("accepted", False),
    "complained": ("accepted", True),
    "blocked": ("bounced", True),
    "unsubscribed": ("accepted", True),
    "opened": ("accepted", False),
}


def accepted(provider_id: str, channel: str = "email") -> Message:
    return Message.objects.create(
        key=f"test:{provider_id}",
        kind="test.hello",
        channel=channel,
        state="accepted",
        queued_at=NOON,
        settled_at=NOON,
        to=DANA if channel == "email" else PHONE,
        provider_id=provider_id,
    )


def post(address: str, report: Report) -> HttpResponse:
    client = Client(enforce_csrf_checks=True)
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in report.headers.items()}
    return client.post(address, report.body, content_type=report.content_type, **headers)


def state_of(message: Message) -> str:
    message.refresh_from_db()
    return str(message.state)


def public_site(settings: Settings) -> Iterator[None]:
    """A public site that takes receipts in, at the moment at which they were signed."""
    settings.RECEIPTS_SECRET, settings.SITE_URL = SECRET, SITE
    settings.ALLOWED_HOSTS = ["stafeta.example.com", "testserver"]
    with time_machine.travel(MOMENT, tick=False):
        yield


def signed(content: object, *, at: int = AT, secret: str = SECRET) -> Report:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    sign = signature(secret=secret, timestamp=str(at), body=body)
    return Report(body, {TIMESTAMP_HEADER: str(at), SIGNATURE_HEADER: sign})


def bounce(**changes: object) -> dict[str, object]:
    return {
        "id": "<1.a@stafeta.example.com>",
        "event": "queue-id-4711",
        "verdict": "bounced",
        "at": "2026-02-27T12:00:00Z",
        "detail": reports.MTA,
        **changes,
    }

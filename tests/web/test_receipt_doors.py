"""The doors that reports come in by: our own signed form, and everybody who has no business there."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve
from pytest_django.fixtures import Settings

from stafeta.channels.receipts import ReceiptAddresses
from stafeta.channels.receipts_signed import SIGNATURE_HEADER, TIMESTAMP_AGE_MAX, TIMESTAMP_HEADER
from stafeta.config.logs import redact
from stafeta.outbox.models import Receipt
from stafeta.outbox.selectors import is_suppressed
from stafeta.web.views.receipts import BODY_BYTES_MAX
from tests.contracts.domain import domain
from tests.servers import reports
from tests.servers.reports import AT, MAIL_SERVICES, Report
from tests.web.reporting import PHONE, SECRET, SITE, TWILIO_URL, accepted, bounce, post, public_site, signed, state_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _site(settings: Settings) -> Iterator[None]:
    yield from public_site(settings)


# Our own form ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["smtp://mail.example.com", "smtps://u:p@mail.example.com"])
def test_a_mail_server_reports_in_our_own_form_days_late(settings: Settings, url: str) -> None:
    settings.EMAIL_CHANNEL_URL = url
    message = accepted("<1.a@stafeta.example.com>")
    for _ in range(2):
        assert post("/receipts/smtp/", signed(bounce())).status_code == 200
    assert state_of(message) == "bounced"
    receipt = Receipt.objects.get()
    assert receipt.at == datetime(2026, 2, 27, 12, tzinfo=UTC)
    assert receipt.detail == "smtp: bounced, 5.1.1"


def test_our_own_form_comes_in_by_its_own_address_alone(settings: Settings) -> None:
    settings.EMAIL_CHANNEL_URL = "smtp://mail.example.com"
    assert post(f"/receipts/smtp/{SECRET}/", signed(bounce())).status_code == 404


def test_an_sms_gateway_reports_in_our_own_form(settings: Settings) -> None:
    settings.SMS_CHANNEL_URL = "webhook+https://gateway.example.com/send?token=t"
    message = accepted("gw-1", "sms")
    assert post("/receipts/webhook/", signed(bounce(id="gw-1", verdict="suppressed"))).status_code == 200
    assert (state_of(message), is_suppressed("sms", PHONE)) == ("bounced", True)


@pytest.mark.parametrize(
    "report",
    [
        signed(bounce(), secret="guessed-guessed-guessed-guessed"),
        signed(bounce(), at=AT - int(TIMESTAMP_AGE_MAX.total_seconds()) - 1),
        signed(bounce(), at=AT + int(TIMESTAMP_AGE_MAX.total_seconds()) + 1),
        Report(signed(bounce()).body + b" ", signed(bounce()).headers),
        Report(signed(bounce()).body, {**signed(bounce()).headers, TIMESTAMP_HEADER: str(AT + 1)}),
        Report(json.dumps(bounce()).encode(), {}),
        Report(json.dumps(bounce()).encode(), {SIGNATURE_HEADER: "sha256=ž", TIMESTAMP_HEADER: "nan"}),
    ],
    ids=["another key", "overheard", "ahead", "another body", "another moment", "unsigned", "odd"],
)
def test_our_own_form_has_to_be_signed_and_fresh(settings: Settings, report: Report) -> None:
    settings.EMAIL_CHANNEL_URL = "smtp://mail.example.com"
    message = accepted("<1.a@stafeta.example.com>")
    assert post("/receipts/smtp/", report).status_code == 403
    assert state_of(message) == "accepted"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"noise",
        b"\xff\xfe",
        b"[" * 100_000,
        [],
        None,
        bounce(verdict="opened"),
        bounce(id=7),
        bounce(event=""),
        bounce(at="yesterday"),
        bounce(at="0001-01-01T00:00:00+23:59"),
        {"id": "<1.a@stafeta.example.com>"},
    ],
    ids=str,
)
def test_our_own_form_is_understood_whole_or_not_at_all(settings: Settings, content: object) -> None:
    settings.EMAIL_CHANNEL_URL = "smtp://mail.example.com"
    message = accepted("<1.a@stafeta.example.com>")
    assert post("/receipts/smtp/", signed(content)).status_code == 400
    assert state_of(message) == "accepted"


# Whoever else knocks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "/receipts/postmark/wrong-secret-of-a-guesser-000/",
        f"/receipts/postmark/{SECRET}x/",
        f"/receipts/sparkpost/{SECRET}/",
        f"/receipts/nobody/{SECRET}/",
        "/receipts/postmark/",
        f"/receipts/smtp/{SECRET}/",
        "/receipts/smtp/",
        "/receipts/webhook/",
        "/receipts/postmark/žluťoučký/",
    ],
)
def test_only_the_service_that_carries_our_mail_has_an_address(settings: Settings, address: str) -> None:
    settings.EMAIL_CHANNEL_URL = MAIL_SERVICES["postmark"].url
    message = accepted(MAIL_SERVICES["postmark"].provider_id)
    assert post(address, reports.postmark(message.provider_id, "hard")).status_code == 404
    assert state_of(message) == "accepted"


@pytest.mark.parametrize("address", ["/receipts/postmark//", f"/receipts/postmark/{SECRET}/", "/receipts/smtp/"])
def test_without_a_secret_there_is_no_address_at_all(settings: Settings, address: str) -> None:
    settings.RECEIPTS_SECRET = ""
    settings.EMAIL_CHANNEL_URL = MAIL_SERVICES["postmark"].url
    report = reports.postmark(MAIL_SERVICES["postmark"].provider_id, "hard")
    assert post(address, report).status_code == 404
    settings.EMAIL_CHANNEL_URL = "smtp://mail.example.com"
    assert post(address, signed(bounce(), secret="")).status_code == 404


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete", "patch"])
def test_only_a_post_reports(settings: Settings, method: str) -> None:
    settings.EMAIL_CHANNEL_URL = MAIL_SERVICES["postmark"].url
    assert getattr(Client(), method)(f"/receipts/postmark/{SECRET}/").status_code == 405


GARBAGE = [b"", b"noise", b"\xff\xfe", b"{}", b"[]", b"null", b"7", b'{"event": 7}', b"[" * 100_000, b'[{"msys": 1}]']


@pytest.mark.parametrize("service", [*MAIL_SERVICES, "smsmanager", "twilio"])
@pytest.mark.parametrize("body", GARBAGE, ids=repr)
def test_garbage_is_refused_or_means_nothing(settings: Settings, service: str, body: bytes) -> None:
    settings.EMAIL_CHANNEL_URL = MAIL_SERVICES[service].url if service in MAIL_SERVICES else ""
    settings.SMS_CHANNEL_URL = {"smsmanager": "smsmanager://KEY", "twilio": TWILIO_URL}.get(service, "")
    before = domain()
    for content_type in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        status = post(f"/receipts/{service}/{SECRET}/", Report(body, {}, content_type)).status_code
        assert status in (200, 400, 403)
    assert domain() == before


def test_a_body_beyond_the_bound_is_not_read(settings: Settings) -> None:
    settings.EMAIL_CHANNEL_URL = MAIL_SERVICES["postmark"].url
    report = Report(b" " * (BODY_BYTES_MAX + 1), {})
    assert post(f"/receipts/postmark/{SECRET}/", report).status_code == 413


def test_no_session_begins_and_no_cookie_is_set(settings: Settings) -> None:
    settings.EMAIL_CHANNEL_URL = MAIL_SERVICES["postmark"].url
    answer = post(f"/receipts/postmark/{SECRET}/", reports.postmark("unknown", "hard"))
    assert (answer.status_code, answer.content, dict(answer.cookies)) == (200, b"", {})


def test_the_secret_reaches_no_log(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """Invariant 17."""
    settings.EMAIL_CHANNEL_URL = MAIL_SERVICES["postmark"].url
    with caplog.at_level(logging.DEBUG):
        post(f"/receipts/postmark/{SECRET}/", Report(b"noise", {}))
        post(f"/receipts/nobody/{SECRET}/", Report(b"noise", {}))
    assert caplog.records
    assert SECRET not in redact(caplog.text)


def test_the_next_report_of_a_batch_is_heard_though_one_cannot_be_recorded(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider is told to bring the whole batch again; what was heard is not heard twice."""
    from django.db import OperationalError

    from stafeta.web.views import receipts as view

    settings.EMAIL_CHANNEL_URL = MAIL_SERVICES["mailjet"].url
    first, second = accepted("41"), accepted("42")
    batch = [json.loads(reports.mailjet(id_, "soft").body)[0] for id_ in ("41", "42")]
    report = Report(json.dumps(batch).encode(), {})
    hear = view.receive_receipt

    def locked_once(**given: Any) -> bool:
        if given["reported"].provider_id == "41":
            raise OperationalError("database is locked")
        return hear(**given)

    monkeypatch.setattr(view, "receive_receipt", locked_once)
    assert post(f"/receipts/mailjet/{SECRET}/", report).status_code == 500
    assert (state_of(first), state_of(second)) == ("accepted", "bounced")
    monkeypatch.undo()
    settings.EMAIL_CHANNEL_URL = MAIL_SERVICES["mailjet"].url
    settings.RECEIPTS_SECRET = SECRET
    assert post(f"/receipts/mailjet/{SECRET}/", report).status_code == 200
    assert (state_of(first), state_of(second)) == ("bounced", "bounced")
    assert Receipt.objects.count() == 2


def test_what_is_told_to_providers_is_where_we_listen() -> None:
    addresses = ReceiptAddresses(SITE, SECRET)
    assert resolve(addresses.of("twilio").removeprefix(SITE)).url_name == "receipts"
    assert resolve(addresses.of("smtp", is_signed=True).removeprefix(SITE)).url_name == "receipts-signed"
    assert SECRET not in repr(addresses)

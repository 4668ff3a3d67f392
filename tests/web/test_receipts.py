"""Providers report through their real addresses, in their own words, with their own signatures."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from stafeta.channels.receipts_anymail import _made
from stafeta.channels.receipts_signed import SIGNATURE_HEADER, TIMESTAMP_AGE_MAX, TIMESTAMP_HEADER, signature
from stafeta.config.logs import redact
from stafeta.outbox.models import Message, Receipt, Suppression
from stafeta.outbox.selectors import is_suppressed
from stafeta.web.views.receipts import BODY_BYTES_MAX
from tests.contracts.domain import domain
from tests.make import NOON
from tests.servers import reports
from tests.servers.reports import AT, DANA, MAIL_SERVICES, Report

pytestmark = pytest.mark.django_db

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
UNKNOWN_TO = {
    "mailersend": {"deferred", "blocked"},
    "resend": {"blocked", "unsubscribed"},
}
CASES = [
    (service, event) for service in MAIL_SERVICES for event in MEANS if event not in UNKNOWN_TO.get(service, set())
]


@pytest.fixture(autouse=True)
def _moment(settings: Settings) -> Any:
    settings.RECEIPTS_SECRET, settings.SITE_URL = SECRET, SITE
    settings.ALLOWED_HOSTS = ["stafeta.example.com", "testserver"]
    with time_machine.travel(MOMENT, tick=False):
        yield


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


# Mail services --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("service", "event"), CASES)
def test_a_mail_service_reports(settings: Settings, service: str, event: str) -> None:
    known = MAIL_SERVICES[service]
    settings.EMAIL_CHANNEL_URL = known.url
    message = accepted(known.provider_id)
    for _ in range(2):
        assert post(f"/receipts/{service}/{SECRET}/", known.report(known.provider_id, event)).status_code == 200
    state, suppressed = MEANS[event]
    assert (state_of(message), is_suppressed("email", DANA)) == (state, suppressed)
    assert Receipt.objects.count() == (0 if event in ("deferred", "opened") else 1)


@pytest.mark.parametrize("service", MAIL_SERVICES)
def test_what_a_server_wrote_about_the_message_is_not_kept(settings: Settings, service: str) -> None:
    """Invariant 17: it has read the message, and may quote its link or its code."""
    known = MAIL_SERVICES[service]
    settings.EMAIL_CHANNEL_URL = known.url
    message = accepted(known.provider_id)
    post(f"/receipts/{service}/{SECRET}/", known.report(known.provider_id, "hard"))
    assert state_of(message) == "bounced"
    assert message.problem.startswith(f"{service}: bounced")
    kept = repr(domain())
    assert "s3cret" not in kept
    assert "12345678" not in message.problem + Receipt.objects.get().detail


@pytest.mark.parametrize("service", ["brevo", "postmark", "sparkpost"])
def test_the_status_code_is_kept(settings: Settings, service: str) -> None:
    known = MAIL_SERVICES[service]
    settings.EMAIL_CHANNEL_URL = known.url
    message = accepted(known.provider_id)
    post(f"/receipts/{service}/{SECRET}/", known.report(known.provider_id, "soft"))
    message.refresh_from_db()
    assert message.problem == f"{service}: bounced, 5.1.1"


def test_a_single_event_of_mailjet_comes_without_a_list(settings: Settings) -> None:
    settings.EMAIL_CHANNEL_URL = MAIL_SERVICES["mailjet"].url
    message = accepted("42")
    one = json.loads(reports.mailjet("42", "hard").body)[0]
    assert post(f"/receipts/mailjet/{SECRET}/", Report(json.dumps(one).encode(), {})).status_code == 200
    assert state_of(message) == "bounced"


FORGED = {
    "mailersend": lambda id_: reports.mailersend(id_, "hard", key="guessed"),
    "mailgun": lambda id_: reports.mailgun(id_, "hard", key="guessed"),
    "resend": lambda id_: reports.resend(id_, "hard", key="whsec_Z3Vlc3NlZA=="),
    "sendgrid": lambda id_: reports.sendgrid(id_, "hard", key=reports.ec.generate_private_key(reports.ec.SECP256R1())),
}


@pytest.mark.parametrize("service", FORGED)
def test_a_forged_signature_changes_nothing(settings: Settings, service: str) -> None:
    known = MAIL_SERVICES[service]
    settings.EMAIL_CHANNEL_URL = known.url
    message = accepted(known.provider_id)
    assert post(f"/receipts/{service}/{SECRET}/", FORGED[service](known.provider_id)).status_code == 403
    assert state_of(message) == "accepted"


@pytest.mark.parametrize("service", ["mailersend", "resend", "sendgrid"])
def test_a_signature_is_of_no_use_for_another_body(settings: Settings, service: str) -> None:
    known = MAIL_SERVICES[service]
    settings.EMAIL_CHANNEL_URL = known.url
    message = accepted(known.provider_id)
    headers = known.report("another", "hard").headers
    for changed in (headers, {}):
        forged = Report(known.report(known.provider_id, "hard").body, changed)
        assert post(f"/receipts/{service}/{SECRET}/", forged).status_code == 403
    assert state_of(message) == "accepted"


def test_a_signature_of_resend_is_of_no_use_later(settings: Settings) -> None:
    known = MAIL_SERVICES["resend"]
    settings.EMAIL_CHANNEL_URL = known.url
    accepted(known.provider_id)
    old = reports.resend(known.provider_id, "hard", at=AT - 3600)
    assert post(f"/receipts/resend/{SECRET}/", old).status_code == 403


def test_mailersend_without_its_signing_secret_is_not_taken_in(settings: Settings) -> None:
    settings.EMAIL_CHANNEL_URL = "anymail+mailersend://TOKEN@"
    report = reports.mailersend("62fb66bef54a112e", "hard")
    assert post(f"/receipts/mailersend/{SECRET}/", report).status_code == 404


def test_mailgun_may_sign_with_the_key_itself(settings: Settings) -> None:
    settings.EMAIL_CHANNEL_URL = "anymail+mailgun://KEY@mg.example.com"
    message = accepted("<20260301.1@mg.example.com>")
    assert (
        post(f"/receipts/mailgun/{SECRET}/", reports.mailgun(message.provider_id, "soft", key="KEY")).status_code == 200
    )
    assert state_of(message) == "bounced"


def test_amazon_reports_where_its_package_is_installed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 is not among our dependencies: without it the hook is not there; with it, it reads what SNS sends."""
    settings.EMAIL_CHANNEL_URL = "anymail+amazon-ses://KEY:SECRET@eu-central-1"
    address = f"/receipts/amazon-ses/{SECRET}/"
    message = accepted("00000137860315fd-34208509")
    try:
        import boto3  # type: ignore[import-not-found,unused-ignore]  # noqa: F401
    except ImportError:
        assert post(address, reports.amazon_ses(message.provider_id, "hard")).status_code == 404
        monkeypatch.setattr("anymail.webhooks.amazon_ses._get_anymail_boto3_params", lambda kwargs: ({}, {}))
    for event, (state, suppressed) in MEANS.items():
        if event in ("delivered", "soft", "complained", "hard"):
            Message.objects.update(state="accepted")
            Suppression.objects.all().delete()
            assert post(address, reports.amazon_ses(message.provider_id, event)).status_code == 200
            assert (state_of(message), is_suppressed("email", DANA)) == (state, suppressed)
    _made.cache_clear()


# SMS ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", ["delivered", "hard", "soft", "deferred", "blocked"])
def test_twilio_reports(settings: Settings, event: str) -> None:
    settings.SMS_CHANNEL_URL = TWILIO_URL
    message = accepted("SM1", "sms")
    url = f"{SITE}/receipts/twilio/{SECRET}/"
    report = reports.twilio("SM1", event, url=url, token="s3cret-token")
    assert post(f"/receipts/twilio/{SECRET}/", report).status_code == 200
    state, suppressed = MEANS[event]
    assert (state_of(message), is_suppressed("sms", PHONE)) == (state, suppressed)


@pytest.mark.parametrize(("url", "token"), [("", "guessed"), ("https://elsewhere.example.com", "s3cret-token")])
def test_twilio_signs_with_our_token_for_our_address(settings: Settings, url: str, token: str) -> None:
    settings.SMS_CHANNEL_URL = TWILIO_URL
    message = accepted("SM1", "sms")
    forged = reports.twilio("SM1", "hard", url=f"{url or SITE}/receipts/twilio/{SECRET}/", token=token)
    assert post(f"/receipts/twilio/{SECRET}/", forged).status_code == 403
    assert state_of(message) == "accepted"


@pytest.mark.parametrize("event", ["delivered", "soft", "deferred", "blocked"])
def test_smsmanager_reports(settings: Settings, event: str) -> None:
    settings.SMS_CHANNEL_URL = "smsmanager://KEY"
    message = accepted("e27ff0ac-87b5", "sms")
    assert post(f"/receipts/smsmanager/{SECRET}/", reports.smsmanager("e27ff0ac-87b5", event)).status_code == 200
    state, suppressed = MEANS[event]
    assert (state_of(message), is_suppressed("sms", PHONE)) == (state, suppressed)


# Our own form ---------------------------------------------------------------------------------------------------


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
    from django.urls import resolve

    from stafeta.channels.receipts import ReceiptAddresses

    addresses = ReceiptAddresses(SITE, SECRET)
    assert resolve(addresses.of("twilio").removeprefix(SITE)).url_name == "receipts"
    assert resolve(addresses.of("smtp", is_signed=True).removeprefix(SITE)).url_name == "receipts-signed"
    assert SECRET not in repr(addresses)

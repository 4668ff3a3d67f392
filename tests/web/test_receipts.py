"""Providers report through their real addresses, in their own words, with their own signatures."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from stafeta.channels.receipts_anymail import _made
from stafeta.outbox.models import Message, Receipt, Suppression
from stafeta.outbox.selectors import is_suppressed
from tests.contracts.domain import domain
from tests.servers import reports
from tests.servers.reports import AT, DANA, MAIL_SERVICES, Report
from tests.web.reporting import MEANS, PHONE, SECRET, SITE, TWILIO_URL, accepted, post, public_site, state_of

UNKNOWN_TO = {
    "amazon-ses": {"blocked", "unsubscribed"},
    "mailersend": {"deferred", "blocked"},
    "resend": {"blocked", "unsubscribed"},
}
CASES = [
    (service, event) for service in MAIL_SERVICES for event in MEANS if event not in UNKNOWN_TO.get(service, set())
]


pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _site(settings: Settings) -> Iterator[None]:
    yield from public_site(settings)


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

"""What mail services report of an e-mail, read by django-anymail's tracking web hooks, which also verify signatures."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from anymail.exceptions import (
    AnymailError,
    AnymailInsecureWebhookWarning,
    AnymailNotSupportedWarning,
    AnymailWebhookValidationFailure,
)
from anymail.signals import EventType, RejectReason
from anymail.webhooks.base import AnymailBasicAuthMixin
from django.http import HttpRequest
from django.utils.module_loading import import_string

from stafeta.channels.base import ChannelKind
from stafeta.channels.email_anymail import SERVICES, client_params
from stafeta.channels.receipts import Hook, Reported, Verdict, aware, status_in, words
from stafeta.channels.url import ChannelUrl
from stafeta.core.errors import ForgedReceipt, UnreadableReceipt

VIEWS: Final = {
    "brevo": "brevo.BrevoTrackingWebhookView",
    "mailersend": "mailersend.MailerSendTrackingWebhookView",
    "mailgun": "mailgun.MailgunTrackingWebhookView",
    "mailjet": "mailjet.MailjetTrackingWebhookView",
    "postmark": "postmark.PostmarkTrackingWebhookView",
    "resend": "resend.ResendTrackingWebhookView",
    "sendgrid": "sendgrid.SendGridTrackingWebhookView",
    "sparkpost": "sparkpost.SparkPostTrackingWebhookView",
    "amazon-ses": "amazon_ses.AmazonSESTrackingWebhookView",
}
SVIX_AGE_MAX: Final = timedelta(minutes=10)

Raw = Mapping[str, Any]

_FOR_GOOD: Final[Mapping[str, Callable[[Raw], bool]]] = {
    "brevo": lambda raw: raw["event"] in ("hard_bounce", "invalid_email"),
    "mailersend": lambda raw: bool(raw["data"]["type"] == "hard_bounced"),
    "mailgun": lambda raw: str(raw["event-data"]["reason"]) in ("bounce", "suppress-bounce", "suppress-complaint"),
    "mailjet": lambda raw: raw["hard_bounce"] is True,
    "postmark": lambda raw: raw["Type"] == "HardBounce" or raw.get("Inactive") is True,
    "resend": lambda raw: str(raw["data"]["bounce"]["type"]).lower() == "permanent",
    "sendgrid": lambda raw: raw["type"] == "bounce",
    "sparkpost": lambda raw: next(iter(raw["msys"].values()))["bounce_class"] in ("10", "30", "90"),
    "amazon-ses": lambda raw: bool(raw["bounce"]["bounceType"] == "Permanent"),
}
"""Whether a bounce means the address itself, so that the next message would come back as well. A soft bounce is final
for its message and says nothing of the next; one that is still being tried is "deferred", and no verdict at all."""

_OF_THE_ADDRESS: Final = frozenset(
    {RejectReason.INVALID, RejectReason.BOUNCED, RejectReason.BLOCKED, RejectReason.SPAM, RejectReason.UNSUBSCRIBED}
)
_NOT_UNDERSTOOD: Final = (
    AnymailError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    OSError,
    RecursionError,
)


def anymail_hook(url: ChannelUrl) -> Hook:
    """Return the hook of the service in a channel's URL. Raises ConfigurationError where it could verify nothing."""
    service = url.scheme.removeprefix("anymail+")
    view = _view(service, url.user, url.password, url.host, _webhook_key(url))

    def read(request: HttpRequest, now: datetime) -> Sequence[Reported]:
        try:
            if service == "resend" and _webhook_key(url):
                _verify_svix(request, key=_webhook_key(url), now=now)
            view.run_validators(request)
            events = view.parse_events(request)
            reports = [_report(service, event) for event in events if event.message_id]
        except AnymailWebhookValidationFailure:
            raise ForgedReceipt from None
        except _NOT_UNDERSTOOD:
            raise UnreadableReceipt from None
        return [report for report in reports if report is not None]

    return Hook(service, ChannelKind.EMAIL, read)


def _webhook_key(url: ChannelUrl) -> str:
    return url.options.get("webhook_key", "").replace(" ", "+")  # a plus of Base64 that was not written as %2B


def _view(service: str, user: str, password: str, host: str, key: str) -> Any:
    form = SERVICES[service].form
    url = ChannelUrl("STAFETA_EMAIL_URL", service, user, password, host, None, "", {})
    if service == "mailersend" and not key:
        raise url.wrong("its web hook cannot be verified without the signing secret", form=f"{form}?webhook_key=…")
    try:
        return _made(service, user, password, host, key)
    except (AnymailError, ImportError, ValueError, TypeError):
        raise url.wrong(
            "its web hook cannot be used: the webhook_key is malformed, or a package is missing", form=form
        ) from None


@lru_cache(maxsize=8)
def _made(service: str, user: str, password: str, host: str, key: str) -> Any:
    options: dict[str, Any] = {}
    if service == "amazon-ses":
        options["client_params"] = client_params(access_key=user, secret=password, region=host, timeout_s=10.0)
    elif service == "mailgun":
        options["webhook_signing_key"] = key or user  # accounts of old sign with the API key
    elif service == "mailersend":
        options["signing_secret"] = key
    elif service == "sendgrid" and key:
        options["tracking_webhook_verification_key"] = key
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AnymailInsecureWebhookWarning)  # our own secret stands in the address
        warnings.simplefilter("ignore", AnymailNotSupportedWarning)
        view = import_string(f"anymail.webhooks.{VIEWS[service]}")(**options)
    if service == "amazon-ses":
        # The secret in our address proves what Anymail wants a password for: that a subscription is meant for us.
        view.validators = [check for check in view.validators if check is not AnymailBasicAuthMixin.validate_request]
        view.basic_auth = ["the secret in the address"]
    return view


def _report(service: str, event: Any) -> Reported | None:
    verdict = _verdict(service, event)
    if verdict is None:
        return None
    identity = str(event.event_id or json.dumps(event.esp_event, sort_keys=True, default=str))
    detail = words(event.event_type, event.reject_reason, status_in(event.mta_response))
    at = aware(event.timestamp)
    return Reported(str(event.message_id), f"{verdict}:{identity}", verdict, at, f"{service}: {detail}")


def _verdict(service: str, event: Any) -> Verdict | None:
    """What still may arrive is no verdict, and neither is what people do with a message: opens, clicks, replies."""
    match event.event_type:
        case EventType.DELIVERED:
            return Verdict.DELIVERED
        case EventType.BOUNCED:
            return Verdict.SUPPRESSED if _is_for_good(service, event) else Verdict.BOUNCED
        case EventType.REJECTED:
            return Verdict.SUPPRESSED if event.reject_reason in _OF_THE_ADDRESS else Verdict.BOUNCED
        case EventType.FAILED:
            return Verdict.BOUNCED
        case EventType.COMPLAINED | EventType.UNSUBSCRIBED:
            return Verdict.COMPLAINED
        case _:
            return None


def _is_for_good(service: str, event: Any) -> bool:
    try:
        return _FOR_GOOD[service](event.esp_event)
    except (LookupError, TypeError, AttributeError, StopIteration):
        return False


def _verify_svix(request: HttpRequest, *, key: str, now: datetime) -> None:
    """The signatures of Resend (standardwebhooks.com); Anymail would need one more package for them."""
    message_id, timestamp = request.headers.get("svix-id", ""), request.headers.get("svix-timestamp", "")
    try:
        secret = base64.b64decode(key.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise ForgedReceipt from None
    signed = f"{message_id}.{timestamp}.".encode() + request.body
    expected = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest())
    claimed = [part.removeprefix("v1,") for part in request.headers.get("svix-signature", "").split()]
    if not any(hmac.compare_digest(one.encode(), expected) for one in claimed):
        raise ForgedReceipt
    if not timestamp.isdecimal() or abs(now.timestamp() - int(timestamp)) > SVIX_AGE_MAX.total_seconds():
        raise ForgedReceipt

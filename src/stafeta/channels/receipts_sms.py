"""What Twilio and SMSManager report of an SMS. Both are told the address with every message."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from django.http import HttpRequest
from twilio.request_validator import RequestValidator

from stafeta.channels.base import ChannelKind
from stafeta.channels.receipts import Hook, ReceiptAddresses, Reported, Verdict, words
from stafeta.channels.url import ChannelUrl
from stafeta.core.errors import ForgedReceipt, UnreadableReceipt

_TWILIO_FINAL: Final = {
    "delivered": Verdict.DELIVERED,
    "undelivered": Verdict.BOUNCED,
    "failed": Verdict.BOUNCED,
    "canceled": Verdict.BOUNCED,
}
_TWILIO_FOR_GOOD: Final = frozenset({"21610", "21614", "30005", "30006"})
"""STOP was written, it is no mobile, it does not exist, it takes no SMS (twilio.com/docs/api/errors)."""

_SMSMANAGER_FINAL: Final = {
    "delivered": Verdict.DELIVERED,
    "undelivered": Verdict.BOUNCED,
    "failed": Verdict.BOUNCED,
    "rejected": Verdict.BOUNCED,
}
_SMSMANAGER_FOR_GOOD: Final = frozenset({"302", "304"})
"""Rejected as a malformed number, or as one that has opted out."""
_CODE: Final = re.compile(r"\[(\d{1,6})\]")


def twilio_hook(url: ChannelUrl, addresses: ReceiptAddresses) -> Hook:
    """Status callbacks, form-encoded, signed with the account's token over the public address and all fields
    (twilio.com/docs/usage/security)."""
    validator = RequestValidator(url.password)

    def read(request: HttpRequest, _now: datetime) -> Sequence[Reported]:
        address = f"{addresses.site_url}{request.get_full_path()}"
        if not validator.validate(address, request.POST, request.headers.get("X-Twilio-Signature", "")):
            raise ForgedReceipt
        return _twilio_reports(request.POST.dict())

    return Hook("twilio", ChannelKind.SMS, read, is_announced=True)


def _twilio_reports(fields: dict[str, Any]) -> Sequence[Reported]:
    status, code = str(fields.get("MessageStatus", "")), str(fields.get("ErrorCode", ""))
    verdict = _TWILIO_FINAL.get(status)
    if not fields.get("MessageSid") or not status:
        raise UnreadableReceipt
    if verdict is None:
        return ()  # queued, sending, sent: under way
    if verdict is Verdict.BOUNCED and code in _TWILIO_FOR_GOOD:
        verdict = Verdict.SUPPRESSED
    detail = words(status, f"code {code}" if code.isdecimal() else "")
    return (Reported(str(fields["MessageSid"]), status, verdict, None, f"twilio: {detail}"),)


def smsmanager_hook(_url: ChannelUrl, _addresses: ReceiptAddresses) -> Hook:
    """The `sentMessage` web hook of JSON API v2: an array of events, unsigned
    (api-ref.smsmanager.com, "Webhooks"). The secret in the address is all that proves them."""
    return Hook("smsmanager", ChannelKind.SMS, _read_smsmanager, is_announced=True)


def _read_smsmanager(request: HttpRequest, _now: datetime) -> Sequence[Reported]:
    try:
        content = json.loads(request.body)
        events = content if isinstance(content, list) else [content]
        reports = [_smsmanager_report(event) for event in events if event.get("type", "outgoing") == "outgoing"]
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, OSError, RecursionError):
        raise UnreadableReceipt from None
    return [report for report in reports if report is not None]


def _smsmanager_report(event: dict[str, Any]) -> Reported | None:
    result = str(event["result"])
    verdict = _SMSMANAGER_FINAL.get(result)
    if verdict is None:
        return None  # sent, sending: under way
    found = _CODE.search(str(event.get("result_info", "")))
    code = found.group(1) if found else ""
    if result == "rejected" and code in _SMSMANAGER_FOR_GOOD:
        verdict = Verdict.SUPPRESSED
    at = datetime.fromtimestamp(int(event["timestamp"]), tz=UTC) if "timestamp" in event else None
    detail = words(result, f"code {code}" if code else "")
    return Reported(str(event["message_id"]), result, verdict, at, f"smsmanager: {detail}")

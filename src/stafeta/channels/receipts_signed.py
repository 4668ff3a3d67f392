"""Reports in a form of our own, for mail servers and SMS gateways whose operator can run a small script.

    POST /receipts/smtp/                                  (or /receipts/webhook/)
    X-Stafeta-Timestamp: 1767225600                       seconds since 1970
    X-Stafeta-Signature: sha256=<hex HMAC-SHA-256 of timestamp + "." + body>
    {"id": "<…@stafeta.example.com>", "event": "…", "verdict": "bounced", "at": "2026-01-01T00:00:00Z",
     "detail": "550 5.1.1 …"}

The timestamp is that of the sending, and keeps an overheard request from being used again; `at` may be days old. The
key is STAFETA_RECEIPTS_SECRET.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.http import HttpRequest

from stafeta.channels.base import ChannelKind
from stafeta.channels.receipts import Hook, Reported, Verdict, aware, status_in, words
from stafeta.core.errors import ForgedReceipt, UnreadableReceipt

TIMESTAMP_HEADER: Final = "X-Stafeta-Timestamp"
SIGNATURE_HEADER: Final = "X-Stafeta-Signature"
TIMESTAMP_AGE_MAX: Final = timedelta(minutes=10)
TIMESTAMP_DIGITS_MAX: Final = 12


def signature(*, secret: str, timestamp: str, body: bytes) -> str:
    """Return what the signature header has to say."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


def signed_hook(service: str, channel: ChannelKind, *, secret: str) -> Hook:
    """Return the hook that takes reports in this form."""

    def read(request: HttpRequest, now: datetime) -> Sequence[Reported]:
        _verify(request, secret=secret, now=now)
        return (_report(service, request.body),)

    return Hook(service, channel, read, is_signed=True)


def _verify(request: HttpRequest, *, secret: str, now: datetime) -> None:
    timestamp = request.headers.get(TIMESTAMP_HEADER, "")
    claimed = request.headers.get(SIGNATURE_HEADER, "")
    expected = signature(secret=secret, timestamp=timestamp, body=request.body)
    if not hmac.compare_digest(claimed.encode(), expected.encode()):
        raise ForgedReceipt
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= TIMESTAMP_DIGITS_MAX):
        raise UnreadableReceipt
    if abs(now.timestamp() - int(timestamp)) > TIMESTAMP_AGE_MAX.total_seconds():
        raise ForgedReceipt


def _report(service: str, body: bytes) -> Reported:
    try:
        fields: dict[str, Any] = json.loads(body)
        texts = {name: fields[name] for name in ("id", "event", "verdict", "at")}
        if not all(isinstance(text, str) and text for text in texts.values()):
            raise UnreadableReceipt
        verdict = Verdict(texts["verdict"])
        at = aware(datetime.fromisoformat(texts["at"]).astimezone(UTC))
        status = status_in(fields.get("detail", ""))
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        raise UnreadableReceipt from None
    return Reported(texts["id"], texts["event"], verdict, at, f"{service}: {words(verdict.value, status)}")

"""Stand-ins for the APIs of Twilio, SMSManager and Postmark, as they look on the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from stafeta.cli.receivers import Behaviour, HttpReceiver, HttpRequest, Inbox, ReceivedSms

TWILIO_SID = "AC" + "0" * 32
TWILIO_TOKEN = "s3cret-twilio-token"
SMSMANAGER_KEY = "s3cret-smsmanager-key"
POSTMARK_TOKEN = "s3cret-postmark-token"


class TwilioStandIn(HttpReceiver):
    """POST /2010-04-01/Accounts/{sid}/Messages.json, form-encoded, Basic authentication."""

    def __init__(self) -> None:
        super().__init__()
        self.inbox: Inbox[ReceivedSms] = Inbox()
        self.senders: list[dict[str, str]] = []
        self.callbacks: list[str] = []
        self.error: tuple[int, int] | None = None
        """A status and Twilio code to answer with, whatever the behaviour."""

    @property
    def url(self) -> str:
        return f"twilio://{TWILIO_SID}:{TWILIO_TOKEN}@+420600000001?api=http://127.0.0.1:{self.port}&timeout=0.4"

    def answer(self, request: HttpRequest) -> tuple[int, Any]:
        if request.path != f"/2010-04-01/Accounts/{TWILIO_SID}/Messages.json":
            return self._error(404, 20404)
        if request.basic_credentials != (TWILIO_SID, TWILIO_TOKEN):
            return self._error(401, 20003)
        if self.error:
            return self._error(*self.error)
        match self.behaviour:
            case Behaviour.LATER:
                return self._error(429, 21611)
            case Behaviour.REFUSE:
                return self._error(400, 21211)
            case Behaviour.OUTAGE:
                return self._error(503, 20503)
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        self.senders.append({name: form[name] for name in ("From", "MessagingServiceSid") if name in form})
        self.callbacks += [form["StatusCallback"]] if "StatusCallback" in form else []
        sid = f"SM{len(self.inbox.all()) + 1:032d}"
        self.inbox.add(ReceivedSms(id=sid, to=form["To"], text=form["Body"]))
        return 201, {"sid": sid, "status": "queued", "to": form["To"], "body": form["Body"], "error_code": None}

    @staticmethod
    def _error(status: int, code: int) -> tuple[int, Any]:
        return status, {"code": code, "message": "Echoed: 12345678", "status": status, "more_info": "https://…"}


class SmsManagerStandIn(HttpReceiver):
    """POST /v2/message, JSON, `x-api-key`."""

    def __init__(self) -> None:
        super().__init__()
        self.inbox: Inbox[ReceivedSms] = Inbox()
        self.requests: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"smsmanager://{SMSMANAGER_KEY}?api=http://127.0.0.1:{self.port}/v2&timeout=0.4"

    def answer(self, request: HttpRequest) -> tuple[int, Any]:
        if request.path != "/v2/message" or request.headers.get("x-api-key") != SMSMANAGER_KEY:
            return 403, {"message": "Forbidden"}
        match self.behaviour:
            case Behaviour.LATER:
                return 200, {"request_id": "r", "accepted": [], "rejected": [{"key": "0"}]}
            case Behaviour.REFUSE:
                return 400, {"message": "Echoed: 12345678"}
            case Behaviour.OUTAGE:
                return 502, {}
        fields = json.loads(request.body)
        self.requests.append(fields)
        message_id = f"e27ff0ac-{len(self.requests)}"
        self.inbox.add(ReceivedSms(id=message_id, to=fields["to"][0]["phone_number"], text=fields["body"]))
        return 200, {"request_id": "r", "accepted": [{"key": "0", "message_id": message_id}], "rejected": []}


@dataclass(frozen=True, slots=True)
class PostedEmail:
    """An e-mail as Postmark's API takes it."""

    fields: dict[str, Any]

    @property
    def headers(self) -> dict[str, str]:
        return {header["Name"]: header["Value"] for header in self.fields.get("Headers", [])}


class PostmarkStandIn(HttpReceiver):
    """POST /email, JSON, `X-Postmark-Server-Token`."""

    def __init__(self) -> None:
        super().__init__()
        self.inbox: Inbox[PostedEmail] = Inbox()
        self.fixed: tuple[int, Any] | None = None
        """A status and content to answer with, whatever the behaviour."""
        self.refusal = "Invalid 'To' address: 'dana@example.org'."

    @property
    def url(self) -> str:
        return f"anymail+postmark://{POSTMARK_TOKEN}@?api=http://127.0.0.1:{self.port}&timeout=0.4"

    def answer(self, request: HttpRequest) -> tuple[int, Any]:
        if self.fixed:
            return self.fixed
        if request.headers.get("x-postmark-server-token") != POSTMARK_TOKEN:
            return 401, {"ErrorCode": 10, "Message": "Bad or missing Server API token."}
        match self.behaviour:
            case Behaviour.LATER:
                return 422, {"ErrorCode": 412, "Message": "Echoed: https://stafeta.test/l/s3cret/"}
            case Behaviour.REFUSE:
                return 422, {"ErrorCode": 300, "Message": self.refusal}
            case Behaviour.OUTAGE:
                return 500, {"ErrorCode": 100, "Message": "Maintenance"}
        fields = json.loads(request.body)
        self.inbox.add(PostedEmail(fields))
        return 200, {"To": fields["To"], "MessageID": "pm-1", "ErrorCode": 0, "Message": "OK"}

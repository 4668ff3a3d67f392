"""What services report of a message, as it looks on the wire: fields and signatures as each documents them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twilio.request_validator import RequestValidator

DANA = "dana@example.org"
AT = 1772366400  # 2026-03-01 12:00 UTC
ISO = "2026-03-01T12:00:00Z"
LINK = "https://stafeta.example.com/l/s3cret/"
MTA = f"smtp; 550 5.1.1 <{DANA}>: no such mailbox; see {LINK} 12345678"
"""What a receiving server may answer: it has read the message, and quotes it."""

MAILGUN_KEY = "s3cret-mailgun-signing-key"
MAILERSEND_KEY = "s3cret-mailersend-signing-secret"
SENDGRID_KEY = ec.generate_private_key(ec.SECP256R1())
SENDGRID_PUBLIC = base64.b64encode(
    SENDGRID_KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()
SVIX_KEY = "whsec_" + base64.b64encode(b"s3cret-resend-signing-secret-000").decode()


@dataclass(frozen=True, slots=True)
class Report:
    """One request: its body and the headers that belong to it."""

    body: bytes
    headers: Mapping[str, str]
    content_type: str = "application/json"


def _json(content: object, **headers: str) -> Report:
    return Report(json.dumps(content).encode(), headers)


# Each takes the provider's id of the message and the name of an event of ours, and returns the request.


def brevo(provider_id: str, event: str) -> Report:
    kinds = {
        "delivered": "delivered",
        "hard": "hard_bounce",
        "soft": "soft_bounce",
        "deferred": "deferred",
        "complained": "spam",
        "blocked": "blocked",
        "unsubscribed": "unsubscribe",
        "opened": "opened",
    }
    return _json(
        {
            "event": kinds[event],
            "email": DANA,
            "id": 26224,
            "date": "2026-03-01 13:00:00",
            "ts": AT,
            "message-id": provider_id,
            "ts_event": AT,
            "subject": "Jste v pořádku?",
            "sending_ip": "185.41.28.109",
            "ts_epoch": AT * 1000,
            "reason": MTA if event in ("hard", "soft", "blocked") else "sent",
            "tags": [],
        }
    )


def mailersend(provider_id: str, event: str, key: str = MAILERSEND_KEY) -> Report:
    kinds = {
        "delivered": "delivered",
        "hard": "hard_bounced",
        "soft": "soft_bounced",
        "complained": "spam_complaint",
        "unsubscribed": "unsubscribed",
        "opened": "opened",
    }
    morph = {"object": "recipient_bounce", "reason": MTA} if event in ("hard", "soft") else None
    content = {
        "type": f"activity.{kinds[event]}",
        "domain_id": "yv69oxl5kl785kw2",
        "created_at": ISO,
        "webhook_id": "2351ndgwr4zqx8ko",
        "url": "https://stafeta.example.com/receipts/mailersend/",
        "data": {
            "object": "activity",
            "id": f"62fb66bef54a112e920b5493-{event}",
            "type": kinds[event],
            "created_at": ISO,
            "email": {
                "object": "email",
                "id": "62fb66be5b0b4d9bd5a9",
                "from": "stafeta@example.com",
                "subject": "Jste v pořádku?",
                "status": "rejected" if morph else "delivered",
                "message": {"object": "message", "id": provider_id, "created_at": ISO},
                "recipient": {"object": "recipient", "id": "62c69be104270ee9c6074", "email": DANA},
                "tags": [],
            },
            "morph": morph,
            "template_id": "",
        },
    }
    body = json.dumps(content).encode()
    return Report(body, {"Signature": hmac.new(key.encode(), body, hashlib.sha256).hexdigest()})


def mailgun(provider_id: str, event: str, key: str = MAILGUN_KEY) -> Report:
    kinds = {
        "delivered": {"event": "delivered"},
        "hard": {"event": "failed", "severity": "permanent", "reason": "bounce"},
        "soft": {"event": "failed", "severity": "permanent", "reason": "old"},
        "deferred": {"event": "failed", "severity": "temporary", "reason": "generic"},
        "complained": {"event": "complained"},
        "blocked": {"event": "failed", "severity": "permanent", "reason": "suppress-bounce"},
        "unsubscribed": {"event": "unsubscribed"},
        "opened": {"event": "opened"},
    }
    token = hashlib.sha256(event.encode()).hexdigest()[:50]
    signature = hmac.new(key.encode(), f"{AT}{token}".encode(), hashlib.sha256).hexdigest()
    return _json(
        {
            "signature": {"timestamp": str(AT), "token": token, "signature": signature},
            "event-data": {
                **kinds[event],
                "id": "CPgfbmQMTCKtHW6uIWtuVe",
                "timestamp": AT + 0.5,
                "log-level": "info",
                "recipient": DANA,
                "recipient-domain": "example.org",
                "delivery-status": {"code": 550, "message": MTA, "attempt-no": 1, "description": ""},
                "message": {"headers": {"to": DANA, "message-id": provider_id.strip("<>"), "from": "x@example.com"}},
                "tags": [],
                "user-variables": {},
            },
        }
    )


def mailjet(provider_id: str, event: str) -> Report:
    kinds: dict[str, dict[str, Any]] = {
        "delivered": {"event": "sent", "smtp_reply": f"sent (250 2.0.0 OK {AT})"},
        "hard": {"event": "bounce", "hard_bounce": True, "error": "user unknown", "comment": MTA},
        "soft": {"event": "bounce", "hard_bounce": False, "error": "quota exceeded", "comment": MTA},
        "deferred": {"event": "bounce", "hard_bounce": False, "error": "greylisted"},
        "complained": {"event": "spam", "source": "JMRPP"},
        "blocked": {"event": "blocked", "error_related_to": "mailjet", "error": "preblocked"},
        "unsubscribed": {"event": "unsub", "mj_list_id": 1},
        "opened": {"event": "open"},
    }
    one = {"time": AT, "MessageID": int(provider_id), "Message_GUID": "1ab23cd4", "email": DANA, **kinds[event]}
    return _json([one])  # grouped; a single one comes without the list


def postmark(provider_id: str, event: str) -> Report:
    common = {"MessageID": provider_id, "ServerID": 23, "MessageStream": "outbound", "Metadata": {}, "Tag": ""}
    bounce = {"RecordType": "Bounce", "ID": 692560173, "Email": DANA, "BouncedAt": ISO, "Details": MTA}
    kinds: dict[str, dict[str, Any]] = {
        "delivered": {"RecordType": "Delivery", "Recipient": DANA, "DeliveredAt": ISO, "Details": "250 ok"},
        "hard": {**bounce, "Type": "HardBounce", "TypeCode": 1, "Inactive": True},
        "soft": {**bounce, "Type": "SoftBounce", "TypeCode": 4096, "Inactive": False},
        "deferred": {**bounce, "Type": "Transient", "TypeCode": 2, "Inactive": False},
        "complained": {**bounce, "RecordType": "SpamComplaint", "Type": "SpamComplaint", "TypeCode": 512},
        "blocked": {**bounce, "Type": "ManuallyDeactivated", "TypeCode": 100007, "Inactive": True},
        "unsubscribed": {
            "RecordType": "SubscriptionChange",
            "Recipient": DANA,
            "ChangedAt": ISO,
            "SuppressSending": True,
            "SuppressionReason": "ManualSuppression",
        },
        "opened": {"RecordType": "Open", "Recipient": DANA, "ReceivedAt": ISO, "FirstOpen": True},
    }
    return _json({**common, **kinds[event]})


def resend(provider_id: str, event: str, key: str = SVIX_KEY, at: int = AT) -> Report:
    kinds = {
        "delivered": "email.delivered",
        "hard": "email.bounced",
        "soft": "email.bounced",
        "deferred": "email.delivery_delayed",
        "complained": "email.complained",
        "opened": "email.opened",
    }
    data: dict[str, Any] = {
        "created_at": ISO,
        "email_id": provider_id,
        "from": "Štafeta <stafeta@example.com>",
        "to": [DANA],
        "subject": "Jste v pořádku?",
    }
    if event in ("hard", "soft"):
        data["bounce"] = {
            "message": "The recipient's email provider sent a hard bounce message, but …",
            "type": "Permanent" if event == "hard" else "Transient",
            "subType": "General",
        }
    body = json.dumps({"type": kinds[event], "created_at": ISO, "data": data}).encode()
    message_id = f"msg_{event}"
    secret = base64.b64decode(key.removeprefix("whsec_"))
    digest = hmac.new(secret, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return Report(
        body,
        {
            "svix-id": message_id,
            "svix-timestamp": str(at),
            "svix-signature": f"v1,AAAA v1,{base64.b64encode(digest).decode()}",
        },
    )


def sendgrid(provider_id: str, event: str, key: ec.EllipticCurvePrivateKey = SENDGRID_KEY) -> Report:
    kinds: dict[str, dict[str, Any]] = {
        "delivered": {"event": "delivered", "response": "250 OK"},
        "hard": {"event": "bounce", "type": "bounce", "reason": MTA, "status": "5.1.1"},
        "soft": {"event": "bounce", "type": "blocked", "reason": MTA, "status": "4.0.0"},
        "deferred": {"event": "deferred", "response": "400 try again later", "attempt": "5"},
        "complained": {"event": "spamreport"},
        "blocked": {"event": "dropped", "reason": "Bounced Address", "status": "5.0.0"},
        "unsubscribed": {"event": "unsubscribe"},
        "opened": {"event": "open"},
    }
    one = {
        "email": DANA,
        "timestamp": AT,
        "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
        "sg_event_id": f"sg-{event}",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        "anymail_id": provider_id,
        **kinds[event],
    }
    body = json.dumps([{**one, "event": "processed", "sg_event_id": "sg-0"}, one]).encode()
    signature = key.sign(str(AT).encode() + body, ec.ECDSA(hashes.SHA256()))
    return Report(
        body,
        {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": str(AT),
        },
    )


def sparkpost(provider_id: str, event: str) -> Report:
    kinds: dict[str, dict[str, Any]] = {
        "delivered": {"type": "delivery"},
        "hard": {"type": "bounce", "bounce_class": "10", "error_code": "550", "raw_reason": MTA},
        "soft": {"type": "bounce", "bounce_class": "22", "error_code": "552", "raw_reason": MTA},
        "deferred": {"type": "delay", "bounce_class": "20", "raw_reason": "421 try again"},
        "complained": {"type": "spam_complaint", "fbtype": "abuse"},
        "blocked": {"type": "policy_rejection", "bounce_class": "25", "raw_reason": "554 5.7.1 recipient suppressed"},
        "unsubscribed": {"type": "list_unsubscribe"},
        "opened": {"type": "open"},
    }
    classes = {"complained": "message_event", "unsubscribed": "unsubscribe_event", "opened": "track_event"}
    one = {
        "event_id": f"92356927693813{event}",
        "transmission_id": provider_id,
        "message_id": "000443ee14578172be22",
        "rcpt_to": DANA,
        "raw_rcpt_to": DANA,
        "timestamp": str(AT),
        "rcpt_meta": {},
        **kinds[event],
    }
    return _json([{"msys": {classes.get(event, "message_event"): one}}, {"msys": {}}])


def amazon_ses(provider_id: str, event: str) -> Report:
    bounced = [{"emailAddress": DANA, "action": "failed", "status": "5.1.1", "diagnosticCode": MTA}]
    kinds: dict[str, dict[str, Any]] = {
        "delivered": {"eventType": "Delivery", "delivery": {"recipients": [DANA], "smtpResponse": "250 ok"}},
        "hard": {
            "eventType": "Bounce",
            "bounce": {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": bounced},
        },
        "soft": {
            "eventType": "Bounce",
            "bounce": {"bounceType": "Transient", "bounceSubType": "MailboxFull", "bouncedRecipients": bounced},
        },
        "complained": {"eventType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": DANA}]}},
        "deferred": {"eventType": "DeliveryDelay", "deliveryDelay": {"delayType": "MailboxFull"}},
        "opened": {"eventType": "Open", "open": {"ipAddress": "192.0.2.1"}},
    }
    mail = {"timestamp": ISO, "messageId": provider_id, "destination": [DANA], "headers": []}
    notification = {
        "Type": "Notification",
        "MessageId": f"da41e39f-ea4d-435a-b922-{event}",
        "TopicArn": "arn:aws:sns:eu-central-1:123456789012:ses",
        "Message": json.dumps({"mail": mail, **kinds[event]}),
        "Timestamp": "2026-03-01T12:00:00.000Z",
    }
    return Report(
        json.dumps(notification).encode(),
        {"x-amz-sns-message-type": "Notification", "x-amz-sns-message-id": notification["MessageId"]},
        "text/plain; charset=UTF-8",
    )


def twilio(provider_id: str, event: str, *, url: str, token: str) -> Report:
    kinds = {
        "delivered": {"MessageStatus": "delivered"},
        "hard": {"MessageStatus": "undelivered", "ErrorCode": "30005"},
        "soft": {"MessageStatus": "undelivered", "ErrorCode": "30003"},
        "deferred": {"MessageStatus": "sent"},
        "blocked": {"MessageStatus": "failed", "ErrorCode": "21610"},
    }
    fields = {
        "MessageSid": provider_id,
        "SmsSid": provider_id,
        "AccountSid": "AC" + "0" * 32,
        "To": "+420601000001",
        "From": "+420600000001",
        "ApiVersion": "2010-04-01",
        **kinds[event],
    }
    signature = RequestValidator(token).compute_signature(url, fields)
    return Report(urlencode(fields).encode(), {"X-Twilio-Signature": signature}, "application/x-www-form-urlencoded")


def smsmanager(provider_id: str, event: str) -> Report:
    kinds = {
        "delivered": {"result": "delivered", "result_info": "[0] Delivered"},
        "soft": {"result": "undelivered", "result_info": "Absent subscriber"},
        "deferred": {"result": "sent"},
        "blocked": {"result": "rejected", "result_info": "[304] Blacklisted"},
    }
    one = {
        "request_id": "bc36f3d1-d284-463a-921b-a3560c154649",
        "message_id": provider_id,
        "gateway": "sms",
        "timestamp": AT,
        "payload": {},
        "type": "outgoing",
        "to": {"phone_number": "420601000001"},
        **kinds[event],
    }
    reply = {"type": "incoming", "sender": "420601000001", "recipient": "420600000001", "body": "Dekuji!"}
    return _json([{**one, "result": "sending"}, reply, one])


@dataclass(frozen=True, slots=True)
class MailService:
    """A mail service that reports: the channel that has it, an id as it gives them, and its requests."""

    url: str
    provider_id: str
    report: Callable[[str, str], Report]


MAIL_SERVICES: dict[str, MailService] = {
    "amazon-ses": MailService(
        "anymail+amazon-ses://KEY:SECRET@eu-central-1", "0107019c00000000-74d5a0b1-000000", amazon_ses
    ),
    "brevo": MailService("anymail+brevo://KEY@", "<202603011200.98@smtp-relay.mailin.fr>", brevo),
    "mailersend": MailService(f"anymail+mailersend://T@?webhook_key={MAILERSEND_KEY}", "62fb66bef54a112e", mailersend),
    "mailgun": MailService(
        f"anymail+mailgun://KEY@mg.example.com?webhook_key={MAILGUN_KEY}", "<20260301.1@mg.example.com>", mailgun
    ),
    "mailjet": MailService("anymail+mailjet://KEY:SECRET@", "19421777835146490", mailjet),
    "postmark": MailService("anymail+postmark://TOKEN@", "883953f4-6105-42a2-a16a-77a8eac79483", postmark),
    "resend": MailService(
        f"anymail+resend://KEY@?webhook_key={SVIX_KEY}", "56761188-7520-42d8-8898-ff6fc54ce618", resend
    ),
    "sendgrid": MailService(
        f"anymail+sendgrid://KEY@?webhook_key={SENDGRID_PUBLIC}", "8c1d6ef1-7a8e-4f3b-9f3d-2a9a5e1f0d11", sendgrid
    ),
    "sparkpost": MailService("anymail+sparkpost://KEY@", "65832150921904138", sparkpost),
}

"""How an e-mail looks on the wire, whoever carries it."""

from __future__ import annotations

from django.core.mail import EmailMultiAlternatives

from stafeta.channels.base import EmailMessage


def compose(message: EmailMessage, *, sender: str) -> EmailMultiAlternatives:
    """Text with an HTML alternative, under the message's own Message-ID, marked as sent by a machine (RFC 3834), so
    that vacation responders keep quiet."""
    headers = {
        **message.headers,
        "Message-ID": message.message_id,
        "Auto-Submitted": "auto-generated",
        "Content-Language": message.language,
    }
    mail = EmailMultiAlternatives(
        subject=message.subject, body=message.text, from_email=sender, to=[message.to], headers=headers
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    return mail

"""Who came by the link of an invitation, and whether they have proved their phone in this browser just now."""

from __future__ import annotations

from django.http import HttpRequest

from stafeta import clock
from stafeta.core.errors import BadLink
from stafeta.core.links import Link, Purpose
from stafeta.vault.models import Recipient
from stafeta.vault.selectors import recipient_behind
from stafeta.web.gates import KEY_GATE_KEY, close_gate, gate_is_open, open_gate
from stafeta.web.languages import speak
from stafeta.web.session_links import LinkMissing, session_link


def recipient_in(request: HttpRequest) -> Recipient:
    """Return the recipient of the newest invitation. Raises LinkMissing for an older one, or when they are gone."""
    try:
        recipient = recipient_behind(session_link(request, Purpose.RECIPIENT_CONSENT))
    except BadLink as error:
        raise LinkMissing("this invitation has ended") from error
    speak(request, recipient.language)
    return recipient


def open_key_gate(request: HttpRequest, recipient: Recipient) -> None:
    """Let this browser make a key for the recipient within the hour: they have just written the code from an SMS."""
    open_gate(request, _link(recipient), phone=recipient.phone, real_now=clock.real_now(), kept_as=KEY_GATE_KEY)


def key_gate_is_open(request: HttpRequest, recipient: Recipient) -> bool:
    """Whether this browser may make a key for the recipient."""
    return gate_is_open(
        request, _link(recipient), phone=recipient.phone, real_now=clock.real_now(), kept_as=KEY_GATE_KEY
    )


def close_key_gate(request: HttpRequest) -> None:
    """Ask for another code before the next key."""
    close_gate(request, kept_as=KEY_GATE_KEY)


def _link(recipient: Recipient) -> Link:
    return Link(Purpose.RECIPIENT_CONSENT, recipient.pk, recipient.owner_id, recipient.invitation)

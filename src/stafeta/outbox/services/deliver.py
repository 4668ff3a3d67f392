"""Send what waits: claim, render, send through a channel, record. No network inside a transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError

from stafeta.accounts.selectors import current_epoch, require_epoch
from stafeta.channels.base import Channel, ChannelKind, EmailMessage, SmsMessage
from stafeta.core.errors import ChannelUnavailable, DeliveryRefused, Obsolete, Superseded
from stafeta.outbox.kinds import Rendered, renderer_of
from stafeta.outbox.message_ids import message_id
from stafeta.outbox.models import Attempt, Message
from stafeta.outbox.services.claim import claim
from stafeta.outbox.services.settle import OnSettled, Outcome, settle

log = logging.getLogger(__name__)

DELIVER_BATCH_MAX = 50
LEASE_S = 300


@dataclass(frozen=True, slots=True)
class Channels:
    """The two ways out."""

    email: Channel[EmailMessage]
    sms: Channel[SmsMessage]


def deliver(
    *,
    channels: Channels,
    now: Callable[[], datetime],
    pace: float,
    on_settled: OnSettled,
    limit: int = DELIVER_BATCH_MAX,
    epoch: int | None = None,
) -> int:
    """Attempt at most `limit` due messages of each channel once each and return how many were attempted.

    `now` is asked again for every message, for sending takes time; `pace` is how much faster than people it runs.
    `on_settled` is told, inside the settling transaction, of every message that reached its end. A message that
    raises is recorded and delays no other (invariant 12). A provider that is away ends the batch of its channel alone.
    Raises Superseded when the installation leaves `epoch` (by default the present one) meanwhile: then nothing more is
    sent, and what was being sent settles nothing (invariant 13).
    """
    epoch = current_epoch() if epoch is None else epoch
    lease = timedelta(seconds=LEASE_S * pace)
    attempted = 0
    for channel in ChannelKind:
        messages = claim(channel=channel, now=now(), lease=lease, limit=limit, epoch=epoch)
        for number, message in enumerate(messages):
            if now() >= (message.lease_until or now()):
                continue  # too slow: it is somebody else's by now
            require_epoch(epoch)
            outcome = attempt(message, channels)
            _record(message, outcome, now=now(), pace=pace, on_settled=on_settled, epoch=epoch)
            attempted += 1
            if outcome.kind is Attempt.Outcome.UNAVAILABLE:
                _give_back(messages[number + 1 :])
                break
    return attempted


def _record(
    message: Message, outcome: Outcome, *, now: datetime, pace: float, on_settled: OnSettled, epoch: int
) -> None:
    try:
        settle(message, outcome, now=now, pace=pace, on_settled=on_settled, epoch=epoch)
    except (OperationalError, Superseded):
        raise
    except Exception as fault:  # its lease runs out, and it is tried again; those behind it must not wait for that
        log.error("message %s (%s) cannot be settled: %s", message.pk, message.kind, type(fault).__name__)


def _give_back(messages: Sequence[Message]) -> None:
    for message in messages:
        Message.objects.filter(pk=message.pk, lease_until=message.lease_until).update(lease_until=None)


def attempt(message: Message, channels: Channels) -> Outcome:
    """Render and send one message and return what came of it. Raises nothing but OperationalError."""
    rendered: Rendered | None = None
    try:
        rendered = renderer_of(message.kind)(message)
        provider_id = _send(message, rendered, channels)
    except Obsolete as obsolete:
        return Outcome(Attempt.Outcome.CANCELLED, obsolete.why)
    except DeliveryRefused as refused:
        kind = Attempt.Outcome.REFUSED if refused.permanent else Attempt.Outcome.REFUSED_FOR_NOW
        return Outcome(kind, refused.reason, to=rendered.to if rendered else "")
    except ChannelUnavailable as unavailable:
        log.warning("%s is unavailable: %s", message.channel, unavailable.reason)
        return Outcome(Attempt.Outcome.UNAVAILABLE, unavailable.reason)
    except OperationalError:
        raise  # the database failed, not the message: its lease runs out and it is tried again
    except Exception as fault:  # a poison row must not stop the others (invariant 12)
        log.error("message %s (%s) cannot be sent: %s", message.pk, message.kind, type(fault).__name__)
        return Outcome(Attempt.Outcome.FAULT, type(fault).__name__)
    return Outcome(Attempt.Outcome.ACCEPTED, to=rendered.to, provider_id=provider_id)


def _send(message: Message, rendered: Rendered, channels: Channels) -> str:
    identity = message_id(message.key, message.epoch)
    if message.channel == ChannelKind.SMS:
        return channels.sms.send(SmsMessage(id=identity, to=rendered.to, text=rendered.text)).provider_id
    email = EmailMessage(
        id=identity,
        to=rendered.to,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        message_id=identity,
        headers=headers_of(rendered),
        language=rendered.language,
    )
    return channels.email.send(email).provider_id


def headers_of(rendered: Rendered) -> Mapping[str, str]:
    """Return the headers of an e-mail beside those that every channel sets."""
    return {"Content-Language": rendered.language, **rendered.headers}

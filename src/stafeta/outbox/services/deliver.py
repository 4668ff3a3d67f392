"""Send what waits: claim, render, send through a channel, record. No network inside a transaction."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from stafeta.accounts.selectors import current_epoch, require_epoch
from stafeta.channels.base import Channel, ChannelKind, EmailMessage, SmsMessage
from stafeta.core.errors import ChannelUnavailable, DeliveryRefused, Obsolete, Superseded
from stafeta.outbox.faults import database_failed
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


@dataclass(slots=True)
class Unfinished:
    """What a database that failed kept a worker from recording: kept in memory until it can be.

    outcomes: of attempts that were made, so that what a provider took is not sent again for want of a note; each with
    the epoch it was claimed in.
    leased: messages not attempted, to be given back.
    """

    outcomes: list[tuple[Message, Outcome, int]] = field(default_factory=list)
    leased: deque[Message] = field(default_factory=deque)


def deliver(
    *,
    channels: Channels,
    now: Callable[[], datetime],
    pace: float,
    on_settled: OnSettled,
    limit: int = DELIVER_BATCH_MAX,
    unfinished: Unfinished | None = None,
    stopping: Callable[[], bool] = lambda: False,
    epoch: int | None = None,
) -> int:
    """Attempt at most `limit` due messages of each channel once each and return how many were attempted.

    `now` is asked again for every message, for sending takes time; `pace` is how much faster than people it runs.
    `on_settled` is told, inside the settling transaction, of every message that reached its end. A message that
    raises is recorded and delays no other (invariant 12). A provider that is away ends the batch of its channel alone.
    Raises what the database raises when it fails; a caller that hands the same `unfinished` in again loses nothing by
    it, and nothing more is sent before that was recorded. Once `stopping`, the message in hand is the last. Raises
    Superseded when the installation leaves `epoch` (by default the present one) meanwhile: then nothing more is sent,
    and what was being sent settles nothing (invariant 13).
    """
    epoch = current_epoch() if epoch is None else epoch
    unfinished = unfinished if unfinished is not None else Unfinished()
    _finish(unfinished, now=now, pace=pace, on_settled=on_settled)
    lease = timedelta(seconds=LEASE_S * pace)
    attempted = 0
    for channel in ChannelKind:
        if stopping():
            break
        waiting = deque(claim(channel=channel, now=now(), lease=lease, limit=limit, epoch=epoch))
        unfinished.leased = waiting
        while waiting and not stopping():
            if now() >= (waiting[0].lease_until or now()):
                waiting.popleft()  # too slow: it is somebody else's by now
                continue
            require_epoch(epoch)
            outcome = attempt(waiting[0], channels)
            unfinished.outcomes.append((waiting.popleft(), outcome, epoch))
            _record(unfinished, now=now(), pace=pace, on_settled=on_settled)
            attempted += 1
            if outcome.kind is Attempt.Outcome.UNAVAILABLE:
                break
        _give_back(waiting)
    return attempted


def _finish(unfinished: Unfinished, *, now: Callable[[], datetime], pace: float, on_settled: OnSettled) -> None:
    while unfinished.outcomes:
        _record(unfinished, now=now(), pace=pace, on_settled=on_settled)
    _give_back(unfinished.leased)


def _record(unfinished: Unfinished, *, now: datetime, pace: float, on_settled: OnSettled) -> None:
    """Settle the first outcome that waits for it. Where the database fails, it goes on waiting."""
    message, outcome, epoch = unfinished.outcomes[0]
    try:
        settle(message, outcome, now=now, pace=pace, on_settled=on_settled, epoch=epoch)
    except Superseded:
        raise
    except Exception as fault:  # its lease runs out, and it is tried again; those behind it must not wait for that
        if database_failed(fault):
            raise
        log.error("message %s (%s) cannot be settled: %s", message.pk, message.kind, type(fault).__name__)
    unfinished.outcomes.pop(0)


def _give_back(messages: deque[Message]) -> None:
    while messages:
        Message.objects.filter(pk=messages[0].pk, lease_until=messages[0].lease_until).update(lease_until=None)
        messages.popleft()


def attempt(message: Message, channels: Channels) -> Outcome:
    """Render and send one message and return what came of it. Raises only where the database fails."""
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
    except Exception as fault:  # a poison row must not stop the others (invariant 12)
        if database_failed(fault):
            raise  # the database failed, not the message: it is given back and tried again
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

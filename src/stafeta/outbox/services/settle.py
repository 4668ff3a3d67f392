"""Record what came of an attempt: the message's new state, the attempt, the provider's health, in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction

from stafeta.accounts.selectors import require_epoch
from stafeta.outbox.faults import database_failed
from stafeta.outbox.models import Attempt, ChannelHealth, Message
from stafeta.outbox.selectors import ALONE_MAX, kept_waiting

log = logging.getLogger(__name__)

OnSettled = Callable[[Message, datetime], None]

BACKOFF_S = (60, 300, 900, 3600)
UNAVAILABLE_BACKOFF_S = (15, 60, 300, 900)
REFUSED_AGE_MAX = timedelta(days=3)
MESSAGE_AGE_MAX = timedelta(days=90)
OTHER_CHANNEL_AFTER = timedelta(hours=1)  # ladder.md: "tried on the person's other channel within the hour"
OURS = (Attempt.Outcome.UNAVAILABLE, Attempt.Outcome.FAULT)  # never the addressee's fault
REFUSALS = (Attempt.Outcome.REFUSED, Attempt.Outcome.REFUSED_FOR_NOW)
DETAIL_CHARS_MAX, TO_CHARS_MAX, PROVIDER_ID_CHARS_MAX = 300, 254, 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt brought. detail: for people, never a secret. to, provider_id: where they are known."""

    kind: Attempt.Outcome
    detail: str = ""
    to: str = ""
    provider_id: str = ""


def settle(
    message: Message,
    outcome: Outcome,
    *,
    now: datetime,
    pace: float,
    on_settled: OnSettled,
    epoch: int | None = None,
) -> None:
    """Write the outcome of an attempt at a leased message; `on_settled` joins the transaction when it is final.

    It also joins while the message is still queued, once its addressee has refused it for now so often that its next
    attempt would be too late to be the only way (`OTHER_CHANNEL_AFTER`).

    A lease that was lost meanwhile changes nothing but the attempt's record: whoever holds the message settles it.
    What `on_settled` raises is logged and takes back only what it did itself: the message has left all the same.
    pace: how much faster than people the clock runs; backoffs are stretched by it. epoch: the installation's when the
    message was claimed; raises Superseded, and writes nothing at all, where it is another by now.
    """
    outcome = replace(
        outcome,
        detail=_plain(outcome.detail, DETAIL_CHARS_MAX),
        to=_plain(outcome.to, TO_CHARS_MAX),
        provider_id=_plain(outcome.provider_id, PROVIDER_ID_CHARS_MAX),
    )
    with transaction.atomic():
        require_epoch(epoch)
        Attempt.objects.create(message=message, at=now, outcome=outcome.kind, detail=outcome.detail)
        row = Message.objects.select_for_update().filter(pk=message.pk, state=Message.State.QUEUED).first()
        _note_health(row or message, outcome, now=now)
        if row is None or (row.lease_until != message.lease_until and outcome.kind is not Attempt.Outcome.ACCEPTED):
            return
        _put(row, outcome, now=now, pace=pace)
        if row.state != Message.State.QUEUED or _is_held_up(row, outcome, pace=pace):
            _tell(row, now=now, on_settled=on_settled)
        row.save()  # last: who queues its key again waits for this write, maybe with the switch that _tell waits for


def _tell(row: Message, *, now: datetime, on_settled: OnSettled) -> None:
    try:
        with transaction.atomic():
            on_settled(row, now)
    except Exception as fault:  # e.g. a switch nobody can read: its message must not go out for ever (invariant 12)
        if database_failed(fault):
            raise
        log.error("message %s (%s) led to nothing: %s", row.pk, row.kind, type(fault).__name__)


def _plain(text: str, chars_max: int) -> str:
    """Return what a database can hold of something that a provider said."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:chars_max]


def _put(row: Message, outcome: Outcome, *, now: datetime, pace: float) -> None:
    row.attempts += 1
    row.lease_until = None
    row.to = outcome.to or row.to
    row.problem = outcome.detail
    row.state = _state_after(row, outcome, now=now)
    if row.state == Message.State.QUEUED:
        table = UNAVAILABLE_BACKOFF_S if outcome.kind is Attempt.Outcome.UNAVAILABLE else BACKOFF_S
        row.next_attempt_at = now + timedelta(seconds=pace * table[min(row.attempts, len(table)) - 1])
    else:
        row.settled_at = now
        row.provider_id = outcome.provider_id


def _is_held_up(row: Message, outcome: Outcome, *, pace: float) -> bool:
    """Whether the hour will be over before the next attempt at a message that its addressee refuses for now."""
    if outcome.kind is not Attempt.Outcome.REFUSED_FOR_NOW or row.next_attempt_at is None:
        return False
    return row.next_attempt_at - row.queued_at >= pace * OTHER_CHANNEL_AFTER


def _state_after(row: Message, outcome: Outcome, *, now: datetime) -> Message.State:
    """An outage of ours never kills a message before it has lost its sense; a refusal may (ladder.md, "accepted")."""
    age = now - row.queued_at
    match outcome.kind:
        case Attempt.Outcome.ACCEPTED:
            return Message.State.ACCEPTED
        case Attempt.Outcome.CANCELLED:
            return Message.State.CANCELLED
        case Attempt.Outcome.REFUSED:
            return Message.State.DEAD
        case Attempt.Outcome.REFUSED_FOR_NOW:
            return Message.State.DEAD if age >= REFUSED_AGE_MAX else Message.State.QUEUED
        case Attempt.Outcome.UNAVAILABLE | Attempt.Outcome.FAULT:
            age_max = REFUSED_AGE_MAX if row.refusals >= ALONE_MAX else MESSAGE_AGE_MAX
            return Message.State.DEAD if age >= age_max else Message.State.QUEUED
    raise AssertionError(outcome.kind)


def _note_health(row: Message, outcome: Outcome, *, now: datetime) -> None:
    """A provider is failing from its first unavailability until it answers anything about any message.

    A message that we cannot even render is no better: where none can be, nobody is asked, and nobody may climb.
    One that was refused before it had an address was refused by us, and says nothing of any provider.
    It fails anew when nobody has waited for it since it last did. And if others were taken between two attempts at
    one message, which finds it away each time, then after `ALONE_MAX` times that message is to blame, not the provider.
    """
    if outcome.kind in OURS:
        health, _made = ChannelHealth.objects.get_or_create(channel=row.channel)
        row.refusals += health.failing_since is None and row.attempts > 0
        if row.refusals >= ALONE_MAX:
            return
        if health.failing_since is None or not kept_waiting().filter(channel=row.channel).exists():
            health.failing_since = now
        health.reason = outcome.detail
        health.save()
    elif outcome.kind is Attempt.Outcome.ACCEPTED or (outcome.kind in REFUSALS and outcome.to):
        ChannelHealth.objects.filter(channel=row.channel).exclude(failing_since=None).update(
            failing_since=None, reason=""
        )

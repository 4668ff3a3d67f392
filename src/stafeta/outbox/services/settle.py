"""Record what came of an attempt: the message's new state, the attempt, the provider's health, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from stafeta.outbox.models import Attempt, ChannelHealth, Message

OnSettled = Callable[[Message, datetime], None]

BACKOFF_S = (60, 300, 900, 3600)
UNAVAILABLE_BACKOFF_S = (15, 60, 300, 900)
REFUSED_AGE_MAX = timedelta(days=3)
MESSAGE_AGE_MAX = timedelta(days=90)
FAULTS_MAX = 12
DETAIL_CHARS_MAX = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt brought. detail: for people, never a secret. to, provider_id: where they are known."""

    kind: Attempt.Outcome
    detail: str = ""
    to: str = ""
    provider_id: str = ""


def settle(message: Message, outcome: Outcome, *, now: datetime, pace: float, on_settled: OnSettled) -> None:
    """Write the outcome of an attempt at a leased message; `on_settled` joins the transaction when it is final.

    A lease that was lost meanwhile changes nothing but the attempt's record: whoever holds the message settles it.
    pace: how much faster than people the clock runs; backoffs are stretched by it.
    """
    with transaction.atomic():
        Attempt.objects.create(message=message, at=now, outcome=outcome.kind, detail=outcome.detail[:DETAIL_CHARS_MAX])
        _note_health(message.channel, outcome, now=now)
        held = Message.objects.select_for_update().filter(pk=message.pk, state=Message.State.QUEUED)
        row = held.first()
        if row is None or (row.lease_until != message.lease_until and outcome.kind is not Attempt.Outcome.ACCEPTED):
            return
        _put(row, outcome, now=now, pace=pace)
        row.save()
        if row.state != Message.State.QUEUED:
            on_settled(row, now)


def _put(row: Message, outcome: Outcome, *, now: datetime, pace: float) -> None:
    row.attempts += 1
    row.lease_until = None
    row.to = outcome.to or row.to
    row.problem = outcome.detail[:DETAIL_CHARS_MAX]
    row.state = _state_after(row, outcome, now=now)
    if row.state == Message.State.QUEUED:
        table = UNAVAILABLE_BACKOFF_S if outcome.kind is Attempt.Outcome.UNAVAILABLE else BACKOFF_S
        row.next_attempt_at = now + timedelta(seconds=pace * table[min(row.attempts, len(table)) - 1])
    else:
        row.settled_at = now
        row.provider_id = outcome.provider_id


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
        case Attempt.Outcome.FAULT:
            return Message.State.DEAD if row.attempts >= FAULTS_MAX else Message.State.QUEUED
        case Attempt.Outcome.UNAVAILABLE:
            return Message.State.DEAD if age >= MESSAGE_AGE_MAX else Message.State.QUEUED
    raise AssertionError(outcome.kind)


def _note_health(channel: str, outcome: Outcome, *, now: datetime) -> None:
    """A provider is failing from its first unavailability until it answers anything about any message."""
    if outcome.kind is Attempt.Outcome.UNAVAILABLE:
        ChannelHealth.objects.get_or_create(channel=channel)
        ChannelHealth.objects.filter(channel=channel, failing_since__isnull=True).update(failing_since=now)
        ChannelHealth.objects.filter(channel=channel).update(reason=outcome.detail[:DETAIL_CHARS_MAX])
    elif outcome.kind in (Attempt.Outcome.ACCEPTED, Attempt.Outcome.REFUSED, Attempt.Outcome.REFUSED_FOR_NOW):
        ChannelHealth.objects.filter(channel=channel).exclude(failing_since=None).update(failing_since=None, reason="")

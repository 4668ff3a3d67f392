"""Take messages to send, by lease: a worker that dies loses nothing, for its lease runs out (invariant 11)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from stafeta.accounts.selectors import is_epoch
from stafeta.outbox.models import Message


@transaction.atomic
def claim(*, channel: str, now: datetime, lease: timedelta, limit: int, epoch: int | None = None) -> list[Message]:
    """Lease at most `limit` messages of a channel that are due, urgent ones first, so that nobody else sends them.

    None where the installation has left `epoch`. A message that a restore keeps back has no next attempt, and so is
    not due until its switch was adopted.
    """
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    waiting = (
        Message.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(free, channel=channel, state=Message.State.QUEUED, next_attempt_at__lte=now)
        .order_by("priority", "next_attempt_at", "pk")
    )
    if epoch is not None:
        waiting = waiting.filter(is_epoch(epoch))
    messages = list(waiting[:limit])
    until = now + lease
    Message.objects.filter(pk__in=[message.pk for message in messages]).update(lease_until=until)
    for message in messages:
        message.lease_until = until
    return messages

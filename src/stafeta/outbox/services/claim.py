"""Take messages to send, by lease: a worker that dies loses nothing, for its lease runs out (invariant 11)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from stafeta.outbox.models import Message


@transaction.atomic
def claim(*, channel: str, now: datetime, lease: timedelta, limit: int) -> list[Message]:
    """Lease at most `limit` messages of a channel that are due, urgent ones first, so that nobody else sends them."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    waiting = (
        Message.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(free, channel=channel, state=Message.State.QUEUED, next_attempt_at__lte=now)
        .order_by("priority", "next_attempt_at", "pk")
    )
    messages = list(waiting[:limit])
    until = now + lease
    Message.objects.filter(pk__in=[message.pk for message in messages]).update(lease_until=until)
    for message in messages:
        message.lease_until = until
    return messages

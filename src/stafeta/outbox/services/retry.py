"""Try a dead letter once more, because its owner or the operator asked for it."""

from __future__ import annotations

from datetime import datetime

from stafeta.outbox.models import Message


def retry_message(*, message: Message, now: datetime) -> bool:
    """Queue a dead or bounced message anew and return whether it was one; its earlier attempts stay recorded.

    Its text is made anew when it is sent, so a question of a finished cycle is cancelled rather than asked again.
    """
    dead = Message.objects.filter(pk=message.pk, state__in=[Message.State.DEAD, Message.State.BOUNCED])
    return bool(
        dead.update(
            state=Message.State.QUEUED,
            attempts=0,
            refusals=0,
            queued_at=now,
            next_attempt_at=now,
            lease_until=None,
            settled_at=None,
        )
    )

"""Messages that wait for a moment which will not come, because the clock that named it was wrong, come back."""

from __future__ import annotations

from datetime import datetime, timedelta

from stafeta.outbox.models import ChannelHealth, Message
from stafeta.outbox.services.deliver import LEASE_S
from stafeta.outbox.services.settle import BACKOFF_S


def bring_back_messages(*, now: datetime, pace: float) -> int:
    """Free every lease and bring forward every next attempt that lie further ahead than any may; return how many.

    A message queued in the future would never grow old enough to be given up, so it counts as queued now.
    pace: how much faster than people the clock runs.
    """
    queued = Message.objects.filter(state=Message.State.QUEUED)
    leased = queued.filter(lease_until__gt=now + timedelta(seconds=LEASE_S * pace)).update(lease_until=None)
    waiting = queued.filter(next_attempt_at__gt=now + timedelta(seconds=max(BACKOFF_S) * pace))
    brought = waiting.update(next_attempt_at=now)
    queued.filter(queued_at__gt=now).update(queued_at=now)
    ChannelHealth.objects.filter(failing_since__gt=now).update(failing_since=now)
    return leased + brought

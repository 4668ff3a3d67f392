"""What is known about messages and providers: reads only."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet

from stafeta.outbox.models import ChannelHealth, Message

OUTAGE_MAX = timedelta(days=3)
ALONE_MAX = 3


def kept_waiting() -> QuerySet[Message]:
    """Return the messages that were tried and wait, without those that alone find no provider (`services.settle`)."""
    return Message.objects.filter(state=Message.State.QUEUED, attempts__gt=0, refusals__lt=ALONE_MAX)


def outage(*, now: datetime) -> str | None:
    """Return why the providers count as failing, or None while they are well (ladder.md: then nobody climbs).

    A provider fails while messages wait that it does not take. One that fails alone counts for three days at most:
    after that the other has to carry the ladder, or a lapsed SMS account would keep a release from ever coming.
    """
    waiting = kept_waiting().values("channel")
    failing = list(ChannelHealth.objects.filter(failing_since__isnull=False, channel__in=waiting))
    alone = len(failing) == 1
    for health in failing:
        assert health.failing_since is not None
        if not alone or now - health.failing_since < OUTAGE_MAX:
            return f"{health.channel}: {health.reason}"
    return None

"""What is known about messages and providers: reads only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from stafeta.accounts.derived_keys import fingerprint
from stafeta.outbox.models import ChannelHealth, Message, Suppression

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


def mark_of(address: str) -> str:
    """Return what a suppression knows an address or number by: the same for the same one, and no way back."""
    return fingerprint(address.strip().lower())


def is_suppressed(channel: str, address: str) -> bool:
    """Whether the channel's provider has said that it no longer delivers to the address."""
    return bool(address) and Suppression.objects.filter(channel=channel, mark=mark_of(address)).exists()


def suppressions_of(places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Suppression]:
    """Return, of pairs of channel and address, those that are suppressed, each with what is known of it."""
    marks = {(channel, mark_of(address)): (channel, address) for channel, address in places if address}
    found = Suppression.objects.filter(mark__in=[mark for _channel, mark in marks])
    known = ((marks.get((row.channel, row.mark)), row) for row in found)
    return {place: row for place, row in known if place is not None}


def under_way(channel: str) -> QuerySet[Message]:
    """Return the messages that a provider may have taken although we have not recorded it yet."""
    tried = Q(lease_until__isnull=False) | Q(attempts__gt=0)
    return Message.objects.filter(tried, channel=channel, state=Message.State.QUEUED)

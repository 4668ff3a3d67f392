"""The vital signs of the service as a whole, read from the rows that are there anyway; `wellbeing` judges them.

Every question has a bound: counts of switches and of what waits, one row by an index, or the newest rows of a table
that grows for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from django.db.models import Count, Max, Min, Model, Q, QuerySet

from stafeta.outbox.models import ChannelHealth, Message
from stafeta.outbox.selectors import kept_waiting
from stafeta.outbox.services.queue import LADDER
from stafeta.switches.canary import CanaryLife, canary_life
from stafeta.switches.models import Hold, Outage, ServiceClock, Switch
from stafeta.vault.closed import Closed, closed_handovers

M = TypeVar("M", bound=Model)

DAY: Final = timedelta(days=1)
AHEAD_MAX: Final = timedelta(minutes=1)
"""By so much the clocks of two machines that are kept right may differ."""
NEWEST_ROWS_MAX: Final = 20_000
"""How far back the log of messages is read: more than a day of any one machine, and less than a scrape would notice."""


@dataclass(frozen=True, slots=True)
class Failing:
    """A provider that does not take what waits for it. reason: for people, without a secret."""

    channel: str
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits to be sent by one channel.

    oldest: how long the oldest has waited. late: how long nobody has looked at the one whose turn came first.
    """

    count: int
    oldest: timedelta
    late: timedelta


@dataclass(frozen=True, slots=True)
class Hearing:
    """Whether owners can be heard, and since when ladders may climb.

    read_at: the latest reading of the service clock; None before the first. counted_s: service seconds.
    deaf_since: since when nobody can be heard, where it is more than a hold; reason: why.
    hold: the kind of the hold that stands, "" where none does.
    climbing_since: since when ladders have been able to climb; None while they are not.
    """

    counted_s: int = 0
    read_at: datetime | None = None
    deaf_since: datetime | None = None
    reason: str = ""
    hold: str = ""
    climbing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class VitalSigns:
    """How the service was at the moment `now`.

    overdue: for how long the oldest due switch could have taken its step and did not. aside: switches set aside.
    waiting: by channel. settled, dead: messages of the ladders and releases that came to an end within a day, and
    those of them that reached nobody. closed: handovers that no key opens. canary: None where none is named.
    """

    now: datetime
    hearing: Hearing
    overdue: timedelta
    aside: int
    waiting: Mapping[str, Waiting]
    failing: tuple[Failing, ...]
    settled: int
    dead: int
    closed: Closed
    canary: CanaryLife | None


def vital_signs(*, now: datetime, canary: str) -> VitalSigns:
    """Read them. canary: the address of the canary's account, or "". Raises DatabaseError."""
    hearing = _hearing(now)
    settled, dead = _letters(now)
    return VitalSigns(
        now=now,
        hearing=hearing,
        overdue=_overdue(hearing, now),
        aside=Switch.objects.filter(faults__gt=0).count(),
        waiting=_waiting(now),
        failing=_failing(now),
        settled=settled,
        dead=dead,
        closed=closed_handovers(now=now),
        canary=canary_life(canary) if canary else None,
    )


def newest(model: type[M]) -> QuerySet[M]:
    """Return the newest rows of a table that grows for ever, at most `NEWEST_ROWS_MAX` of them."""
    rows: QuerySet[M] = model._default_manager.all()
    latest = rows.order_by("-pk").values_list("pk", flat=True).first() or 0
    return rows.filter(pk__gt=latest - NEWEST_ROWS_MAX)


def _hearing(now: datetime) -> Hearing:
    clock = ServiceClock.objects.first()
    hold = Hold.objects.filter(ended_at=None, until__gt=now).order_by("kind").first()  # a breaker's before the rest
    if clock is None:
        return Hearing(hold=hold.kind if hold else "")
    is_deaf = clock.deaf_since is not None
    if is_deaf and hold is not None:  # a hold alone keeps the clock from counting, and is nobody's fault
        is_deaf = Outage.objects.filter(ended_at=None).exists()
    may_climb = clock.deaf_since is None and hold is None and clock.wall - now <= AHEAD_MAX
    return Hearing(
        counted_s=clock.counted_ms // 1000,
        read_at=clock.wall,
        deaf_since=clock.deaf_since if is_deaf else None,
        reason=clock.deaf_reason if is_deaf else "",
        hold=hold.kind if hold else "",
        climbing_since=_end_of_latest_stop(now) if may_climb else None,
    )


def _end_of_latest_stop(now: datetime) -> datetime:
    """Return when the latest outage or hold ended; long ago where there was none."""
    lifted = Hold.objects.aggregate(at=Max("ended_at"))["at"]
    ran_out = Hold.objects.filter(ended_at=None, until__lte=now).aggregate(at=Max("until"))["at"]
    heard = Outage.objects.aggregate(at=Max("ended_at"))["at"]
    return max(
        (at for at in (lifted, ran_out, heard) if at is not None), default=datetime.min.replace(tzinfo=now.tzinfo)
    )


def _overdue(hearing: Hearing, now: datetime) -> timedelta:
    """While nobody may climb nothing is overdue, and afterwards only from the end of that."""
    if hearing.climbing_since is None:
        return timedelta()
    well = Switch.objects.filter(retry_at=None)
    at = well.filter(due_at__isnull=False).order_by("due_at").values_list("due_at", flat=True).first()
    second = well.filter(due_s__isnull=False).order_by("due_s").values_list("due_s", flat=True).first()
    late = max(
        now - at if at is not None else timedelta(),
        timedelta(seconds=hearing.counted_s - second) if second is not None else timedelta(),
    )
    return max(timedelta(), min(late, now - hearing.climbing_since))


def _waiting(now: datetime) -> dict[str, Waiting]:
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    found = (
        Message.objects.filter(state=Message.State.QUEUED)
        .values_list("channel")
        .annotate(n=Count("pk"), oldest=Min("queued_at"), turn=Min("next_attempt_at", filter=free))
    )
    waiting = dict.fromkeys(Message.Channel.values, Waiting(0, timedelta(), timedelta()))
    for channel, count, oldest, turn in found:
        late = now - turn if turn is not None else timedelta()
        waiting[channel] = Waiting(count, max(timedelta(), now - oldest), max(timedelta(), late))
    return waiting


def _failing(now: datetime) -> tuple[Failing, ...]:
    """A provider that fails, and for which nobody waits, may be well again: nobody has asked it."""
    kept = kept_waiting().values("channel")
    rows = ChannelHealth.objects.filter(failing_since__isnull=False, channel__in=kept).order_by("channel")
    return tuple(Failing(row.channel, row.failing_since or now, row.reason) for row in rows)


def _letters(now: datetime) -> tuple[int, int]:
    """Return how many messages of ladders and releases ended within a day, and how many of them reached nobody."""
    lost = Q(state__in=[Message.State.DEAD, Message.State.BOUNCED])
    heard = Q(state=Message.State.BOUNCED, receipts__heard_at__gt=now - DAY)
    ended = newest(Message).filter(Q(settled_at__gt=now - DAY) | heard, priority=LADDER)
    counts = ended.exclude(state__in=[Message.State.QUEUED, Message.State.CANCELLED]).aggregate(
        settled=Count("pk", distinct=True), dead=Count("pk", filter=lost, distinct=True)
    )
    return counts["settled"], counts["dead"]

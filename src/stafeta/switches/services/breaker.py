"""The mass-release breaker (invariant 20, docs/adr/0011): too many releases at once look like a fault of ours.

The releases that would be too many are not carried out, everything is held, the operator is paged, and the owners
are called once more. After the hold the releases go on: the breaker delays, it never loses one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from stafeta.core.states import Ticked
from stafeta.outbox.services.queue import URGENT, Draft, enqueue
from stafeta.switches.models import Event, Hold, Outage, Switch
from stafeta.switches.selectors import standing_hold
from stafeta.switches.services.decide import Decision, decide
from stafeta.switches.services.hold import begin_breaker_hold
from stafeta.switches.services.record_fact import fact_event
from stafeta.switches.services.release_lock import alone_with_releases

log = logging.getLogger(__name__)

SPAN: Final = timedelta(hours=24)
GRACE: Final = timedelta(hours=24)
CALLS_BATCH_MAX: Final = 500
CALL_BATCHES_MAX: Final = 20
STOPPED: Final = "ReleaseStopped"
NOT_ARMED: Final = ("Resting", "Released")


@dataclass(frozen=True, slots=True)
class Room:
    """How many releases there have been within the span, how many there may be, and of how many armed switches."""

    recent: int
    most: int
    armed: int

    @property
    def left(self) -> int:
        return max(0, self.most - self.recent)


def within_breaker(decisions: Sequence[Decision], *, now: datetime) -> list[Decision]:
    """Return the decisions that may be written now; the others stay undecided, and their switches due.

    Left out are releases while anything is held or another worker is releasing, and those that would be too many,
    which trips the breaker. Call it, and write what it returns, in the transaction that locked the switches.
    """
    releases = [decision.switch.pk for decision in decisions if decision.releases]
    if not releases:
        return list(decisions)
    allowed = releases[: _allowed(len(releases), now=now)]
    return [decision for decision in decisions if not decision.releases or decision.switch.pk in allowed]


def _allowed(asked: int, *, now: datetime) -> int:
    """Return how many of so many releases may be carried out; trip where it is not all of them."""
    if not alone_with_releases() or standing_hold(now=now):
        return 0
    room = room_for_releases(now=now)
    if room is None or asked <= room.left:
        return asked
    hold = begin_breaker_hold(reason=f"{room.recent + asked}/{room.armed}", now=now)
    log.error(
        "the breaker trips: %s releases within a day, %s switches are armed; held until %s",
        room.recent + asked,
        room.armed,
        hold.until,
    )
    return room.left


def room_for_releases(*, now: datetime) -> Room | None:
    """Return how many releases there is room for; None for as many as come, in the grace after a breaker's hold.

    What was released up to the end of that grace is not counted again, so no release trips it twice.
    """
    since = now - SPAN
    holds = Hold.objects.filter(kind=Hold.Kind.BREAKER)
    if holds.filter(ended_at=None, until__lte=now).exists():
        return None  # it has just run out, and nobody has noted it yet
    latest = holds.filter(ended_at__isnull=False).order_by("-ended_at").first()
    if latest is not None and latest.ended_at is not None:
        grace_ends = latest.ended_at + GRACE + _stood_still(since=latest.ended_at, now=now)
        if now < grace_ends:
            return None
        since = max(since, grace_ends)
    armed = Switch.objects.filter(~Q(phase__in=NOT_ARMED) | Q(released_at__gt=now - SPAN)).count()
    most = max(settings.BREAKER_RELEASES, int(settings.BREAKER_PERCENT * armed / 100 + 1e-9))
    return Room(Switch.objects.filter(released_at__gt=since).count(), most, armed)


def _stood_still(*, since: datetime, now: datetime) -> timedelta:
    """Return for how long nobody could climb, so that an outage after a hold does not use its grace up."""
    outages = Outage.objects.filter(Q(ended_at=None) | Q(ended_at__gt=since))
    holds = Hold.objects.filter(Q(ended_at=None, until__gt=since) | Q(ended_at__gt=since))
    spans = [(row.began_at, row.ended_at) for row in outages]
    spans += [(row.began_at, row.ended_at or row.until) for row in holds]
    spans = [(max(began, since), min(ended or now, now)) for began, ended in spans]
    return sum((max(timedelta(), ended - began) for began, ended in spans if ended), timedelta())


def call_stopped(*, now: datetime, service_s: int) -> int:
    """While the breaker holds, call the owners whose release it stopped, once each; return how many.

    Service time stands still meanwhile, so these are the same switches until the hold ends. The call is no prompt:
    it starts no window, and pressing its button is a check-in like any (invariant 13 holds for it too).
    """
    hold = Hold.objects.filter(kind=Hold.Kind.BREAKER, ended_at=None, until__gt=now).order_by("began_at").first()
    if hold is None:
        return 0
    called = last = 0
    for _ in range(CALL_BATCHES_MAX):
        with transaction.atomic():
            due = Switch.objects.select_for_update(skip_locked=True, of=("self",))
            rows = list(
                due.filter(phase="Climbing", due_s__lte=service_s, pk__gt=last).order_by("pk")[:CALLS_BATCH_MAX]
            )
            called += _call(rows, hold=hold, now=now, service_s=service_s)
        if len(rows) < CALLS_BATCH_MAX:
            break
        last = rows[-1].pk
    return called


def _call(rows: Sequence[Switch], *, hold: Hold, now: datetime, service_s: int) -> int:
    done = set(
        Event.objects.filter(switch__in=rows, kind=STOPPED, at__gte=hold.began_at).values_list("switch", flat=True)
    )
    stopped = [row for row in rows if row.pk not in done and _would_release(row, now=now, service_s=service_s)]
    fresh = Switch.objects.filter(pk__in=[row.pk for row in stopped])
    switches = list(fresh)  # as stored: `_would_release` has put its decision into the other copies
    facts = [fact_event(switch, kind=STOPPED, facts={"hold": hold.pk}, now=now) for switch in switches]
    Event.objects.bulk_create(facts)
    Switch.objects.bulk_update(switches, ["events_count"])
    enqueue([_draft(switch, hold, channel) for switch in switches for channel in ("email", "sms")], now=now)
    return len(switches)


def _would_release(switch: Switch, *, now: datetime, service_s: int) -> bool:
    try:
        return decide(switch=switch, event=Ticked(), now=now, service_s=service_s).releases
    except Exception:  # the tick sets it aside when it comes to it; the others must not wait for that (invariant 12)
        log.exception("switch %s cannot be read", switch.pk)
        return False


def _draft(switch: Switch, hold: Hold, channel: str) -> Draft:
    return Draft(
        key=f"{switch.pk}:{switch.cycle}:call:{hold.pk}:owner:{switch.owner_id}:{channel}",
        kind="switches.call_owner",
        channel=channel,
        owner_id=switch.owner_id,
        priority=URGENT,
        params={"switch": switch.pk, "cycle": switch.cycle, "person": switch.owner_id, "hold": hold.pk},
    )

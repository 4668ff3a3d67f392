"""Holds: the operator, or the breaker, stops everything for a while (docs/adr/0011).

While one stands service time stands still and nobody climbs; what is queued leaves, and a check-in counts.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from stafeta.core.errors import PolicyError
from stafeta.switches.models import Hold
from stafeta.switches.services.page_operator import Alarm, page_operator
from stafeta.switches.services.release_lock import wait_for_releases

log = logging.getLogger(__name__)

HOUR: Final = timedelta(hours=1)
MAINTENANCE_HOURS_MAX: Final = 7 * 24
BREAKER_HOURS: Final = 72
REASON_CHARS_MAX: Final = 300


def hold_everything(*, hours: float, reason: str, now: datetime) -> Hold:
    """Hold everything for maintenance and return the hold; the operator is told.

    Where such a hold stands it goes on until `hours` from now, and never beyond `MAINTENANCE_HOURS_MAX` from its own
    beginning. It holds from when it is committed; this returns once no release is under way any more, or says in the
    log that one still is. Raises PolicyError for hours out of bounds.
    """
    if not 0 < hours <= MAINTENANCE_HOURS_MAX:
        raise PolicyError("hold_hours", hours, 0, MAINTENANCE_HOURS_MAX)
    hold = _begin_maintenance(hours=hours, reason=reason, now=now)
    if not wait_for_releases():
        log.warning("everything is held, but a worker has a release under way that it began before")
    return hold


@transaction.atomic
def _begin_maintenance(*, hours: float, reason: str, now: datetime) -> Hold:
    standing = Hold.objects.filter(kind=Hold.Kind.MAINTENANCE, ended_at=None, until__gt=now).first()
    hold = standing or Hold(kind=Hold.Kind.MAINTENANCE, began_at=now)
    hold.until = min(now + hours * HOUR, hold.began_at + MAINTENANCE_HOURS_MAX * HOUR)
    hold.reason = " ".join(reason.split())[:REASON_CHARS_MAX]
    hold.save()
    page_operator(alarm=Alarm.HOLD_BEGAN, about=hold.pk, event=f"{hold.until:%Y%m%d%H%M%S}", now=now)
    return hold


def begin_breaker_hold(*, reason: str, now: datetime) -> Hold:
    """Begin the hold of a breaker that tripped and page the operator; in the transaction that tripped it."""
    hold = Hold.objects.create(
        kind=Hold.Kind.BREAKER,
        reason=reason[:REASON_CHARS_MAX],
        began_at=now,
        until=now + BREAKER_HOURS * HOUR,
    )
    page_operator(alarm=Alarm.BREAKER, about=hold.pk, now=now)
    return hold


@transaction.atomic
def lift_holds(*, now: datetime) -> int:
    """End every hold that has not ended and return how many there were; the operator is told of each."""
    return sum(_end(hold, now=now) for hold in Hold.objects.filter(ended_at=None))


@transaction.atomic
def end_run_out_holds(*, now: datetime) -> int:
    """End the holds whose time has come and return how many; the operator is told of each."""
    return sum(_end(hold, now=now) for hold in Hold.objects.filter(ended_at=None, until__lte=now))


def _end(hold: Hold, *, now: datetime) -> bool:
    ended = Hold.objects.filter(pk=hold.pk, ended_at=None).update(ended_at=max(now, hold.began_at))
    if ended:
        page_operator(alarm=Alarm.HOLD_ENDED, about=hold.pk, now=now)
    return bool(ended)

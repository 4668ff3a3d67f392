"""What lasts too long is told to the operator: a clock that is behind, a service that cannot hear."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from stafeta.switches.models import Outage, ServiceClock
from stafeta.switches.services.page_operator import Alarm, page_operator

BEHIND_MAX: Final = timedelta(minutes=5)
DEAF_MAX: Final = timedelta(hours=1)


def raise_alarms(*, now: datetime) -> None:
    """Page the operator, once for each, about a clock that stands still far ahead of the present and a long outage."""
    clock = ServiceClock.objects.first()
    if clock is not None and clock.deaf_since is not None and clock.wall - now > BEHIND_MAX:
        page_operator(alarm=Alarm.CLOCK_BEHIND, about=int(clock.wall.timestamp()), now=now)
        return  # the outage that goes with it says nothing more
    for outage in Outage.objects.filter(ended_at=None, began_at__lte=now - DEAF_MAX).order_by("-began_at")[:1]:
        page_operator(alarm=Alarm.OUTAGE, about=outage.pk, now=now)

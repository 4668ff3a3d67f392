"""An operator has put the wall clock right and confirms it (docs/adr/0009).

Whatever a clock that ran ahead wrote down lies in a future that will not come. Each such moment is brought back to
the latest that its rule allows; what lies within its rule stays untouched, and no ladder is restarted.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import transaction

from stafeta.accounts.services.bring_back_codes import bring_back_codes
from stafeta.core.states import Restored
from stafeta.outbox.services.bring_back import bring_back_messages
from stafeta.switches.models import Hold, Outage, ServiceClock, Switch
from stafeta.switches.selectors import service_second
from stafeta.switches.services.decide import decide, write
from stafeta.switches.services.hold import BREAKER_HOURS, HOUR, MAINTENANCE_HOURS_MAX
from stafeta.switches.services.tick import RETRY_S_MAX

log = logging.getLogger(__name__)

BATCH_MAX: Final = 500
SHORTEST_INTERVAL: Final = timedelta(days=1)
SESSIONS_SLACK: Final = timedelta(minutes=5)  # sessions begun while this runs stay


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What was brought back.

    ahead: how far the latest reading lay in the future. messages, switches: how many came back.
    """

    ahead: timedelta
    messages: int
    switches: int


def confirm_clock(*, now: datetime, pace: float) -> Confirmed:
    """Let the present moment count from now on, and bring back what lies in a future that will not come.

    The counter stays what it is and the span until the next reading adds nothing. A waiting switch whose first prompt
    is due more than one interval from now hears `Restored`; every other ladder goes on as it stands. Doing it twice,
    or where nothing was wrong, changes nothing more. pace: how much faster than people the clock runs.
    """
    with transaction.atomic():
        ahead = _set_clock(now)
        _bring_back_spans(now)
    messages = bring_back_messages(now=now, pace=pace)
    bring_back_codes(now=now)
    cache.clear()  # rate limits alone: those counted in the future would keep people out until then
    # Whoever signed in under the wrong clock would count as freshly signed in until then; they sign in again.
    latest = now + timedelta(seconds=settings.SESSION_COOKIE_AGE) + SESSIONS_SLACK
    Session.objects.filter(expire_date__gt=latest).delete()
    Switch.objects.filter(retry_at__gt=now + timedelta(seconds=RETRY_S_MAX)).update(retry_at=now)
    Switch.objects.filter(released_at__gt=now).update(released_at=now)
    Switch.objects.filter(last_checkin_at__gt=now).update(last_checkin_at=now)
    return Confirmed(ahead, messages, _restore_waiting(now))


def _set_clock(now: datetime) -> timedelta:
    clock = ServiceClock.objects.select_for_update().first()
    if clock is None or clock.wall <= now:
        return timedelta()
    ahead = clock.wall - now
    clock.wall, clock.heard, clock.reading = now, False, clock.reading + 1
    clock.deaf_since, clock.deaf_reason = None, ""
    clock.save()
    return ahead


def _bring_back_spans(now: datetime) -> None:
    """End outages and bound holds that reach beyond the present; none of them begins there."""
    for model in (Outage, Hold):
        model.objects.filter(began_at__gt=now).update(began_at=now)
        model.objects.filter(ended_at__gt=now).update(ended_at=now)
    Outage.objects.filter(ended_at=None).update(ended_at=now)  # the next reading begins it anew if there is one
    bounds = {Hold.Kind.BREAKER: BREAKER_HOURS, Hold.Kind.MAINTENANCE: MAINTENANCE_HOURS_MAX}
    for kind, hours in bounds.items():
        Hold.objects.filter(kind=kind, ended_at=None, until__gt=now + hours * HOUR).update(until=now + hours * HOUR)


def _restore_waiting(now: datetime) -> int:
    """Send `Restored` to every waiting switch that it changes, in batches, and return how many those were."""
    service_s, restored, last = service_second(), 0, 0
    while True:  # bounded by the table: each batch begins after the last one
        with transaction.atomic():
            late = Switch.objects.filter(phase="Waiting", due_at__gt=now + SHORTEST_INTERVAL, pk__gt=last)
            rows = list(late.select_for_update(of=("self",)).order_by("pk")[:BATCH_MAX])
            restored += _restore(rows, now=now, service_s=service_s)
        if len(rows) < BATCH_MAX:
            return restored
        last = rows[-1].pk


def _restore(rows: list[Switch], *, now: datetime, service_s: int) -> int:
    decisions = []
    for switch in rows:
        try:
            decision = decide(switch=switch, event=Restored(), now=now, service_s=service_s)
        except Exception:  # a switch nobody can read must not keep the others in the future (invariant 12)
            log.exception("switch %s cannot be read; it keeps its date", switch.pk)
            continue
        if decision.event is not None:
            decisions.append(decision)
    write(decisions, now=now, service_s=service_s)
    return len(decisions)

"""Append to the event log: ladder events, and facts beside the ladder."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from stafeta.core.codec import Json, encode
from stafeta.core.policy import Policy
from stafeta.core.states import Event as LadderEvent
from stafeta.switches.models import Event, Switch
from stafeta.switches.selectors import service_second


def record_fact(*, switch: Switch, kind: str, facts: Mapping[str, int | str | bool | None], now: datetime) -> None:
    """Append a fact that the ladder does not decide on, such as "ContactInvited". Never content or a secret."""
    with transaction.atomic():
        locked = Switch.objects.select_for_update().get(pk=switch.pk)
        fact_event(locked, kind=kind, facts=facts, now=now).save(force_insert=True)
        locked.save(update_fields=["events_count"])


def fact_event(switch: Switch, *, kind: str, facts: Mapping[str, int | str | bool | None], now: datetime) -> Event:
    """Return the unsaved log row of a fact about a locked switch, whose `events_count` is the caller's to save."""
    return Event(
        switch=switch,
        number=next_number(switch),
        cycle=switch.cycle,
        kind=kind,
        on_ladder=False,
        event=dict(facts),
        at=now,
        service_s=service_second(),
    )


def ladder_event(switch: Switch, event: LadderEvent, *, policy: Policy | None, now: datetime, service_s: int) -> Event:
    """Return the unsaved log row of a ladder event; `policy` where it came into force with it."""
    encoded: Json = encode(event)
    return Event(
        switch=switch,
        number=next_number(switch),
        cycle=switch.cycle,
        kind=type(event).__name__,
        on_ladder=True,
        event=encoded,
        policy=encode(policy) if policy else None,
        at=now,
        service_s=service_s,
    )


def next_number(switch: Switch) -> int:
    """Count one more event on a locked switch and return its number."""
    switch.events_count += 1
    return switch.events_count

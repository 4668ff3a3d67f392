"""The owner stops the switch for a while, always with an end."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from stafeta.accounts.models import User
from stafeta.core.states import PauseBegan, PauseEnded
from stafeta.switches.models import Switch
from stafeta.switches.selectors import policy_to_be, service_second
from stafeta.switches.services.decide import decide, locked_switch, write


def pause(*, owner: User, until: datetime, now: datetime) -> Switch:
    """Pause until `until` (aware); then the owner is asked at once. Raises PolicyError beyond 365 days."""
    return _decide(owner, PauseBegan(until), now)


def end_pause(*, owner: User, now: datetime) -> Switch:
    """End the pause early; the next prompt is due one interval from now."""
    return _decide(owner, PauseEnded(), now)


def _decide(owner: User, event: PauseBegan | PauseEnded, now: datetime) -> Switch:
    with transaction.atomic():
        switch = locked_switch(owner=owner)
        policy, service_s = policy_to_be(switch), service_second()
        decision = decide(switch=switch, event=event, now=now, service_s=service_s, policy=policy)
        write([decision], now=now, service_s=service_s)
    return switch

"""The owner stops the switch for a while, always with an end."""

from __future__ import annotations

from datetime import datetime

from stafeta.accounts.models import User
from stafeta.core.states import PauseBegan, PauseEnded
from stafeta.switches.models import Switch
from stafeta.switches.selectors import policy_to_be, service_second
from stafeta.switches.services.decide import decide_now


def pause(*, owner: User, until: datetime, now: datetime) -> Switch:
    """Pause until `until` (aware); then the owner is asked at once. Raises PolicyError beyond 365 days."""
    return _decide(owner, PauseBegan(until), now)


def end_pause(*, owner: User, now: datetime) -> Switch:
    """End the pause early; the next prompt is due one interval from now."""
    return _decide(owner, PauseEnded(), now)


def _decide(owner: User, event: PauseBegan | PauseEnded, now: datetime) -> Switch:
    switch = Switch.objects.get(owner=owner)
    policy = policy_to_be(switch)
    return decide_now(switch_id=switch.pk, event=event, now=now, service_s=service_second(), policy=policy).switch

"""The owner changes how often and how they are asked."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from stafeta.accounts.models import User
from stafeta.core.codec import encode
from stafeta.core.policy import Choices, Policy
from stafeta.core.states import CheckedIn, Evidence, PauseBegan, Paused, Released, Resting
from stafeta.switches.models import Switch
from stafeta.switches.selectors import policy_to_be, service_second
from stafeta.switches.services.decide import decide, locked_switch, put_state, write


def change_choices(*, owner: User, choices: Choices, now: datetime) -> Switch:
    """Save the owner's choices.

    The owner is here, so on an armed switch this is a check-in: a new cycle begins, under the new policy; a pause
    goes on to the same end. A running cycle is never shortened (invariant 15).
    """
    with transaction.atomic():
        switch = locked_switch(owner=owner)
        switch.choices = encode(choices)
        switch.save(update_fields=["choices"])
        policy, service_s = policy_to_be(switch), service_second()
        match switch.ladder_state:
            case Resting() as state:
                put_state(switch, state, policy)
                switch.save(update_fields=["policy"])
            case Released():
                pass
            case Paused(until=until):
                _begin_cycle(switch, PauseBegan(until), policy, now=now, service_s=service_s)
            case _:
                _begin_cycle(switch, CheckedIn(Evidence.SCHEDULE), policy, now=now, service_s=service_s)
    return switch


def _begin_cycle(
    switch: Switch, event: CheckedIn | PauseBegan, policy: Policy, *, now: datetime, service_s: int
) -> None:
    decision = decide(switch=switch, event=event, now=now, service_s=service_s, policy=policy)
    write([decision], now=now, service_s=service_s)

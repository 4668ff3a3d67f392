"""The owner changes how often and how they are asked."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from stafeta.accounts.models import User
from stafeta.core.codec import encode
from stafeta.core.policy import Choices
from stafeta.core.states import Evidence
from stafeta.switches.models import Switch
from stafeta.switches.services.decide import locked_switch
from stafeta.switches.services.renew_cycle import renew_cycle


def change_choices(*, owner: User, choices: Choices, now: datetime) -> Switch:
    """Save the owner's choices; on an armed switch this is a check-in that begins a new cycle under them."""
    with transaction.atomic():
        switch = locked_switch(owner=owner)
        switch.choices = encode(choices)
        switch.save(update_fields=["choices"])
        renew_cycle(switch=switch, evidence=Evidence.SCHEDULE, now=now)
    return switch

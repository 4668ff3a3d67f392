"""The owner arms the switch, and disarms it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from stafeta.accounts.models import User
from stafeta.core.policy import require_ready
from stafeta.core.states import Armed, StoodDown
from stafeta.switches.models import Switch
from stafeta.switches.selectors import policy_to_be, readiness_of, service_second
from stafeta.switches.services.decide import decide, decide_now, locked_switch, write


def arm(*, owner: User, now: datetime) -> Switch:
    """Arm the owner's switch; the first prompt is due one interval from now. Raises NotReady with every reason."""
    with transaction.atomic():
        switch = locked_switch(owner=owner)
        policy = policy_to_be(switch)
        require_ready(policy, readiness_of(owner))
        service_s = service_second()
        decision = decide(switch=switch, event=Armed(), now=now, service_s=service_s, policy=policy)
        write([decision], now=now, service_s=service_s)
    return switch


def stand_down(*, owner: User, now: datetime) -> Switch:
    """Disarm the owner's switch: nothing is asked and nothing is released until it is armed again."""
    switch = Switch.objects.get(owner=owner)
    return decide_now(switch_id=switch.pk, event=StoodDown(), now=now, service_s=service_second()).switch

"""Save a schedule: the choices, the zone of the account with them, and a mail to the owner."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from stafeta.accounts.models import User
from stafeta.core.policy import Choices
from stafeta.switches.models import Switch
from stafeta.switches.services.change_choices import change_choices
from stafeta.switches.services.record_fact import record_fact
from stafeta.web.notices import tell_owner


@transaction.atomic
def save_schedule(*, switch: Switch, choices: Choices, now: datetime) -> Switch:
    """Save the owner's choices and return the switch; on an armed one this is a check-in.

    The account follows the zone, so that no two pages ever speak of two times. Choices that are the present ones
    change nothing and count for nothing.
    """
    if choices == switch.owner_choices:
        return switch
    User.objects.filter(pk=switch.owner_id).update(zone=choices.zone)
    changed = change_choices(owner=switch.owner, choices=choices, now=now)
    record_fact(switch=changed, kind="ScheduleChanged", facts={}, now=now)
    tell_owner(switch=changed, now=now)
    return changed

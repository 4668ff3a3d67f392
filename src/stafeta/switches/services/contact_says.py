"""What a trusted contact says through their link: all is well, wait, or go ahead."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from stafeta.core.errors import NotAsked
from stafeta.core.links import Link, Purpose
from stafeta.core.states import AskedToWait, GaveGoAhead, Vouched
from stafeta.switches.models import Switch
from stafeta.switches.selectors import contact_behind, policy_to_be, service_second
from stafeta.switches.services.decide import decide, locked_switch, write
from stafeta.vault.models import ConsentState


def vouch(*, link: Link, now: datetime) -> Switch:
    """ "I spoke to them, they are well": a check-in, at most three in a row; after that it only postpones.

    Raises WrongCycle, NotAsked, HoldExhausted, BadLink.
    """
    return _say(link, Vouched(link.cycle, link.person), now)


def ask_to_wait(*, link: Link, days: int, now: datetime) -> Switch:
    """ "They are out of reach, wait `days` days". Raises WrongCycle, NotAsked, HoldExhausted, PolicyError, BadLink."""
    return _say(link, AskedToWait(link.cycle, link.person, days), now)


def give_go_ahead(*, link: Link, now: datetime) -> Switch:
    """ "Something happened, go ahead". Raises WrongCycle, NotAsked (also where the owner forbade it), BadLink."""
    return _say(link, GaveGoAhead(link.cycle, link.person), now)


@transaction.atomic
def _say(link: Link, event: Vouched | AskedToWait | GaveGoAhead, now: datetime) -> Switch:
    contact = contact_behind(link)
    if link.purpose is not Purpose.TRUSTED or contact.consent == ConsentState.DECLINED:
        raise NotAsked
    switch = locked_switch(pk=contact.switch_id)
    policy = policy_to_be(switch) if isinstance(event, Vouched) else None
    service_s = service_second()
    decision = decide(switch=switch, event=event, now=now, service_s=service_s, policy=policy)
    write([decision], now=now, service_s=service_s)
    return switch

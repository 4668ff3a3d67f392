"""If nobody of a handover can be reached, the trusted contacts are told (ladder.md, "After the release")."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from stafeta.outbox.faults import database_failed
from stafeta.outbox.services.queue import LADDER, Draft, enqueue
from stafeta.switches.models import TrustedContact
from stafeta.switches.services.effects import asked_contacts
from stafeta.vault.models import Handover

log = logging.getLogger(__name__)

HANDOVERS_AT_ONCE: Final = 100


def tell_unreached(*, handovers: Iterable[int], now: datetime) -> None:
    """Tell the contacts, once for each handover and release, that none of its recipients could be reached.

    May be said again and again: the keys are the same. A handover that cannot be told of is named in the log and keeps
    no other from it (invariant 12).
    """
    wanted = sorted(set(handovers))
    for start in range(0, len(wanted), HANDOVERS_AT_ONCE):
        batch = wanted[start : start + HANDOVERS_AT_ONCE]
        drafts: list[Draft] = []
        for handover in Handover.objects.filter(pk__in=batch).select_related("owner__switch").order_by("pk"):
            try:
                drafts += _drafts(handover)
            except Exception as fault:
                if database_failed(fault):
                    raise
                log.error("nobody can be told of handover %s: %s", handover.pk, type(fault).__name__)
        enqueue(drafts, now=now)


def _drafts(handover: Handover) -> list[Draft]:
    switch = handover.owner.switch
    return [
        Draft(
            key=f"{switch.pk}:{switch.cycle}:unreached:{handover.pk}:trusted:{contact.pk}",
            kind="switches.tell_contact",
            channel="email",
            owner_id=handover.owner_id,
            priority=LADDER,
            params={
                "switch": switch.pk,
                "cycle": switch.cycle,
                "told": "unreached",
                "person": contact.pk,
                "handover": handover.pk,
            },
        )
        for contact in TrustedContact.objects.filter(switch=switch, **asked_contacts())
    ]

"""If nobody of a handover can be reached, the trusted contacts are told (ladder.md, "After the release")."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from stafeta.outbox.services.queue import LADDER, Draft, enqueue
from stafeta.switches.models import TrustedContact
from stafeta.switches.services.effects import asked_contacts
from stafeta.vault.models import Handover


def tell_unreached(*, handovers: Iterable[int], now: datetime) -> None:
    """Tell the contacts, once for each handover and release, that none of its recipients could be reached."""
    drafts = []
    for handover in Handover.objects.filter(pk__in=list(handovers)).select_related("owner__switch"):
        switch = handover.owner.switch
        for contact in TrustedContact.objects.filter(switch=switch, **asked_contacts()):
            drafts.append(
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
            )
    enqueue(drafts, now=now)

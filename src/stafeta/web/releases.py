"""Who was let in by a release, and who has read what: for the owner who came back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stafeta.core.states import Released, Resting
from stafeta.switches.models import Switch
from stafeta.vault.models import Grant


@dataclass(frozen=True, slots=True)
class Access:
    """One person and one handover of a release. read_at: when its content was first shown, if it was."""

    handover_id: int
    title: str
    name: str
    read_at: datetime | None
    is_told: bool


def last_release_of(switch: Switch) -> tuple[Access, ...]:
    """Return what the present release opened, or the one the owner has just come back from; what was read first.

    Empty once the switch has been armed again, and where there was no release.
    """
    state = switch.ladder_state
    if isinstance(state, Released):
        cycle = state.cycle
    elif isinstance(state, Resting):
        cycle = state.cycle - 1
    else:
        return ()
    grants = Grant.objects.filter(switch=switch.pk, cycle=cycle, handover__owner=switch.owner_id)
    found = [
        Access(
            grant.handover_id,
            grant.handover.title,
            grant.recipient.name,
            grant.first_read_at,
            grant.told_at is not None,
        )
        for grant in grants.select_related("handover", "recipient")
    ]
    return tuple(sorted(found, key=lambda one: (one.read_at is None, one.title, one.name)))

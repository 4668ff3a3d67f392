"""What the pages of a handover say about the copies that its owner has taken out."""

from __future__ import annotations

from datetime import datetime

from stafeta.accounts.models import User
from stafeta.accounts.moments import Moment
from stafeta.vault.models import Handover
from stafeta.vault.services.take_copy import last_copy, state_of


def last_copy_at(handover: Handover, *, owner: User, now: datetime) -> Moment | None:
    """Return when the newest copy left, if any did."""
    last = last_copy(handover)
    return Moment(last.at, owner.zone, now) if last else None


def older_copy_at(handover: Handover, *, owner: User, now: datetime) -> Moment | None:
    """Return when the newest copy left, if something has changed since; None where there is nothing to do."""
    last = last_copy(handover)
    if last is None or last.state == state_of(handover):
        return None
    return Moment(last.at, owner.zone, now)

"""A row that nobody can read, due at every tick; whatever it does, nobody else may notice."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from stafeta.accounts.models import User
from stafeta.core.codec import encode
from stafeta.core.states import Resting
from stafeta.switches.models import Switch
from stafeta.switches.services.ensure_switch import ensure_switch

EMAIL: Final = "poison@example.org"


def poison(*, now: datetime) -> None:
    """Make the row unreadable and due now."""
    owner = User.objects.filter(email=EMAIL).first() or User.objects.create_user(EMAIL, name="Poison")
    switch = ensure_switch(owner=owner)
    Switch.objects.filter(pk=switch.pk).update(
        state={"is": "Nonsense"}, phase="Climbing", due_at=now, retry_at=None, faults=0, fault=""
    )


def cure() -> None:
    """Make it readable again, and at rest."""
    Switch.objects.filter(owner__email=EMAIL).update(
        state=encode(Resting(cycle=0)), phase="Resting", due_at=None, due_s=None, retry_at=None
    )

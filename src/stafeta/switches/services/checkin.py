"""The sign of life: from a link, the button, or a sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from stafeta.accounts.models import User
from stafeta.core.states import CheckedIn, Climbing, Evidence, Held, Released, Waiting
from stafeta.switches.selectors import policy_to_be, service_second
from stafeta.switches.services.decide import decide, locked_switch, write


@dataclass(frozen=True, slots=True)
class CheckinResult:
    """What a check-in did.

    counted: it began a new cycle or closed a release. was_climbing: the owner had been asked.
    was_released: it came after the release. next_due: aware UTC of the next first prompt, where one is due.
    """

    counted: bool
    was_climbing: bool
    was_released: bool
    next_due: datetime | None


def record_checkin(*, owner: User, evidence: Evidence, now: datetime, cycle: int | None = None) -> CheckinResult:
    """Record that the owner is well; it ends the running cycle, or closes what a release left unopened.

    `cycle` is that of the link pressed. Raises WrongCycle for a link of a finished cycle, which changes nothing, and
    Switch.DoesNotExist for somebody who has none. A check-in committed before a release prevents it (invariant 3).
    """
    with transaction.atomic():
        switch = locked_switch(owner=owner)
        decision = decide(
            switch=switch,
            event=CheckedIn(evidence, cycle),
            now=now,
            service_s=service_second(),
            policy=policy_to_be(switch),
        )
        write([decision], now=now, service_s=service_second())
    return CheckinResult(
        counted=decision.event is not None,
        was_climbing=isinstance(decision.before, (Climbing, Held)),
        was_released=isinstance(decision.before, Released),
        next_due=decision.after.due if isinstance(decision.after, Waiting) else None,
    )

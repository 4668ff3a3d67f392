"""The owner changed what a cycle obeys, and so was here: a new cycle begins under the new policy."""

from __future__ import annotations

from datetime import datetime

from stafeta.core.states import CheckedIn, Evidence, PauseBegan, Paused, PauseEnded, Released, Resting
from stafeta.switches.models import Switch
from stafeta.switches.selectors import policy_to_be, service_second
from stafeta.switches.services.decide import decide, put_state, write


def renew_cycle(*, switch: Switch, evidence: Evidence, now: datetime) -> None:
    """Let a locked switch obey its present choices and contacts from now on.

    On an armed switch this is a check-in; a pause goes on to the same end; a running cycle is never shortened
    (invariant 15). A release that has come stays what it is until the owner confirms.
    """
    policy = policy_to_be(switch)
    match switch.ladder_state:
        case Resting() as state:
            put_state(switch, state, policy)
            switch.save(update_fields=["policy"])
            return
        case Released():
            return
        case Paused(until=until):  # one that has run out, but was not ticked yet, ends here
            event: PauseBegan | PauseEnded | CheckedIn = PauseBegan(until) if until > now else PauseEnded()
        case _:
            event = CheckedIn(evidence)
    service_s = service_second()
    decision = decide(switch=switch, event=event, now=now, service_s=service_s, policy=policy)
    write([decision], now=now, service_s=service_s)

"""One event, one decision: the road every change of a switch takes.

`decide` asks the core and holds the answer in memory; `write` commits states, events and messages together, set-based
(house.md, "The way of a tick"). Nobody else writes a switch's state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from stafeta.core.codec import encode
from stafeta.core.ladder import advance
from stafeta.core.moves import due
from stafeta.core.policy import Policy
from stafeta.core.states import Armed, CheckedIn, Effect, PauseBegan, PauseEnded, Released, State, StoodDown
from stafeta.core.states import Event as LadderEvent
from stafeta.switches.models import Event, Switch
from stafeta.switches.services.effects import carry_out
from stafeta.switches.services.record_fact import ladder_event

SWITCH_COLUMNS = (
    "state",
    "policy",
    "phase",
    "cycle",
    "due_at",
    "due_s",
    "last_checkin_at",
    "released_at",
    "faults",
    "fault",
    "retry_at",
    "events_count",
)
OWNER_WAS_HERE = (Armed, CheckedIn, PauseBegan, PauseEnded, StoodDown)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the core decided for one locked switch, not yet written."""

    switch: Switch
    before: State
    after: State
    effects: list[Effect]
    event: Event | None

    @property
    def releases(self) -> bool:
        """Whether writing it is a release."""
        return isinstance(self.after, Released) and not isinstance(self.before, Released)


def decide(
    *, switch: Switch, event: LadderEvent, now: datetime, service_s: int, policy: Policy | None = None
) -> Decision:
    """Return the decision of `event` for a locked switch and put it into the row, unsaved.

    `policy` is the next cycle's, for an event that begins one; within a cycle the policy never changes. An event that
    changes nothing and asks for nothing leaves no trace (invariant 14). Raises what `advance` raises; then the row is
    untouched.
    """
    before, in_force = switch.ladder_state, switch.ladder_policy
    after, effects = advance(before, event, in_force, now=now, service_s=service_s, next_policy=policy)
    if after == before and not effects:
        return Decision(switch, before, after, effects, None)
    began = policy if after.cycle != before.cycle else None
    row = ladder_event(switch, event, policy=began, now=now, service_s=service_s)
    put_state(switch, after, began or in_force)
    switch.faults, switch.fault, switch.retry_at = 0, "", None
    if isinstance(event, OWNER_WAS_HERE):
        switch.last_checkin_at = now
    decision = Decision(switch, before, after, effects, row)
    if decision.releases:
        switch.released_at = now
    return decision


def put_state(switch: Switch, state: State, policy: Policy) -> None:
    """Put a state and the policy in force into the row's columns, unsaved."""
    due_at, due_s = due(state, policy)
    switch.state = encode(state)
    switch.policy = encode(policy)
    switch.phase = type(state).__name__
    switch.cycle = state.cycle
    switch.due_at, switch.due_s = due_at, due_s


def write(decisions: Sequence[Decision], *, now: datetime, service_s: int) -> None:
    """Commit the decisions' states, events and messages. The caller holds the locks and the transaction."""
    changed = [decision for decision in decisions if decision.event is not None]
    Event.objects.bulk_create([decision.event for decision in changed if decision.event is not None])
    _save([decision.switch for decision in changed])
    carry_out([(decision.switch, decision.effects) for decision in changed], now=now, service_s=service_s)


def _save(switches: Sequence[Switch]) -> None:
    """Write the columns of many rows in one statement; a single row needs no statement that tells rows apart."""
    if len(switches) == 1:
        switches[0].save(update_fields=SWITCH_COLUMNS)
    else:
        Switch.objects.bulk_update(switches, SWITCH_COLUMNS)


def locked_switch(**lookup: object) -> Switch:
    """Return a switch locked for this transaction: whoever commits first decides (invariant 3)."""
    return Switch.objects.select_for_update(of=("self",)).select_related("owner").get(**lookup)


@transaction.atomic
def decide_now(
    *, switch_id: int, event: LadderEvent, now: datetime, service_s: int, policy: Policy | None = None
) -> Decision:
    """Lock one switch, decide `event` for it and commit. Raises what `advance` raises; then nothing changed."""
    switch = locked_switch(pk=switch_id)
    decision = decide(switch=switch, event=event, now=now, service_s=service_s, policy=policy)
    write([decision], now=now, service_s=service_s)
    return decision

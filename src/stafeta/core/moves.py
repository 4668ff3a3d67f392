"""The few moves the ladder is made of: wait, ask, climb; and what a state says about itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from stafeta.core.policy import (
    LAST_CALL,
    UNREACHABLE_AFTER_S,
    Audience,
    By,
    Policy,
    Rung,
    known_zone,
)
from stafeta.core.schedule import (
    next_checkin,
)
from stafeta.core.states import (
    LAST_CALL_RUNG,
    Ask,
    AskOtherwise,
    Climbing,
    Effect,
    Held,
    Paused,
    Released,
    Resting,
    State,
    Tell,
    Told,
    Waiting,
)

Decision = tuple[State, list[Effect]]


def rung_of(climbing: Climbing, policy: Policy) -> Rung:
    """Return the rung a climbing switch stands on."""
    return LAST_CALL if climbing.rung == LAST_CALL_RUNG else policy.rungs[climbing.rung]


def window_ends_at_s(climbing: Climbing, policy: Policy) -> int:
    """Return the service second at which the present rung has had its time.

    Before acceptance that is the second at which the rung counts as unreachable.
    """
    if climbing.accepted_at_s is None:
        return climbing.asked_at_s + UNREACHABLE_AFTER_S
    window_s = rung_of(climbing, policy).window_s
    return climbing.accepted_at_s + (2 * window_s if climbing.unreachable else window_s)


def due(state: State, policy: Policy) -> tuple[datetime | None, int | None]:
    """Return when a tick next has something to decide: (wall clock, service second), at most one of them set."""
    match state:
        case Waiting():
            return state.due, None
        case Paused():
            return state.until, None
        case Climbing():
            return None, window_ends_at_s(state, policy)
        case Held():
            return None, state.until_s
        case Resting() | Released():
            return None, None
        case _:
            assert_never(state)


def contacts_were_asked(climbing: Climbing, policy: Policy) -> bool:
    """Whether a trusted contact has been asked in this cycle, and so has something to say."""
    return climbing.contacts_asked or climbed_to_contacts(climbing, policy)


def climbed_to_contacts(climbing: Climbing, policy: Policy) -> bool:
    """Whether the ladder has come to the contacts, since its last start at the first rung."""
    if climbing.rung == LAST_CALL_RUNG:
        return True
    return any(rung.asks is Audience.TRUSTED for rung in policy.rungs[: climbing.rung + 1])


def latest_s(state: State) -> int:
    """Return the latest service second that `state` knows of: no decision is ever taken at an earlier one."""
    match state:
        case Climbing():
            return state.asked_at_s if state.accepted_at_s is None else state.accepted_at_s
        case Held():
            return latest_s(state.climbing)
        case Released():
            return state.released_at_s
        case Resting() | Waiting() | Paused():
            return 0
        case _:
            assert_never(state)


def begin_waiting(cycle: int, policy: Policy, *, now: datetime, vouched: int = 0) -> Waiting:
    due_at = next_checkin(after=now, interval_days=policy.interval_days, at=policy.at, zone=known_zone(policy.zone))
    return Waiting(cycle, due_at, vouched)


def first_rung(state: Waiting | Paused, *, service_s: int) -> Climbing:
    return Climbing(cycle=state.cycle, rung=0, asked_at_s=service_s, vouched=state.vouched)


def first_trusted_rung(policy: Policy) -> int:
    return next((index for index, rung in enumerate(policy.rungs) if rung.asks is Audience.TRUSTED), 0)


def climb(state: Climbing, rung: int, policy: Policy, *, service_s: int) -> Decision:
    fresh = replace(asked_anew(state, service_s=service_s), rung=rung, round=state.round)
    return ask(fresh, policy)


def asked_anew(state: Climbing, *, service_s: int) -> Climbing:
    return replace(
        state,
        round=state.round + 1,
        asked_at_s=service_s,
        accepted_at_s=None,
        unreachable=False,
        began_by=None,
        bounced=frozenset(),
    )


def ask(state: Climbing, policy: Policy) -> Decision:
    rung = rung_of(state, policy)
    effects: list[Effect] = [
        Ask(
            audience=rung.asks,
            by=rung.by,
            kind=rung.kind,
            cycle=state.cycle,
            rung=state.rung,
            round=state.round,
            attempt=rung.attempt,
            attempts=rung.attempts,
        )
    ]
    if rung.asks is Audience.TRUSTED:
        effects.append(Tell(Audience.OWNER, Told.CONTACTS_ASKED, state.cycle))
    return state, effects


def ask_otherwise(state: Climbing, policy: Policy) -> list[Effect]:
    """Ask a rung that reached nobody on the channels it does not use by itself: a provider that takes nothing for days
    refuses nothing either, and whoever can be reached on any channel is asked before a release."""
    rung = rung_of(state, policy)
    by = tuple(channel for channel in By if channel not in rung.by)
    if not by:
        return []
    return [AskOtherwise(rung.asks, by, rung.kind, state.cycle, state.rung, state.round)]


def may_call_last(climbing: Climbing, policy: Policy) -> bool:
    return policy.may_go_ahead and len(climbing.go_ahead) >= policy.go_aheads_needed > 0

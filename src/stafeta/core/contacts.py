"""What a trusted contact may say, and what it does (ladder.md, "Who may do what")."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from stafeta.core.errors import (
    HoldExhausted,
    NotAsked,
    PolicyError,
    WrongCycle,
)
from stafeta.core.moves import (
    Decision,
    ask,
    asked_anew,
    begin_waiting,
    climb,
    climbed_to_contacts,
    contacts_were_asked,
    first_trusted_rung,
    may_call_last,
)
from stafeta.core.policy import (
    DAY_S,
    HOLD_DAYS_MAX,
    HOLD_TOTAL_S_MAX,
    VOUCH_POSTPONES_S,
    VOUCHES_MAX,
    Audience,
    Policy,
)
from stafeta.core.states import (
    LAST_CALL_RUNG,
    AskedToWait,
    Climbing,
    GaveGoAhead,
    Held,
    State,
    Tell,
    Told,
    Vouched,
)


def contact_spoke(
    state: State,
    event: Vouched | AskedToWait | GaveGoAhead,
    policy: Policy,
    begins: Policy,
    *,
    now: datetime,
    service_s: int,
) -> Decision:
    if event.cycle != state.cycle:
        raise WrongCycle(event.cycle, state.cycle)
    climbing = state.climbing if isinstance(state, Held) else state
    if not isinstance(climbing, Climbing) or not contacts_were_asked(climbing, policy):
        raise NotAsked
    match event:
        case Vouched():
            if climbing.vouched < VOUCHES_MAX:
                waiting = begin_waiting(state.cycle + 1, begins, now=now, vouched=climbing.vouched + 1)
                return waiting, [
                    Tell(Audience.OWNER, Told.VOUCHED, state.cycle, event.contact),
                    Tell(Audience.TRUSTED, Told.ALL_WELL, state.cycle, event.contact),
                ]
            left_s = HOLD_TOTAL_S_MAX - _held_before(state, climbing, service_s=service_s)
            wait_s = min(VOUCH_POSTPONES_S, left_s)
            return _wait(state, climbing, wait_s, event.contact, policy, service_s=service_s)
        case AskedToWait():
            if not 1 <= event.days <= HOLD_DAYS_MAX:
                raise PolicyError("days", event.days, 1, HOLD_DAYS_MAX)
            return _wait(state, climbing, event.days * DAY_S, event.contact, policy, service_s=service_s)
        case GaveGoAhead():
            return _go_ahead(state, climbing, event, policy, service_s=service_s)
        case _:
            assert_never(event)


def _wait(state: State, climbing: Climbing, wait_s: int, contact: int, policy: Policy, *, service_s: int) -> Decision:
    """Who asks for time no longer says "go ahead", even where no time is left to grant."""
    heard = replace(climbing, go_ahead=climbing.go_ahead - {contact})
    try:
        return _hold(state, heard, wait_s, contact, service_s=service_s)
    except HoldExhausted as exhausted:
        if heard == climbing or exhausted.left_s >= DAY_S:  # nothing to take back, or a shorter wait may be asked for
            raise
    heard = replace(heard, took_back=heard.took_back | {contact})
    if isinstance(state, Held):
        return replace(state, climbing=heard), []
    if climbing.rung != LAST_CALL_RUNG or may_call_last(heard, policy):
        return heard, []
    return ask(replace(asked_anew(heard, service_s=service_s), rung=first_trusted_rung(policy)), policy)


def hold_left_s(state: Climbing | Held, *, service_s: int) -> int:
    """Return how many service seconds a contact may still ask for, counted from now, in this cycle."""
    climbing = state.climbing if isinstance(state, Held) else state
    return max(0, HOLD_TOTAL_S_MAX - _held_before(state, climbing, service_s=service_s))


def _held_before(state: State, climbing: Climbing, *, service_s: int) -> int:
    """Service seconds this cycle has really been held: the rest of a running hold is not spent yet."""
    unspent_s = max(0, state.until_s - service_s) if isinstance(state, Held) else 0
    return climbing.held_s - unspent_s


def _hold(state: State, climbing: Climbing, wait_s: int, contact: int, *, service_s: int) -> Decision:
    held_s = _held_before(state, climbing, service_s=service_s)
    if wait_s < 1 or held_s + wait_s > HOLD_TOTAL_S_MAX:
        raise HoldExhausted(max(0, HOLD_TOTAL_S_MAX - held_s))
    until_s = service_s + wait_s
    if isinstance(state, Held) and state.until_s >= until_s:
        return replace(state, climbing=climbing), []  # a longer hold already stands
    held = Held(state.cycle, until_s, replace(climbing, held_s=held_s + wait_s))
    return held, [
        Tell(Audience.OWNER, Told.WAITING, state.cycle, contact),
        Tell(Audience.TRUSTED, Told.WAITING, state.cycle, contact),
    ]


def may_say_go_ahead(climbing: Climbing, policy: Policy, *, contact: int) -> bool:
    """Whether "go ahead" would be heard from that contact: the owner allowed it, and the ladder came to the contacts.

    Who took it back when no waiting was left is heard no more in this cycle, or they could begin it anew for ever.
    """
    return policy.may_go_ahead and climbed_to_contacts(climbing, policy) and contact not in climbing.took_back


def _go_ahead(state: State, climbing: Climbing, event: GaveGoAhead, policy: Policy, *, service_s: int) -> Decision:
    if not may_say_go_ahead(climbing, policy, contact=event.contact):
        raise NotAsked
    heard = replace(climbing, go_ahead=climbing.go_ahead | {event.contact})
    if isinstance(state, Held):  # somebody else asked to wait: the hold ends first
        return replace(state, climbing=heard), []
    if climbing.rung != LAST_CALL_RUNG and may_call_last(heard, policy):
        decided, effects = climb(heard, LAST_CALL_RUNG, policy, service_s=service_s)
        return decided, [*effects, Tell(Audience.TRUSTED, Told.GO_AHEAD, state.cycle, event.contact)]
    return heard, []

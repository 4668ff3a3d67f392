"""The ladder: how silence becomes a release.

`advance` is the only place where anything about a release is decided. It is a pure function; everything else in the
house carries out what it returns. The rules, their words and the numbered invariants stand in docs/ladder.md.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from stafeta.core.contacts import (
    contact_spoke,
)
from stafeta.core.errors import (
    PolicyError,
    WrongCycle,
)
from stafeta.core.moves import (
    Decision,
    ask,
    ask_otherwise,
    asked_anew,
    begin_waiting,
    climb,
    contacts_were_asked,
    first_rung,
    first_trusted_rung,
    latest_s,
    may_call_last,
    rung_of,
    window_ends_at_s,
)
from stafeta.core.policy import (
    BOUNCES_MAX,
    DAY_S,
    PAUSE_DAYS_MAX,
    Audience,
    Policy,
    Rung,
)
from stafeta.core.states import (
    LAST_CALL_RUNG,
    Armed,
    AskByOtherChannel,
    AskedToWait,
    CheckedIn,
    Climbing,
    CloseGrants,
    Effect,
    Event,
    GaveGoAhead,
    Held,
    OpenHandovers,
    PauseBegan,
    Paused,
    PauseEnded,
    PromptAccepted,
    PromptBounced,
    PromptRefused,
    Released,
    Resting,
    Restored,
    State,
    StoodDown,
    Tell,
    Ticked,
    Told,
    Vouched,
    Waiting,
    Way,
)


def advance(
    state: State,
    event: Event,
    policy: Policy,
    *,
    now: datetime,
    service_s: int,
    next_policy: Policy | None = None,
) -> Decision:
    """Return the next state and what is to be done, once, because of `event`.

    `now` is aware UTC and only ever starts a cycle; windows run on `service_s`. `policy` is the one in force for the
    cycle; where the event begins a cycle, `next_policy` (by default the same) is the new one's. At most one rung is
    climbed per call (invariant 8).

    Raises WrongCycle for an event of a finished cycle, NotAsked for a contact who may not say this now,
    HoldExhausted when no more waiting can be granted, PolicyError for days out of bounds.
    """
    begins = next_policy or policy
    service_s = max(service_s, latest_s(state))  # a slow worker's stale reading turns nothing back (invariant 9)
    match event:
        case Ticked():
            return _tick(state, policy, now=now, service_s=service_s)
        case CheckedIn():
            return _check_in(state, event, policy, begins, now=now)
        case Armed():
            if isinstance(state, Resting):
                return begin_waiting(state.cycle + 1, begins, now=now), []
            return state, []
        case StoodDown():
            return _stand_down(state, policy)
        case PauseBegan():
            return _pause(state, event, policy, now=now)
        case PauseEnded():
            if isinstance(state, Paused):
                return begin_waiting(state.cycle + 1, begins, now=now), []
            return state, []
        case PromptAccepted() | PromptRefused() | PromptBounced():
            return _prompt_settled(state, event, policy, service_s=service_s)
        case Vouched() | AskedToWait() | GaveGoAhead():
            return contact_spoke(state, event, policy, begins, now=now, service_s=service_s)
        case Restored():
            return _restart_from_first_rung(state, policy, now=now, service_s=service_s)
        case _:
            assert_never(event)


# Time -----------------------------------------------------------------------------------------------------------


def _tick(state: State, policy: Policy, *, now: datetime, service_s: int) -> Decision:
    match state:
        case Waiting():
            if now >= state.due:
                return ask(first_rung(state, service_s=service_s), policy)
        case Paused():
            if now >= state.until:
                return ask(first_rung(state, service_s=service_s), policy)
        case Climbing():
            if service_s >= window_ends_at_s(state, policy):
                return _window_passed(state, policy, service_s=service_s)
        case Held():
            if service_s >= state.until_s:
                return _hold_passed(state.climbing, policy, service_s=service_s)
        case Resting() | Released():
            pass
        case _:
            assert_never(state)
    return state, []


def _window_passed(state: Climbing, policy: Policy, *, service_s: int) -> Decision:
    if state.accepted_at_s is None:  # nobody could be reached: the ladder goes on, with this window doubled
        return replace(state, accepted_at_s=service_s, unreachable=True), ask_otherwise(state, policy)
    if state.rung == LAST_CALL_RUNG or state.rung + 1 == len(policy.rungs):
        return Released(state.cycle, released_at_s=service_s), [
            OpenHandovers(state.cycle),
            Tell(Audience.OWNER, Told.RELEASED, state.cycle),
            Tell(Audience.TRUSTED, Told.RELEASED, state.cycle),
        ]
    return climb(state, state.rung + 1, policy, service_s=service_s)


def _hold_passed(climbing: Climbing, policy: Policy, *, service_s: int) -> Decision:
    anew = asked_anew(climbing, service_s=service_s)
    if may_call_last(climbing, policy):
        decided, effects = ask(replace(anew, rung=LAST_CALL_RUNG), policy)
        if climbing.rung != LAST_CALL_RUNG:
            effects.append(Tell(Audience.TRUSTED, Told.GO_AHEAD, climbing.cycle))
        return decided, effects
    if climbing.rung == LAST_CALL_RUNG:  # the go-ahead was taken back: the contacts are asked again, then the rest
        anew = replace(anew, rung=first_trusted_rung(policy))
    return ask(anew, policy)


# The owner ------------------------------------------------------------------------------------------------------


def _check_in(state: State, event: CheckedIn, policy: Policy, begins: Policy, *, now: datetime) -> Decision:
    if event.cycle is not None and event.cycle != state.cycle:
        raise WrongCycle(event.cycle, state.cycle)
    match state:
        case Waiting() | Climbing() | Held():
            return begin_waiting(state.cycle + 1, begins, now=now), _relief(state, policy)
        case Released():
            return Resting(state.cycle + 1), _false_alarm(state.cycle)
        case Resting() | Paused():
            return state, []
        case _:
            assert_never(state)


def _relief(state: State, policy: Policy) -> list[Effect]:
    """Contacts who were asked and worried are told that all is well."""
    climbing = state.climbing if isinstance(state, Held) else state
    if isinstance(climbing, Climbing) and contacts_were_asked(climbing, policy):
        return [Tell(Audience.TRUSTED, Told.ALL_WELL, state.cycle)]
    return []


def _false_alarm(cycle: int) -> list[Effect]:
    return [
        CloseGrants(cycle),
        Tell(Audience.OWNER, Told.FALSE_ALARM, cycle),
        Tell(Audience.TRUSTED, Told.FALSE_ALARM, cycle),
    ]


def _stand_down(state: State, policy: Policy) -> Decision:
    match state:
        case Resting():
            return state, []
        case Released():
            return Resting(state.cycle + 1), _false_alarm(state.cycle)
        case Waiting() | Paused() | Climbing() | Held():
            return Resting(state.cycle + 1), _relief(state, policy)
        case _:
            assert_never(state)


def _pause(state: State, event: PauseBegan, policy: Policy, *, now: datetime) -> Decision:
    days = (event.until - now).total_seconds() / DAY_S
    if not 0 < days <= PAUSE_DAYS_MAX:
        raise PolicyError("pause_days", round(days, 2), 0, PAUSE_DAYS_MAX)
    match state:
        case Waiting() | Climbing() | Held() | Paused():
            return Paused(state.cycle + 1, event.until), _relief(state, policy)
        case Resting() | Released():
            return state, []
        case _:
            assert_never(state)


# Prompts --------------------------------------------------------------------------------------------------------


def _prompt_settled(
    state: State, event: PromptAccepted | PromptRefused | PromptBounced, policy: Policy, *, service_s: int
) -> Decision:
    if event.cycle != state.cycle:
        raise WrongCycle(event.cycle, state.cycle)
    if not isinstance(state, Climbing) or (event.rung, event.round) != (state.rung, state.round):
        return state, []
    rung = rung_of(state, policy)
    if event.audience is not rung.asks:
        return state, []
    match event:
        case PromptAccepted():
            return _accepted(state, event, service_s=service_s), []
        case PromptRefused():
            return state, [_by_other_channel(state, event, rung)]
        case PromptBounced():
            return _bounced(state, event, rung, service_s=service_s)
        case _:
            assert_never(event)


def _accepted(state: Climbing, event: PromptAccepted, *, service_s: int) -> Climbing:
    way = Way(event.person, event.by)
    window_runs = state.accepted_at_s is not None and not state.unreachable
    if window_runs or way in state.bounced:
        return state
    return replace(state, accepted_at_s=service_s, unreachable=False, began_by=way)


def _bounced(state: Climbing, event: PromptBounced, rung: Rung, *, service_s: int) -> Decision:
    """Try the person's other channel, and count the window only from a prompt that stands."""
    way = Way(event.person, event.by)
    if way in state.bounced:
        return state, []
    if len(state.bounced) >= BOUNCES_MAX:
        return state, [_by_other_channel(state, event, rung)]
    after = replace(state, bounced=state.bounced | {way})
    window_runs = state.accepted_at_s is not None and not state.unreachable
    if window_runs and not event.others_reached:
        after = replace(after, asked_at_s=service_s, accepted_at_s=None, began_by=None)
    elif window_runs and state.began_by in (way, None):  # the others got theirs later than this one: at the latest now
        after = replace(after, accepted_at_s=service_s, began_by=None)
    if Way(event.person, event.by.other) in state.bounced:
        return after, []
    return after, [_by_other_channel(state, event, rung)]


def _by_other_channel(state: Climbing, event: PromptRefused | PromptBounced, rung: Rung) -> AskByOtherChannel:
    return AskByOtherChannel(
        audience=event.audience,
        person=event.person,
        by=event.by.other,
        kind=rung.kind,
        cycle=state.cycle,
        rung=state.rung,
        round=state.round,
    )


# Restore --------------------------------------------------------------------------------------------------------


def _restart_from_first_rung(state: State, policy: Policy, *, now: datetime, service_s: int) -> Decision:
    """Ask the owner anew before anything else; a hold that was promised still runs to its end first."""
    match state:
        case Climbing():
            return ask(_from_first_rung(asked_anew(state, service_s=service_s), policy), policy)
        case Held():
            return replace(state, climbing=_from_first_rung(state.climbing, policy)), []
        case Waiting():
            latest = begin_waiting(state.cycle, policy, now=now)
            return replace(state, due=min(state.due, latest.due)), []
        case Paused():
            return replace(state, until=min(state.until, now + timedelta(days=PAUSE_DAYS_MAX))), []
        case Resting() | Released():
            return state, []
        case _:
            assert_never(state)


def _from_first_rung(climbing: Climbing, policy: Policy) -> Climbing:
    were_asked = contacts_were_asked(climbing, policy)
    return replace(climbing, rung=0, go_ahead=frozenset(), contacts_asked=were_asked)

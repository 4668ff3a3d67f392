"""What would happen, and when, if the owner fell silent now: drawn by driving the ladder itself.

Service seconds are mapped onto the wall clock "if nothing is interrupted", and every prompt, the present one included,
is taken as accepted at once (ladder.md, "Service time").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from stafeta.core.ladder import advance
from stafeta.core.moves import due, rung_of, window_ends_at_s
from stafeta.core.policy import Audience, By, Policy, RungKind
from stafeta.core.states import Climbing, Held, PromptAccepted, Released, Resting, State, Ticked, Way

STEPS_MAX = 64  # rungs of the longest ladder (10 + 3 + 5 + 1), each asked and unreachable, and one hold


@dataclass(frozen=True, slots=True)
class Asked:
    """At `at` the people in `audience` are asked by the channels `by`; this is attempt k of n of its kind."""

    at: datetime
    kind: RungKind
    audience: Audience
    by: tuple[By, ...]
    attempt: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Freed:
    """At `at` the handovers open."""

    at: datetime


def project(state: State, policy: Policy, *, now: datetime, service_s: int) -> tuple[tuple[Asked, ...], Freed | None]:
    """Return every prompt still to come and the release, in order of time; nothing for a resting switch.

    The rung a climbing switch stands on is part of the past and not repeated.
    """
    asked: list[Asked] = []
    if isinstance(state, Climbing) and state.accepted_at_s is None and not _all_came_back(state, policy):
        state = _accepted(state, policy, now=now, service_s=service_s)
    for _ in range(STEPS_MAX):
        if isinstance(state, Released):
            return tuple(asked), Freed(now)
        if isinstance(state, Resting):
            return tuple(asked), None
        now, service_s = _jump(state, policy, now=now, service_s=service_s)
        before = state
        state, _effects = advance(state, Ticked(), policy, now=now, service_s=service_s)
        if isinstance(state, Climbing) and _was_asked(before, state):
            asked.append(_asked(state, policy, now=now))
            state = _accepted(state, policy, now=now, service_s=service_s)
    raise AssertionError(f"a ladder of {len(policy.rungs)} rungs did not end in {STEPS_MAX} steps")


def _jump(state: State, policy: Policy, *, now: datetime, service_s: int) -> tuple[datetime, int]:
    """Return the moment at which a tick next decides something; never one in the past."""
    due_at, due_s = due(state, policy)
    if due_at is not None:
        wait = max(timedelta(), due_at - now)
        return now + wait, service_s + int(wait.total_seconds())
    assert due_s is not None
    wait_s = max(0, due_s - service_s)
    return now + timedelta(seconds=wait_s), service_s + wait_s


def _was_asked(before: State, after: Climbing) -> bool:
    if isinstance(before, Held) or not isinstance(before, Climbing):
        return True
    return (before.rung, before.round) != (after.rung, after.round)


def _all_came_back(state: Climbing, policy: Policy) -> bool:
    """Whether both channels of everybody this rung asks have failed: then nothing of it is accepted any more."""
    people = 1 if rung_of(state, policy).asks is Audience.OWNER else policy.contacts
    failed = {way.person for way in state.bounced if Way(way.person, way.by.other) in state.bounced}
    return len(failed) >= people


def _asked(state: Climbing, policy: Policy, *, now: datetime) -> Asked:
    rung = rung_of(state, policy)
    return Asked(now, rung.kind, rung.asks, rung.by, rung.attempt, rung.attempts)


def _accepted(state: Climbing, policy: Policy, *, now: datetime, service_s: int) -> State:
    rung = rung_of(state, policy)
    event = PromptAccepted(state.cycle, state.rung, state.round, rung.asks, 0, rung.by[0])
    return advance(state, event, policy, now=now, service_s=service_s)[0]


def window_ends_at(state: Climbing, policy: Policy, *, now: datetime, service_s: int) -> datetime:
    """Return when the present rung has had its time, if nothing is interrupted."""
    return now + timedelta(seconds=window_ends_at_s(state, policy) - service_s)

"""Bugs of the climb itself."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from stafeta.core import ladder, moves
from stafeta.core.policy import Policy
from stafeta.core.states import Climbing, Paused, Waiting
from stafeta.simulation.script import Trait, Trouble
from tests.simulation.lives import GONE, episode, life, script
from tests.simulation.mutants.mutant import FALSE_RELEASE, MISSED_RELEASE, Mutant

FALSE, MISSED = frozenset({FALSE_RELEASE}), frozenset({MISSED_RELEASE})


def window_from_queueing() -> AbstractContextManager[object]:
    """The time to react runs from the moment the prompt was queued, whether or not anybody took it."""
    asked = moves.ask

    def ask(state: Climbing, policy: Policy) -> Any:
        return asked(replace(state, accepted_at_s=state.asked_at_s), policy)

    return _in_both("ask", ask)


def two_rungs_a_tick() -> AbstractContextManager[object]:
    """After a long wait one tick climbs two rungs."""
    climbs = moves.climb

    def climb(state: Climbing, rung: int, policy: Policy, *, service_s: int) -> Any:
        return climbs(state, min(rung + 1, len(policy.rungs) - 1), policy, service_s=service_s)

    return patch.object(ladder, "climb", climb)


def unreachable_is_skipped() -> AbstractContextManager[object]:
    """A rung that reached nobody is climbed at once, without its doubled window."""

    def ends_at(climbing: Climbing, policy: Policy) -> int:
        if climbing.accepted_at_s is None or climbing.unreachable:
            return climbing.asked_at_s
        return climbing.accepted_at_s + moves.rung_of(climbing, policy).window_s

    return _in_both("window_ends_at_s", ends_at)


def unreachable_is_not_doubled() -> AbstractContextManager[object]:
    """A rung that reached nobody has its plain window only."""

    def ends_at(climbing: Climbing, policy: Policy) -> int:
        if climbing.accepted_at_s is None:
            return climbing.asked_at_s + moves.UNREACHABLE_AFTER_S
        return climbing.accepted_at_s + moves.rung_of(climbing, policy).window_s

    return _in_both("window_ends_at_s", ends_at)


def unreachable_is_stuck() -> AbstractContextManager[object]:
    """Who cannot be reached blocks the ladder for ever."""
    passed = ladder._window_passed

    def window_passed(state: Climbing, policy: Policy, *, service_s: int) -> Any:
        if state.accepted_at_s is None:
            return replace(state, asked_at_s=service_s), []
        return passed(state, policy, service_s=service_s)

    return patch.object(ladder, "_window_passed", window_passed)


def pause_never_ends() -> AbstractContextManager[object]:
    """A pause that has run out is not noticed."""
    ticked = ladder._tick

    def tick(state: Any, policy: Policy, **now: Any) -> Any:
        if isinstance(state, Paused):
            return state, []
        return ticked(state, policy, **now)

    return patch.object(ladder, "_tick", tick)


def first_prompt_after_one_window() -> AbstractContextManager[object]:
    """The owner is asked only once, whatever they chose: the ladder begins at its last rung."""

    def first_rung(state: Waiting | Paused, *, service_s: int) -> Climbing:
        return Climbing(cycle=state.cycle, rung=1, asked_at_s=service_s, vouched=state.vouched)

    return patch.object(ladder, "first_rung", first_rung)


def cycle_does_not_grow() -> AbstractContextManager[object]:
    """A check-in begins no new cycle: the next prompts have the keys of old ones, and are never sent."""
    waits = moves.begin_waiting

    def begin_waiting(cycle: int, policy: Policy, **more: Any) -> Waiting:
        return waits(max(1, cycle - 1), policy, **more)

    return _in_both("begin_waiting", begin_waiting)


def _in_both(name: str, instead: Any) -> AbstractContextManager[object]:
    """Patch a move where it is defined and where the ladder has imported it."""
    stack = patch.multiple(ladder, **{name: instead}) if hasattr(ladder, name) else None
    return _Together(patch.object(moves, name, instead), stack)


class _Together:
    def __init__(self, *patches: Any) -> None:
        self._patches = [one for one in patches if one is not None]

    def __enter__(self) -> object:
        for one in self._patches:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._patches:
            one.stop()


OUT_OF_REACH = life(1, Trait.MAILBOX_CLOSED, Trait.PHONE_LOST, gone_day=12.0, fate=GONE["fate"])
NO_EMAIL = (episode(Trouble.EMAIL_AWAY, day=6, days=24),)
MUTANTS = (
    Mutant(
        "window_from_queueing",
        FALSE,
        window_from_queueing,
        script(life(1, **GONE), episodes=NO_EMAIL),
    ),
    Mutant("two_rungs_a_tick", FALSE, two_rungs_a_tick, script(life(1, **GONE))),
    Mutant("unreachable_is_skipped", FALSE, unreachable_is_skipped, script(OUT_OF_REACH, days=20)),
    Mutant("unreachable_is_not_doubled", FALSE, unreachable_is_not_doubled, script(OUT_OF_REACH, days=20)),
    Mutant("unreachable_is_stuck", MISSED, unreachable_is_stuck, script(OUT_OF_REACH, days=20)),
    Mutant(
        "pause_never_ends",
        MISSED,
        pause_never_ends,
        script(*[life(n, Trait.PAUSES, fate=GONE["fate"], gone_day=29.0) for n in range(6)]),
    ),
    Mutant("first_prompt_after_one_window", FALSE, first_prompt_after_one_window, script(life(1, **GONE))),
    Mutant(
        "cycle_does_not_grow",
        FALSE | MISSED,
        cycle_does_not_grow,
        script(life(0, contacts=()), life(2, contacts=()), days=150),
    ),
)

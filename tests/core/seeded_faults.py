"""Ladders with one fault each, of the kind that a hurried change would bring. The machine has to find every one.

Each replaces one name that the core looks up; the text says what its author may have thought.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stafeta.core import codec, contacts, ladder, moves, projection
from stafeta.core.policy import Policy
from stafeta.core.states import (
    Climbing,
    Held,
    OpenHandovers,
    Paused,
    PromptAccepted,
    Released,
    Waiting,
)
from tests.core.ladders import NOON

Fault = Callable[[pytest.MonkeyPatch], None]
FAULTS: dict[str, Fault] = {}
REAL_TICK, REAL_CHECK_IN, REAL_BOUNCED = ladder._tick, ladder._check_in, ladder._bounced
REAL_RESTART, REAL_WINDOW_PASSED = ladder._restart_from_first_rung, ladder._window_passed
REAL_SETTLED, REAL_HOLD = ladder._prompt_settled, contacts._hold
REAL_BEGIN, REAL_ENCODE = moves.begin_waiting, codec.encode


def fault(name: str) -> Callable[[Fault], Fault]:
    def keep(seed: Fault) -> Fault:
        FAULTS[name] = seed
        return seed

    return keep


# Time -------------------------------------------------------------------------------------------------------------


@fault("two rungs a tick")
def _two_rungs(patch: pytest.MonkeyPatch) -> None:
    def tick(state: Any, policy: Policy, *, now: Any, service_s: int) -> Any:
        after, effects = REAL_TICK(state, policy, now=now, service_s=service_s)
        if isinstance(state, Climbing) and isinstance(after, Climbing) and after.rung > state.rung:
            skipped, more = REAL_WINDOW_PASSED(replace(after, accepted_at_s=service_s), policy, service_s=service_s)
            return skipped, effects + more
        return after, effects

    patch.setattr(ladder, "_tick", tick)


@fault("a window counts from when its prompts were queued")
def _from_queueing(patch: pytest.MonkeyPatch) -> None:
    def ends(climbing: Climbing, policy: Policy) -> int:
        return climbing.asked_at_s + moves.rung_of(climbing, policy).window_s

    patch.setattr(ladder, "window_ends_at_s", ends)


@fault("windows run on the wall clock")
def _wall_clock(patch: pytest.MonkeyPatch) -> None:
    def tick(state: Any, policy: Policy, *, now: Any, service_s: int) -> Any:
        seconds = int((now - NOON).total_seconds())
        return REAL_TICK(state, policy, now=now, service_s=max(service_s, seconds))

    patch.setattr(ladder, "_tick", tick)


@fault("an unreachable rung is not doubled")
def _not_doubled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ladder, "window_ends_at_s", lambda c, p: moves.window_ends_at_s(replace(c, unreachable=False), p))


@fault("an unreachable rung is skipped")
def _skipped(patch: pytest.MonkeyPatch) -> None:
    def passed(state: Climbing, policy: Policy, *, service_s: int) -> Any:
        accepted_at_s = service_s if state.accepted_at_s is None else state.accepted_at_s
        return REAL_WINDOW_PASSED(replace(state, accepted_at_s=accepted_at_s), policy, service_s=service_s)

    patch.setattr(ladder, "_window_passed", passed)


@fault("a rung that nobody accepts waits for ever")
def _stuck(patch: pytest.MonkeyPatch) -> None:
    def passed(state: Climbing, policy: Policy, *, service_s: int) -> Any:
        if state.accepted_at_s is None:
            return replace(state, asked_at_s=service_s), []
        return REAL_WINDOW_PASSED(state, policy, service_s=service_s)

    patch.setattr(ladder, "_window_passed", passed)


@fault("an old service second is believed")
def _stale(patch: pytest.MonkeyPatch) -> None:
    def tick(state: Any, policy: Policy, *, now: Any, service_s: int) -> Any:
        if isinstance(state, Climbing) and state.accepted_at_s is not None and service_s == state.accepted_at_s:
            return replace(state, accepted_at_s=state.accepted_at_s - 1), []
        return REAL_TICK(state, policy, now=now, service_s=service_s)

    patch.setattr(ladder, "_tick", tick)


@fault("the first prompt is due a day early")
def _early(patch: pytest.MonkeyPatch) -> None:
    def begin(cycle: int, policy: Policy, *, now: Any, vouched: int = 0) -> Waiting:
        waiting = REAL_BEGIN(cycle, policy, now=now, vouched=vouched)
        return replace(waiting, due=waiting.due - timedelta(days=1))

    patch.setattr(ladder, "begin_waiting", begin)


@fault("a pause never ends")
def _endless_pause(patch: pytest.MonkeyPatch) -> None:
    def tick(state: Any, policy: Policy, *, now: Any, service_s: int) -> Any:
        return (state, []) if isinstance(state, Paused) else REAL_TICK(state, policy, now=now, service_s=service_s)

    patch.setattr(ladder, "_tick", tick)


@fault("the last rung is left out")
def _short(patch: pytest.MonkeyPatch) -> None:
    def passed(state: Climbing, policy: Policy, *, service_s: int) -> Any:
        shorter = replace(policy, rungs=policy.rungs[:-1]) if 0 < state.rung + 1 < len(policy.rungs) else policy
        return REAL_WINDOW_PASSED(state, shorter, service_s=service_s)

    patch.setattr(ladder, "_window_passed", passed)


# The owner --------------------------------------------------------------------------------------------------------


@fault("a check-in does not end the cycle")
def _check_in_in_vain(patch: pytest.MonkeyPatch) -> None:
    def check_in(state: Any, *more: Any, **words: Any) -> Any:
        return (state, []) if isinstance(state, Climbing) else REAL_CHECK_IN(state, *more, **words)

    patch.setattr(ladder, "_check_in", check_in)


@fault("a check-in in a hold is not heard")
def _not_in_a_hold(patch: pytest.MonkeyPatch) -> None:
    def check_in(state: Any, *more: Any, **words: Any) -> Any:
        return (state, []) if isinstance(state, Held) else REAL_CHECK_IN(state, *more, **words)

    patch.setattr(ladder, "_check_in", check_in)


@fault("a link of any cycle counts")
def _any_cycle(patch: pytest.MonkeyPatch) -> None:
    def check_in(state: Any, event: Any, *more: Any, **words: Any) -> Any:
        return REAL_CHECK_IN(state, replace(event, cycle=None), *more, **words)

    patch.setattr(ladder, "_check_in", check_in)


@fault("the owner's return closes nothing")
def _nothing_closed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ladder, "_false_alarm", lambda cycle: [])


@fault("nobody tells the contacts that all is well")
def _no_relief(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ladder, "_relief", lambda state, policy: [])


# Providers --------------------------------------------------------------------------------------------------------


@fault("a bounce is ignored")
def _bounce_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ladder, "_bounced", lambda state, *more, **words: (state, []))


@fault("a bounce leaves the window it began")
def _bounce_leaves_the_window(patch: pytest.MonkeyPatch) -> None:
    def bounced(state: Climbing, *more: Any, **words: Any) -> Any:
        after, effects = REAL_BOUNCED(state, *more, **words)
        return (replace(after, accepted_at_s=state.accepted_at_s) if after.accepted_at_s else after), effects

    patch.setattr(ladder, "_bounced", bounced)


@fault("a prompt that came back begins a window when it is reported once more")
def _bounced_accepted(patch: pytest.MonkeyPatch) -> None:
    def accepted(state: Climbing, event: PromptAccepted, *, service_s: int) -> Climbing:
        if state.accepted_at_s is not None and not state.unreachable:
            return state
        return replace(state, accepted_at_s=service_s, unreachable=False)

    patch.setattr(ladder, "_accepted", accepted)


@fault("every acceptance begins the window anew")
def _accepted_anew(patch: pytest.MonkeyPatch) -> None:
    def accepted(state: Climbing, event: PromptAccepted, *, service_s: int) -> Climbing:
        return replace(state, accepted_at_s=service_s + 1, unreachable=False)

    patch.setattr(ladder, "_accepted", accepted)


@fault("an acceptance of an earlier rung begins a window")
def _late_report_counts(patch: pytest.MonkeyPatch) -> None:
    def settled(state: Any, event: Any, policy: Policy, *, service_s: int) -> Any:
        if isinstance(state, Climbing) and isinstance(event, PromptAccepted) and state.accepted_at_s is None:
            return replace(state, accepted_at_s=service_s), []
        return REAL_SETTLED(state, event, policy, service_s=service_s)

    patch.setattr(ladder, "_prompt_settled", settled)


@fault("a delivery counts as life")
def _delivery_is_life(patch: pytest.MonkeyPatch) -> None:
    def settled(state: Any, event: Any, policy: Policy, *, service_s: int) -> Any:
        if isinstance(state, Climbing) and isinstance(event, PromptAccepted) and state.accepted_at_s is not None:
            return REAL_BEGIN(state.cycle + 1, policy, now=NOON), []
        return REAL_SETTLED(state, event, policy, service_s=service_s)

    patch.setattr(ladder, "_prompt_settled", settled)


# The contacts -----------------------------------------------------------------------------------------------------


@fault("a go-ahead releases without a last call")
def _no_last_call(patch: pytest.MonkeyPatch) -> None:
    def climb(state: Climbing, rung: int, policy: Policy, *, service_s: int) -> Any:
        return Released(state.cycle, service_s), [OpenHandovers(state.cycle)]

    patch.setattr(contacts, "climb", climb)


@fault("one go-ahead of several is enough")
def _one_is_enough(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(contacts, "may_call_last", lambda climbing, policy: bool(climbing.go_ahead))


@fault("a go-ahead is heard where the owner forbade it")
def _forbidden(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(contacts, "may_say_go_ahead", lambda climbing, policy, *, contact: True)


@fault("a go-ahead cannot be taken back when no waiting is left")
def _not_taken_back(patch: pytest.MonkeyPatch) -> None:
    def wait(state: Any, climbing: Climbing, wait_s: int, contact: int, policy: Policy, *, service_s: int) -> Any:
        heard = replace(climbing, go_ahead=climbing.go_ahead - {contact})
        return contacts._hold(state, heard, wait_s, contact, service_s=service_s)

    patch.setattr(contacts, "_wait", wait)


@fault("asking to wait leaves one's go-ahead")
def _go_ahead_stays(patch: pytest.MonkeyPatch) -> None:
    def wait(state: Any, climbing: Climbing, wait_s: int, contact: int, policy: Policy, *, service_s: int) -> Any:
        return contacts._hold(state, climbing, wait_s, contact, service_s=service_s)

    patch.setattr(contacts, "_wait", wait)


@fault("a hold is unbounded")
def _unbounded(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(contacts, "HOLD_TOTAL_S_MAX", 10**12)


@fault("the rest of a replaced hold is spent")
def _rest_is_spent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(contacts, "_held_before", lambda state, climbing, *, service_s: climbing.held_s)


@fault("a shorter wait shortens the hold that stands")
def _shortened(patch: pytest.MonkeyPatch) -> None:
    def hold(state: Any, climbing: Climbing, wait_s: int, contact: int, *, service_s: int) -> Any:
        held, effects = REAL_HOLD(climbing, climbing, wait_s, contact, service_s=service_s)
        return held, effects

    patch.setattr(contacts, "_hold", hold)


@fault("after a hold nobody is asked anew")
def _not_asked_anew(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ladder, "_hold_passed", lambda climbing, policy, *, service_s: (climbing, []))


@fault("a hold passes in silence")
def _silent_hold(patch: pytest.MonkeyPatch) -> None:
    def hold(*more: Any, **words: Any) -> Any:
        return REAL_HOLD(*more, **words)[0], []

    patch.setattr(contacts, "_hold", hold)


@fault("a contact speaks before being asked")
def _unasked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(contacts, "contacts_were_asked", lambda climbing, policy: True)


@fault("contacts vouch for ever")
def _for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(contacts, "VOUCHES_MAX", 10**6)


# Restore, log, timeline -------------------------------------------------------------------------------------------


@fault("a restored ladder climbs on")
def _climbs_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ladder, "_restart_from_first_rung", lambda state, policy, **clocks: (state, []))


@fault("a restore cuts a hold short")
def _hold_cut_short(patch: pytest.MonkeyPatch) -> None:
    def restart(state: Any, policy: Policy, *, now: Any, service_s: int) -> Any:
        climbing = state.climbing if isinstance(state, Held) else state
        return REAL_RESTART(climbing, policy, now=now, service_s=service_s)

    patch.setattr(ladder, "_restart_from_first_rung", restart)


@fault("a go-ahead survives a restore")
def _go_ahead_survives(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ladder, "_from_first_rung", lambda climbing, policy: replace(climbing, rung=0, contacts_asked=True))


@fault("the log forgets which prompts came back")
def _forgetful_log(patch: pytest.MonkeyPatch) -> None:
    def encode(value: Any) -> Any:
        return REAL_ENCODE(replace(value, bounced=frozenset()) if isinstance(value, Climbing) else value)

    patch.setattr("tests.core.stage.encode", encode)


@fault("the timeline counts no doubled window")
def _hasty_timeline(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(projection, "_all_came_back", lambda state, policy: False)

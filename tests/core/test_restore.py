"""An instance restored from a backup asks the owner first of all (docs/ladder.md, invariant 10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from stafeta.core.errors import NotAsked
from stafeta.core.policy import Choices, compile_policy
from stafeta.core.states import (
    LAST_CALL_RUNG,
    AskedToWait,
    CheckedIn,
    Climbing,
    Evidence,
    GaveGoAhead,
    Held,
    Paused,
    Released,
    Resting,
    Restored,
    State,
    Vouched,
    Waiting,
)
from tests.core.ladders import DAY_S, EVA, KAREL, NOON, OUTSPOKEN, Ladder, asked, on_rung, told

ALONE = compile_policy(Choices(may_go_ahead=True), contacts=1)


@pytest.mark.parametrize("rung", range(6))
def test_after_a_restore_the_ladder_begins_again_at_its_first_rung(rung: int) -> None:
    """Invariant 10."""
    ladder = on_rung(rung)
    [ask] = asked(ladder.event(Restored()))
    assert (ask.cycle, ask.rung, ask.round) == (1, 0, 1)
    assert ladder.climbing.accepted_at_s is None
    ladder.wait(days=1)
    assert ladder.climbing.rung == 0


def test_a_last_call_does_not_survive_a_restore() -> None:
    """Invariant 10: an old go-ahead counts no longer."""
    ladder = on_rung(4, OUTSPOKEN)
    ladder.event(GaveGoAhead(1, KAREL))
    ladder.event(GaveGoAhead(1, EVA))
    ladder.event(Restored())
    assert ladder.climbing.rung == 0
    assert ladder.climbing.go_ahead == frozenset()


def test_a_hold_survives_a_restore_and_then_the_owner_is_asked_first() -> None:
    """Invariants 9 and 10: people were told how long the ladder waits."""
    ladder = on_rung(5)
    ladder.event(AskedToWait(1, KAREL, 30))
    ladder.wait(days=10)
    assert ladder.event(Restored()) == []
    assert isinstance(ladder.state, Held)
    assert ladder.wait(seconds=20 * DAY_S - 1) == []
    [ask] = asked(ladder.wait(seconds=1))
    assert (ask.rung, ask.round) == (0, 1)


def test_a_hold_restored_twice_is_the_same_hold() -> None:
    """Invariant 14."""
    ladder = on_rung(5)
    ladder.event(AskedToWait(1, KAREL, 30))
    ladder.event(Restored())
    before = ladder.state
    ladder.event(Restored())
    assert ladder.state == before


@pytest.mark.parametrize("is_held", [False, True])
def test_a_contact_asked_before_a_restore_may_still_say_that_all_is_well(is_held: bool) -> None:
    """Invariant 7: their link works until its cycle ends."""
    ladder = on_rung(5)
    if is_held:
        ladder.event(AskedToWait(1, EVA, 30))
    ladder.event(Restored())
    ladder.event(Vouched(1, KAREL))
    assert isinstance(ladder.state, Waiting)


def test_a_contact_asked_before_a_restore_may_still_ask_to_wait() -> None:
    ladder = on_rung(4)
    ladder.event(Restored())
    ladder.event(Restored())
    ladder.event(AskedToWait(1, KAREL, 3))
    assert isinstance(ladder.state, Held)


def test_a_contact_asked_before_a_restore_is_told_when_the_owner_answers() -> None:
    ladder = on_rung(4)
    ladder.event(Restored())
    assert told(ladder.event(CheckedIn(Evidence.LINK, 1))) == [("trusted", "all_well")]


def test_a_contact_who_was_not_asked_has_no_more_say_after_a_restore_than_before() -> None:
    ladder = on_rung(3)
    ladder.event(Restored())
    with pytest.raises(NotAsked):
        ladder.event(Vouched(1, KAREL))


@pytest.mark.parametrize("is_held", [False, True])
def test_nobody_goes_ahead_after_a_restore_before_the_ladder_came_back_to_the_contacts(is_held: bool) -> None:
    """Invariant 10."""
    ladder = on_rung(4, ALONE)
    if is_held:
        ladder.event(AskedToWait(1, KAREL, 3))
    ladder.event(Restored())
    with pytest.raises(NotAsked):
        ladder.event(GaveGoAhead(1, KAREL))
    ladder.until(4)
    ladder.event(GaveGoAhead(1, KAREL))
    assert ladder.climbing.rung == LAST_CALL_RUNG


def test_an_old_backup_of_a_waiting_switch_asks_the_owner_at_once() -> None:
    ladder = Ladder(state=Waiting(3, NOON - timedelta(days=90)))
    ladder.event(Restored())
    ladder.wait(seconds=1)
    assert (ladder.climbing.rung, ladder.climbing.accepted_at_s) == (0, None)


def test_a_due_time_made_by_a_clock_far_ahead_comes_back_within_one_interval() -> None:
    """Invariant 19: a check-in under a clock that ran a year ahead must not silence the switch for a year."""
    ladder = Ladder(state=Waiting(3, NOON + timedelta(days=379), vouched=2))
    ladder.event(Restored())
    assert isinstance(ladder.state, Waiting)
    assert NOON < ladder.state.due <= NOON + timedelta(days=14)
    assert (ladder.state.cycle, ladder.state.vouched) == (3, 2)


def test_a_pause_made_by_a_clock_far_ahead_comes_back_within_a_year() -> None:
    """Invariant 19: whoever paused under a clock that ran ten years ahead must not silence the switch for ten."""
    ladder = Ladder(state=Paused(3, NOON + timedelta(days=3650), vouched=1))
    assert ladder.event(Restored()) == []
    assert ladder.state == Paused(3, NOON + timedelta(days=365), vouched=1)


@pytest.mark.parametrize(
    "state", [Resting(2), Paused(2, NOON + timedelta(days=9)), Released(2, 5), Waiting(2, NOON + timedelta(days=5))]
)
def test_a_restore_leaves_everything_else_as_it_was(state: State) -> None:
    ladder = Ladder(state=state)
    assert ladder.event(Restored()) == []
    assert ladder.state == state


def test_a_restored_ladder_still_ends_in_a_release() -> None:
    """Invariant 19."""
    ladder = on_rung(5)
    ladder.event(Restored())
    ladder.until(5)
    ladder.until_due()
    assert isinstance(ladder.state, Released)


def test_what_was_held_before_a_restore_still_counts() -> None:
    ladder = Ladder(state=Climbing(1, 5, asked_at_s=0, held_s=50 * DAY_S))
    ladder.event(Restored())
    assert ladder.climbing == replace(Climbing(1, 0, asked_at_s=0, round=1, held_s=50 * DAY_S), contacts_asked=True)

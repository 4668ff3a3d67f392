"""What the owner may do, at every rung and after (docs/ladder.md, "Who may do what", "After the release")."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stafeta.core.errors import PolicyError, WrongCycle
from stafeta.core.policy import LAST_CALL_S, Choices, compile_policy
from stafeta.core.states import (
    AskedToWait,
    CheckedIn,
    Climbing,
    CloseGrants,
    Evidence,
    GaveGoAhead,
    Held,
    PauseBegan,
    Paused,
    PauseEnded,
    Released,
    Resting,
    State,
    Vouched,
    Waiting,
)
from tests.core.ladders import DAY_S, EVA, KAREL, OUTSPOKEN, STANDARD, Ladder, armed, asked, on_rung, told

WEEKLY = compile_policy(Choices(interval_days=7), contacts=2)


def released() -> Ladder:
    ladder = on_rung(5)
    ladder.until_due()
    return ladder


# Check-in ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("evidence", Evidence)
@pytest.mark.parametrize("rung", range(6))
def test_a_checkin_on_any_rung_by_any_road_ends_the_cycle(rung: int, evidence: Evidence) -> None:
    ladder = on_rung(rung)
    ladder.event(CheckedIn(evidence))
    assert isinstance(ladder.state, Waiting)
    assert ladder.state.cycle == 2


def test_a_checkin_a_second_before_the_last_window_ends_prevents_the_release() -> None:
    """Invariant 3."""
    ladder = on_rung(5)
    ladder.wait(seconds=2 * DAY_S - 1)
    ladder.event(CheckedIn(Evidence.LINK, 1))
    ladder.wait(seconds=1)
    assert isinstance(ladder.state, Waiting)


def test_a_checkin_in_the_last_call_prevents_the_release() -> None:
    """Invariant 3."""
    ladder = on_rung(4, OUTSPOKEN)
    ladder.event(GaveGoAhead(1, KAREL))
    ladder.event(GaveGoAhead(1, EVA))
    ladder.accept()
    ladder.wait(seconds=LAST_CALL_S - 1)
    assert told(ladder.event(CheckedIn(Evidence.LINK, 1))) == [("trusted", "all_well")]
    assert isinstance(ladder.state, Waiting)


def test_a_checkin_during_a_hold_ends_it_and_those_asked_are_told() -> None:
    ladder = on_rung(4)
    ladder.event(AskedToWait(1, KAREL, 30))
    assert told(ladder.event(CheckedIn(Evidence.SIGN_IN))) == [("trusted", "all_well")]
    assert isinstance(ladder.state, Waiting)


def test_those_close_are_not_bothered_by_a_checkin_before_they_were_asked() -> None:
    assert on_rung(3).event(CheckedIn(Evidence.LINK, 1)) == []


def test_those_close_who_were_asked_are_told_that_all_is_well() -> None:
    assert told(on_rung(4).event(CheckedIn(Evidence.LINK, 1))) == [("trusted", "all_well")]


def test_a_checkin_before_any_prompt_puts_the_next_one_off() -> None:
    ladder = armed()
    ladder.now += timedelta(days=10)
    assert ladder.event(CheckedIn(Evidence.SIGN_IN)) == []
    assert ladder.state == Waiting(2, datetime(2026, 3, 25, 8, 0, tzinfo=UTC))


def test_a_link_works_on_every_rung_of_its_cycle() -> None:
    """Invariant 7."""
    for rung in range(6):
        ladder = on_rung(rung)
        ladder.event(CheckedIn(Evidence.LINK, 1))
        assert isinstance(ladder.state, Waiting)


def test_a_second_press_of_the_same_link_changes_nothing() -> None:
    """Invariants 7 and 14."""
    ladder = on_rung(2)
    ladder.event(CheckedIn(Evidence.LINK, 1))
    before = ladder.state
    with pytest.raises(WrongCycle):
        ladder.event(CheckedIn(Evidence.LINK, 1))
    assert ladder.state == before


def test_a_link_of_an_earlier_cycle_is_no_sign_of_life() -> None:
    """Invariant 7."""
    ladder = on_rung(0)
    ladder.event(CheckedIn(Evidence.LINK, 1))
    ladder.until(3)
    before = ladder.state
    with pytest.raises(WrongCycle):
        ladder.event(CheckedIn(Evidence.LINK, 1))
    assert ladder.state == before


def test_changing_the_schedule_is_a_checkin_and_begins_a_cycle_under_the_new_policy() -> None:
    """Invariant 15."""
    ladder = on_rung(4)
    ladder.event(CheckedIn(Evidence.SCHEDULE), next_policy=WEEKLY)
    assert isinstance(ladder.state, Waiting)
    assert ladder.state.due.date() == ladder.now.date() + timedelta(days=7)


def test_a_checkin_of_a_resting_switch_arms_nothing() -> None:
    ladder = Ladder()
    assert ladder.event(CheckedIn(Evidence.SIGN_IN)) == []
    assert ladder.state == Resting(0)


# Pause ------------------------------------------------------------------------------------------------------------


def test_a_pause_asks_nobody_before_its_end_and_the_owner_first_of_all_then() -> None:
    ladder = armed()
    until = ladder.now + timedelta(days=60)
    ladder.event(PauseBegan(until))
    assert ladder.state == Paused(2, until)
    ladder.wait(seconds=60 * DAY_S - 1)
    assert isinstance(ladder.state, Paused)
    [ask] = asked(ladder.wait(seconds=1))
    assert (ask.rung, ask.cycle) == (0, 2)


@pytest.mark.parametrize("rung", [0, 4])
def test_a_pause_ends_a_climb_and_those_who_were_asked_are_told(rung: int) -> None:
    ladder = on_rung(rung)
    news = told(ladder.event(PauseBegan(ladder.now + timedelta(days=1))))
    assert isinstance(ladder.state, Paused)
    assert news == ([("trusted", "all_well")] if rung == 4 else [])


def test_a_pause_ends_a_hold() -> None:
    ladder = on_rung(4)
    ladder.event(AskedToWait(1, KAREL, 3))
    ladder.event(PauseBegan(ladder.now + timedelta(days=1)))
    assert isinstance(ladder.state, Paused)


def test_a_pause_may_be_set_to_another_end() -> None:
    ladder = armed()
    ladder.event(PauseBegan(ladder.now + timedelta(days=60)))
    ladder.event(PauseBegan(ladder.now + timedelta(days=5)))
    assert ladder.state == Paused(3, ladder.now + timedelta(days=5))


def test_a_sign_in_does_not_end_a_pause() -> None:
    ladder = armed()
    ladder.event(PauseBegan(ladder.now + timedelta(days=60)))
    before = ladder.state
    assert ladder.event(CheckedIn(Evidence.SIGN_IN)) == []
    assert ladder.state == before


def test_the_owner_may_end_a_pause_early_and_is_asked_one_interval_later() -> None:
    ladder = armed()
    ladder.event(PauseBegan(ladder.now + timedelta(days=60)))
    ladder.event(PauseEnded(), next_policy=WEEKLY)
    assert ladder.state == Waiting(3, datetime(2026, 3, 8, 8, 0, tzinfo=UTC))


def test_ending_a_pause_that_is_none_changes_nothing() -> None:
    ladder = on_rung(0)
    before = ladder.state
    assert ladder.event(PauseEnded()) == []
    assert ladder.state == before


@pytest.mark.parametrize("until", [timedelta(0), timedelta(seconds=-1), timedelta(days=365, seconds=1)])
def test_a_pause_has_an_end_within_a_year(until: timedelta) -> None:
    ladder = armed()
    before = ladder.state
    with pytest.raises(PolicyError, match="pause_days"):
        ladder.event(PauseBegan(ladder.now + until))
    assert ladder.state == before


def test_a_pause_may_last_a_whole_year() -> None:
    ladder = armed()
    ladder.event(PauseBegan(ladder.now + timedelta(days=365)))
    assert isinstance(ladder.state, Paused)


@pytest.mark.parametrize("state", [Resting(3), Released(3, released_at_s=0)])
def test_a_switch_that_does_not_run_cannot_be_paused(state: State) -> None:
    ladder = Ladder(state=state)
    assert ladder.event(PauseBegan(ladder.now + timedelta(days=3))) == []
    assert ladder.state == state


# After the release ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("checkin", [CheckedIn(Evidence.LINK, 1), CheckedIn(Evidence.SIGN_IN)])
def test_the_owners_return_closes_what_was_not_opened_and_tells_everyone(checkin: CheckedIn) -> None:
    """Invariant 4."""
    ladder = released()
    effects = ladder.event(checkin)
    assert CloseGrants(1) in effects
    assert told(effects) == [("owner", "false_alarm"), ("trusted", "false_alarm")]
    assert ladder.state == Resting(2)


def test_after_a_return_only_the_owners_hand_arms_again() -> None:
    ladder = released()
    ladder.event(CheckedIn(Evidence.SIGN_IN))
    ladder.wait(days=1000)
    assert ladder.event(CheckedIn(Evidence.SIGN_IN)) == []
    assert ladder.state == Resting(2)


def test_a_return_pressed_twice_closes_once() -> None:
    """Invariant 14."""
    ladder = released()
    ladder.event(CheckedIn(Evidence.LINK, 1))
    with pytest.raises(WrongCycle):
        ladder.event(CheckedIn(Evidence.LINK, 1))
    assert ladder.state == Resting(2)


def test_the_owner_who_was_heard_lets_a_contacts_word_count_again() -> None:
    ladder = Ladder(STANDARD, state=Climbing(5, 4, asked_at_s=0, vouched=3))
    ladder.event(CheckedIn(Evidence.BUTTON))
    ladder.until(4)
    ladder.event(Vouched(6, KAREL))
    assert isinstance(ladder.state, Waiting)
    assert ladder.state.vouched == 1


def test_a_hold_kept_the_cycle_so_its_links_still_work() -> None:
    """Invariant 7."""
    ladder = on_rung(4)
    ladder.event(AskedToWait(1, KAREL, 1))
    assert isinstance(ladder.state, Held)
    ladder.until_due()
    ladder.event(CheckedIn(Evidence.LINK, 1))
    assert isinstance(ladder.state, Waiting)

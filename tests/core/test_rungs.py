"""From silence to a release: which rung follows when (docs/ladder.md, "The ladder as data")."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stafeta.core.ladder import advance
from stafeta.core.moves import due
from stafeta.core.policy import Audience, By, Choices, RungKind, compile_policy
from stafeta.core.states import (
    Armed,
    Climbing,
    OpenHandovers,
    Paused,
    Released,
    Resting,
    StoodDown,
    Ticked,
    Waiting,
)
from tests.core.ladders import DAY_S, NOON, STANDARD, Ladder, armed, asked, on_rung, told


def test_a_resting_switch_asks_nobody_and_never_releases() -> None:
    ladder = Ladder()
    assert ladder.wait(days=4000) == []
    assert ladder.state == Resting(0)


def test_arming_begins_the_first_cycle_with_a_prompt_due_at_nine_in_fourteen_local_days() -> None:
    assert armed().state == Waiting(1, datetime(2026, 3, 15, 8, 0, tzinfo=UTC))


def test_arming_twice_changes_nothing() -> None:
    """Invariant 14."""
    ladder = armed()
    before = ladder.state
    ladder.now += timedelta(days=3)
    assert ladder.event(Armed()) == []
    assert ladder.state == before


def test_nobody_is_asked_a_second_before_the_due_time() -> None:
    ladder = armed()
    ladder.now = datetime(2026, 3, 15, 7, 59, 59, tzinfo=UTC)
    assert ladder.event(Ticked()) == []
    assert isinstance(ladder.state, Waiting)


def test_the_first_prompt_goes_to_the_owner_by_email_at_the_due_time() -> None:
    ladder = armed()
    ladder.now = datetime(2026, 3, 15, 8, 0, tzinfo=UTC)
    [ask] = asked(ladder.event(Ticked()))
    assert (ask.audience, ask.by, ask.kind) == (Audience.OWNER, (By.EMAIL,), RungKind.EMAIL)
    assert (ask.cycle, ask.rung, ask.round, ask.attempt, ask.attempts) == (1, 0, 0, 1, 3)
    assert ladder.state == Climbing(cycle=1, rung=0, asked_at_s=0)


def test_a_window_lasts_to_the_second_from_acceptance() -> None:
    ladder = on_rung(0)
    assert ladder.wait(seconds=DAY_S - 1) == []
    [ask] = asked(ladder.wait(seconds=1))
    assert (ask.rung, ask.attempt, ask.attempts) == (1, 2, 3)
    assert ladder.climbing.accepted_at_s is None


def test_the_standard_ladder_asks_dana_three_times_by_email_then_by_sms_then_those_close_to_her_then_releases() -> None:
    ladder = armed()
    seen: list[tuple[RungKind, Audience, tuple[By, ...], int]] = []
    began_s = None
    while not isinstance(ladder.state, Released):
        for ask in asked(ladder.until_due()):
            began_s = ladder.service_s if began_s is None else began_s
            seen.append((ask.kind, ask.audience, ask.by, (ladder.service_s - began_s) // DAY_S))
            ladder.accept()
    both = (By.EMAIL, By.SMS)
    assert seen == [
        (RungKind.EMAIL, Audience.OWNER, (By.EMAIL,), 0),
        (RungKind.EMAIL, Audience.OWNER, (By.EMAIL,), 1),
        (RungKind.EMAIL, Audience.OWNER, (By.EMAIL,), 2),
        (RungKind.SMS, Audience.OWNER, both, 3),
        (RungKind.TRUSTED, Audience.TRUSTED, both, 4),
        (RungKind.TRUSTED, Audience.TRUSTED, both, 6),
    ]
    assert began_s is not None
    assert ladder.state == Released(1, released_at_s=began_s + 8 * DAY_S)


def test_the_owner_is_told_each_time_those_close_to_them_are_asked() -> None:
    ladder = on_rung(3)
    assert told(ladder.until_due()) == [("owner", "contacts_asked")]
    ladder.accept()
    assert told(ladder.until_due()) == [("owner", "contacts_asked")]


def test_a_release_opens_the_handovers_and_is_told_to_the_owner_and_to_those_close() -> None:
    ladder = on_rung(5)
    effects = ladder.until_due()
    assert effects[0] == OpenHandovers(1)
    assert told(effects) == [("owner", "released"), ("trusted", "released")]


def test_nothing_follows_a_release_by_itself() -> None:
    ladder = on_rung(5)
    ladder.until_due()
    released = ladder.state
    assert ladder.wait(days=1000) == []
    assert ladder.state == released


def test_a_month_of_service_time_in_one_tick_climbs_one_rung() -> None:
    """Invariant 8."""
    ladder = on_rung(0)
    ladder.wait(days=30)
    assert ladder.climbing.rung == 1
    assert ladder.event(Ticked()) == []
    assert ladder.climbing.rung == 1


def test_a_year_on_the_wall_clock_alone_climbs_no_rung() -> None:
    """Invariant 2: windows run on service time."""
    ladder = on_rung(0)
    before = ladder.state
    ladder.now += timedelta(days=365)
    assert ladder.event(Ticked()) == []
    assert ladder.state == before


def test_a_cooling_off_is_a_last_rung_that_prompts_the_owner_on_every_channel() -> None:
    policy = compile_policy(Choices(cooling_off_days=14), contacts=1)
    ladder = on_rung(5, policy)
    [ask] = asked(ladder.until_due())
    assert (ask.kind, ask.audience, ask.by) == (RungKind.COOLING_OFF, Audience.OWNER, (By.EMAIL, By.SMS))
    ladder.accept()
    ladder.wait(seconds=14 * DAY_S - 1)
    assert isinstance(ladder.state, Climbing)
    ladder.wait(seconds=1)
    assert isinstance(ladder.state, Released)


def test_without_anybody_close_the_ladder_ends_after_the_owner_was_asked_on_both_channels() -> None:
    ladder = on_rung(3, compile_policy(Choices(), contacts=0))
    ladder.until_due()
    assert isinstance(ladder.state, Released)


@pytest.mark.parametrize("rung", [0, 3, 4, 5])
def test_disarming_ends_every_climb_and_tells_those_who_were_asked(rung: int) -> None:
    ladder = on_rung(rung)
    news = told(ladder.event(StoodDown()))
    assert ladder.state == Resting(2)
    assert news == ([("trusted", "all_well")] if rung >= 4 else [])


def test_disarming_a_resting_switch_changes_nothing() -> None:
    ladder = Ladder()
    assert ladder.event(StoodDown()) == []
    assert ladder.state == Resting(0)


def test_disarming_after_a_release_takes_it_back_like_a_confirmation() -> None:
    ladder = on_rung(5)
    ladder.until_due()
    assert told(ladder.event(StoodDown())) == [("owner", "false_alarm"), ("trusted", "false_alarm")]
    assert ladder.state == Resting(2)


def test_a_stale_reading_of_service_time_turns_nothing_back() -> None:
    """Invariant 9: a slow worker's second is never written into the state."""
    ladder = on_rung(2, accepted=False)
    asked_at_s = ladder.climbing.asked_at_s
    ladder.service_s -= DAY_S
    ladder.accept()
    assert ladder.climbing.accepted_at_s == asked_at_s


def test_due_names_the_clock_that_decides_next() -> None:
    paused = Paused(3, NOON)
    assert due(Resting(0), STANDARD) == (None, None)
    assert due(Released(4, 5), STANDARD) == (None, None)
    assert due(paused, STANDARD) == (NOON, None)
    assert due(Waiting(1, NOON), STANDARD) == (NOON, None)
    assert due(Climbing(1, 0, asked_at_s=7), STANDARD) == (None, 7 + 3 * DAY_S)


def test_a_policy_made_for_the_next_cycle_does_not_touch_the_running_one() -> None:
    """Invariant 15: changing the ladder never shortens a running cycle."""
    hasty = compile_policy(Choices(email_attempts=1, sms_attempts=0, trusted_attempts=0), contacts=0)
    slow, quick = on_rung(0), on_rung(0)
    while not isinstance(slow.state, Released):
        for ladder in (slow, quick):
            ladder.service_s += DAY_S
        decided = slow.event(Ticked())
        quick.state, effects = advance(
            quick.state, Ticked(), STANDARD, now=quick.now, service_s=quick.service_s, next_policy=hasty
        )
        assert (quick.state, effects) == (slow.state, decided)
        if isinstance(slow.state, Climbing) and slow.state.accepted_at_s is None:
            slow.accept()
            quick.accept()

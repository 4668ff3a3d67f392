"""What a trusted contact may say, when, and how often (docs/ladder.md, "Who may do what")."""

from __future__ import annotations

import pytest

from stafeta.core.contacts import hold_left_s
from stafeta.core.errors import HoldExhausted, NotAsked, PolicyError, WrongCycle
from stafeta.core.policy import Audience, By, Choices, Policy, RungKind, compile_policy
from stafeta.core.states import (
    LAST_CALL_RUNG,
    AskedToWait,
    CheckedIn,
    Climbing,
    Event,
    Evidence,
    GaveGoAhead,
    Held,
    PauseBegan,
    Released,
    Tell,
    Told,
    Vouched,
    Waiting,
)
from tests.core.ladders import DAY_S, EVA, HOUR_S, KAREL, MALLORY, OUTSPOKEN, Ladder, armed, asked, on_rung, told

ALONE = compile_policy(Choices(may_go_ahead=True), contacts=1)
FIVE = compile_policy(Choices(may_go_ahead=True), contacts=5)
SAYINGS = (Vouched, lambda cycle, contact: AskedToWait(cycle, contact, 3), GaveGoAhead)


def held(ladder: Ladder) -> Held:
    assert isinstance(ladder.state, Held), ladder.state
    return ladder.state


def refused(ladder: Ladder, event: Event, error: type[Exception]) -> None:
    before = ladder.state
    with pytest.raises(error):
        ladder.event(event)
    assert ladder.state == before


# Who may speak ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("say", SAYINGS)
@pytest.mark.parametrize("rung", range(4))
def test_nobody_speaks_for_the_owner_before_the_contacts_were_asked(rung: int, say: type) -> None:
    refused(on_rung(rung, OUTSPOKEN), say(1, KAREL), NotAsked)


@pytest.mark.parametrize("say", SAYINGS)
def test_nobody_speaks_while_the_switch_waits(say: type) -> None:
    refused(armed(OUTSPOKEN), say(1, KAREL), NotAsked)


@pytest.mark.parametrize("say", SAYINGS)
def test_nobody_but_the_owner_speaks_after_the_release(say: type) -> None:
    ladder = on_rung(5, OUTSPOKEN)
    ladder.until_due()
    refused(ladder, say(1, KAREL), NotAsked)


@pytest.mark.parametrize("say", SAYINGS)
def test_a_contacts_link_of_a_finished_cycle_says_nothing(say: type) -> None:
    """Invariant 7."""
    ladder = on_rung(4, OUTSPOKEN)
    ladder.event(CheckedIn(Evidence.LINK, 1))
    ladder.until(4)
    refused(ladder, say(1, KAREL), WrongCycle)


def test_contacts_may_still_speak_in_the_cooling_off() -> None:
    ladder = on_rung(6, compile_policy(Choices(cooling_off_days=2), contacts=2))
    ladder.event(Vouched(1, KAREL))
    assert isinstance(ladder.state, Waiting)


# "I spoke to them, they are well" ---------------------------------------------------------------------------------


def test_a_vouch_begins_a_new_cycle_and_tells_the_owner_and_the_other_contacts() -> None:
    ladder = on_rung(4)
    assert ladder.event(Vouched(1, KAREL)) == [
        Tell(Audience.OWNER, Told.VOUCHED, 1, KAREL),
        Tell(Audience.TRUSTED, Told.ALL_WELL, 1, KAREL),
    ]
    assert isinstance(ladder.state, Waiting)
    assert (ladder.state.cycle, ladder.state.vouched) == (2, 1)


def test_a_vouch_begins_its_cycle_under_the_owners_present_choices() -> None:
    ladder = on_rung(4)
    ladder.event(Vouched(1, KAREL), next_policy=compile_policy(Choices(interval_days=1), contacts=2))
    assert isinstance(ladder.state, Waiting)
    assert (ladder.state.due - ladder.now).days < 2


def test_three_vouches_in_a_row_count_and_the_fourth_only_postpones_by_seven_days() -> None:
    ladder = armed()
    for cycle in (1, 2, 3):
        ladder.until(4)
        ladder.event(Vouched(cycle, KAREL))
        assert isinstance(ladder.state, Waiting)
    ladder.until(4)
    assert told(ladder.event(Vouched(4, EVA))) == [("owner", "waiting"), ("trusted", "waiting")]
    assert held(ladder).until_s == ladder.service_s + 7 * DAY_S
    assert ladder.state.cycle == 4


def test_a_contact_who_vouches_for_ever_cannot_stop_the_release() -> None:
    """Invariant 19: eight postponements of seven days, then what is left of sixty days, then no more."""
    ladder = Ladder(state=Climbing(9, 4, asked_at_s=0, vouched=3))
    postponed_s = []
    while hold_left_s(ladder.climbing, service_s=ladder.service_s):
        ladder.event(Vouched(9, KAREL))
        postponed_s.append(held(ladder).until_s - ladder.service_s)
        ladder.until_due()
    assert postponed_s == [7 * DAY_S] * 8 + [4 * DAY_S]
    refused(ladder, Vouched(9, KAREL), HoldExhausted)
    ladder.until(5)
    ladder.until_due()
    assert isinstance(ladder.state, Released)


def test_a_pause_is_the_owners_own_word_and_lets_vouches_count_again() -> None:
    ladder = Ladder(state=Climbing(5, 4, asked_at_s=0, vouched=3))
    ladder.event(PauseBegan(ladder.now.replace(month=4)))
    ladder.until(4)
    assert ladder.climbing.vouched == 0


# "They are out of reach: wait" ------------------------------------------------------------------------------------


def test_a_hold_has_an_end_and_both_sides_are_told() -> None:
    """Invariant 9."""
    ladder = on_rung(4)
    assert ladder.event(AskedToWait(1, KAREL, 10)) == [
        Tell(Audience.OWNER, Told.WAITING, 1, KAREL),
        Tell(Audience.TRUSTED, Told.WAITING, 1, KAREL),
    ]
    assert held(ladder).until_s == ladder.service_s + 10 * DAY_S


def test_after_a_hold_its_rung_is_asked_anew_and_has_its_whole_window() -> None:
    ladder = on_rung(4)
    ladder.wait(days=1)
    ladder.event(AskedToWait(1, KAREL, 10))
    assert ladder.wait(seconds=10 * DAY_S - 1) == []
    [ask] = asked(ladder.wait(seconds=1))
    assert (ask.rung, ask.round) == (4, 1)
    assert ladder.climbing.accepted_at_s is None
    ladder.accept()
    ladder.wait(seconds=2 * DAY_S - 1)
    assert ladder.climbing.rung == 4
    ladder.wait(seconds=1)
    assert ladder.climbing.rung == 5


@pytest.mark.parametrize("days", [0, -1, 31])
def test_a_wait_lasts_one_to_thirty_days(days: int) -> None:
    refused(on_rung(4), AskedToWait(1, KAREL, days), PolicyError)


@pytest.mark.parametrize("days", [1, 30])
def test_a_wait_may_last_one_day_or_thirty(days: int) -> None:
    ladder = on_rung(4)
    ladder.event(AskedToWait(1, KAREL, days))
    assert held(ladder).until_s - ladder.service_s == days * DAY_S


def test_a_cycle_is_held_sixty_days_at_most() -> None:
    """Invariant 9."""
    ladder = on_rung(4)
    for _ in range(2):
        ladder.event(AskedToWait(1, KAREL, 30))
        ladder.until_due()
    assert hold_left_s(ladder.climbing, service_s=ladder.service_s) == 0
    refused(ladder, AskedToWait(1, KAREL, 1), HoldExhausted)


def test_a_refused_wait_says_how_much_is_left() -> None:
    ladder = on_rung(4)
    ladder.event(AskedToWait(1, KAREL, 30))
    ladder.until_due()
    ladder.event(AskedToWait(1, KAREL, 20))
    ladder.until_due()
    with pytest.raises(HoldExhausted) as raised:
        ladder.event(AskedToWait(1, KAREL, 11))
    assert raised.value.left_s == 10 * DAY_S
    ladder.event(AskedToWait(1, KAREL, 10))
    assert isinstance(ladder.state, Held)


def test_a_longer_wait_replaces_a_running_one_whose_rest_is_not_spent() -> None:
    ladder = on_rung(4)
    ladder.event(AskedToWait(1, KAREL, 20))
    ladder.wait(days=5)
    assert hold_left_s(held(ladder), service_s=ladder.service_s) == 55 * DAY_S
    ladder.event(AskedToWait(1, EVA, 30))
    assert held(ladder).until_s == ladder.service_s + 30 * DAY_S
    assert held(ladder).climbing.held_s == 35 * DAY_S


def test_a_shorter_wait_never_shortens_a_running_one() -> None:
    ladder = on_rung(4)
    ladder.event(AskedToWait(1, KAREL, 20))
    before = ladder.state
    assert ladder.event(AskedToWait(1, EVA, 5)) == []
    assert ladder.state == before


def test_the_same_wait_said_twice_in_one_moment_counts_once() -> None:
    """Invariant 14."""
    ladder = on_rung(4)
    ladder.event(AskedToWait(1, KAREL, 20))
    before = ladder.state
    assert ladder.event(AskedToWait(1, KAREL, 20)) == []
    assert ladder.state == before


def test_a_new_cycle_has_its_whole_sixty_days_again() -> None:
    ladder = on_rung(4)
    ladder.event(AskedToWait(1, KAREL, 30))
    ladder.event(CheckedIn(Evidence.LINK, 1))
    ladder.until(4)
    assert hold_left_s(ladder.climbing, service_s=ladder.service_s) == 60 * DAY_S


def test_a_contact_may_vouch_during_a_hold() -> None:
    ladder = on_rung(4)
    ladder.event(AskedToWait(1, KAREL, 20))
    ladder.event(Vouched(1, EVA))
    assert isinstance(ladder.state, Waiting)


# "Something happened: go ahead" -----------------------------------------------------------------------------------


def test_go_ahead_exists_only_where_the_owner_allowed_it() -> None:
    refused(on_rung(4), GaveGoAhead(1, KAREL), NotAsked)


def test_go_ahead_of_one_of_two_contacts_is_not_enough() -> None:
    ladder = on_rung(4, OUTSPOKEN)
    assert ladder.event(GaveGoAhead(1, KAREL)) == []
    assert ladder.climbing.rung == 4


def test_go_ahead_said_twice_by_one_contact_counts_once() -> None:
    """Invariant 14."""
    ladder = on_rung(4, OUTSPOKEN)
    ladder.event(GaveGoAhead(1, KAREL))
    before = ladder.state
    assert ladder.event(GaveGoAhead(1, KAREL)) == []
    assert ladder.state == before


@pytest.mark.parametrize(
    ("policy", "speakers"), [(ALONE, [KAREL]), (OUTSPOKEN, [KAREL, EVA]), (FIVE, [KAREL, EVA])], ids=["1", "2", "5"]
)
def test_go_ahead_of_all_contacts_or_of_two_gives_the_owner_a_last_call_on_every_channel(
    policy: Policy, speakers: list[int]
) -> None:
    ladder = on_rung(4, policy)
    for contact in speakers:
        effects = ladder.event(GaveGoAhead(1, contact))
    [ask] = asked(effects)
    assert (ask.kind, ask.audience, ask.by) == (RungKind.LAST_CALL, Audience.OWNER, (By.EMAIL, By.SMS))
    assert told(effects) == [("trusted", "go_ahead")]
    assert ladder.climbing.rung == LAST_CALL_RUNG


def last_call(policy: Policy = OUTSPOKEN) -> Ladder:
    ladder = on_rung(4, policy)
    ladder.event(GaveGoAhead(1, KAREL))
    ladder.event(GaveGoAhead(1, EVA))
    return ladder


def test_a_last_call_lasts_a_whole_day_from_its_acceptance() -> None:
    ladder = last_call()
    ladder.wait(seconds=2 * DAY_S)
    ladder.accept()
    ladder.wait(seconds=DAY_S - 1)
    assert isinstance(ladder.state, Climbing)
    ladder.wait(seconds=1)
    assert isinstance(ladder.state, Released)


def test_a_last_call_that_nobody_accepts_lasts_three_days_and_two() -> None:
    ladder = last_call()
    ladder.wait(days=3)
    ladder.wait(seconds=2 * DAY_S - 1)
    assert isinstance(ladder.state, Climbing)
    ladder.wait(seconds=1)
    assert isinstance(ladder.state, Released)


def test_a_third_go_ahead_does_not_begin_the_last_call_again() -> None:
    ladder = last_call(FIVE)
    ladder.accept()
    asked_at_s = ladder.climbing.asked_at_s
    ladder.wait(seconds=HOUR_S)
    assert ladder.event(GaveGoAhead(1, MALLORY)) == []
    assert (ladder.climbing.rung, ladder.climbing.asked_at_s) == (LAST_CALL_RUNG, asked_at_s)


def test_a_vouch_in_the_last_call_prevents_the_release() -> None:
    ladder = last_call()
    ladder.event(Vouched(1, KAREL))
    assert isinstance(ladder.state, Waiting)


def test_a_go_ahead_during_a_hold_is_heard_when_the_hold_ends() -> None:
    ladder = on_rung(4, ALONE)
    ladder.event(AskedToWait(1, EVA, 10))
    assert ladder.event(GaveGoAhead(1, KAREL)) == []
    assert isinstance(ladder.state, Held)
    effects = ladder.until_due()
    assert ladder.climbing.rung == LAST_CALL_RUNG
    assert [ask.kind for ask in asked(effects)] == [RungKind.LAST_CALL]
    assert told(effects) == [("trusted", "go_ahead")]


def test_a_hold_in_the_last_call_is_followed_by_a_last_call_asked_anew() -> None:
    ladder = last_call(FIVE)
    ladder.accept()
    ladder.event(AskedToWait(1, MALLORY, 5))
    effects = ladder.until_due()
    assert [(ask.kind, ask.round) for ask in asked(effects)] == [(RungKind.LAST_CALL, 1)]
    assert told(effects) == []
    assert ladder.climbing.accepted_at_s is None


def test_who_asks_to_wait_takes_their_go_ahead_back() -> None:
    ladder = on_rung(4, ALONE)
    ladder.event(GaveGoAhead(1, KAREL))
    ladder.event(AskedToWait(1, KAREL, 5))
    [ask] = asked(ladder.until_due())
    assert ask.kind is RungKind.TRUSTED


def test_a_last_call_whose_go_ahead_was_taken_back_returns_to_the_first_rung_of_the_contacts() -> None:
    ladder = on_rung(5, ALONE)
    ladder.event(GaveGoAhead(1, KAREL))
    ladder.event(AskedToWait(1, KAREL, 5))
    [ask] = asked(ladder.until_due())
    assert (ask.kind, ask.rung, ask.round) == (RungKind.TRUSTED, 4, 1)
    ladder.until(5)
    ladder.until_due()
    assert isinstance(ladder.state, Released)


def test_a_go_ahead_is_taken_back_even_where_a_longer_hold_stands() -> None:
    ladder = on_rung(4, ALONE)
    ladder.event(AskedToWait(1, EVA, 10))
    ladder.event(GaveGoAhead(1, KAREL))
    ladder.event(AskedToWait(1, KAREL, 2))
    [ask] = asked(ladder.until_due())
    assert ask.kind is RungKind.TRUSTED


def test_a_vouch_that_only_postpones_takes_the_go_ahead_back() -> None:
    ladder = Ladder(ALONE, state=Climbing(4, LAST_CALL_RUNG, asked_at_s=0, vouched=3, go_ahead=frozenset({KAREL})))
    ladder.event(Vouched(4, KAREL))
    ladder.until_due()
    assert ladder.climbing.rung == 4


def test_an_old_go_ahead_counts_for_nothing_under_a_policy_that_does_not_allow_it() -> None:
    ladder = Ladder(state=Held(1, 0, Climbing(1, 4, asked_at_s=0, go_ahead=frozenset({KAREL, EVA}))))
    [ask] = asked(ladder.wait(days=1))
    assert (ask.kind, ask.rung) == (RungKind.TRUSTED, 4)


def test_a_ladder_that_asks_no_contact_never_counts_a_go_ahead_as_enough() -> None:
    ladder = Ladder(compile_policy(Choices(may_go_ahead=True), contacts=0))
    ladder.state = Held(1, 0, Climbing(1, 3, asked_at_s=0))
    [ask] = asked(ladder.wait(days=1))
    assert ask.rung == 3

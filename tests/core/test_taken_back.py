"""A "go ahead" that is taken back counts no more, even when no waiting is left to grant (docs/ladder.md)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stafeta.core.contacts import may_say_go_ahead
from stafeta.core.errors import HoldExhausted, NotAsked
from stafeta.core.policy import Audience, Choices, Policy, RungKind, compile_policy
from stafeta.core.states import (
    LAST_CALL_RUNG,
    AskedToWait,
    CheckedIn,
    Climbing,
    Event,
    Evidence,
    GaveGoAhead,
    Held,
    Released,
    Restored,
    Vouched,
)
from tests.core.ladders import DAY_S, EVA, KAREL, MALLORY, OUTSPOKEN, Ladder, asked, on_rung, told

USED_UP_S = 60 * DAY_S
FIVE = compile_policy(Choices(may_go_ahead=True), contacts=5)
TAKING_BACK = (AskedToWait(1, KAREL, 1), Vouched(1, KAREL))


def used_up(policy: Policy = OUTSPOKEN, *, left_s: int = 0) -> Ladder:
    """Return a ladder that asks the contacts, of whom three vouched and then used up the sixty days but `left_s`."""
    ladder = on_rung(4, policy)
    ladder.state = replace(ladder.climbing, vouched=3, held_s=USED_UP_S - left_s)
    return ladder


def last_call(policy: Policy = OUTSPOKEN, *, left_s: int = 0) -> Ladder:
    ladder = used_up(policy, left_s=left_s)
    ladder.event(GaveGoAhead(1, KAREL))
    ladder.event(GaveGoAhead(1, EVA))
    assert ladder.climbing.rung == LAST_CALL_RUNG
    ladder.accept()
    return ladder


@pytest.mark.parametrize("word", TAKING_BACK, ids=["wait", "well"])
def test_a_last_call_ends_when_a_go_ahead_is_taken_back_although_no_waiting_is_left(word: Event) -> None:
    """Invariant 2: Karel spoke to Dana after all; his earlier word must not release in her last hour."""
    ladder = last_call()
    ladder.wait(seconds=DAY_S - 1)
    effects = ladder.event(word)
    [ask] = asked(effects)
    assert (ask.kind, ask.audience, ask.rung, ask.round) == (RungKind.TRUSTED, Audience.TRUSTED, 4, 1)
    assert told(effects) == [("owner", "contacts_asked")]
    assert ladder.climbing.go_ahead == {EVA}
    assert ladder.climbing.took_back == {KAREL}
    assert (ladder.climbing.accepted_at_s, ladder.climbing.asked_at_s) == (None, ladder.service_s)
    assert ladder.wait(seconds=1) == []


@pytest.mark.parametrize("word", TAKING_BACK, ids=["wait", "well"])
def test_a_go_ahead_taken_back_before_the_last_call_does_not_count_with_that_of_another(word: Event) -> None:
    """Invariant 2."""
    ladder = used_up()
    ladder.event(GaveGoAhead(1, KAREL))
    before = ladder.climbing
    assert ladder.event(word) == []
    assert ladder.climbing == replace(before, go_ahead=frozenset(), took_back=frozenset({KAREL}))
    ladder.event(GaveGoAhead(1, EVA))
    assert ladder.climbing.rung == 4


def test_a_go_ahead_taken_back_while_another_still_waits_does_not_count_when_the_hold_ends() -> None:
    """Invariant 2."""
    ladder = used_up(left_s=5 * DAY_S)
    ladder.event(GaveGoAhead(1, KAREL))
    ladder.event(AskedToWait(1, EVA, 5))
    until_s = ladder.state.until_s if isinstance(ladder.state, Held) else None
    ladder.service_s += 4 * DAY_S + 1  # of the hold less than a day is left, and beyond it nothing
    ladder.event(AskedToWait(1, KAREL, 1))
    ladder.event(GaveGoAhead(1, EVA))
    assert isinstance(ladder.state, Held)
    assert ladder.state.until_s == until_s
    [ask] = asked(ladder.until_due())
    assert ask.kind is RungKind.TRUSTED


def test_a_last_call_goes_on_while_enough_others_still_say_go_ahead() -> None:
    ladder = last_call(FIVE)
    ladder.event(GaveGoAhead(1, MALLORY))
    began_s = ladder.climbing.accepted_at_s
    assert ladder.event(AskedToWait(1, KAREL, 1)) == []
    assert (ladder.climbing.rung, ladder.climbing.accepted_at_s) == (LAST_CALL_RUNG, began_s)


def test_who_took_it_back_when_no_waiting_was_left_is_not_heard_again_in_this_cycle() -> None:
    """Invariant 19: to say it and to take it back by turns must not keep a dead owner waiting for ever."""
    ladder = last_call()
    ladder.event(AskedToWait(1, KAREL, 1))
    assert not may_say_go_ahead(ladder.climbing, OUTSPOKEN, contact=KAREL)
    assert may_say_go_ahead(ladder.climbing, OUTSPOKEN, contact=EVA)
    for again in (GaveGoAhead(1, KAREL), AskedToWait(1, KAREL, 1), Vouched(1, KAREL)):
        before = ladder.state
        with pytest.raises((NotAsked, HoldExhausted)):
            ladder.event(again)
        assert ladder.state == before
    ladder.until(5)
    ladder.until_due()
    assert isinstance(ladder.state, Released)


def test_a_new_cycle_hears_everybody_again() -> None:
    ladder = last_call()
    ladder.event(AskedToWait(1, KAREL, 1))
    ladder.event(CheckedIn(Evidence.LINK, 1))
    ladder.until(4)
    assert ladder.climbing.took_back == frozenset()
    ladder.event(GaveGoAhead(2, KAREL))
    assert ladder.climbing.go_ahead == {KAREL}


def test_a_restore_does_not_let_them_begin_anew() -> None:
    ladder = last_call()
    ladder.event(AskedToWait(1, KAREL, 1))
    ladder.event(Restored())
    ladder.until(4)
    with pytest.raises(NotAsked):
        ladder.event(GaveGoAhead(1, KAREL))


def test_who_never_said_go_ahead_is_still_told_that_no_waiting_is_left() -> None:
    ladder = last_call()
    before = ladder.state
    with pytest.raises(HoldExhausted) as raised:
        ladder.event(AskedToWait(1, MALLORY, 1))
    assert (raised.value.left_s, ladder.state) == (0, before)


def test_who_asks_for_more_than_is_left_is_told_how_much_they_may_ask_for() -> None:
    ladder = last_call(left_s=DAY_S)
    before = ladder.state
    with pytest.raises(HoldExhausted) as raised:
        ladder.event(AskedToWait(1, KAREL, 2))
    assert (raised.value.left_s, ladder.state) == (DAY_S, before)
    ladder.event(AskedToWait(1, KAREL, 1))
    assert isinstance(ladder.state, Held)
    assert ladder.state.climbing == replace(
        before, held_s=USED_UP_S, go_ahead=frozenset({EVA})
    )  # with time left it may be said again


def test_less_than_a_day_left_is_enough_to_take_it_back_with() -> None:
    ladder = last_call(left_s=DAY_S - 1)
    ladder.event(AskedToWait(1, KAREL, 1))
    assert isinstance(ladder.state, Climbing)
    assert ladder.climbing.took_back == {KAREL}

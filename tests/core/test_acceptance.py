"""A rung is climbed when its prompts were accepted (docs/ladder.md, the section of that name)."""

from __future__ import annotations

import pytest

from stafeta.core.errors import WrongCycle
from stafeta.core.policy import BOUNCES_MAX, Audience, By, RungKind
from stafeta.core.states import (
    AskByOtherChannel,
    AskedToWait,
    AskOtherwise,
    CheckedIn,
    Climbing,
    Evidence,
    PromptAccepted,
    PromptBounced,
    PromptRefused,
    Released,
    Way,
)
from tests.core.ladders import DANA, DAY_S, EVA, HOUR_S, KAREL, Ladder, asked, on_rung


def bounce(ladder: Ladder, person: int, by: By, *, others_reached: bool = False) -> list[object]:
    return list(ladder.event(ladder.prompt(PromptBounced, person, by, others_reached=others_reached)))


# The window and acceptance ----------------------------------------------------------------------------------------


def test_a_queued_prompt_starts_no_window() -> None:
    ladder = on_rung(0, accepted=False)
    ladder.wait(days=2)
    assert ladder.climbing.rung == 0
    ladder.accept()
    ladder.wait(seconds=DAY_S - 1)
    assert ladder.climbing.rung == 0
    ladder.wait(seconds=1)
    assert ladder.climbing.rung == 1


def test_one_accepted_prompt_starts_the_window_and_later_ones_do_not_move_it() -> None:
    ladder = on_rung(4, accepted=False)
    ladder.accept(KAREL, By.SMS)
    started_s = ladder.climbing.accepted_at_s
    ladder.wait(seconds=HOUR_S)
    ladder.accept(EVA, By.EMAIL)
    assert ladder.climbing.accepted_at_s == started_s


def test_the_news_to_the_owner_that_contacts_were_asked_starts_no_window() -> None:
    """The window starts with a prompt to the people the rung is for."""
    ladder = on_rung(4, accepted=False)
    climbing = ladder.climbing
    ladder.event(PromptAccepted(climbing.cycle, 4, climbing.round, Audience.OWNER, DANA, By.EMAIL))
    assert ladder.state == climbing


def test_a_prompt_of_an_earlier_rung_starts_no_window() -> None:
    """Invariant 13."""
    ladder = on_rung(1, accepted=False)
    before = ladder.climbing
    ladder.event(PromptAccepted(before.cycle, 0, before.round, Audience.OWNER, DANA, By.EMAIL))
    assert ladder.state == before


def test_a_prompt_of_an_earlier_round_starts_no_window() -> None:
    """Invariant 13: what was sent before a hold says nothing about the prompts after it."""
    ladder = on_rung(4)
    early = ladder.prompt(PromptAccepted, KAREL, By.EMAIL)
    ladder.event(AskedToWait(1, KAREL, 1))
    assert ladder.event(early) == []
    ladder.until_due()
    before = ladder.climbing
    ladder.event(early)
    assert ladder.state == before


@pytest.mark.parametrize("verdict", [PromptAccepted, PromptRefused, PromptBounced])
def test_a_prompt_of_a_finished_cycle_is_refused(verdict: type) -> None:
    """Invariant 13."""
    ladder = on_rung(0)
    more = {"others_reached": False} if verdict is PromptBounced else {}
    late = ladder.prompt(verdict, DANA, By.EMAIL, **more)
    ladder.event(CheckedIn(Evidence.LINK, 1))
    before = ladder.state
    with pytest.raises(WrongCycle) as raised:
        ladder.event(late)
    assert (raised.value.got, raised.value.current) == (1, 2)
    assert ladder.state == before


# Refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("by", "other"), [(By.EMAIL, By.SMS), (By.SMS, By.EMAIL)])
def test_a_refused_prompt_is_tried_on_the_persons_other_channel(by: By, other: By) -> None:
    ladder = on_rung(4, accepted=False)
    before = ladder.climbing
    effects = ladder.event(ladder.prompt(PromptRefused, EVA, by))
    assert effects == [
        AskByOtherChannel(
            audience=Audience.TRUSTED, person=EVA, by=other, kind=RungKind.TRUSTED, cycle=1, rung=4, round=0
        )
    ]
    assert ladder.state == before


# Unreachable ------------------------------------------------------------------------------------------------------


def test_a_rung_that_nobody_accepts_for_three_days_goes_on_with_its_window_doubled() -> None:
    ladder = on_rung(0, accepted=False)
    ladder.wait(seconds=3 * DAY_S - 1)
    assert not ladder.climbing.unreachable
    assert ladder.wait(seconds=1) == [
        AskOtherwise(audience=Audience.OWNER, by=(By.SMS,), kind=RungKind.EMAIL, cycle=1, rung=0, round=0)
    ]
    assert ladder.climbing.unreachable
    ladder.wait(seconds=2 * DAY_S - 1)
    assert ladder.climbing.rung == 0
    ladder.wait(seconds=1)
    assert ladder.climbing.rung == 1
    assert not ladder.climbing.unreachable


def test_a_prompt_accepted_after_all_gives_an_unreachable_rung_its_whole_plain_window() -> None:
    ladder = on_rung(0, accepted=False)
    ladder.wait(days=3)
    ladder.wait(seconds=DAY_S + HOUR_S)
    ladder.accept()
    assert not ladder.climbing.unreachable
    ladder.wait(seconds=DAY_S - 1)
    assert ladder.climbing.rung == 0
    ladder.wait(seconds=1)
    assert ladder.climbing.rung == 1


def test_an_owner_whom_nothing_reaches_is_still_released() -> None:
    """Invariant 19: a mailbox closed after a death never blocks the release."""
    ladder = on_rung(0, accepted=False)
    began_s = ladder.service_s
    for _ in range(12):
        ladder.until_due()
    assert isinstance(ladder.state, Released)
    assert ladder.service_s - began_s == (6 * 3 + 2 * 8) * DAY_S


# Bounced late -----------------------------------------------------------------------------------------------------


def test_a_late_bounce_restarts_the_rung_on_the_other_channel() -> None:
    ladder = on_rung(0)
    ladder.wait(seconds=20 * HOUR_S)
    [effect] = bounce(ladder, DANA, By.EMAIL)
    assert isinstance(effect, AskByOtherChannel)
    assert (effect.person, effect.by) == (DANA, By.SMS)
    assert ladder.climbing.accepted_at_s is None
    ladder.wait(seconds=5 * HOUR_S)
    assert ladder.climbing.rung == 0
    ladder.accept(DANA, By.SMS)
    ladder.wait(seconds=DAY_S - 1)
    assert ladder.climbing.rung == 0
    ladder.wait(seconds=1)
    assert ladder.climbing.rung == 1


def test_a_restarted_rung_has_three_more_days_before_it_counts_as_unreachable() -> None:
    ladder = on_rung(0)
    ladder.wait(seconds=23 * HOUR_S)
    bounce(ladder, DANA, By.EMAIL)
    ladder.wait(seconds=3 * DAY_S - 1)
    assert not ladder.climbing.unreachable
    ladder.wait(seconds=1)
    assert ladder.climbing.unreachable


def test_a_bounce_reported_twice_restarts_once() -> None:
    """Invariant 14."""
    ladder = on_rung(0)
    bounce(ladder, DANA, By.EMAIL)
    ladder.accept(DANA, By.SMS)
    before = ladder.state
    ladder.wait(seconds=HOUR_S)
    assert bounce(ladder, DANA, By.EMAIL) == []
    assert ladder.state == before


def test_a_bounced_prompt_whose_acceptance_is_reported_again_starts_no_window() -> None:
    """Invariant 14: reports come late and in any order."""
    ladder = on_rung(0)
    bounce(ladder, DANA, By.EMAIL)
    before = ladder.state
    ladder.accept(DANA, By.EMAIL)
    assert ladder.state == before


def test_a_bounce_that_overtakes_its_acceptance_is_believed() -> None:
    ladder = on_rung(0, accepted=False)
    [effect] = bounce(ladder, DANA, By.EMAIL)
    assert isinstance(effect, AskByOtherChannel)
    ladder.accept(DANA, By.EMAIL)
    assert ladder.climbing.accepted_at_s is None


def test_when_both_channels_came_back_there_is_no_third_to_try_and_the_rung_becomes_unreachable() -> None:
    ladder = on_rung(3)
    bounce(ladder, DANA, By.EMAIL)
    ladder.accept(DANA, By.SMS)
    assert bounce(ladder, DANA, By.SMS) == []
    assert ladder.climbing.bounced == {Way(DANA, By.EMAIL), Way(DANA, By.SMS)}
    ladder.wait(days=3)
    assert ladder.climbing.unreachable


def test_a_bounce_while_a_rung_is_unreachable_leaves_its_doubled_window_alone() -> None:
    ladder = on_rung(0, accepted=False)
    ladder.wait(days=3)
    ends_s = ladder.climbing.accepted_at_s
    ladder.wait(days=1)
    assert len(bounce(ladder, DANA, By.EMAIL)) == 1
    assert ladder.climbing.unreachable
    assert ladder.climbing.accepted_at_s == ends_s


def test_a_bounce_of_a_prompt_that_did_not_start_the_window_leaves_the_window_alone() -> None:
    ladder = on_rung(4)
    started_s = ladder.climbing.accepted_at_s
    ladder.wait(seconds=HOUR_S)
    ladder.accept(EVA, By.EMAIL)
    assert len(bounce(ladder, EVA, By.EMAIL, others_reached=True)) == 1
    assert ladder.climbing.accepted_at_s == started_s


def test_a_bounce_of_the_prompt_that_started_the_window_counts_it_anew_for_those_reached_later() -> None:
    """Invariant 2: the window never counts from a prompt that did not stand."""
    ladder = on_rung(3)  # by e-mail
    ladder.wait(seconds=19 * HOUR_S)
    ladder.accept(DANA, By.SMS)
    ladder.wait(seconds=HOUR_S)
    bounce(ladder, DANA, By.EMAIL, others_reached=True)
    assert ladder.climbing.accepted_at_s == ladder.service_s
    ladder.wait(seconds=DAY_S - 1)
    assert ladder.climbing.rung == 3
    ladder.wait(seconds=1)
    assert ladder.climbing.rung == 4


def test_a_window_counted_anew_is_counted_anew_again_when_the_next_prompt_comes_back() -> None:
    ladder = on_rung(4)
    ladder.accept(EVA, By.EMAIL)
    ladder.wait(seconds=HOUR_S)
    bounce(ladder, KAREL, By.EMAIL, others_reached=True)
    ladder.wait(seconds=HOUR_S)
    bounce(ladder, EVA, By.EMAIL, others_reached=True)
    assert ladder.climbing.accepted_at_s == ladder.service_s
    bounce(ladder, KAREL, By.SMS)
    assert ladder.climbing.accepted_at_s is None


def test_a_bounce_of_a_finished_rung_changes_nothing() -> None:
    ladder = on_rung(0)
    late = ladder.prompt(PromptBounced, DANA, By.EMAIL, others_reached=False)
    ladder.wait(days=1)
    before = ladder.state
    assert ladder.event(late) == []
    assert ladder.state == before


def test_bounces_of_one_rung_are_bounded_and_the_persons_other_channel_is_still_tried() -> None:
    """Invariant 19: no flood of bounces holds a rung for ever."""
    ladder = on_rung(4)
    for person in range(100, 100 + BOUNCES_MAX):
        bounce(ladder, person, By.EMAIL, others_reached=True)
    before = ladder.state
    [effect] = bounce(ladder, KAREL, By.EMAIL)
    assert isinstance(effect, AskByOtherChannel)
    assert ladder.state == before


def test_the_next_rung_forgets_what_came_back() -> None:
    ladder = on_rung(0)
    bounce(ladder, DANA, By.EMAIL)
    ladder.accept(DANA, By.SMS)
    assert asked(ladder.wait(days=1))
    assert ladder.climbing == Climbing(1, 1, asked_at_s=ladder.service_s)

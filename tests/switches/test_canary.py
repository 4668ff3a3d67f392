"""The canary sings when asking works from end to end, and falls silent, with the reason, when it does not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stafeta.accounts.models import User
from stafeta.core.errors import ChannelUnavailable, DeliveryRefused
from stafeta.core.policy import Choices
from stafeta.core.states import Evidence
from stafeta.outbox.models import Message
from stafeta.switches.canary import IDLE_AFTER, MISSED_AFTER, Canary, canary_life
from stafeta.switches.models import Outage, Switch
from stafeta.switches.services.arm import arm, stand_down
from stafeta.switches.services.change_choices import change_choices
from stafeta.switches.services.checkin import record_checkin
from stafeta.switches.services.pause import pause
from stafeta.switches.wellbeing import Pace, Wellbeing, wellbeing
from tests.make import NOON, armed_owner, owner
from tests.world import World

CANARY = "dana@example.org"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def dana(world: World) -> User:
    """The canary: asked every day."""
    dana = armed_owner()
    change_choices(owner=dana, choices=Choices(interval_days=1), now=NOON)
    return dana


def look(world: World, canary: str = CANARY) -> Wellbeing:
    return wellbeing(now=world.now, canary=canary, pace=Pace(tick_every_s=10, scale=1))


def says(world: World, canary: str = CANARY) -> Canary | None:
    found = look(world, canary)
    assert found.canary is not None
    assert ("canary" in found.wrong) == found.canary.is_alarm
    return found.canary


def answer(world: World, dana: User) -> None:
    record_checkin(owner=dana, evidence=Evidence.LINK, now=world.now)


def test_nobody_is_the_canary_where_none_is_named(world: World) -> None:
    found = look(world, "")
    assert found.canary is None
    assert "canary" not in [check.name for check in found.checks]


def test_a_canary_that_answers_day_after_day_is_well(world: World, dana: User) -> None:
    for _ in range(10):
        assert says(world) is Canary.WELL
        world.until(dana, rung=0)
        world.wait(hours=3)
        assert says(world) is Canary.WELL
        answer(world, dana)
    life = canary_life(CANARY)
    assert life.answered_at == world.now
    assert life.asked_at == life.accepted_at
    assert life.asked_at is not None
    assert world.now - life.asked_at == 3 * HOUR


def test_its_address_may_be_written_in_capitals(world: World, dana: User) -> None:
    assert says(world, "Dana@Example.org") is Canary.WELL


def test_asked_and_unanswered_for_a_day_is_an_alarm_until_it_answers(world: World, dana: User) -> None:
    world.until(dana, rung=0)
    world.wait(hours=23)
    assert says(world) is Canary.WELL
    world.wait(hours=2)
    assert says(world) is Canary.UNANSWERED
    answer(world, dana)
    assert says(world) is Canary.WELL


def test_unanswered_stays_an_alarm_through_the_whole_ladder_and_the_release(world: World, dana: User) -> None:
    world.until(dana, rung=0)
    world.wait(hours=25)
    while world.switch(dana).phase != "Released":
        assert says(world) is Canary.UNANSWERED
        world.wait(hours=12)
    assert says(world) is Canary.UNANSWERED


@pytest.mark.parametrize(
    "error", [DeliveryRefused("full", permanent=False), ChannelUnavailable("away"), DeliveryRefused("no", True)]
)
def test_asked_and_taken_by_no_provider_is_an_alarm_until_one_does(
    world: World, dana: User, error: DeliveryRefused | ChannelUnavailable
) -> None:
    world.email.fail = world.sms.fail = lambda _to: error
    world.until(dana, rung=0)
    world.wait(hours=1)
    assert says(world) is Canary.WELL
    world.wait(hours=2)
    asked_at = canary_life(CANARY).asked_at
    world.wait(days=4)
    assert says(world) is Canary.UNSENT
    assert canary_life(CANARY).asked_at == asked_at  # the ladder goes on, and it is the first question that counts
    world.email.fail = world.sms.fail = lambda _to: None
    world.wait(days=6)
    assert canary_life(CANARY).accepted_at is not None
    assert says(world) is not Canary.UNSENT


def test_a_question_that_came_back_was_taken_by_nobody(world: World, dana: User) -> None:
    world.until(dana, rung=0)
    Message.objects.filter(kind="switches.ask_owner").update(state=Message.State.BOUNCED)
    world.now += 3 * HOUR
    assert says(world) is Canary.UNSENT


def test_the_question_of_an_earlier_cycle_says_nothing_of_this_one(world: World, dana: User) -> None:
    world.until(dana, rung=0)
    answer(world, dana)
    world.email.fail = world.sms.fail = lambda _to: DeliveryRefused("full", permanent=False)
    world.until(dana, rung=0)
    world.wait(hours=3)
    assert says(world) is Canary.UNSENT


def test_due_and_not_asked_is_an_alarm_until_a_worker_asks(world: World, dana: User) -> None:
    due_at = world.switch(dana).due_at
    assert due_at is not None
    world.now = due_at + MISSED_AFTER
    assert says(world) is Canary.WELL
    world.now += MINUTE
    assert says(world) is Canary.MISSED
    world.tick()
    assert says(world) is Canary.WELL


def test_a_canary_that_nobody_can_read_is_missed_and_the_watch_goes_on(world: World, dana: User) -> None:
    Switch.objects.update(state={"is": "Nonsense"}, policy={})
    world.wait(days=2)
    assert says(world) is Canary.MISSED


def test_not_asked_during_an_outage_is_the_outages_alarm_and_not_the_canarys(world: World, dana: User) -> None:
    world.now += 3 * DAY
    world.tick(hears=False)
    world.now += 10 * MINUTE
    world.tick(hears=False)
    assert look(world).wrong == ("hearing",)
    world.tick()
    assert look(world).wrong == ()


def test_a_moment_after_an_outage_it_need_not_be_asked_yet(world: World, dana: User) -> None:
    world.now += 3 * DAY
    Outage.objects.create(began_at=NOON, ended_at=world.now - MINUTE, reason="no worker ran")
    assert says(world) is Canary.WELL


class TestDoubts:
    """What shows nothing raises no alarm, and says so."""

    def test_an_address_without_an_account(self, world: World) -> None:
        assert says(world, "nobody@example.org") is Canary.UNKNOWN

    def test_a_switch_that_was_never_armed(self, world: World) -> None:
        owner()
        assert says(world) is Canary.UNARMED

    def test_a_switch_that_was_disarmed(self, world: World, dana: User) -> None:
        stand_down(owner=dana, now=NOON)
        assert says(world) is Canary.UNARMED
        arm(owner=dana, now=NOON)
        assert says(world) is Canary.WELL

    def test_a_switch_that_is_paused(self, world: World, dana: User) -> None:
        pause(owner=dana, until=NOON + 5 * DAY, now=NOON)
        assert says(world) is Canary.UNARMED

    def test_a_switch_that_is_asked_once_a_fortnight(self, world: World, dana: User) -> None:
        change_choices(owner=dana, choices=Choices(), now=NOON)
        assert says(world) is Canary.SELDOM
        world.until(dana, rung=0)
        assert says(world) is Canary.SELDOM
        world.wait(hours=25)
        assert says(world) is Canary.UNANSWERED

    def test_one_that_always_answers_before_it_is_asked(self, world: World, dana: User) -> None:
        for _ in range(IDLE_AFTER.days):
            assert says(world) is Canary.WELL
            world.wait(hours=18)
            answer(world, dana)
            world.wait(hours=6)
        world.wait(hours=1)
        assert world.sent() == []
        assert says(world) is Canary.IDLE
        world.until(dana, rung=0)
        assert says(world) is Canary.WELL

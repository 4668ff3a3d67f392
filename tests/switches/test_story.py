"""The main job: an owner falls silent, is asked and asked again, and only then does the handover open."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stafeta.accounts.models import User
from stafeta.core.errors import WrongCycle
from stafeta.core.states import Climbing, Evidence, Released, Resting, Waiting
from stafeta.outbox.models import Message
from stafeta.switches.services.arm import arm, stand_down
from stafeta.switches.services.checkin import record_checkin
from stafeta.switches.services.pause import end_pause, pause
from stafeta.vault.models import ConsentState, Grant
from tests.make import armed_owner, contact, handover, owner, recipient
from tests.world import World

DANA, DANA_PHONE = "dana@example.org", "+420601000001"
KAREL, KAREL_PHONE = "karel@example.org", "+420601000003"
EMA, EMA_PHONE = "ema@example.org", "+420601000002"


@pytest.fixture
def dana(world: World) -> User:
    return armed_owner()


def test_nobody_is_bothered_before_the_interval_is_over(world: World, dana: User) -> None:
    world.wait(days=13)
    assert world.sent() == []
    assert isinstance(world.state(dana), Waiting)


def test_the_owner_is_asked_on_the_day_at_nine_by_e_mail_alone(world: World, dana: User) -> None:
    world.until(dana, rung=0)
    assert [message.to for message in world.sent()] == [DANA]
    assert (world.now.hour, world.now.day) == (8, 15)  # 9:00 in Prague, in winter


def test_the_ladder_asks_in_its_order_and_then_releases(world: World, dana: User) -> None:
    """Invariants 2 and 8."""
    asked: dict[int, set[str]] = {}
    for rung in range(6):
        world.until(dana, rung=rung)
        asked[rung] = {message.to for message in world.sent()}
        world.forget()
    assert asked[0] == asked[1] == asked[2] == {DANA}
    assert asked[3] == {DANA, DANA_PHONE}
    assert asked[4] == asked[5] == {KAREL, KAREL_PHONE, DANA}
    world.until_phase(dana, "Released")
    assert {EMA, EMA_PHONE} <= {message.to for message in world.sent()}


def test_the_whole_ladder_takes_exactly_its_windows_in_service_time(world: World, dana: User) -> None:
    world.until(dana, rung=0)
    began_s = world.service_s()
    world.until_phase(dana, "Released")
    assert world.service_s() - began_s == (1 + 1 + 1 + 1 + 2 + 2) * 24 * 3600


def test_a_checkin_after_the_last_warning_prevents_the_release(world: World, dana: User) -> None:
    """Invariant 3."""
    world.until(dana, rung=5)
    world.wait(hours=47)
    result = record_checkin(owner=dana, evidence=Evidence.LINK, now=world.now, cycle=world.switch(dana).cycle)
    assert result.counted
    assert result.was_climbing
    world.wait(days=10)
    assert Grant.objects.count() == 0
    assert isinstance(world.state(dana), Waiting)


def test_worried_contacts_are_told_that_all_is_well(world: World, dana: User) -> None:
    world.until(dana, rung=4)
    world.forget()
    record_checkin(owner=dana, evidence=Evidence.BUTTON, now=world.now)
    world.deliver()
    assert [message.to for message in world.sent()] == [KAREL]


def test_a_contact_who_was_never_asked_is_not_told_anything(world: World, dana: User) -> None:
    world.until(dana, rung=3)
    world.forget()
    record_checkin(owner=dana, evidence=Evidence.BUTTON, now=world.now)
    world.deliver()
    assert world.sent(KAREL) == []


def test_an_old_link_changes_nothing_and_says_so(world: World, dana: User) -> None:
    """Invariant 7."""
    world.until(dana, rung=0)
    old = world.switch(dana).cycle
    record_checkin(owner=dana, evidence=Evidence.LINK, now=world.now, cycle=old)
    before = world.state(dana)
    with pytest.raises(WrongCycle):
        record_checkin(owner=dana, evidence=Evidence.LINK, now=world.now, cycle=old)
    assert world.state(dana) == before


def test_prompts_of_a_finished_cycle_are_cancelled_not_sent(world: World, dana: User) -> None:
    """Invariant 13."""
    world.until(dana, rung=0)
    world.forget()
    world.email.fail = lambda _to: None
    Message.objects.update(state="queued", lease_until=None, next_attempt_at=world.now)
    record_checkin(owner=dana, evidence=Evidence.SIGN_IN, now=world.now)
    world.deliver()
    assert world.sent(DANA) == []
    assert set(Message.objects.filter(kind="switches.ask_owner").values_list("state", flat=True)) == {"cancelled"}


def test_who_declined_gets_nothing_and_who_agreed_gets_theirs(world: World) -> None:
    """Invariant 1, mission 12."""
    dana = owner()
    ema = recipient(dana)
    mallory = recipient(
        dana, "mallory@example.org", name="Mallory", phone="+420601000009", consent=ConsentState.DECLINED
    )
    handover(dana, ema, mallory)
    contact(dana)
    arm(owner=dana, now=world.now)
    world.until_phase(dana, "Released")
    world.wait(hours=1)
    assert list(Grant.objects.values_list("recipient", flat=True)) == [ema.pk]
    assert world.sent("mallory@example.org") == world.sent("+420601000009") == []


def test_a_handover_with_a_delay_opens_only_after_it(world: World) -> None:
    dana = owner()
    ema = recipient(dana)
    handover(dana, ema, title="Dopis", delay_days=30)
    contact(dana)
    arm(owner=dana, now=world.now)
    world.until_phase(dana, "Released")
    world.wait(days=29)
    assert world.sent(EMA) == []
    world.wait(days=1, hours=1)
    assert world.sent(EMA) != []


def test_the_owners_return_closes_what_was_not_opened_and_tells_everyone(world: World, dana: User) -> None:
    """Invariant 4."""
    world.until_phase(dana, "Released")
    world.wait(hours=2)
    world.forget()
    result = record_checkin(owner=dana, evidence=Evidence.SIGN_IN, now=world.now)
    world.deliver()
    assert result.was_released
    assert Grant.objects.get().closed_at is not None
    assert {EMA, KAREL, DANA} <= {message.to for message in world.sent()}
    assert isinstance(world.state(dana), Resting)


def test_after_a_release_the_switch_is_armed_only_by_the_owners_hand(world: World, dana: User) -> None:
    world.until_phase(dana, "Released")
    record_checkin(owner=dana, evidence=Evidence.SIGN_IN, now=world.now)
    world.deliver()
    world.forget()
    world.wait(days=40)
    assert isinstance(world.state(dana), Resting)
    assert [message for message in world.sent() if message.to == DANA] == []


def test_a_pause_asks_nobody_until_its_end_and_then_at_once(world: World, dana: User) -> None:
    pause(owner=dana, until=world.now + timedelta(days=60), now=world.now)
    world.wait(days=59)
    assert world.sent() == []
    world.wait(days=1, hours=1)
    assert isinstance(world.state(dana), Climbing)
    assert [message.to for message in world.sent()] == [DANA]


def test_a_pause_ended_early_begins_a_new_interval(world: World, dana: User) -> None:
    pause(owner=dana, until=world.now + timedelta(days=60), now=world.now)
    world.wait(days=3)
    end_pause(owner=dana, now=world.now)
    state = world.state(dana)
    assert isinstance(state, Waiting)
    assert timedelta(days=13) < state.due - world.now < timedelta(days=15)


def test_a_pause_that_ends_during_an_outage_still_asks_before_anything_else(world: World, dana: User) -> None:
    pause(owner=dana, until=world.now + timedelta(days=10), now=world.now)
    world.outage(days=60)
    world.tick()
    state = world.state(dana)
    assert isinstance(state, Climbing)
    assert state.rung == 0


def test_a_disarmed_switch_asks_and_releases_nothing(world: World, dana: User) -> None:
    world.until(dana, rung=4)
    stand_down(owner=dana, now=world.now)
    world.deliver()
    world.forget()
    world.wait(days=60)
    assert world.sent() == []
    assert not isinstance(world.state(dana), Released)


def test_reminders_go_to_a_recipient_who_has_not_opened_it(world: World, dana: User) -> None:
    world.until_phase(dana, "Released")
    world.wait(hours=1)
    world.forget()
    world.wait(days=31)
    assert len(world.sent(EMA)) == 3

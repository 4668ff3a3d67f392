"""The event log is append-only and replays to the current state (invariant 18): every scenario, told again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from stafeta.accounts.models import User
from stafeta.core.errors import DeliveryRefused
from stafeta.core.links import Link, Purpose
from stafeta.core.states import Evidence
from stafeta.switches.models import Event, TrustedContact
from stafeta.switches.services.arm import arm, stand_down
from stafeta.switches.services.change_choices import change_choices
from stafeta.switches.services.checkin import record_checkin
from stafeta.switches.services.contact_says import ask_to_wait, give_go_ahead, vouch
from stafeta.switches.services.pause import end_pause, pause
from stafeta.switches.services.record_fact import record_fact
from stafeta.vault.models import ConsentState
from tests.make import armed_owner
from tests.world import World, replay

Scenario = Callable[[World, User], None]


def karel(world: World, dana: User) -> Link:
    switch = world.switch(dana)
    return Link(Purpose.TRUSTED, TrustedContact.objects.get(switch=switch).pk, switch.pk, switch.cycle)


def silence(world: World, dana: User) -> None:
    world.until_phase(dana, "Released")


def silence_and_return(world: World, dana: User) -> None:
    world.until_phase(dana, "Released")
    record_checkin(owner=dana, evidence=Evidence.SIGN_IN, now=world.now)
    arm(owner=dana, now=world.now)


def a_life_of_checkins(world: World, dana: User) -> None:
    for evidence in Evidence:
        world.until(dana, rung=1)
        record_checkin(owner=dana, evidence=evidence, now=world.now)


def contacts_speak(world: World, dana: User) -> None:
    change_choices(owner=dana, choices=replace(world.switch(dana).owner_choices, may_go_ahead=True), now=world.now)
    world.until(dana, rung=4)
    vouch(link=karel(world, dana), now=world.now)
    world.until(dana, rung=4)
    ask_to_wait(link=karel(world, dana), days=5, now=world.now)
    world.wait(days=6)
    give_go_ahead(link=karel(world, dana), now=world.now)
    world.wait(days=2)


def a_contact_declines_mid_ladder(world: World, dana: User) -> None:
    world.until(dana, rung=4)
    link = karel(world, dana)
    vouch(link=link, now=world.now)
    TrustedContact.objects.update(consent=ConsentState.DECLINED)
    world.until_phase(dana, "Released")


def pauses_and_changes(world: World, dana: User) -> None:
    pause(owner=dana, until=world.now + timedelta(days=30), now=world.now)
    change_choices(owner=dana, choices=replace(world.switch(dana).owner_choices, interval_days=7), now=world.now)
    world.wait(days=3)
    end_pause(owner=dana, now=world.now)
    stand_down(owner=dana, now=world.now)
    change_choices(owner=dana, choices=replace(world.switch(dana).owner_choices, interval_days=3), now=world.now)
    arm(owner=dana, now=world.now)
    world.until(dana, rung=2)


def nothing_gets_through(world: World, dana: User) -> None:
    world.email.fail = world.sms.fail = lambda _to: DeliveryRefused("gone", permanent=True)
    world.until_phase(dana, "Released")


def outages(world: World, dana: User) -> None:
    world.until(dana, rung=2)
    world.outage(days=30)
    world.wait(days=3)


@pytest.mark.parametrize(
    "scenario",
    [
        silence,
        silence_and_return,
        a_life_of_checkins,
        contacts_speak,
        a_contact_declines_mid_ladder,
        pauses_and_changes,
        nothing_gets_through,
        outages,
    ],
)
def test_the_log_replays_to_the_current_state(world: World, scenario: Scenario) -> None:
    dana = armed_owner()
    scenario(world, dana)
    state, policy = replay(world.switch(dana))
    assert state == world.state(dana)
    assert policy is not None
    if world.switch(dana).phase != "Resting":
        assert policy == world.switch(dana).ladder_policy


def test_events_are_numbered_without_a_gap(world: World) -> None:
    dana = armed_owner()
    record_fact(switch=world.switch(dana), kind="ContactInvited", facts={"contact": 1}, now=world.now)
    world.until_phase(dana, "Released")
    numbers = list(Event.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def test_what_changes_nothing_leaves_no_trace(world: World) -> None:
    """Invariant 14."""
    dana = armed_owner()
    before = Event.objects.count()
    for _ in range(5):
        world.tick()
    assert Event.objects.count() == before
    stand_down(owner=dana, now=world.now)
    record_checkin(owner=dana, evidence=Evidence.BUTTON, now=world.now)
    assert Event.objects.count() == before + 1


def test_what_is_written_is_neither_changed_nor_taken_back(world: World) -> None:
    """Invariant 18; what the log belongs to may go, and the log with it."""
    dana = armed_owner()
    event = Event.objects.latest("number")
    event.kind = "CheckedIn"
    with pytest.raises(TypeError):
        event.save()
    with pytest.raises(TypeError):
        event.delete()
    assert Event.objects.latest("number").kind == "Armed"
    dana.delete()
    assert not Event.objects.exists()

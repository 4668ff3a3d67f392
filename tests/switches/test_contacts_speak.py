"""What a trusted contact may say, through the services that the page calls."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stafeta.accounts.models import User
from stafeta.core.errors import BadLink, HoldExhausted, NotAsked, WrongCycle
from stafeta.core.links import Link, Purpose
from stafeta.core.states import Climbing, Evidence, Held, Released, Waiting
from stafeta.switches.models import TrustedContact
from stafeta.switches.services.change_choices import change_choices
from stafeta.switches.services.checkin import record_checkin
from stafeta.switches.services.contact_says import ask_to_wait, give_go_ahead, vouch
from stafeta.vault.models import ConsentState
from tests.make import armed_owner
from tests.world import World


@pytest.fixture
def dana(world: World) -> User:
    return armed_owner()


def link_of_karel(world: World, dana: User) -> Link:
    switch = world.switch(dana)
    return Link(Purpose.TRUSTED, TrustedContact.objects.get(switch=switch).pk, switch.pk, switch.cycle)


def test_karels_word_counts_as_a_checkin_and_dana_is_told(world: World, dana: User) -> None:
    world.until(dana, rung=4)
    world.forget()
    vouch(link=link_of_karel(world, dana), now=world.now)
    world.deliver()
    assert isinstance(world.state(dana), Waiting)
    assert len(world.sent("dana@example.org")) == 1


def test_karels_word_counts_three_times_in_a_row_and_then_only_postpones(world: World, dana: User) -> None:
    for _ in range(3):
        world.until(dana, rung=4)
        vouch(link=link_of_karel(world, dana), now=world.now)
    world.until(dana, rung=4)
    vouch(link=link_of_karel(world, dana), now=world.now)
    assert isinstance(world.state(dana), Held)
    world.until_phase(dana, "Released")


def test_danas_own_word_lets_karels_count_again(world: World, dana: User) -> None:
    for _ in range(3):
        world.until(dana, rung=4)
        vouch(link=link_of_karel(world, dana), now=world.now)
    record_checkin(owner=dana, evidence=Evidence.BUTTON, now=world.now)
    world.until(dana, rung=4)
    vouch(link=link_of_karel(world, dana), now=world.now)
    assert isinstance(world.state(dana), Waiting)


def test_a_wait_holds_the_ladder_and_then_everybody_is_asked_anew(world: World, dana: User) -> None:
    world.until(dana, rung=4)
    ask_to_wait(link=link_of_karel(world, dana), days=10, now=world.now)
    world.deliver()
    world.forget()
    world.wait(days=9)
    assert isinstance(world.state(dana), Held)
    assert world.sent() == []
    world.wait(days=1, hours=1)
    assert isinstance(world.state(dana), Climbing)
    assert len(world.sent("karel@example.org")) == 1


def test_waiting_is_bounded_for_a_cycle(world: World, dana: User) -> None:
    """Invariant 9."""
    world.until(dana, rung=4)
    for _ in range(2):
        ask_to_wait(link=link_of_karel(world, dana), days=30, now=world.now)
        world.wait(days=30, hours=1)
    with pytest.raises(HoldExhausted):
        ask_to_wait(link=link_of_karel(world, dana), days=1, now=world.now)


def test_go_ahead_is_refused_where_dana_did_not_allow_it(world: World, dana: User) -> None:
    world.until(dana, rung=4)
    with pytest.raises(NotAsked):
        give_go_ahead(link=link_of_karel(world, dana), now=world.now)


def test_go_ahead_gives_dana_a_last_call_on_every_channel_and_then_releases(world: World, dana: User) -> None:
    choices = replace(world.switch(dana).owner_choices, may_go_ahead=True)
    change_choices(owner=dana, choices=choices, now=world.now)
    world.until(dana, rung=4)
    world.forget()
    give_go_ahead(link=link_of_karel(world, dana), now=world.now)
    world.deliver()
    assert {"dana@example.org", "+420601000001"} <= {message.to for message in world.sent()}
    world.wait(hours=23)
    assert not isinstance(world.state(dana), Released)
    world.wait(hours=2)
    assert isinstance(world.state(dana), Released)


def test_a_link_of_a_finished_cycle_says_nothing(world: World, dana: User) -> None:
    """Invariant 13."""
    world.until(dana, rung=4)
    old = link_of_karel(world, dana)
    record_checkin(owner=dana, evidence=Evidence.BUTTON, now=world.now)
    with pytest.raises(WrongCycle):
        vouch(link=old, now=world.now)


def test_a_contact_cannot_speak_before_they_are_asked(world: World, dana: User) -> None:
    world.until(dana, rung=3)
    with pytest.raises(NotAsked):
        vouch(link=link_of_karel(world, dana), now=world.now)


def test_a_contact_who_declined_has_no_say(world: World, dana: User) -> None:
    world.until(dana, rung=4)
    link = link_of_karel(world, dana)
    TrustedContact.objects.update(consent=ConsentState.DECLINED)
    with pytest.raises(NotAsked):
        vouch(link=link, now=world.now)


def test_a_contact_of_somebody_else_has_no_say(world: World, dana: User) -> None:
    world.until(dana, rung=4)
    link = link_of_karel(world, dana)
    with pytest.raises(BadLink):
        vouch(link=Link(link.purpose, link.person + 100, link.switch, link.cycle), now=world.now)

"""Whoever changes what a cycle obeys was here; the next cycle knows the people and the times as they are now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from stafeta.accounts.models import User
from stafeta.core.states import Climbing, Paused, Waiting
from stafeta.switches.models import TrustedContact
from stafeta.switches.services.arm import arm
from stafeta.switches.services.change_choices import change_choices
from stafeta.switches.services.contacts import add_contact, erase_contact, remove_contact
from stafeta.switches.services.pause import pause
from tests.make import handover, owner, recipient
from tests.world import World, replay


@pytest.fixture
def dana(world: World) -> User:
    """Dana armed her switch before she thought of anybody close to her."""
    dana = owner()
    handover(dana, recipient(dana))
    arm(owner=dana, now=world.now)
    return dana


def add_karel(world: World, dana: User) -> TrustedContact:
    return add_contact(
        switch=world.switch(dana),
        name="Karel Novák",
        email="karel@example.org",
        phone="+420601000003",
        language="cs",
        now=world.now,
    )


def test_a_contact_added_after_arming_is_asked_before_the_release(world: World, dana: User) -> None:
    """Otherwise a release could come without the one person who knew better."""
    world.wait(days=5)
    add_karel(world, dana)
    world.until_phase(dana, "Released")
    assert len(world.sent("karel@example.org")) >= 2


def test_a_contact_added_mid_ladder_ends_it_for_the_owner_is_here(world: World, dana: User) -> None:
    world.until(dana, rung=2)
    add_karel(world, dana)
    state = world.state(dana)
    assert isinstance(state, Waiting)
    assert replay(world.switch(dana))[0] == state


def test_a_contact_removed_is_not_waited_for(world: World, dana: User) -> None:
    karel = add_karel(world, dana)
    remove_contact(contact=karel, now=world.now)
    assert world.switch(dana).ladder_policy.contacts == 0


def test_a_contact_who_erases_themselves_confirms_nothing(world: World, dana: User) -> None:
    """Only the owner's own hand counts (invariant 6)."""
    karel = add_karel(world, dana)
    world.until(dana, rung=3)
    before = world.state(dana)
    erase_contact(contact=karel, now=world.now)
    assert world.state(dana) == before
    world.until_phase(dana, "Released")


def test_changing_the_schedule_begins_a_cycle_under_it(world: World, dana: User) -> None:
    """Invariant 15: no running cycle is shortened; a new one begins."""
    world.until(dana, rung=1)
    change_choices(owner=dana, choices=replace(world.switch(dana).owner_choices, interval_days=3), now=world.now)
    state = world.state(dana)
    assert isinstance(state, Waiting)
    assert timedelta(days=2) < state.due - world.now < timedelta(days=4)


def test_changing_the_schedule_in_a_pause_keeps_its_end(world: World, dana: User) -> None:
    until = world.now + timedelta(days=20)
    pause(owner=dana, until=until, now=world.now)
    change_choices(owner=dana, choices=replace(world.switch(dana).owner_choices, email_attempts=1), now=world.now)
    state = world.state(dana)
    assert isinstance(state, Paused)
    assert state.until == until
    world.until(dana, rung=1)
    climbing = world.state(dana)
    assert isinstance(climbing, Climbing)
    assert world.switch(dana).ladder_policy.rungs[0].attempts == 1

"""Holds: the operator stops everything; bounded, told, and harmless to whoever waits (invariant 9)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stafeta.accounts.models import User
from stafeta.core.errors import PolicyError
from stafeta.core.states import Climbing, Evidence, Released, Waiting
from stafeta.outbox.models import Message
from stafeta.switches.models import Hold, Outage, ServiceClock
from stafeta.switches.services.checkin import record_checkin
from stafeta.switches.services.hold import end_run_out_holds, hold_everything, lift_holds
from stafeta.switches.services.tick import tick
from tests.make import armed_owner
from tests.switches.watched import WatchedWorld, operator


@pytest.fixture
def world(db: None, keys_file: object) -> WatchedWorld:
    return WatchedWorld()


@pytest.fixture
def dana(world: WatchedWorld) -> User:
    return armed_owner()


@pytest.mark.parametrize("rung", [0, 5])
def test_while_a_hold_stands_no_time_passes_and_nobody_climbs(world: WatchedWorld, dana: User, rung: int) -> None:
    world.until(dana, rung=rung)
    stood, second = world.state(dana), world.service_s()
    hold_everything(hours=168, reason="a new disk", now=world.now)
    world.wait(hours=167)
    assert world.state(dana) == stood
    assert world.service_s() == second


def test_the_first_prompt_waits_too(world: WatchedWorld, dana: User) -> None:
    world.wait(days=13)
    hold_everything(hours=72, reason="a new disk", now=world.now)
    world.wait(days=2)
    assert isinstance(world.state(dana), Waiting)
    world.wait(days=2)
    assert isinstance(world.state(dana), Climbing)


def test_after_a_hold_the_window_goes_on_where_it_stood(world: WatchedWorld, dana: User) -> None:
    world.until(dana, rung=5)
    world.wait(hours=30)
    hold_everything(hours=100, reason="a new disk", now=world.now)
    world.wait(hours=100)
    world.wait(hours=17)
    assert isinstance(world.state(dana), Climbing)
    world.wait(hours=2)
    assert isinstance(world.state(dana), Released)


def test_what_is_queued_leaves_during_a_hold(world: WatchedWorld, dana: User) -> None:
    world.until(dana, rung=1)
    Message.objects.filter(kind="switches.ask_owner").update(
        state=Message.State.QUEUED, next_attempt_at=world.now, settled_at=None
    )
    world.forget()
    hold_everything(hours=5, reason="a new disk", now=world.now)
    world.tick()
    assert world.sent("dana@example.org")


def test_a_checkin_counts_during_a_hold(world: WatchedWorld, dana: User) -> None:
    world.until(dana, rung=3)
    cycle = world.state(dana).cycle
    hold_everything(hours=5, reason="a new disk", now=world.now)
    assert record_checkin(owner=dana, evidence=Evidence.LINK, cycle=cycle, now=world.now).counted
    assert isinstance(world.state(dana), Waiting)


def test_a_worker_that_read_the_clock_before_the_hold_began_climbs_no_more(world: WatchedWorld, dana: User) -> None:
    """Paused between its reading and its tick."""
    world.until(dana, rung=5)
    due_s = world.switch(dana).due_s
    assert due_s is not None
    hold_everything(hours=5, reason="a new disk", now=world.now)
    assert tick(now=world.now, service_s=due_s).claimed == 0
    assert isinstance(world.state(dana), Climbing)


def test_a_hold_ends_by_itself_and_the_operator_hears_of_both(world: WatchedWorld) -> None:
    """Invariant 9: bounded, and somebody is told."""
    olga = operator()
    hold = hold_everything(hours=3, reason="a new disk", now=world.now)
    world.tick()
    [began] = world.sent(olga.email)
    assert "a new disk" in began.text
    world.wait(hours=4)
    hold.refresh_from_db()
    assert hold.ended_at is not None
    assert len(world.sent(olga.email)) == 2
    assert "Maintenance has ended" in world.sent(olga.email)[-1].text


def test_a_hold_can_be_lifted_and_lifting_it_twice_tells_once(world: WatchedWorld, dana: User) -> None:
    olga = operator()
    hold_everything(hours=100, reason="a new disk", now=world.now)
    world.tick()
    assert lift_holds(now=world.now) == 1
    assert lift_holds(now=world.now) == 0
    assert end_run_out_holds(now=world.now) == 0
    world.wait(hours=1)
    assert len(world.sent(olga.email)) == 2
    world.until(dana, rung=0)


@pytest.mark.parametrize("hours", [0, -1, 169, float("nan"), float("inf")])
def test_no_hold_is_without_bounds(world: WatchedWorld, hours: float) -> None:
    with pytest.raises(PolicyError):
        hold_everything(hours=hours, reason="for ever", now=world.now)
    assert not Hold.objects.exists()


def test_a_hold_prolonged_again_and_again_ends_a_week_after_it_began(world: WatchedWorld) -> None:
    """Invariant 9."""
    began = world.now
    hold_everything(hours=100, reason="a new disk", now=world.now)
    for _ in range(3):
        world.wait(hours=50)
        hold_everything(hours=168, reason="it takes longer", now=world.now)
    [hold] = Hold.objects.all()
    assert hold.until == began + timedelta(days=7)
    assert hold.reason == "it takes longer"


def test_a_hold_is_no_outage(world: WatchedWorld) -> None:
    hold_everything(hours=3, reason="a new disk", now=world.now)
    world.wait(hours=2)
    assert not Outage.objects.exists()
    assert "held until" in ServiceClock.objects.get().deaf_reason
    world.wait(hours=2)
    assert ServiceClock.objects.get().deaf_since is None


def test_an_outage_during_a_hold_is_recorded_all_the_same(world: WatchedWorld) -> None:
    hold_everything(hours=9, reason="a new disk", now=world.now)
    world.tick(hears=False)
    [outage] = Outage.objects.all()
    assert (outage.reason, outage.ended_at) == ("the test says so", None)

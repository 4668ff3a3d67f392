"""A clock that ran ahead was put right: nothing waits for a future that will not come, and no ladder restarts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stafeta.accounts.models import CodeChallenge, User
from stafeta.accounts.services.codes import issue_code
from stafeta.core.states import Climbing, Evidence, Waiting
from stafeta.outbox.models import Message
from stafeta.switches.models import Event, Hold, Outage, ServiceClock, Switch
from stafeta.switches.services.checkin import record_checkin
from stafeta.switches.services.confirm_clock import confirm_clock
from stafeta.switches.services.hold import hold_everything
from tests.make import armed_owner
from tests.switches.watched import WatchedWorld, crowd, operator
from tests.world import replay

YEAR = timedelta(days=365)


@pytest.fixture
def world(db: None, keys_file: object) -> WatchedWorld:
    return WatchedWorld()


@pytest.fixture
def dana(world: WatchedWorld) -> User:
    return armed_owner()


def jump(world: WatchedWorld, by: timedelta) -> None:
    """Set the wall clock while the worker runs: its monotonic clock knows nothing of it."""
    world.now += by
    world._read_at = world.now
    world.tick()


def confirm(world: WatchedWorld) -> None:
    confirm_clock(now=world.now, pace=1.0)


def test_without_a_confirmation_everything_waits_and_the_operator_is_told(world: WatchedWorld, dana: User) -> None:
    """Invariant 9: and a year of silence is told at once."""
    olga = operator()
    world.until(dana, rung=1)
    jump(world, YEAR)
    jump(world, -YEAR)
    stood = world.state(dana)
    world.wait(days=20)
    assert world.state(dana) == stood
    [mail] = world.sent(olga.email)
    assert "stafeta clock confirm" in mail.text
    assert len(world.sent(olga.phone)) == 1


def test_a_clock_a_little_behind_is_nobodys_alarm(world: WatchedWorld) -> None:
    olga = operator()
    jump(world, timedelta(minutes=3))
    jump(world, -timedelta(minutes=3))
    world.tick()
    assert world.sent(olga.email) == []


def test_a_confirmed_clock_climbs_again_and_no_time_is_made_good(world: WatchedWorld, dana: User) -> None:
    world.until(dana, rung=1)
    world.wait(hours=6)
    second = world.service_s()
    jump(world, YEAR)
    jump(world, -YEAR)
    confirm(world)
    world.tick()
    assert world.service_s() == second
    world.wait(hours=17)
    assert isinstance(state := world.state(dana), Climbing)
    assert state.rung == 1
    world.wait(hours=4)
    assert isinstance(state := world.state(dana), Climbing)
    assert state.rung == 2


def test_a_climbing_ladder_is_not_restarted(world: WatchedWorld, dana: User) -> None:
    world.until(dana, rung=4)
    jump(world, YEAR)
    jump(world, -YEAR)
    before, sent = world.state(dana), len(world.sent("dana@example.org"))
    confirm(world)
    world.wait(hours=1)
    assert world.state(dana) == before
    assert len(world.sent("dana@example.org")) == sent


def test_a_date_set_under_the_wrong_clock_comes_back_within_one_interval(world: WatchedWorld, dana: User) -> None:
    """Invariant 19: a check-in made while the clock ran a year ahead must not silence the switch for a year."""
    jump(world, YEAR)
    record_checkin(owner=dana, evidence=Evidence.BUTTON, now=world.now)
    jump(world, -YEAR)
    done = confirm_clock(now=world.now, pace=1.0)
    assert done.switches == 1
    assert isinstance(state := world.state(dana), Waiting)
    assert world.now < state.due <= world.now + timedelta(days=14)
    assert replay(world.switch(dana))[0] == state
    assert world.switch(dana).last_checkin_at == world.now


def test_dates_within_one_interval_stay_and_leave_no_trace(world: WatchedWorld, dana: User) -> None:
    """Nobody's ladder is touched without need."""
    before = Switch.objects.values().get()
    done = confirm_clock(now=world.now, pace=1.0)
    assert (done.switches, done.messages, done.ahead) == (0, 0, timedelta())
    assert Switch.objects.values().get() == before
    assert not Event.objects.filter(kind="Restored").exists()


def test_a_second_confirmation_changes_nothing_more(world: WatchedWorld, dana: User) -> None:
    """Invariant 14."""
    jump(world, YEAR)
    record_checkin(owner=dana, evidence=Evidence.BUTTON, now=world.now)
    jump(world, -YEAR)
    confirm(world)
    before = Switch.objects.values().get()
    done = confirm_clock(now=world.now, pace=1.0)
    assert (done.switches, done.messages, done.ahead) == (0, 0, timedelta())
    assert Switch.objects.values().get() == before


def test_messages_that_wait_for_that_future_leave_now(world: WatchedWorld, dana: User) -> None:
    """Invariant 11: one leased and one put off under the wrong clock; a lease of the present is left alone."""
    world.until(dana, rung=3)
    email, sms = Message.objects.filter(kind="switches.ask_owner", params__rung=3).order_by("channel")
    far = world.now + YEAR
    facts = {"state": Message.State.QUEUED, "settled_at": None, "queued_at": far}
    Message.objects.filter(pk=email.pk).update(next_attempt_at=world.now, lease_until=far, **facts)
    Message.objects.filter(pk=sms.pk).update(next_attempt_at=far, **facts)
    other = Message.objects.exclude(pk__in=[email.pk, sms.pk]).earliest("pk")
    lease = world.now + timedelta(minutes=4)
    Message.objects.filter(pk=other.pk).update(state=Message.State.QUEUED, next_attempt_at=lease, lease_until=lease)
    world.forget()
    assert confirm_clock(now=world.now, pace=1.0).messages == 2
    world.tick()
    assert len(world.sent("dana@example.org")) == 1
    assert len(world.sent("+420601000001")) == 1
    other.refresh_from_db()
    assert other.lease_until == lease


def test_a_switch_set_aside_until_that_future_is_taken_up_now(world: WatchedWorld, dana: User) -> None:
    Switch.objects.update(faults=3, retry_at=world.now + YEAR)
    confirm(world)
    world.until(dana, rung=0)


def test_holds_and_outages_do_not_reach_into_that_future(world: WatchedWorld) -> None:
    """Invariant 9: a hold begun under the wrong clock is bounded by the right one."""
    jump(world, YEAR)
    hold_everything(hours=100, reason="a new disk", now=world.now)
    jump(world, -YEAR)
    confirm(world)
    [hold] = Hold.objects.all()
    assert hold.began_at <= world.now
    assert hold.until <= world.now + timedelta(days=7)
    assert not Outage.objects.filter(ended_at__gt=world.now).exists()
    assert not Outage.objects.filter(ended_at=None).exists()


def test_a_code_issued_under_the_wrong_clock_is_void_and_the_next_one_is_not_kept_waiting(world: WatchedWorld) -> None:
    """A code must not stay good for a year."""
    issue_code(subject="phone:1", phone="+420601000001", now=world.now + YEAR)
    CodeChallenge.objects.update(blocked_until=world.now + YEAR)
    confirm(world)
    assert CodeChallenge.objects.get().used_at is not None
    issue_code(subject="phone:1", phone="+420601000001", now=world.now)


def test_a_switch_that_cannot_be_read_keeps_no_other_in_the_future(world: WatchedWorld) -> None:
    """Invariant 12."""
    poison, dana = crowd(2, world)
    jump(world, YEAR)
    record_checkin(owner=dana, evidence=Evidence.BUTTON, now=world.now)
    Switch.objects.filter(owner=poison).update(state={"is": "Nonsense"}, phase="Waiting", due_at=world.now)
    jump(world, -YEAR)
    assert confirm_clock(now=world.now, pace=1.0).switches == 1


def test_no_release_is_kept_from_the_breakers_count_by_a_date_in_the_future(world: WatchedWorld, dana: User) -> None:
    Switch.objects.update(released_at=world.now + YEAR)
    confirm(world)
    assert Switch.objects.get().released_at == world.now
    assert ServiceClock.objects.get().wall == world.now

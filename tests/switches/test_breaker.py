"""Invariant 20: too many releases at once trip a breaker, and none of them is lost."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from pytest_django.fixtures import Settings

from stafeta.core.states import Evidence, Released, Resting
from stafeta.outbox.models import Message
from stafeta.switches.models import Event, Hold, Switch
from stafeta.switches.services import tick as ticks
from stafeta.switches.services.breaker import Room, room_for_releases
from stafeta.switches.services.checkin import record_checkin
from stafeta.switches.services.hold import lift_holds
from stafeta.vault.models import Grant
from tests.switches.watched import WatchedWorld, crowd, operator, phases
from tests.world import replay


@pytest.fixture
def world(db: None, keys_file: object) -> WatchedWorld:
    return WatchedWorld()


def tripped(world: WatchedWorld, count: int = 8) -> list[str]:
    """Let a crowd fall silent until the breaker trips; return the addresses of those whose release it stopped."""
    crowd(count, world)
    for _ in range(2000):
        if Hold.objects.exists():
            break
        world._pass_to_next_moment()
    stopped = Switch.objects.filter(phase="Climbing").select_related("owner").order_by("pk")
    return [switch.owner.email for switch in stopped]


def test_more_releases_than_five_and_one_percent_trip_it(world: WatchedWorld) -> None:
    """Invariant 20: five are carried out, the others are not, and everything is held for 72 hours at most."""
    stopped = tripped(world)
    assert len(stopped) == 3
    assert phases() == {"Released": 5, "Climbing": 3}
    [hold] = Hold.objects.all()
    assert hold.kind == Hold.Kind.BREAKER
    assert hold.until - hold.began_at == timedelta(hours=72)
    assert hold.reason == "8/8"
    assert Grant.objects.count() == 5
    world.wait(hours=70)
    assert phases() == {"Released": 5, "Climbing": 3}


def test_five_releases_at_once_trip_nothing(world: WatchedWorld) -> None:
    crowd(5, world)
    world.wait(days=25)
    assert phases() == {"Released": 5}
    assert not Hold.objects.exists()


def test_a_large_installation_may_release_its_share(world: WatchedWorld, settings: Settings) -> None:
    """More than five, but not more than the share: nothing trips."""
    settings.BREAKER_PERCENT = 100.0
    crowd(7, world)
    world.wait(days=25)
    assert phases() == {"Released": 7}
    assert not Hold.objects.exists()


def test_releases_one_by_one_within_a_day_are_counted_together(world: WatchedWorld, settings: Settings) -> None:
    settings.BREAKER_RELEASES = 2
    for number, hour in enumerate((9, 13, 17)):
        crowd(1, world, first=number, at=time(hour))
    world.wait(days=25)
    assert [hold.reason for hold in Hold.objects.all()] == ["3/3"]
    assert Event.objects.filter(kind="ReleaseStopped").count() == 1


def test_releases_of_another_day_are_not_counted(world: WatchedWorld, settings: Settings) -> None:
    settings.BREAKER_RELEASES = 2
    crowd(2, world)
    world.wait(days=2)
    crowd(2, world, first=2)
    world.wait(days=26)
    assert phases() == {"Released": 4}
    assert not Hold.objects.exists()


def test_the_operator_is_paged_by_mail_and_sms(world: WatchedWorld) -> None:
    olga = operator()
    tripped(world)
    world.tick()
    [mail] = world.sent(olga.email)
    assert "8" in mail.text
    assert "/operator/" in mail.text
    [sms] = world.sent(olga.phone)
    assert "too many handovers" in sms.text


def test_each_owner_whose_release_was_stopped_is_called_once_on_every_channel(world: WatchedWorld) -> None:
    stopped = tripped(world)
    world.tick()
    for _ in range(3):
        world.wait(hours=5)
    calls = Message.objects.filter(kind="switches.call_owner")
    assert sorted(calls.values_list("to", "channel")) == sorted(
        [*((email, "email") for email in stopped), *[("+420601000001", "sms")] * len(stopped)]
    )
    assert set(calls.values_list("state", flat=True)) == {Message.State.ACCEPTED}
    assert Event.objects.filter(kind="ReleaseStopped").count() == 3


def test_the_call_starts_no_window_and_is_no_prompt(world: WatchedWorld) -> None:
    """A release stays exactly as due as it was; the core alone decides."""
    tripped(world)
    before = list(Switch.objects.filter(phase="Climbing").values("state", "due_s", "cycle"))
    world.wait(hours=10)
    assert list(Switch.objects.filter(phase="Climbing").values("state", "due_s", "cycle")) == before


def test_an_owner_who_answers_the_call_is_not_released(world: WatchedWorld) -> None:
    """Invariant 3."""
    stopped = tripped(world)
    switch = Switch.objects.get(owner__email=stopped[0])
    world.wait(hours=1)
    record_checkin(owner=switch.owner, evidence=Evidence.LINK, cycle=switch.cycle, now=world.now)
    world.wait(days=5)
    switch.refresh_from_db()
    assert switch.phase == "Waiting"
    assert phases() == {"Released": 7, "Waiting": 1}


def test_nobody_who_was_called_is_told_after_they_answered(world: WatchedWorld) -> None:
    """Invariant 13: a call of a finished cycle is not sent."""
    stopped = tripped(world)
    world.email.fail = world.sms.fail = lambda _to: None
    switch = Switch.objects.get(owner__email=stopped[0])
    calls = Message.objects.filter(kind="switches.call_owner", owner=switch.owner)
    calls.update(state=Message.State.QUEUED, next_attempt_at=world.now, lease_until=None)
    record_checkin(owner=switch.owner, evidence=Evidence.BUTTON, now=world.now)
    world.tick()
    assert set(calls.values_list("state", flat=True)) == {Message.State.CANCELLED}


def test_after_72_hours_every_stopped_release_goes_on(world: WatchedWorld) -> None:
    """Invariant 19: the breaker delays and never loses one; and it does not trip for the same ones again."""
    tripped(world, 14)
    world.wait(hours=74)
    assert phases() == {"Released": 14}
    assert Hold.objects.count() == 1
    assert Grant.objects.count() == 14
    assert all(isinstance(replay(switch)[0], Released) for switch in Switch.objects.all())


def test_an_operator_who_has_looked_lets_them_go_on_earlier(world: WatchedWorld) -> None:
    tripped(world)
    world.wait(hours=2)
    assert lift_holds(now=world.now) == 1
    world.wait(hours=1)
    assert phases() == {"Released": 8}
    world.wait(days=3)
    assert Hold.objects.count() == 1


def test_an_outage_after_the_hold_does_not_use_its_grace_up(world: WatchedWorld) -> None:
    """Invariant 19: the service was away for a week just when the releases were to go on."""
    tripped(world, 14)
    lift_holds(now=world.now)
    world.outage(days=7)
    world.tick()
    world.wait(hours=2)
    assert phases() == {"Released": 14}
    assert Hold.objects.count() == 1


def test_after_the_grace_it_trips_again_for_others(world: WatchedWorld) -> None:
    tripped(world)
    lift_holds(now=world.now)
    world.wait(days=3)
    crowd(7, world, first=20)
    world.wait(days=25)
    assert Hold.objects.count() == 2


def test_an_owner_who_returned_since_still_counts_as_a_release(world: WatchedWorld) -> None:
    """A false alarm is the best reason to stop the next one."""
    [dana] = crowd(1, world)
    world.until_phase(dana, "Released")
    record_checkin(owner=dana, evidence=Evidence.SIGN_IN, now=world.now)
    assert isinstance(world.state(dana), Resting)
    assert room_for_releases(now=world.now) == Room(recent=1, most=5, armed=1)
    assert room_for_releases(now=world.now + timedelta(days=2)) == Room(recent=0, most=5, armed=0)


def test_a_poison_row_in_the_batch_opens_no_way_around_it(world: WatchedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariants 12 and 20: decided one by one, the releases are counted all the same."""
    people = crowd(9, world)
    world.until(people[0], rung=5)
    Switch.objects.filter(owner=people[0]).update(state={"is": "Nonsense"})
    due_s = max(Switch.objects.values_list("due_s", flat=True))
    world.now += timedelta(days=2)
    result = ticks.tick(now=world.now, service_s=due_s)
    assert result.set_aside == 1
    assert phases() == {"Released": 5, "Climbing": 4}
    assert Hold.objects.count() == 1


def test_the_counts_say_when_the_release_was(world: WatchedWorld) -> None:
    [dana] = crowd(1, world)
    world.until_phase(dana, "Released")
    assert world.switch(dana).released_at == world.now

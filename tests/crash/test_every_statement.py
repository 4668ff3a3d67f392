"""A crash at every statement loses nothing: each piece of work dies before each of its deeds, and a new worker goes on.

What comes out must be what comes out when nobody dies. On SQLite, in a real file, and on PostgreSQL.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection

from stafeta.accounts.models import User
from stafeta.core.codec import encode
from stafeta.core.service_time import Reading
from stafeta.switches.models import ServiceClock, Switch
from stafeta.switches.services.service_clock import read_service_clock
from tests import make
from tests.crash.points import Points, Snapshot, run_until
from tests.crash.works import WORKS, Desk, Work, picture, press_again, sent
from tests.on_both import on_postgresql_too
from tests.world import World, replay

POINTS_MAX = 200

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_power_cut() -> None:
    """What dies here are processes of ours, never the machine: PostgreSQL need not wait for its disk."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{connection.settings_dict["NAME"]}" SET synchronous_commit TO off')
            cursor.execute("SET synchronous_commit TO off")


@pytest.fixture
def world(keys_file: object) -> World:
    return World()


@pytest.fixture
def dana(world: World) -> User:
    """Dana allows her contact to say that something happened; she is armed anew with that choice."""
    dana = make.owner(now=world.now)
    make.handover(dana, make.recipient(dana, now=world.now), now=world.now)
    make.contact(dana, now=world.now)
    switch = Switch.objects.get(owner=dana)
    Switch.objects.update(choices=encode(replace(switch.owner_choices, may_go_ahead=True)))
    make.arm(owner=dana, now=world.now)
    return dana


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name.replace(" ", "_"))
def test_a_crash_at_any_point_ends_as_no_crash(work: Work, world: World, dana: User) -> None:
    """Invariants 3, 11 and 14: the same states, the same log, no message missing, and twice only under one id."""
    desk = Desk(world, dana)
    work.ready(desk)
    desk.take_link()
    moment = Snapshot()
    whole = run_until(None, lambda points: work.do(desk, points))
    desk.go_on()
    expected, everything = picture(), sent(desk.took)
    assert whole.deeds, "nothing was done"
    assert everything or not work.sends
    twice = 0
    for at in range(POINTS_MAX):
        moment.restore()
        desk.took.clear()
        points = run_until(at, lambda points: work.do(desk, points))
        if not points.died_before:
            break
        for switch in Switch.objects.all():
            assert replay(switch)[0] == switch.ladder_state, points.died_before
        press_again(work, desk)
        desk.go_on()
        assert picture() == expected, points.died_before
        assert sent(desk.took) == everything, points.died_before
        assert all(len(to) == 1 for to in everything.values())
        twice += len(desk.took) > len(set(desk.took))
    assert at == len(whole.deeds), "a point was left out"
    assert "COMMIT" in whole.deeds
    assert bool(twice) == work.sends, "a crash between the provider's yes and our note of it sends twice, and no other"


def test_a_reading_of_the_service_clock_that_crashes_counts_no_second_twice(world: World, dana: User) -> None:
    """Invariant 9: whoever reads next counts no more than has passed, and at most loses what was being counted."""
    moment = Snapshot()
    before_ms = ServiceClock.objects.get().counted_ms
    reading = Reading(world.now + timedelta(minutes=1), 60_000, True, 60_000, before_ms)
    whole = run_until(None, lambda _points: read_service_clock(reading=reading, deaf_reason=""))
    assert ServiceClock.objects.get().counted_ms == before_ms + 60_000
    counted = set()
    for at in range(len(whole.deeds) + 1):
        moment.restore()
        points = run_until(at, lambda _points: read_service_clock(reading=reading, deaf_reason=""))
        assert bool(points.died_before) == (at < len(whole.deeds))
        after = replace(reading, wall=world.now + timedelta(minutes=2), counted_before_ms=None)
        read_service_clock(reading=after, deaf_reason="")
        counted.add(ServiceClock.objects.get().counted_ms - before_ms)
    assert counted <= {60_000, 120_000}


def test_a_point_is_every_statement_every_commit_and_every_call() -> None:
    """The test of the test: who dies before a deed has not done it, and has done all before it."""

    def work(points: Points) -> None:
        Switch.objects.filter(pk=0).exists()
        points.reach("call")
        ServiceClock.objects.create(pk=7, wall=make.NOON)

    whole = run_until(None, work)
    assert whole.deeds[1] == "call"
    assert whole.deeds[-1].startswith("INSERT") or whole.deeds[-1] == "COMMIT"
    for at in range(len(whole.deeds)):
        ServiceClock.objects.filter(pk=7).delete()
        points = run_until(at, work)
        assert points.deeds == whole.deeds[:at]
        assert points.died_before == whole.deeds[at]
        assert not ServiceClock.objects.filter(pk=7).exists()


test_all_this_holds_on_postgresql_too = on_postgresql_too(__file__)

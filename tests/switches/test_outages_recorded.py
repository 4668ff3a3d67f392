"""Every span in which the service could not hear is recorded, once, with its reason."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stafeta.core.service_time import Reading
from stafeta.switches.models import Outage, ServiceClock
from stafeta.switches.services.outages import KEPT_FOR, purge_outages
from stafeta.switches.services.service_clock import read_service_clock
from tests.make import NOON
from tests.switches.watched import WatchedWorld, operator
from tests.world import World

TICK_S, TOLERANCE_MS = 10, 60_000


@pytest.fixture
def world(db: None, keys_file: object) -> WatchedWorld:
    return WatchedWorld()


class Round:
    """One worker's readings, ten seconds apart unless told otherwise."""

    def __init__(self) -> None:
        self.now = NOON
        self._counted_ms: int | None = None

    def read(self, reason: str = "", *, after_s: float = TICK_S, measured_s: float | None = None) -> None:
        self.now += timedelta(seconds=after_s)
        measured_ms = int(1000 * (after_s if measured_s is None else measured_s))
        reading = Reading(self.now, measured_ms, not reason, TOLERANCE_MS, self._counted_ms)
        self._counted_ms = read_service_clock(reading=reading, deaf_reason=reason).counted_ms

    def restart(self) -> None:
        self._counted_ms = None


@pytest.fixture
def worker(db: None) -> Round:
    found = Round()
    found.read()
    found.read()
    return found


def test_an_outage_begins_when_the_service_goes_deaf_and_ends_when_it_hears(worker: Round) -> None:
    worker.read("status 502")
    began = worker.now
    for _ in range(5):
        worker.read("status 502")
    assert Outage.objects.get().ended_at is None
    worker.read()
    [outage] = Outage.objects.all()
    assert (outage.began_at, outage.ended_at, outage.reason) == (began, worker.now, "status 502")


def test_a_second_reason_joins_the_first(worker: Round) -> None:
    for reason in ("status 502", "email: refused", "status 502", "x" * 400):
        worker.read(reason)
    [outage] = Outage.objects.all()
    assert outage.reason.startswith("status 502; email: refused; xxx")
    assert len(outage.reason) == 300


def test_a_page_that_answers_every_second_time_makes_one_outage_not_thousands(worker: Round) -> None:
    for _ in range(50):
        worker.read("status 502")
        worker.read()
    assert Outage.objects.count() == 1


def test_an_outage_much_later_is_another_one(worker: Round) -> None:
    worker.read("status 502")
    for _ in range(60):
        worker.read()
    worker.read("status 502")
    assert Outage.objects.count() == 2


def test_a_span_in_which_no_worker_ran_is_an_outage(worker: Round) -> None:
    last = worker.now
    worker.restart()
    worker.read(after_s=3600, measured_s=0)
    [outage] = Outage.objects.all()
    assert (outage.began_at, outage.ended_at, outage.reason) == (last, worker.now, "no worker ran")


def test_a_restart_within_the_tolerance_is_none(worker: Round) -> None:
    worker.restart()
    worker.read(after_s=50, measured_s=0)
    assert not Outage.objects.exists()


@pytest.mark.parametrize(
    ("measured_s", "reason"),
    [(3600, "the worker stood still"), (0, "the machine slept, or its clock jumped ahead")],
)
def test_a_worker_says_what_it_knows_of_a_span_it_slept_through(worker: Round, measured_s: int, reason: str) -> None:
    worker.read(after_s=3600, measured_s=measured_s)
    assert Outage.objects.get().reason == reason


def test_an_outage_that_goes_on_while_no_worker_runs_stays_one(worker: Round) -> None:
    worker.read("status 502")
    began = worker.now
    worker.restart()
    worker.read("status 502", after_s=3600, measured_s=0)
    [outage] = Outage.objects.all()
    assert (outage.began_at, outage.ended_at) == (began, None)
    assert outage.reason == "status 502; no worker ran"


def test_a_worker_back_to_a_deaf_service_begins_the_outage_where_nobody_read(worker: Round) -> None:
    last = worker.now
    worker.restart()
    worker.read("status 502", after_s=3600, measured_s=0)
    [outage] = Outage.objects.all()
    assert (outage.began_at, outage.ended_at, outage.reason) == (last, None, "no worker ran; status 502")


def test_the_first_reading_of_all_is_no_outage(db: None) -> None:
    Round().read()
    assert not Outage.objects.exists()


def test_one_worker_whose_clock_is_behind_disturbs_nobody(worker: Round) -> None:
    """Two machines, one of them five minutes slow: the other counts, and nothing is called deaf."""
    slow = Round()
    slow.now -= timedelta(minutes=5)
    for _ in range(5):
        worker.read()
        slow.read()
    assert not Outage.objects.exists()
    assert ServiceClock.objects.get().deaf_since is None
    assert ServiceClock.objects.get().counted_ms == 60_000


def test_old_outages_are_forgotten(worker: Round) -> None:
    for age in (KEPT_FOR + timedelta(days=1), KEPT_FOR - timedelta(days=1)):
        Outage.objects.create(began_at=NOON - age, ended_at=NOON - age, reason="x")
    Outage.objects.create(began_at=NOON - 2 * KEPT_FOR, ended_at=None, reason="still on")
    purge_outages(now=NOON)
    assert Outage.objects.count() == 2


def test_the_operator_hears_of_an_outage_that_lasts(world: WatchedWorld) -> None:
    """Not of one that is over within the hour, and once of one that is not."""
    olga = operator()
    for hour in range(6):
        world.now += timedelta(hours=1)
        world.tick(hears=False)
        assert len(world.sent(olga.email)) == min(hour, 1)
    assert "the test says so" in world.sent(olga.email)[0].text  # type: ignore[union-attr]
    assert len(world.sent(olga.phone)) == 1


def test_nobody_is_told_of_an_outage_that_was_over_before_the_message_left(world: World) -> None:
    """Invariant 13, for operators: what has been overtaken is not sent."""
    olga = operator()
    world.email.fail = world.sms.fail = lambda _to: None
    Outage.objects.create(began_at=world.now - timedelta(hours=2), ended_at=None, reason="status 502")
    assert isinstance(world, WatchedWorld)
    world.tick()  # hears: the outage ends in the same round
    assert world.sent(olga.email) == []

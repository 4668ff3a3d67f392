"""Invariant 20 with several workers at once, on SQLite and on PostgreSQL: together they release no more than one may.

Each round starts from the same rows: a crowd whose last window has passed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, Final

import pytest
from django.db import DatabaseError, connection, transaction

from stafeta.outbox.models import Message
from stafeta.switches.models import Event, Hold, Switch
from stafeta.switches.services.breaker import call_stopped
from stafeta.switches.services.hold import hold_everything, lift_holds
from stafeta.switches.services.tick import tick
from stafeta.vault.models import Grant
from stafeta.worker.loop import bound_transactions
from tests.on_both import on_postgresql_too
from tests.switches.watched import WatchedWorld, crowd, operator, phases

PEOPLE: Final = 12
WORKERS: Final = 4
ROUNDS: Final = 6
TICKS_MAX: Final = 30
WAIT_S_MAX: Final = 60
RUN_S_MAX: Final = 240

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(keys_file: object) -> WatchedWorld:
    return WatchedWorld()


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            barrier.wait(WAIT_S_MAX)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=len(acts)) as pool:
        return list(pool.map(run, acts, timeout=WAIT_S_MAX))


class Moment:
    """The moment before all would release, to be lived through again."""

    def __init__(self, world: WatchedWorld) -> None:
        people = crowd(PEOPLE, world)
        world.until(people[0], rung=5)
        self.now = world.now
        self.due_s = max(Switch.objects.values_list("due_s", flat=True))
        self._rows = list(Switch.objects.values())
        self._newest = Message.objects.latest("pk").pk

    def again(self) -> None:
        for model in (Grant, Hold):
            model.objects.all().delete()
        Message.objects.filter(pk__gt=self._newest).delete()
        for row in self._rows:
            Event.objects.filter(switch=row["id"], number__gt=row["events_count"]).delete()
            Switch.objects.filter(pk=row["id"]).update(**{name: row[name] for name in row if name != "id"})

    def tick(self, limit: int = 2) -> int:
        return tick(now=self.now, service_s=self.due_s, limit=limit).changed


def test_workers_that_release_at_once_trip_the_breaker_once_and_release_five(world: WatchedWorld) -> None:
    operator()
    moment = Moment(world)
    for _ in range(ROUNDS):
        moment.again()

        def work() -> int:
            changed = 0
            for _ in range(TICKS_MAX):
                changed += moment.tick()
                if Hold.objects.exists():
                    break
            return changed

        changed = at_once(*[work] * WORKERS)
        assert phases() == {"Released": 5, "Climbing": PEOPLE - 5}
        assert sum(changed) == 5
        assert Hold.objects.count() == 1
        assert Grant.objects.count() == 5
        assert Message.objects.filter(key__startswith="page:breaker:").count() == 2


def test_after_the_hold_workers_at_once_release_everybody_once(world: WatchedWorld) -> None:
    """Invariant 19: who had to leave a release to another worker comes back to it."""
    moment = Moment(world)
    for _ in range(ROUNDS // 2):
        moment.again()
        moment.tick(limit=PEOPLE)
        assert lift_holds(now=moment.now) == 1

        def work() -> int:
            return sum(moment.tick() for _ in range(TICKS_MAX))

        at_once(*[work] * WORKERS)
        assert phases() == {"Released": PEOPLE}
        assert Hold.objects.count() == 1
        assert Grant.objects.count() == PEOPLE


def test_each_stopped_owner_is_called_once_however_many_workers_call(world: WatchedWorld) -> None:
    moment = Moment(world)
    for _ in range(ROUNDS // 2):
        moment.again()
        moment.tick(limit=PEOPLE)
        at_once(*[lambda: call_stopped(now=moment.now, service_s=moment.due_s)] * WORKERS)
        assert Message.objects.filter(kind="switches.call_owner").count() == 2 * (PEOPLE - 5)
        assert Event.objects.filter(kind="ReleaseStopped").count() == PEOPLE - 5


def test_once_a_hold_was_answered_no_release_is_under_way(world: WatchedWorld) -> None:
    """Whoever reads "everything is held" may pull the plug."""
    moment = Moment(world)
    for round_number in range(ROUNDS):
        moment.again()
        released: list[int] = []

        def stop(wait_s: float = round_number * 0.004, released: list[int] = released) -> None:
            time.sleep(wait_s)
            hold_everything(hours=1, reason="now", now=moment.now)
            released.append(Switch.objects.filter(phase="Released").count())

        at_once(stop, *[lambda: [moment.tick(limit=1) for _ in range(6)]] * 2)
        assert released == [Switch.objects.filter(phase="Released").count()]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write after another")
def test_a_worker_stopped_in_the_middle_of_a_release_blocks_no_other(world: WatchedWorld) -> None:
    """Invariant 12, for workers: the others do their work, and leave the releases to a later round."""
    moment = Moment(world)
    stopped, go_on = Barrier(2), Barrier(2)

    def paused() -> None:
        with transaction.atomic():
            moment.tick(limit=2)
            stopped.wait(WAIT_S_MAX)
            go_on.wait(WAIT_S_MAX)

    def other() -> float:
        stopped.wait(WAIT_S_MAX)
        began_s = time.monotonic()
        changed = moment.tick(limit=PEOPLE)
        took_s = time.monotonic() - began_s
        go_on.wait(WAIT_S_MAX)
        assert changed == 0
        return took_s

    assert max(0, *filter(None, at_once(paused, other))) < 5
    moment.tick(limit=1)
    assert phases()["Released"] == 3


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write after another")
def test_what_a_worker_stopped_for_too_long_had_begun_is_undone_and_done_by_another(world: WatchedWorld) -> None:
    """Invariants 12 and 19: its releases and its switches do not wait for somebody to kill it."""
    moment = Moment(world)
    stopped = Barrier(2)

    def paused() -> bool:
        try:
            with transaction.atomic():
                bound_transactions(connection, idle_s_max=0.5)
                moment.tick(limit=2)
                stopped.wait(WAIT_S_MAX)
                time.sleep(2)
        except DatabaseError:
            return True
        return False

    def other() -> bool:
        stopped.wait(WAIT_S_MAX)
        assert moment.tick(limit=2) == 0
        time.sleep(1)
        return moment.tick(limit=2) == 2

    assert at_once(paused, other) == [True, True]
    assert phases() == {"Released": 2, "Climbing": PEOPLE - 2}


# There workers really do work at the same time: SQLite lets one write after another.
test_all_this_holds_on_postgresql_too = on_postgresql_too(__file__, run_s_max=RUN_S_MAX)

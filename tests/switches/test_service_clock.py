"""Several workers, one counter: on a real database, in threads of their own, with clocks that cannot be trusted.

Invariant 9: whatever the clocks do, the counter never runs ahead of real time. The last test runs it all on PostgreSQL.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from django.db import connection

from stafeta.switches.models import Outage, ServiceClock
from stafeta.switches.selectors import counted_ms
from stafeta.switches.services.service_clock import Span, Watch
from tests.on_both import on_postgresql_too

WORKERS: Final = 4
ROUNDS: Final = 50
TOLERANCE_MS: Final = 400
WAIT_S_MAX: Final = 60
RUN_S_MAX: Final = 120
# Real milliseconds are floored twice on their way into the counter.
ROUNDING_MS: Final = 2

pytestmark = pytest.mark.django_db(transaction=True)


class Machine:
    """A machine with clocks of its own: its monotonic clock began at boot, its wall clock is off, and jumps."""

    def __init__(
        self, number: int, *, jumps_s: tuple[float, ...] = (0.0,), pauses_s: tuple[float, ...] = (0.0,)
    ) -> None:
        self._random = random.Random(number)  # no secret
        self._booted_s = self._random.uniform(0, 1e6)
        self._jumps_s, self._pauses_s = jumps_s, pauses_s
        self.watch = Watch()

    def read(self, *, hears: bool = True) -> Span:
        with connection.execute_wrapper(self._stumble):
            return self.watch.read(
                clocks=self._clocks, hears=hears, tolerance_ms=TOLERANCE_MS, deaf_reason="" if hears else "deaf"
            )

    def _clocks(self) -> tuple[datetime, int]:
        wall = datetime.now(UTC) + timedelta(seconds=self._random.choice(self._jumps_s))
        return wall, int((time.monotonic() + self._booted_s) * 1000)

    def _stumble(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Stand still before a statement, as a machine does that swaps, or is moved to another host."""
        time.sleep(self._random.choice(self._pauses_s))
        return execute(sql, params, many, context)


def at_work(*machines: Machine, rounds: int = ROUNDS) -> list[tuple[int, float]]:
    """Let each machine read so often, all at once; return (counted ms, real ms since the beginning) of each reading."""
    began_s = time.monotonic()

    def work(machine: Machine) -> list[tuple[int, float]]:
        try:
            seen = []
            for _ in range(rounds):
                counted = machine.read().counted_ms
                seen.append((counted, (time.monotonic() - began_s) * 1000))
                time.sleep(0.01)
            return seen
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=len(machines)) as pool:
        readings = [reading for each in pool.map(work, machines, timeout=WAIT_S_MAX) for reading in each]
    return sorted(readings, key=lambda reading: reading[1])


def assert_never_faster(readings: list[tuple[int, float]]) -> None:
    for counted, real_ms in readings:
        assert counted <= real_ms + ROUNDING_MS


def test_workers_that_read_at_once_count_real_time_once() -> None:
    """Safety, and liveness: with clocks that agree little is lost (parts of a millisecond, each time)."""
    readings = at_work(*[Machine(number) for number in range(WORKERS)])
    assert_never_faster(readings)
    assert counted_ms() > 0.5 * (readings[-1][1] - readings[0][1])


def test_wall_clocks_that_jump_make_nobody_count_faster() -> None:
    jumps_s = (0.0, 0.0, 0.05, -0.05, 0.3, 5.0, -300.0, 86_400.0)
    readings = at_work(*[Machine(number, jumps_s=jumps_s) for number in range(WORKERS)])
    assert_never_faster(readings)


def test_slow_workers_with_jumping_clocks_count_no_span_twice() -> None:
    """Each stands still anywhere between its clock and the database, while the others count on."""
    pauses_s = (0.0, 0.0, 0.0, 0.03)
    jumps_s = (0.0, 0.0, 0.0, 0.02, 0.1)
    machines = [Machine(number, jumps_s=jumps_s, pauses_s=pauses_s) for number in range(WORKERS)]
    assert_never_faster(at_work(*machines, rounds=ROUNDS // 2))


def test_a_worker_that_restarts_again_and_again_adds_nothing_of_its_own() -> None:
    for number in range(5):
        Machine(number).read()
        time.sleep(0.01)
    assert counted_ms() == 0


def test_a_worker_paused_beyond_everything_and_resumed_makes_nothing_good() -> None:
    """It was away for longer than the tolerance while another counted; its own span holds nothing new."""
    paused, other = Machine(1), Machine(2)
    paused.read()
    began_s = time.monotonic()
    other.read()
    while time.monotonic() - began_s < 2 * TOLERANCE_MS / 1000:
        time.sleep(0.01)
        between_s = time.monotonic()
        other.read()
    before = counted_ms()
    paused.read()
    assert counted_ms() - before <= (time.monotonic() - between_s) * 1000 + ROUNDING_MS
    assert counted_ms() <= (time.monotonic() - began_s) * 1000 + ROUNDING_MS


def test_the_only_worker_paused_beyond_the_tolerance_adds_the_tolerance_at_most() -> None:
    machine = Machine(1)
    machine.read()
    machine.read()
    before = counted_ms()
    time.sleep(2 * TOLERANCE_MS / 1000)
    assert machine.read().counted_ms - before <= TOLERANCE_MS
    assert Outage.objects.get().reason == "the worker stood still"


def test_workers_that_find_the_service_deaf_at_once_make_one_outage() -> None:
    machines = [Machine(number) for number in range(WORKERS)]
    at_work(*machines, rounds=3)

    def listen(machine: Machine) -> None:
        try:
            for _ in range(5):
                machine.read(hears=False)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        list(pool.map(listen, machines, timeout=WAIT_S_MAX))
    assert Outage.objects.filter(ended_at=None).count() == 1
    at_work(*machines, rounds=2)
    assert Outage.objects.filter(reason__contains="deaf").count() == 1
    assert not Outage.objects.filter(ended_at=None).exists()
    assert ServiceClock.objects.get().deaf_since is None


# There workers really do work at the same time: SQLite lets one write after another.
test_all_this_holds_on_postgresql_too = on_postgresql_too(__file__, run_s_max=RUN_S_MAX)

"""Bugs of the time that counts, and of a time that comes back from a backup."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

from stafeta.core import ladder
from stafeta.core.service_time import Meter, Reading, advance_meter
from stafeta.simulation.script import Trouble
from stafeta.switches.services import service_clock
from tests.simulation.lives import GONE, episode, life, script
from tests.simulation.mutants.mutant import FALSE_RELEASE, FAST_CLOCK, MISSED_RELEASE, Mutant

FAST = frozenset({FAST_CLOCK, FALSE_RELEASE, MISSED_RELEASE})


def wall_clock_windows() -> AbstractContextManager[object]:
    """Windows run on the calendar: whatever has passed counts, heard or not."""

    def advance(meter: Meter, reading: Reading) -> Meter:
        elapsed = max(timedelta(), reading.wall - meter.wall)
        return Meter(meter.counted_ms + elapsed // timedelta(milliseconds=1), max(meter.wall, reading.wall), True)

    return patch.object(service_clock, "advance_meter", advance)


def deafness_counts() -> AbstractContextManager[object]:
    """Nobody asks whether the page could be pressed."""

    def advance(meter: Meter, reading: Reading) -> Meter:
        return advance_meter(replace(meter, heard=True), replace(reading, hears=True))

    return patch.object(service_clock, "advance_meter", advance)


def sleep_counts() -> AbstractContextManager[object]:
    """A worker that slept for days counts them all when it wakes."""

    def advance(meter: Meter, reading: Reading) -> Meter:
        return advance_meter(meter, replace(reading, tolerance_ms=reading.monotonic_ms))

    return patch.object(service_clock, "advance_meter", advance)


def restore_goes_on_where_it_stood() -> AbstractContextManager[object]:
    """After a restore the ladder goes on from the rung it had in the backup, as if nothing had been lost."""
    return patch.object(ladder, "_restart_from_first_rung", lambda state, *_policy, **_now: (state, []))


MUTANTS = (
    Mutant(
        "restore_goes_on_where_it_stood",
        frozenset({FALSE_RELEASE}),
        restore_goes_on_where_it_stood,
        script(life(1, **GONE), episodes=(episode(Trouble.RESTORED, day=10.4, days=0.9),)),
    ),
    Mutant(
        "wall_clock_windows",
        FAST,
        wall_clock_windows,
        script(life(1, **GONE), life(2), episodes=(episode(Trouble.ALL_DOWN, day=9, days=10),)),
    ),
    Mutant(
        "deafness_counts",
        FAST,
        deafness_counts,
        script(life(1, **GONE), episodes=(episode(Trouble.WEB_DOWN, day=9, days=10),)),
    ),
    Mutant(
        "sleep_counts",
        FAST,
        sleep_counts,
        script(life(1, **GONE), episodes=(episode(Trouble.ASLEEP, day=9, days=10),)),
    ),
)

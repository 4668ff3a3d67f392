"""The time that counts: seconds during which the service was able to hear the owner (ladder.md, "Service time").

A window that runs on this counter cannot run out while a worker was down, the web was down, a laptop slept or a
clock jumped: none of these adds anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Meter:
    """The persistent counter.

    counted_ms: service milliseconds so far; never falls.
    wall: aware UTC, the latest wall clock any worker has shown it; never falls.
    heard: whether the last reading found the service able to hear; a span counts only between two that did.
    """

    counted_ms: int
    wall: datetime
    heard: bool = False

    @property
    def service_s(self) -> int:
        return self.counted_ms // 1000


@dataclass(frozen=True, slots=True)
class Reading:
    """What one worker saw at one tick.

    wall: aware UTC now.
    monotonic_ms: what the worker's own monotonic clock measured since its previous reading; 0 on its first.
    hears: the public confirmation page answered a probe, and no outage of ours is known.
    tolerance_ms: the most that one tick may add.
    counted_before_ms: the meter's counted_ms by this worker's previous reading (`Mark`); None on its first. With
        it, no jump of the wall clock lets several workers count one span twice.
    """

    wall: datetime
    monotonic_ms: int
    hears: bool
    tolerance_ms: int
    counted_before_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """What a worker keeps of its latest reading, to measure the next one from. It outlives no restart.

    monotonic_ms: the worker's own monotonic clock at that reading; no other worker's can be compared with it.
    counted_ms: what the counter had come to by then, never what it came to afterwards: what others add while this
    worker stands between its clock and the database has to be taken off its next span.
    """

    monotonic_ms: int
    counted_ms: int


def is_behind(meter: Meter, reading: Reading) -> bool:
    """A wall clock behind the last tick's stops all climbing until it has caught up (ladder.md)."""
    return reading.wall < meter.wall


def others_count(meter: Meter, reading: Reading) -> bool:
    """Whether anybody has counted since this worker's previous reading; so one clock that is behind stops nobody."""
    return reading.counted_before_ms is not None and meter.counted_ms > reading.counted_before_ms


def uncounted_gap(meter: Meter, reading: Reading) -> bool:
    """Whether nobody read for longer than the tolerance, by the wall clock: such a span is an outage."""
    return reading.wall - meter.wall > timedelta(milliseconds=reading.tolerance_ms)


def advance_meter(meter: Meter, reading: Reading) -> Meter:
    """Return the meter after `reading`.

    Adds the time since the last reading of any worker, never more than this worker's monotonic clock measured,
    never more than the tolerance, and only when the service could hear at both ends of the span. So several
    workers together never count faster than real time, and one whose clock is behind neither adds nor disturbs.
    What others have counted since this worker's previous reading is taken off its own monotonic span.
    """
    if is_behind(meter, reading):
        return meter
    elapsed_ms = (reading.wall - meter.wall) // timedelta(milliseconds=1)
    added_ms = 0
    if reading.hears and meter.heard:
        before_ms = meter.counted_ms if reading.counted_before_ms is None else reading.counted_before_ms
        uncounted_ms = reading.monotonic_ms - max(0, meter.counted_ms - before_ms)
        added_ms = max(0, min(elapsed_ms, uncounted_ms, reading.tolerance_ms))
    return Meter(counted_ms=meter.counted_ms + added_ms, wall=reading.wall, heard=reading.hears)

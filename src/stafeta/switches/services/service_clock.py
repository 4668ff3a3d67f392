"""The persistent counter of service time, shared by all workers through compare-and-set (ladder.md)."""

from __future__ import annotations

from dataclasses import dataclass

from stafeta.core.service_time import Meter, Reading, advance_meter, is_behind
from stafeta.switches.models import ServiceClock


@dataclass(frozen=True, slots=True)
class Span:
    """What the clock says after a reading. may_climb: this worker may tick on `service_s`.

    counted_ms: the counter itself, for this worker's next reading.
    """

    service_s: int
    may_climb: bool
    counted_ms: int


def read_service_clock(*, reading: Reading, deaf_reason: str) -> Span:
    """Add what `reading` allows to the counter and return it.

    Of several workers that read at once one wins; the others add nothing and see the winner's value. A worker whose
    wall clock is behind, or that found the service deaf, may not climb.
    """
    row, _made = ServiceClock.objects.get_or_create(pk=1, defaults={"wall": reading.wall})
    before = Meter(row.counted_ms, row.wall, row.heard)
    after = advance_meter(before, reading)
    behind = is_behind(before, reading)
    if behind:
        deaf_reason = f"this worker's clock is behind the last tick's ({row.wall:%Y-%m-%d %H:%M:%S} UTC)"
    heard = reading.hears and not behind
    seen = ServiceClock.objects.filter(pk=1, reading=row.reading)
    won = seen.update(
        counted_ms=after.counted_ms,
        wall=after.wall,
        heard=after.heard,
        reading=row.reading + 1,
        deaf_since=None if heard else row.deaf_since or reading.wall,
        deaf_reason="" if heard else deaf_reason[:300],
    )
    if not won:
        row.refresh_from_db()
        return Span(row.counted_ms // 1000, heard, row.counted_ms)
    return Span(after.service_s, heard, after.counted_ms)

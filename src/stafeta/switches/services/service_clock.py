"""The persistent counter of service time, shared by all workers through compare-and-set (ladder.md, docs/adr/0009)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from stafeta.core.service_time import Mark, Meter, Reading, advance_meter, is_behind, others_count
from stafeta.switches.models import ServiceClock
from stafeta.switches.selectors import counted_ms, hold_words, standing_hold
from stafeta.switches.services.outages import note_outage

REASON_CHARS_MAX = 300

Clocks = Callable[[], tuple[datetime, int]]


@dataclass(frozen=True, slots=True)
class Span:
    """What the clock says after a reading. may_climb: this worker may tick on `service_s`.

    counted_ms: the counter itself. added_ms: what this reading added to it. reason: why nobody may climb.
    """

    service_s: int
    may_climb: bool
    counted_ms: int
    added_ms: int = 0
    reason: str = ""


class Watch:
    """One worker's measure of time, from one reading to the next.

    What it remembers is lost with the worker, and then the first reading adds nothing.
    """

    def __init__(self) -> None:
        self._mark: Mark | None = None

    def read(self, *, clocks: Clocks, hears: bool, tolerance_ms: int, deaf_reason: str) -> Span:
        """Read the service clock. `clocks` returns this moment: aware UTC, and the worker's own monotonic clock in ms.

        The counter is looked at before the clocks: however long this worker stands still afterwards, what others
        count meanwhile is taken off its next span. Raises DatabaseError; then the next reading measures from the
        same mark.
        """
        seen_ms = counted_ms()
        wall, monotonic_ms = clocks()
        mark = self._mark
        reading = Reading(
            wall=wall,
            monotonic_ms=0 if mark is None else monotonic_ms - mark.monotonic_ms,
            hears=hears,
            tolerance_ms=tolerance_ms,
            counted_before_ms=None if mark is None else mark.counted_ms,
        )
        span = read_service_clock(reading=reading, deaf_reason=deaf_reason)
        self._mark = Mark(monotonic_ms, span.counted_ms if span.added_ms else seen_ms)
        return span


@transaction.atomic
def read_service_clock(*, reading: Reading, deaf_reason: str) -> Span:
    """Add what `reading` allows to the counter and return it; while a hold stands nothing is added.

    Of several workers that read at once one wins; the others add nothing and see the winner's value. A worker whose
    wall clock is behind, or that found the service deaf, may not climb. When the service goes deaf an outage begins,
    when it hears again it ends, in this same transaction.
    """
    row, made = ServiceClock.objects.get_or_create(pk=1, defaults={"wall": reading.wall})
    before = Meter(row.counted_ms, row.wall, row.heard)
    behind = is_behind(before, reading)
    if behind:
        deaf_reason = f"this worker's clock is behind the last tick's ({row.wall:%Y-%m-%d %H:%M:%S} UTC)"
    elif reading.hears:
        deaf_reason = ""
    if behind and (reading.counted_before_ms is None or others_count(before, reading)):
        return Span(row.counted_ms // 1000, False, row.counted_ms, reason=deaf_reason)  # the others go on
    hold = standing_hold(now=reading.wall)
    reading = replace(reading, hears=reading.hears and hold is None)
    after = advance_meter(before, reading)
    heard = reading.hears and not behind
    reason = deaf_reason or (hold_words(hold) if hold else "")
    seen = ServiceClock.objects.filter(pk=1, reading=row.reading)
    won = seen.update(
        counted_ms=after.counted_ms,
        wall=after.wall,
        heard=after.heard,
        reading=row.reading + 1,
        deaf_since=None if heard else row.deaf_since or reading.wall,
        deaf_reason=reason[:REASON_CHARS_MAX],
    )
    if not won:
        row.refresh_from_db()
        return Span(row.counted_ms // 1000, heard, row.counted_ms, reason=reason)
    note_outage(meter=None if made else before, reading=reading, reason=deaf_reason)
    return Span(after.service_s, heard, after.counted_ms, after.counted_ms - before.counted_ms, reason)

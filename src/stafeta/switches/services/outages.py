"""Outages are recorded: every span in which the service could not hear, with its reason."""

from __future__ import annotations

from datetime import datetime, timedelta

from stafeta.core.service_time import Meter, Reading, is_behind, uncounted_gap
from stafeta.switches.models import Hold, Outage

REASON_CHARS_MAX = 300
# An outage that comes back so soon is the same one: a page that answers every second time makes one row, not thousands.
JOINED_WITHIN_TOLERANCES = 5
KEPT_FOR = timedelta(days=400)


def note_outage(*, meter: Meter | None, reading: Reading, reason: str) -> None:
    """Begin, go on with or end the outage, as a reading found it; in the transaction that won the reading.

    meter: before the reading; None where there was none. reason: why the service cannot hear; "" where it can, or
    where only a hold keeps it from climbing, which has a row of its own.
    """
    gap = meter is not None and not is_behind(meter, reading) and uncounted_gap(meter, reading)
    began_at = meter.wall if meter is not None and gap else reading.wall
    present = Outage.objects.filter(ended_at=None).order_by("-began_at").first()
    if not reason and not gap:
        if present is not None:
            _end(present, at=reading.wall)
        return
    outage = present or _begin(reading, at=began_at)
    for words in (_gap_words(reading) if gap else "", reason):
        if words and words not in outage.reason:
            outage.reason = f"{outage.reason}; {words}".removeprefix("; ")[:REASON_CHARS_MAX]
    outage.ended_at = None if reason else reading.wall
    outage.save()


def purge_outages(*, now: datetime) -> None:
    """Erase outages and holds that ended longer ago than anybody asks for them."""
    for model in (Outage, Hold):
        model.objects.filter(ended_at__lt=now - KEPT_FOR).delete()


def _begin(reading: Reading, *, at: datetime) -> Outage:
    soon = timedelta(milliseconds=JOINED_WITHIN_TOLERANCES * reading.tolerance_ms)
    return Outage.objects.filter(ended_at__gte=at - soon).order_by("-ended_at").first() or Outage(began_at=at)


def _end(outage: Outage, *, at: datetime) -> None:
    outage.ended_at = max(at, outage.began_at)
    outage.save(update_fields=["ended_at"])


def _gap_words(reading: Reading) -> str:
    """Return what a span without a reading was, as far as the worker that ended it can know."""
    if reading.counted_before_ms is None:
        return "no worker ran"
    if reading.monotonic_ms > reading.tolerance_ms:
        return "the worker stood still"
    return "the machine slept, or its clock jumped ahead"

"""The only reader of the wall clock. Entry points ask it once and hand `now` down (house.md, style 4).

A demo or a rehearsal runs faster than life: with `STAFETA_CLOCK_SCALE` s and `STAFETA_CLOCK_EPOCH` e the time is
e + (real time - e) * s. Every process with the same two settings therefore agrees on what time it is. A simulation
does not wait at all: `virtual` puts a clock of its own in this one's place.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

from django.conf import settings


class Clock(Protocol):
    """What a clock of one's own has to tell: the moment (aware), and seconds that never run backwards."""

    def now(self) -> datetime:
        """Return the moment, aware, in UTC."""

    def monotonic_s(self) -> float:
        """Return the seconds."""


_virtual: list[Clock] = []


@contextmanager
def virtual(source: Clock) -> Iterator[None]:
    """Let `source` say what time it is, everywhere in this process, until the end of the block."""
    _virtual.append(source)
    try:
        yield
    finally:
        _virtual.remove(source)


def now() -> datetime:
    """Return the present moment, aware, in UTC, on the scaled clock where there is one."""
    if _virtual:
        return _virtual[-1].now()
    real = datetime.now(UTC)
    epoch: datetime | None = settings.CLOCK_EPOCH
    return real if epoch is None else scaled(real, epoch=epoch, scale=settings.CLOCK_SCALE)


def real_now() -> datetime:
    """Return the present moment, aware, in UTC, on the clock that people live by, whatever the scale.

    For what must be as long for a person in a demo as anywhere: how long a code is good, how long a page stays open.
    """
    return _virtual[-1].now() if _virtual else datetime.now(UTC)


def monotonic_s() -> float:
    """Return seconds that never run backwards and heed no change of the wall clock; only differences mean anything.

    They pass as fast as `now()` does.
    """
    if _virtual:
        return _virtual[-1].monotonic_s()
    scale: float = settings.CLOCK_SCALE
    return time.monotonic() * scale


def real_sleep(seconds: float, *, wake: threading.Event | None = None) -> bool:
    """Wait so many real seconds, however fast the clock runs, or until `wake` is set; return whether it was."""
    return (wake or threading.Event()).wait(max(0.0, seconds))


def scaled(real: datetime, *, epoch: datetime, scale: float) -> datetime:
    """Return what the scaled clock shows at the moment `real`, in UTC."""
    return (epoch + (real - epoch) * scale).astimezone(UTC)

"""The worker's loop: probe, tick, follow up, deliver. Any number of workers may run on one database.

Whatever fails is said, with what to do, and tried again after a pause; nothing but `stop` ends the loop.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings
from django.db import close_old_connections, connections

from stafeta import clock
from stafeta.channels.registry import email_channel, sms_channel
from stafeta.core.service_time import Reading
from stafeta.outbox.faults import database_failed
from stafeta.outbox.selectors import outage
from stafeta.outbox.services.deliver import DELIVER_BATCH_MAX, Channels, Unfinished, deliver
from stafeta.switches.services.delivery import record_delivery
from stafeta.switches.services.probe import probe
from stafeta.switches.services.rehearse import rehearse_checkin
from stafeta.switches.services.service_clock import Span, read_service_clock
from stafeta.worker.parts import ALWAYS, WHILE_HEARING, Instant, Part
from stafeta.worker.trouble import remedy, told, why_deaf

log = logging.getLogger(__name__)

PROBE_TIMEOUT_S = 10
DELIVER_EVERY_S = 1.0
TOLERANCE_TICKS = 6
PAUSE_AFTER_FAULT_S = 5.0


class Worker:
    """One worker. Between two rounds it remembers what its monotonic clock said, and what it could not record yet."""

    def __init__(
        self,
        channels: Channels,
        *,
        stop: threading.Event | None = None,
        while_hearing: Sequence[Part] = WHILE_HEARING,
        always: Sequence[Part] = ALWAYS,
    ) -> None:
        self.channels = channels
        self.stop = stop or threading.Event()
        self._while_hearing, self._always = while_hearing, always
        self._read_at_s: float | None = None
        self._counted_ms: int | None = None
        self._unfinished = Unfinished()

    def round(self) -> None:
        """Probe, count service time, and do every part of the work; a part that raises keeps none of the others."""
        span = self._read_clock()
        instant = Instant(now=clock.now(), service_s=span.service_s)
        for part in (*(self._while_hearing if span.may_climb else ()), *self._always):
            _guarded(part, instant)

    def deliver(self) -> int:
        """Attempt one batch of messages and return how many were attempted."""
        return deliver(
            channels=self.channels,
            now=clock.now,
            pace=settings.CLOCK_SCALE,
            on_settled=record_delivery,
            unfinished=self._unfinished,
            stopping=self.stop.is_set,
        )

    def close(self) -> None:
        """Close the channels' connections."""
        self.channels.email.close()
        self.channels.sms.close()

    def _read_clock(self) -> Span:
        found = probe(site_url=settings.SITE_URL, timeout_s=PROBE_TIMEOUT_S)
        unwritable = rehearse_checkin(now=clock.now())
        failing = outage(now=clock.now())
        reading = Reading(
            wall=clock.now(),
            monotonic_ms=self._measured_ms(),
            hears=found.ok and not unwritable and failing is None,
            tolerance_ms=int(TOLERANCE_TICKS * settings.TICK_EVERY_S * settings.CLOCK_SCALE * 1000),
            counted_before_ms=self._counted_ms,
        )
        span = read_service_clock(reading=reading, deaf_reason=failing or found.reason or unwritable)
        self._counted_ms = span.counted_ms
        if not span.may_climb:
            log.warning("nobody climbs: %s", why_deaf(provider=failing, page=found.reason, log=unwritable))
        return span

    def _measured_ms(self) -> int:
        """Return what the monotonic clock measured since the last call; 0 at first."""
        at_s = clock.monotonic_s()
        measured_s = 0.0 if self._read_at_s is None else at_s - self._read_at_s
        self._read_at_s = at_s
        return int(measured_s * 1000)


def _guarded(part: Part, instant: Instant) -> None:
    """Do one part. A database that fails is everybody's trouble; whatever else it raises is its own (invariant 12)."""
    try:
        part(instant)
    except Exception as error:
        if database_failed(error):
            raise
        log.exception("%s failed; the rest of the round goes on", part.__name__)


def configured_channels() -> Channels:
    """Return the channels that the settings name. Raises ConfigurationError."""
    return Channels(
        email=email_channel(
            settings.EMAIL_CHANNEL_URL,
            mailbox_dir=settings.MAILBOX_DIR,
            sender=settings.EMAIL_FROM,
            now=clock.now,
        ),
        sms=sms_channel(settings.SMS_CHANNEL_URL, mailbox_dir=settings.MAILBOX_DIR, now=clock.now),
    )


def run(
    *,
    once: bool = False,
    stop: threading.Event | None = None,
    worker: Worker | None = None,
    pause_s: float = PAUSE_AFTER_FAULT_S,
) -> bool:
    """Work until `stop` is set, or for one round; return whether all went well the last time.

    A round that fails keeps no message waiting, and a delivery that fails no round; after either there are `pause_s`
    seconds of rest. Once `stop` is set, the message being sent is the last.
    """
    stop = stop or threading.Event()
    worker = worker or Worker(configured_channels(), stop=stop)
    next_round_s = real_s = 0.0
    failures: list[Exception] = []
    try:
        while not stop.is_set():
            failures = []
            rest_s = min(DELIVER_EVERY_S, settings.TICK_EVERY_S)
            if real_s >= next_round_s:
                with _said("a round", failures, pause_s):
                    worker.round()
                next_round_s = real_s + settings.TICK_EVERY_S
            with _said("a delivery", failures, pause_s):
                if worker.deliver() >= DELIVER_BATCH_MAX:
                    rest_s = 0.0
            if once:
                break
            stop.wait(pause_s if failures else rest_s)
            real_s = clock.monotonic_s() / settings.CLOCK_SCALE
    finally:
        worker.close()
    return not failures


@contextmanager
def _said(what: str, failures: list[Exception], pause_s: float) -> Iterator[None]:
    """Say what went wrong and what to do about it, and go on with new connections to the database."""
    try:
        close_old_connections()
        yield
    except Exception as error:
        failures.append(error)
        if database_failed(error):
            log.error("%s failed: %s (%s) Next try in %g s.", what, remedy(error), told(error), pause_s)
        else:
            log.exception(
                "%s failed through a fault of the program; please report it. Next try in %g s.", what, pause_s
            )
        _let_go()


def _let_go() -> None:
    """Close the connections, for after a fault nobody knows in what state they are."""
    for connection in connections.all(initialized_only=True):
        try:
            connection.close()
        except Exception as error:
            log.warning("a connection to the database did not close: %s", told(error))

"""The worker's loop: probe, tick, follow up, deliver. Any number of workers may run on one database."""

from __future__ import annotations

import logging
import threading

from django.conf import settings
from django.db import DatabaseError, close_old_connections

from stafeta import clock
from stafeta.accounts.selectors import Installation, installation, is_elsewhere
from stafeta.channels.registry import email_channel, sms_channel
from stafeta.core.errors import Superseded
from stafeta.core.service_time import Reading
from stafeta.outbox.selectors import outage
from stafeta.outbox.services.deliver import DELIVER_BATCH_MAX, Channels, deliver
from stafeta.switches.services.delivery import record_delivery
from stafeta.switches.services.probe import probe
from stafeta.switches.services.service_clock import Span, read_service_clock
from stafeta.worker.parts import ALWAYS, WHILE_HEARING, Instant, Part

log = logging.getLogger(__name__)

PROBE_TIMEOUT_S = 10
DELIVER_EVERY_S = 1.0
TOLERANCE_TICKS = 6
PAUSE_AFTER_FAULT_S = 5.0


class Worker:
    """One worker. Between two rounds it remembers what its monotonic clock said, and whose worker it is.

    An installation that is restored or moved gets a new identity; a worker that began before knows a history that is
    lost, and stops (docs/adr/0008). One that finds another installation at its public address sends nothing until it
    has found its own there.
    """

    def __init__(self, channels: Channels) -> None:
        self.channels = channels
        self._read_at_s: float | None = None
        self._counted_ms: int | None = None
        self._began_in: Installation | None = None
        self._fenced = False

    def round(self) -> None:
        """Probe, count service time, and do every part of the work; a part that raises keeps none of the others."""
        found = self._standing()
        span = self._read_clock(found)
        instant = Instant(now=clock.now(), service_s=span.service_s, epoch=found.epoch)
        for part in (*(WHILE_HEARING if span.may_climb else ()), *ALWAYS):
            _guarded(part, instant)

    def deliver(self) -> int:
        """Attempt one batch of messages and return how many were attempted."""
        found = self._standing()
        if self._fenced:
            return 0
        return deliver(
            channels=self.channels,
            now=clock.now,
            pace=settings.CLOCK_SCALE,
            on_settled=record_delivery,
            epoch=found.epoch,
        )

    def close(self) -> None:
        """Close the channels' connections."""
        self.channels.email.close()
        self.channels.sms.close()

    def _standing(self) -> Installation:
        """Return whose worker this is. Raises Superseded once the installation is not what it was when this began."""
        found = installation()
        self._began_in = self._began_in or found
        if (found.identity, found.epoch) != (self._began_in.identity, self._began_in.epoch):
            raise Superseded("the installation was restored or moved since this worker began")
        if is_elsewhere(found):
            raise Superseded("the database belongs to an installation at another address, or with another secret")
        return found

    def _read_clock(self, ours: Installation) -> Span:
        found = probe(site_url=settings.SITE_URL, timeout_s=PROBE_TIMEOUT_S, identity=ours.identity)
        self._fenced = found.fenced or (self._fenced and not found.ok)
        failing = outage(now=clock.now())
        reading = Reading(
            wall=clock.now(),
            monotonic_ms=self._measured_ms(),
            hears=found.ok and failing is None,
            tolerance_ms=int(TOLERANCE_TICKS * settings.TICK_EVERY_S * settings.CLOCK_SCALE * 1000),
            counted_before_ms=self._counted_ms,
        )
        span = read_service_clock(reading=reading, deaf_reason=failing or found.reason)
        self._counted_ms = span.counted_ms
        if not span.may_climb:
            log.warning("nobody climbs: %s", failing or found.reason or "the clock is behind")
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
    except (DatabaseError, Superseded):
        raise
    except Exception:
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


def run(*, once: bool = False, stop: threading.Event | None = None) -> None:
    """Work until `stop` is set, or for one round. A database that fails is tried again; nothing else is swallowed.

    Raises Superseded when this worker's installation has moved on: whoever started it should start another.
    """
    stop = stop or threading.Event()
    worker = Worker(configured_channels())
    next_round_s = 0.0
    real_s = 0.0
    try:
        while not stop.is_set():
            close_old_connections()
            try:
                if real_s >= next_round_s:
                    worker.round()
                    next_round_s = real_s + settings.TICK_EVERY_S
                full = worker.deliver() >= DELIVER_BATCH_MAX
                wait_s = 0.0 if full else min(DELIVER_EVERY_S, settings.TICK_EVERY_S)
            except DatabaseError as error:
                log.error("the database failed (%s); trying again in %s s", error, PAUSE_AFTER_FAULT_S)
                wait_s = PAUSE_AFTER_FAULT_S
            if once:
                return
            stop.wait(wait_s)
            real_s = clock.monotonic_s() / settings.CLOCK_SCALE
    finally:
        worker.close()

"""The worker's loop: probe, tick, follow up, deliver. Any number of workers may run on one database."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from stafeta import clock
from stafeta.channels.receipts import ReceiptAddresses
from stafeta.channels.registry import email_channel, sms_channel
from stafeta.outbox.selectors import outage
from stafeta.outbox.services.deliver import DELIVER_BATCH_MAX, Channels, deliver
from stafeta.switches.services.delivery import record_delivery
from stafeta.switches.services.probe import ProbeResult, probe
from stafeta.switches.services.service_clock import Span, Watch
from stafeta.worker.parts import ALWAYS, WHILE_HEARING, Instant, Part

log = logging.getLogger(__name__)

PROBE_TIMEOUT_S = 10
DELIVER_EVERY_S = 1.0
TOLERANCE_TICKS = 6
PAUSE_AFTER_FAULT_S = 5.0
IDLE_IN_TRANSACTION_S_MAX = 300


class Worker:
    """One worker: what it must remember between two rounds is only what its watch does."""

    def __init__(self, channels: Channels, *, probe: Callable[[], ProbeResult] | None = None) -> None:
        self.channels = channels
        self._probe = probe or _probe_site
        self._watch = Watch()

    def round(self) -> None:
        """Probe, count service time, and do every part of the work; a part that raises keeps none of the others."""
        span = self.read_clock()
        instant = Instant(now=clock.now(), service_s=span.service_s)
        for part in (*(WHILE_HEARING if span.may_climb else ()), *ALWAYS):
            _guarded(part, instant)

    def deliver(self) -> int:
        """Attempt one batch of messages and return how many were attempted."""
        return deliver(channels=self.channels, now=clock.now, pace=settings.CLOCK_SCALE, on_settled=record_delivery)

    def close(self) -> None:
        """Close the channels' connections."""
        self.channels.email.close()
        self.channels.sms.close()

    def read_clock(self) -> Span:
        """Probe, add to the counter what this worker may add, and return what it says then."""
        found = self._probe()
        failing = outage(now=clock.now())
        span = self._watch.read(
            clocks=_clocks,
            hears=found.ok and failing is None,
            tolerance_ms=int(TOLERANCE_TICKS * settings.TICK_EVERY_S * settings.CLOCK_SCALE * 1000),
            deaf_reason=failing or found.reason,
        )
        if not span.may_climb:
            log.warning("nobody climbs: %s", span.reason)
        return span


def _clocks() -> tuple[datetime, int]:
    """Return this moment on both clocks of this machine."""
    return clock.now(), int(clock.monotonic_s() * 1000)


def _probe_site() -> ProbeResult:
    return probe(site_url=settings.SITE_URL, timeout_s=PROBE_TIMEOUT_S)


def _guarded(part: Part, instant: Instant) -> None:
    """Do one part. A database that fails is everybody's trouble; whatever else it raises is its own (invariant 12)."""
    try:
        part(instant)
    except DatabaseError:
        raise
    except Exception:
        log.exception("%s failed; the rest of the round goes on", part.__name__)


def bound_transactions(
    connection: BaseDatabaseWrapper, idle_s_max: float = IDLE_IN_TRANSACTION_S_MAX, **_: Any
) -> None:
    """Let PostgreSQL undo what a worker that stands still has begun: its switches and messages are others' again.

    SQLite's locks are the process's own; there is one worker there, and nobody who could take over.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = %s", [int(idle_s_max * 1000)])


def configured_channels() -> Channels:
    """Return the channels that the settings name. Raises ConfigurationError."""
    return Channels(
        email=email_channel(
            settings.EMAIL_CHANNEL_URL,
            mailbox_dir=settings.MAILBOX_DIR,
            sender=settings.EMAIL_FROM,
            now=clock.now,
        ),
        sms=sms_channel(
            settings.SMS_CHANNEL_URL,
            mailbox_dir=settings.MAILBOX_DIR,
            now=clock.now,
            receipts=ReceiptAddresses(settings.SITE_URL, settings.RECEIPTS_SECRET),
        ),
    )


def run(*, once: bool = False, stop: threading.Event | None = None) -> None:
    """Work until `stop` is set, or for one round. A database that fails is tried again; nothing else is swallowed."""
    stop = stop or threading.Event()
    connection_created.connect(bound_transactions)
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

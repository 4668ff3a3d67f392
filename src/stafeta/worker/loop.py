"""The worker's loop: probe, tick, follow up, deliver. Any number of workers may run on one database.

Whatever fails is said, with what to do, and tried again after a pause; nothing but `stop` ends the loop.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from stafeta import clock
from stafeta.accounts.selectors import Installation, installation, is_elsewhere
from stafeta.channels.receipts import ReceiptAddresses
from stafeta.channels.registry import email_channel, sms_channel
from stafeta.core.errors import Superseded
from stafeta.outbox.faults import database_failed
from stafeta.outbox.selectors import outage
from stafeta.outbox.services.deliver import DELIVER_BATCH_MAX, Channels, Unfinished, deliver
from stafeta.switches.services.delivery import record_delivery
from stafeta.switches.services.probe import ProbeResult, probe
from stafeta.switches.services.rehearse import rehearse_checkin
from stafeta.switches.services.service_clock import Span, Watch
from stafeta.worker.parts import ALWAYS, WHILE_HEARING, Instant, Part
from stafeta.worker.trouble import remedy, told, why_deaf

log = logging.getLogger(__name__)

PROBE_TIMEOUT_S = 10
DELIVER_EVERY_S = 1.0
TOLERANCE_TICKS = 6
PAUSE_AFTER_FAULT_S = 5.0
IDLE_IN_TRANSACTION_S_MAX = 300


class Worker:
    """One worker. Between two rounds it remembers what its watch does, what it could not
    record yet, and whose worker it is.

    An installation that is restored or moved gets a new identity; a worker that began before knows a history that is
    lost, and stops (docs/adr/0008). One that finds another installation at its public address sends nothing until it
    has found its own there.
    """

    def __init__(
        self,
        channels: Channels,
        *,
        stop: threading.Event | None = None,
        probe: Callable[[str], ProbeResult] | None = None,
        while_hearing: Sequence[Part] = WHILE_HEARING,
        always: Sequence[Part] = ALWAYS,
    ) -> None:
        self.channels = channels
        self.stop = stop or threading.Event()
        self._probe = probe or _probe_site
        self._while_hearing, self._always = while_hearing, always
        self._watch = Watch()
        self._unfinished = Unfinished()
        self._began_in: Installation | None = None
        self._fenced = False

    def round(self) -> None:
        """Probe, count service time, and do every part of the work; a part that raises keeps none of the others."""
        epoch = self._standing().epoch
        span = self.read_clock()
        instant = Instant(now=clock.now(), service_s=span.service_s, epoch=epoch)
        for part in (*(self._while_hearing if span.may_climb else ()), *self._always):
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
            unfinished=self._unfinished,
            stopping=self.stop.is_set,
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

    def read_clock(self) -> Span:
        """Probe, add to the counter what this worker may add, and return what it says then."""
        found = self._probe(self._standing().identity)
        self._fenced = found.fenced or (self._fenced and not found.ok)
        unwritable = rehearse_checkin(now=clock.now())
        failing = outage(now=clock.now())
        span = self._watch.read(
            clocks=_clocks,
            hears=found.ok and not unwritable and failing is None,
            tolerance_ms=int(TOLERANCE_TICKS * settings.TICK_EVERY_S * settings.CLOCK_SCALE * 1000),
            deaf_reason=failing or found.reason or unwritable,
        )
        if not span.may_climb:
            why = why_deaf(provider=failing, page=found.reason, log=unwritable, other=span.reason)
            log.warning("nobody climbs: %s", why)
        return span


def _clocks() -> tuple[datetime, int]:
    """Return this moment on both clocks of this machine."""
    return clock.now(), int(clock.monotonic_s() * 1000)


def _probe_site(identity: str) -> ProbeResult:
    return probe(site_url=settings.SITE_URL, timeout_s=PROBE_TIMEOUT_S, identity=identity)


def _guarded(part: Part, instant: Instant) -> None:
    """Do one part. A database that fails is everybody's trouble; whatever else it raises is its own (invariant 12)."""
    try:
        part(instant)
    except Superseded:
        raise
    except Exception as error:
        if database_failed(error):
            raise
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
    Raises Superseded when this worker's installation has moved on: whoever started it should start another.
    """
    stop = stop or threading.Event()
    connection_created.connect(bound_transactions)
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
    except Superseded:
        raise
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

"""The parts of a round. Each stands alone: one that raises keeps none of the others from its work (invariant 12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stafeta import clock
from stafeta.outbox.services.receive_receipt import hear_waiting, purge_receipts
from stafeta.switches.services.adopt import ADOPT_BATCH_MAX, adopt
from stafeta.switches.services.breaker import call_stopped
from stafeta.switches.services.delivery import record_news
from stafeta.switches.services.hold import end_run_out_holds
from stafeta.switches.services.outages import purge_outages
from stafeta.switches.services.raise_alarms import raise_alarms
from stafeta.switches.services.tell_unreached import tell_unreached
from stafeta.switches.services.tick import TICK_BATCH_MAX, tick
from stafeta.vault.selectors import is_anything_open
from stafeta.vault.services.delete_handover import purge_deleted
from stafeta.vault.services.erase_files import erase_orphans
from stafeta.vault.services.follow_up import follow_up
from stafeta.vault.services.receive_upload import purge_uploads
from stafeta.vault.services.remove_attachment import purge_removed
from stafeta.worker.heartbeat import Heart

TICK_BATCHES_MAX: Final = 20
ADOPT_BATCHES_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Instant:
    """The moment of a round on both clocks: aware UTC, and the service second; and the epoch it was read in."""

    now: datetime
    service_s: int
    epoch: int | None = None


Part = Callable[[Instant], None]


def adopt_switches(instant: Instant) -> None:
    """After a restore, take every switch into the new epoch before it may climb."""
    for _ in range(ADOPT_BATCHES_MAX):
        if adopt(now=instant.now, service_s=instant.service_s, epoch=instant.epoch).claimed < ADOPT_BATCH_MAX:
            return


def climb(instant: Instant) -> None:
    """Let every switch that is due take its step."""
    for _ in range(TICK_BATCHES_MAX):
        if tick(now=instant.now, service_s=instant.service_s, epoch=instant.epoch).claimed < TICK_BATCH_MAX:
            return


def follow_releases(instant: Instant) -> None:
    """Tell and remind the recipients of releases, and the contacts where nobody could be reached."""
    if not is_anything_open(service_s=instant.service_s):
        return
    followed = follow_up(now=instant.now, service_s=instant.service_s, epoch=instant.epoch)
    tell_unreached(handovers=followed.unreached, now=instant.now)


def mind_holds(instant: Instant) -> None:
    """End the holds that have run out, and call the owners whose release the breaker has stopped."""
    end_run_out_holds(now=instant.now)
    call_stopped(now=instant.now, service_s=instant.service_s)


def watch(instant: Instant) -> None:
    """Tell the operator what lasts too long."""
    raise_alarms(now=instant.now)


def purge(instant: Instant) -> None:
    """Erase what was deleted long enough ago."""
    purge_deleted(now=instant.now)
    purge_removed(now=instant.now)
    purge_uploads(real_now=clock.real_now())
    erase_orphans(real_now=clock.real_now())
    purge_outages(now=instant.now)


_HEART: Final = Heart()


def beat(instant: Instant) -> None:
    """Let the watchdog know that all is well, where it is (STAFETA_HEARTBEAT_URL)."""
    _HEART.beat(now=instant.now)


def hear_receipts(instant: Instant) -> None:
    """Hear the receipts that came before their messages were recorded as accepted, and erase old ones."""
    hear_waiting(now=instant.now, on_news=record_news)
    purge_receipts(now=instant.now)


WHILE_HEARING: Final[tuple[Part, ...]] = (adopt_switches, climb, follow_releases)
ALWAYS: Final[tuple[Part, ...]] = (hear_receipts, mind_holds, watch, purge, beat)

"""The parts of a round. Each stands alone: one that raises keeps none of the others from its work (invariant 12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stafeta.switches.services.adopt import ADOPT_BATCH_MAX, adopt
from stafeta.switches.services.tell_unreached import tell_unreached
from stafeta.switches.services.tick import TICK_BATCH_MAX, tick
from stafeta.vault.services.delete_handover import purge_deleted
from stafeta.vault.services.follow_up import follow_up

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
    followed = follow_up(now=instant.now, service_s=instant.service_s, epoch=instant.epoch)
    tell_unreached(handovers=followed.unreached, now=instant.now)


def purge(instant: Instant) -> None:
    """Erase what was deleted long enough ago."""
    purge_deleted(now=instant.now)


WHILE_HEARING: Final[tuple[Part, ...]] = (adopt_switches, climb, follow_releases)
ALWAYS: Final[tuple[Part, ...]] = (purge,)

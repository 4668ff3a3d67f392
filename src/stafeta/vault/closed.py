"""How many handovers no key at hand opens, for who watches over the service: a piece at a time, and remembered."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from stafeta.core.errors import ConfigurationError, KeyMissing, Tampered
from stafeta.vault.keyring import Keyring, instance_keyring
from stafeta.vault.models import WrappedKey
from stafeta.vault.sealing import HOLDER_INSTANCE, HOLDER_LOST

ROWS_MAX: Final = 1000
"""A tenth of a second's work. More handovers than that are gone through in several looks."""
KEPT_FOR: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Closed:
    """Handovers that nobody opens; those that their owners deleted do not count.

    missing: no key fits. damaged: the wrapped key is none any more. given_up: by `stafeta keys lost`. is_keyless: there
    is no keyring to open anything with, though handovers need it.
    """

    missing: int = 0
    damaged: int = 0
    given_up: int = 0
    is_keyless: bool = False

    @property
    def unopened(self) -> int:
        """How many are closed and nobody has given up."""
        return self.missing + self.damaged


class Watch:
    """What one process remembers of its looks. A keyring that changed is looked at anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: tuple[str, ...] = ()
        self._looked_at: datetime | None = None
        self._after = 0
        self._found = self._before = Closed()

    def closed(self, *, now: datetime) -> Closed:
        """Return what is closed: as it was found within a minute, or else after `ROWS_MAX` rows more. A look through
        all rows that is not done yet tells what it has found, where that is more than the one before. Raises
        DatabaseError."""
        living = WrappedKey.objects.filter(handover__deleted_at=None)
        given_up = living.filter(holder=HOLDER_LOST).count()
        try:
            ring = instance_keyring()
        except ConfigurationError:
            missing = living.filter(holder=HOLDER_INSTANCE).count()
            return Closed(missing=missing, given_up=given_up, is_keyless=missing > 0)
        with self._lock:
            if ring.public_keys != self._keys:
                self._keys, self._looked_at, self._after, self._before = ring.public_keys, None, 0, Closed()
            if self._looked_at is None or not timedelta() <= now - self._looked_at < KEPT_FOR:
                self._look(ring)
                self._looked_at = now
            found = max(self._found, self._before, key=lambda one: one.unopened)
        return replace(found, given_up=given_up)

    def _look(self, ring: Keyring) -> None:
        if self._after == 0:
            self._found = Closed()
        rows = WrappedKey.objects.filter(holder=HOLDER_INSTANCE, handover__deleted_at=None, pk__gt=self._after)
        looked_at = list(rows.order_by("pk").values_list("pk", "blob")[:ROWS_MAX])
        missing = damaged = 0
        for _pk, blob in looked_at:
            try:
                ring.unwrap(bytes(blob))
            except KeyMissing:
                missing += 1
            except Tampered:
                damaged += 1
        found = self._found
        self._found = replace(found, missing=found.missing + missing, damaged=found.damaged + damaged)
        if len(looked_at) < ROWS_MAX:
            self._after, self._before = 0, self._found
        else:
            self._after = looked_at[-1][0]


WATCH: Final = Watch()


def closed_handovers(*, now: datetime) -> Closed:
    """Return how many handovers no key at hand opens, at most a minute old. Raises DatabaseError."""
    return WATCH.closed(now=now)

"""The heartbeat: a watchdog's address is fetched once a minute while all is well. Its silence is the alarm."""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.utils import translation

from stafeta import clock
from stafeta.switches.wellbeing import pace_here, wellbeing

log = logging.getLogger(__name__)

EVERY_S: Final = 60.0
TIMEOUT_S: Final = 5.0


class Heart:
    """What one worker remembers of its heartbeat. every_s: real seconds between two beats, at least."""

    def __init__(self, *, every_s: float = EVERY_S, timeout_s: float = TIMEOUT_S) -> None:
        self._every_s, self._timeout_s = every_s, timeout_s
        self._looked_at_s: float | None = None
        self._beating: threading.Thread | None = None

    def beat(self, *, now: datetime) -> None:
        """Look whether all is well, once a minute at most, and if so let the watchdog know, without waiting for it.

        The address is asked in a thread of its own: a watchdog that is slow, or whose name is, delays no ladder; while
        one is being asked no other is. Raises DatabaseError, and then the heart is silent too.
        """
        real_s = clock.monotonic_s() / settings.CLOCK_SCALE
        due = self._looked_at_s is None or real_s - self._looked_at_s >= self._every_s
        if not settings.HEARTBEAT_URL or not due or (self._beating and self._beating.is_alive()):
            return
        self._looked_at_s = real_s
        with translation.override("en"):
            found = wellbeing(now=now, canary=settings.CANARY, pace=pace_here())
        if not found.ok:
            log.warning("no heartbeat, for not all is well: %s", found.reasons)
            return
        self._beating = threading.Thread(
            target=beat_once, args=(settings.HEARTBEAT_URL, self._timeout_s), name="heartbeat", daemon=True
        )
        self._beating.start()

    def wait(self, seconds: float) -> None:
        """Wait so long at most for a beat that is under way."""
        if self._beating:
            self._beating.join(seconds)


def beat_once(url: str, timeout_s: float) -> bool:
    """Fetch the watchdog's address and return whether it was taken; follow no redirect.

    What failed is logged with the watchdog's host alone: the rest of the address is a secret. Touches no database.
    """
    host = urlsplit(url).hostname
    try:
        with requests.Session() as session:
            response = session.get(url, timeout=timeout_s, allow_redirects=False, stream=True)
            response.close()
    except Exception as error:  # of whatever kind: its traceback would tell the address
        log.warning("the heartbeat did not reach %s (%s)", host, type(error).__name__)
        return False
    if not 200 <= response.status_code < 300:
        log.warning("the heartbeat was not taken: %s answered %s", host, response.status_code)
        return False
    return True

"""Could a check-in be written down now? Write what it writes, and take it back (ladder.md, "Service time").

A page that answers is not enough: on a disk that is full the page shows its button and the clock's own row still finds
room, while every press fails. Time that passed like that must not count.
"""

from __future__ import annotations

import logging
import secrets
from datetime import datetime
from typing import Final

from django.db import transaction

from stafeta.switches.models import Event

log = logging.getLogger(__name__)

KIND: Final = "Rehearsed"
NUMBER_BITS: Final = 31
WORDS_CHARS_MAX: Final = 200
FILLING: Final = "x" * 400  # about as much as an event with its policy


def rehearse_checkin(*, now: datetime) -> str:
    """Append an event to the log and roll it back, so that nobody ever sees it; return why that failed, or "".

    Raises nothing: whatever keeps an event out of the log is the answer.
    """
    try:
        with transaction.atomic():
            # No switch has this id: foreign keys are looked at when a transaction commits, and this one never does. The
            # number is its own, so that a worker that stops right here makes no other wait.
            Event.objects.create(
                switch_id=0,
                number=secrets.randbits(NUMBER_BITS),
                cycle=0,
                kind=KIND,
                on_ladder=False,
                event={"x": FILLING},
                at=now,
                service_s=0,
            )
            transaction.set_rollback(True)
    except Exception as error:
        words = next(iter(str(error).splitlines()), "")[:WORDS_CHARS_MAX]
        log.error("a check-in could not be written: %s (%s)", words, type(error).__name__)
        return f"a check-in could not be written ({type(error).__name__})"
    return ""

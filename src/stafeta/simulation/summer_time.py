"""Whether somebody is to be asked in an hour that the change to or from summer time skips, or has twice."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from stafeta.core.policy import Choices

SKIPPED: Final = "asked_in_an_hour_that_is_skipped"
TWICE: Final = "asked_in_an_hour_that_comes_twice"


def oddity(due_at: datetime, choices: Choices) -> str:
    """Return what is odd about the hour of a check-in that is due at `due_at`; empty for most."""
    local = due_at.astimezone(ZoneInfo(choices.zone))
    if local.time() != choices.at:
        return SKIPPED
    return TWICE if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset() else ""

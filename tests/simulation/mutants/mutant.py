"""What a mutant is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from stafeta.simulation.script import Script

FALSE_RELEASE, MISSED_RELEASE, LOST_MESSAGE, LEAK, FAST_CLOCK = (
    "false_release",
    "missed_release",
    "lost_message",
    "leak",
    "fast_clock",
)


@dataclass(frozen=True)
class Mutant:
    """A bug. breaks: the promises of which it must break one; change: puts it into the house for a while."""

    name: str
    breaks: frozenset[str]
    change: Callable[[], AbstractContextManager[object]]
    script: Script

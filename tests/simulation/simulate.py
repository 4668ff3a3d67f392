"""Run `stafeta simulate` as anybody would, beside the other tests, and read its last line."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from tests.beside import Lane

RUN_S_MAX = 1500
SUMMARY = re.compile(
    r"^simulate: lives=(\d+) owner_years=(\d+) faults=(\d+) "
    r"false_releases=(\d+) missed_releases=(\d+) lost_messages=(\d+) seed=(-?\d+)$"
)


@dataclass(frozen=True)
class Said:
    """How a run ended: its exit code, the numbers of its last line, and everything it said."""

    code: int
    lives: int
    faults: int
    broken: tuple[int, int, int]
    text: str


def simulate(lane: Lane, *arguments: str) -> Said:
    """Simulate to the end, in a process of its own."""
    environ = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = lane.run("-m", "stafeta", "simulate", *arguments, within_s=RUN_S_MAX, env=environ)
    found = SUMMARY.match(done.text.strip().splitlines()[-1])
    assert found is not None, done.text[-3000:]
    lives, _years, faults, false, missed, lost, _seed = map(int, found.groups())
    return Said(done.code, lives, faults, (false, missed, lost), done.text)

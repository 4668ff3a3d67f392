"""Many worlds, one after another or several at a time, and what all of them showed together.

Nothing of Django may be imported here before a process has entered its installation.
"""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from stafeta.core.policy import RungKind
from stafeta.simulation.installation import IN_MEMORY, enter
from stafeta.simulation.script import (
    HOURS,
    LIVES_PER_WORLD,
    Kind,
    Script,
    Temper,
    Trait,
    Trouble,
    draw,
    outage_at,
)
from stafeta.simulation.summer_time import SKIPPED, TWICE

if TYPE_CHECKING:
    from stafeta.simulation.play import Verdict

LIVES_FOR_EVERY_FAULT: Final = 2000  # with fewer, some fault may find nobody to befall
LIVES_FOR_EVERY_RUNG: Final = 4000  # and with fewer than these, some outage nobody on some rung
OUTAGES: Final = {Trouble.WORKER_DOWN, Trouble.WEB_DOWN, Trouble.ALL_DOWN, Trouble.ASLEEP}
RUNGS: Final = (RungKind.EMAIL, RungKind.SMS, RungKind.TRUSTED, RungKind.COOLING_OFF)
UNOBSERVED: Final = {Trait.SLOW, Trait.COMPLAINS, Trait.MAILBOX_CLOSED, Trait.MAILBOX_BOUNCES, Trait.PHONE_LOST}
BESIDE: Final = (
    "address_refused",
    "hard_bounce",
    "soft_bounce",
    "receipt_twice",
    "receipt_days_late",
    "receipt_out_of_order",
    "receipt_missing",
    "receipt_of_no_message_of_ours",
    "complaint",
    "crash_at_a_provider",
    "crash_before_a_statement",
    "crash_after_a_statement",
    "crash_before_a_commit",
    "crash_after_a_commit",
    "pause_ends_in_an_outage",
)
OUTCOMES: Final = ("outcome: gone and released", "outcome: never released", "outcome: back after a release")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be simulated. jobs: processes; only an in-memory database has room for more than one."""

    lives: int
    seed: int
    years: float
    troubles: tuple[Trouble, ...]
    jobs: int = 1
    kind: Kind = Kind.USUAL
    database_url: str = IN_MEMORY

    def scripts(self) -> Iterator[Script]:
        """Yield the script of each world."""
        most = LIVES_PER_WORLD[self.kind]
        for number in range(-(-self.lives // most)):
            yield draw(
                seed=self.seed,
                number=number,
                lives=min(most, self.lives - number * most),
                years=self.years,
                troubles=self.troubles,
                kind=self.kind,
            )


@dataclass
class Tally:
    """What all worlds so far showed together. worst: the first verdict that broke a promise."""

    lives: int = 0
    owner_years: float = 0.0
    seen: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    worst: Verdict | None = None

    def add(self, verdict: Verdict) -> None:
        """Count one more world."""
        self.lives += verdict.lives
        self.owner_years += verdict.owner_years
        self.seen += verdict.seen
        self.broken.update(found.kind for found in verdict.violations)
        if verdict.violations and self.worst is None:
            self.worst = verdict

    def faults(self) -> int:
        """Return how many faults really occurred."""
        return sum(times for what, times in self.seen.items() if what not in OUTCOMES)

    def absent(self, plan: Plan) -> list[str]:
        """Return what never occurred although it should have: a fault that did not fire proves nothing."""
        expected = [trouble.value for trouble in plan.troubles if trouble is not Trouble.CRASHES]
        expected += [trait.value for trait in Trait if trait not in UNOBSERVED]
        expected += [temper.value for temper in Temper]
        expected += OUTCOMES
        if Trouble.CRASHES in plan.troubles:
            expected += BESIDE
        if plan.kind is not Kind.CALM:
            expected += [SKIPPED, TWICE]
        if plan.lives >= LIVES_FOR_EVERY_RUNG and set(plan.troubles) >= OUTAGES:
            expected += [outage_at(hours, kind) for hours in HOURS for kind in RUNGS]
        return [what for what in expected if not self.seen[what]]


def verdicts(plan: Plan) -> Iterator[Verdict]:
    """Play every script of the plan and yield what came of each, in the order in which they end."""
    enter(plan.database_url)
    if plan.jobs == 1:
        for script in plan.scripts():
            yield _play(script)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(plan.jobs, initializer=enter) as pool:
        yield from pool.imap_unordered(_play, plan.scripts())


def shortest(worst: Verdict) -> Verdict:
    """Return the shortest story found that breaks the same promise; after `verdicts`."""
    from stafeta.simulation.shrink import shorten

    return shorten(worst)


def _play(script: Script) -> Verdict:
    from stafeta.simulation.play import play

    return play(script)

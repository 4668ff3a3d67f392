"""Bugs, each of them once somebody's: a simulator that does not find them proves nothing.

A mutant is a change to the house, a story in which it betrays somebody, and the promises that it may break there. The
same story told by the house as it is breaks none.
"""

from __future__ import annotations

from tests.simulation.mutants import clocks, messages, people, releases, rungs
from tests.simulation.mutants.mutant import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *rungs.MUTANTS,
    *clocks.MUTANTS,
    *people.MUTANTS,
    *releases.MUTANTS,
    *messages.MUTANTS,
)

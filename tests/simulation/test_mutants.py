"""A simulator that cannot fail proves nothing: every seeded bug has to be found, and none where there is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.beside import Lane
from tests.simulation.mutants import MUTANTS

RUN_S_MAX = 900


def tell(lane: Lane) -> dict[str, Any]:
    """What broke in each mutant's story, told in a process and a database of its own."""
    done = lane.run("-m", "tests.simulation.catch", within_s=RUN_S_MAX)
    assert done.code == 0, done.text[-3000:]
    lines = [line for line in done.text.splitlines() if line.startswith("{")]
    return {found["name"]: found for found in map(json.loads, lines)}


def test_there_are_mutants_enough() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 15


@pytest.mark.beside(tell, about_s=80)
@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_the_bug_is_found_and_only_the_bug(answer: dict[str, Any], mutant: Any) -> None:
    found = answer[mutant.name]
    assert found["sound"] == [], found["how"]
    assert mutant.breaks & set(found["mutant"]), found

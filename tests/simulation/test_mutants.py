"""A simulator that cannot fail proves nothing: every seeded bug has to be found, and none where there is none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.simulation.mutants import MUTANTS

RUN_S_MAX = 900


@pytest.fixture(scope="module")
def caught() -> dict[str, Any]:
    """What broke in each mutant's story, told in a process and a database of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation.catch"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=RUN_S_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return {found["name"]: found for found in map(json.loads, done.stdout.splitlines())}


def test_there_are_mutants_enough() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 15


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_the_bug_is_found_and_only_the_bug(caught: dict[str, Any], mutant: Any) -> None:
    found = caught[mutant.name]
    assert found["sound"] == [], found["how"]
    assert mutant.breaks & set(found["mutant"]), found

"""The ladder under a state machine (docs/ladder.md): no story breaks a rule, and each seeded fault is found."""

from __future__ import annotations

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.core.machine import SwitchMachine
from tests.core.seeded_faults import FAULTS
from tests.core.stage import Stage

STEPS = 40
STORIES = settings(max_examples=2 * settings().max_examples, stateful_step_count=STEPS, deadline=None)
HUNT = settings(
    max_examples=3000,  # it ends with the first that is found
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
)
SHRINK = settings(HUNT, phases=[Phase.generate, Phase.shrink])
SHORTEST = {  # events from the arming on; the last one is where the fault shows
    "an unreachable rung is skipped": 3,  # armed, asked, and three days later on the next rung
    "a window counts from when its prompts were queued": 3,
    "a check-in does not end the cycle": 3,
    "the last rung is left out": 5,
}


def test_no_story_breaks_a_rule() -> None:
    """Invariants 2, 3, 6, 7, 8, 9, 10, 13, 14, 18 and 19: `machine.py` tells the stories, judge and witness listen.

    After every step silence is lived through on a copy: it ends in a release, within its bound, when the timeline said.
    """
    run_state_machine_as_test(SwitchMachine, settings=STORIES)


@pytest.mark.parametrize("name", FAULTS)
def test_a_seeded_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that cannot fail proves nothing."""
    FAULTS[name](monkeypatch)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(SwitchMachine, settings=HUNT)


@pytest.mark.parametrize(("name", "steps"), SHORTEST.items(), ids=SHORTEST)
def test_a_fault_is_told_by_its_shortest_story(name: str, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS[name](monkeypatch)
    monkeypatch.setattr(Stage, "shortest", [])
    with pytest.raises(AssertionError):
        run_state_machine_as_test(SwitchMachine, settings=SHRINK)
    assert 0 < len(Stage.shortest) <= steps, Stage.shortest

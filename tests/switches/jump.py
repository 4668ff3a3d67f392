"""From one decision of the ladder to the next, without the hours between: for tests of what is said, not of when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from stafeta.accounts.models import User
from stafeta.core.states import Climbing, State
from stafeta.switches.models import Switch
from stafeta.switches.selectors import service_second
from tests.world import World

JUMPS_MAX = 60


def to_rung(world: World, owner: User, rung: int) -> None:
    """Let the service work until the owner's ladder stands on that rung and its prompts are sent."""
    _jump(world, owner, lambda state: isinstance(state, Climbing) and state.rung == rung)


def to_phase(world: World, owner: User, phase: str) -> None:
    """Let the service work until the owner's switch is in that state and its news are sent."""
    _jump(world, owner, lambda state: type(state).__name__ == phase)


def _jump(world: World, owner: User, arrived: Callable[[State], bool]) -> None:
    for _ in range(JUMPS_MAX):
        switch = Switch.objects.get(owner=owner)
        if arrived(switch.ladder_state):
            world.tick()
            return
        if switch.due_at is not None:
            world.now = max(world.now, switch.due_at)
        elif switch.due_s is not None:
            world.now += timedelta(seconds=max(0, switch.due_s - service_second()))
        world.tick()
    raise AssertionError(f"never arrived; the switch is {world.state(owner)}")

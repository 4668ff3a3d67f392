"""Lives written by hand, each for one bug: who falls silent, who is around, what goes wrong meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from typing import Any

from stafeta.core.policy import DAY_S, Choices
from stafeta.simulation.script import Episode, Fate, Life, Script, Stance, Temper, Trait, Trouble

WEEKLY = Choices(interval_days=7, at=time(9, 0), email_attempts=2, trusted_attempts=1, trusted_window_s=DAY_S)
GONE = {"fate": Fate.DIES, "gone_day": 1.0}


def life(number: int, *traits: Trait, choices: Choices = WEEKLY, **changes: Any) -> Life:
    """Return an owner who is well, with a silent contact and a recipient who agreed; `changes` are of its fields."""
    plain = Life(
        number=number,
        choices=choices,
        fate=Fate.LIVES,
        gone_day=0.0,
        back_day=None,
        traits=frozenset(traits),
        contacts=(Temper.SILENT,),
        recipients=(Stance.AGREED,),
        delay_days=0,
    )
    return replace(plain, **changes)


def episode(trouble: Trouble, *, day: float, days: float, size: float = 0.3) -> Episode:
    """Return a trouble from `day` on, for `days`."""
    return Episode(trouble, day * 24, days * 24, size)


def script(*lives: Life, episodes: tuple[Episode, ...] = (), days: float = 30, seed: int = 1) -> Script:
    """Return a world of these lives."""
    return Script(seed, days / 365.25, lives, episodes)

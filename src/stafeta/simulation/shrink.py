"""The shortest story that still breaks the promise: leave out lives and episodes for as long as it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from stafeta.simulation.judge import Violation
from stafeta.simulation.play import Verdict, play
from stafeta.simulation.script import Script

PLAYS_MAX: Final = 60


def shorten(verdict: Verdict) -> Verdict:
    """Return the verdict, with its story, on the smallest script found in `PLAYS_MAX` plays."""
    broken = verdict.violations[0]
    script = verdict.script
    plays = 0
    progress = True
    while progress and plays < PLAYS_MAX:
        progress = False
        for smaller in _smaller(script, broken):
            plays += 1
            if plays > PLAYS_MAX:
                break
            if _breaks(smaller, broken):
                script, progress = smaller, True
                break
    return play(script, with_story=True)


def _smaller(script: Script, broken: Violation) -> Iterator[Script]:
    alone = tuple(life for life in script.lives if life.number == broken.life)
    if alone and len(script.lives) > 1:
        yield replace(script, lives=alone)
    if len(script.episodes) > 1:
        middle = len(script.episodes) // 2
        yield replace(script, episodes=script.episodes[middle:])
        yield replace(script, episodes=script.episodes[:middle])
    for place in range(len(script.episodes)):
        yield replace(script, episodes=script.episodes[:place] + script.episodes[place + 1 :])
    for number, life in enumerate(script.lives):
        for trait in sorted(life.traits):
            calmer = replace(life, traits=life.traits - {trait})
            yield replace(script, lives=(*script.lives[:number], calmer, *script.lives[number + 1 :]))


def _breaks(script: Script, broken: Violation) -> bool:
    return any(found.kind == broken.kind for found in play(script).violations)

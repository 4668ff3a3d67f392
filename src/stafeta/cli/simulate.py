"""Let whole lives pass against the real services in a throw-away database, under every fault we know of, and judge:
nobody who is well may be released, nobody who is gone may be forgotten, no message may be lost. Nothing that this
machine runs is read or touched. Exit code 1 names the seed and the shortest story found that breaks a promise."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from stafeta.cli.ready import tell
from stafeta.simulation.installation import IN_MEMORY
from stafeta.simulation.run import LIVES_FOR_EVERY_FAULT, Plan, Tally, shortest, verdicts
from stafeta.simulation.script import Kind, Trouble

if TYPE_CHECKING:
    from stafeta.simulation.play import Verdict

LIVES: Final = 200
YEARS: Final = 0.5
TELL_EVERY_LIVES: Final = 200
STORY_LINES_MAX: Final = 120
COUNT_MAX: Final = 100_000_000
YEARS_MAX: Final = 50.0
JOBS_MAX: Final = 64


def configure(parser: argparse.ArgumentParser) -> None:
    """Add how much, from which seed, and under which faults."""
    parser.add_argument("--lives", type=_whole(COUNT_MAX), default=LIVES, help="owners (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed plays the same lives (default: %(default)s)")
    parser.add_argument("--years", type=_years, default=YEARS, help="years under faults (default: %(default)s)")
    parser.add_argument(
        "--faults", type=_troubles, default=tuple(Trouble), help="a list with commas, or none (default: all of them)"
    )
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument(
        "--calm", dest="kind", action="store_const", const=Kind.CALM, help="long intervals: many years in little time"
    )
    kinds.add_argument(
        "--brief", dest="kind", action="store_const", const=Kind.BRIEF, help="short ladders: many lives in little time"
    )
    parser.set_defaults(kind=Kind.USUAL)
    parser.add_argument("--jobs", type=_whole(JOBS_MAX), default=1, help="processes (default: %(default)s)")
    parser.add_argument("--database", default=IN_MEMORY, help="an empty database to use instead of one in memory")


def main(args: argparse.Namespace) -> int:
    """Simulate, and return 1 where a promise was broken or a fault never occurred."""
    jobs = args.jobs if args.database == IN_MEMORY else 1
    plan = Plan(args.lives, args.seed, args.years, args.faults, jobs, args.kind, args.database)
    tally, told = Tally(), 0
    for verdict in verdicts(plan):
        tally.add(verdict)
        if tally.lives - told >= TELL_EVERY_LIVES:
            told = tally.lives
            tell(f"{tally.lives} of {plan.lives} lives, {tally.owner_years:.0f} owner-years, {_broken(tally)}")
        if tally.worst is not None:
            break
    absent = tally.absent(plan) if tally.lives >= LIVES_FOR_EVERY_FAULT else []
    _tell_faults(tally)
    if tally.worst is not None:
        _tell_story(shortest(tally.worst), plan)
    for what in absent:
        tell(f"never occurred: {what}")
    tell(_summary(tally, plan))
    return 1 if tally.broken or absent else 0


def _summary(tally: Tally, plan: Plan) -> str:
    broken = tally.broken
    false = broken["false_release"] + broken["leak"] + broken["fast_clock"]
    return (
        f"simulate: lives={tally.lives} owner_years={tally.owner_years:.0f} faults={tally.faults()} "
        f"false_releases={false} missed_releases={broken['missed_release']} "
        f"lost_messages={broken['lost_message']} seed={plan.seed}"
    )


def _broken(tally: Tally) -> str:
    return ", ".join(f"{times} × {kind}" for kind, times in tally.broken.items()) or "no promise broken"


def _tell_faults(tally: Tally) -> None:
    for what, times in sorted(tally.seen.items()):
        tell(f"  {times:>8}  {what}")


def _tell_story(verdict: Verdict, plan: Plan) -> None:
    tell(f"\nThe shortest story found, from seed {plan.seed}:")
    tell(f"  lives: {verdict.script.lives}")
    tell(f"  episodes: {verdict.script.episodes}")
    lives = {found.life for found in verdict.violations} | {-1}
    lines = [line for line in verdict.story if line[1] in lives]
    for at, life, what in lines[-STORY_LINES_MAX:]:
        tell(f"  {at:%Y-%m-%d %H:%M:%S}  {'everybody' if life < 0 else f'life {life}'}: {what}")
    tell("")


def _whole(most: int) -> type[int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"a whole number from 1 to {most}, please, not {text!r}")
        return int(text)

    return parse  # type: ignore[return-value]  # argparse takes any callable


def _years(text: str) -> float:
    try:
        years = float(text)
    except ValueError:
        years = 0.0
    if not 0.01 <= years <= YEARS_MAX:
        raise argparse.ArgumentTypeError(f"a number from 0.01 to {YEARS_MAX:g}, please, not {text!r}")
    return years


def _troubles(text: str) -> tuple[Trouble, ...]:
    words = [word.strip() for word in text.split(",") if word.strip() and word.strip() != "none"]
    unknown = sorted(set(words) - {trouble.value for trouble in Trouble})
    if unknown:
        known = ", ".join(trouble.value for trouble in Trouble)
        raise argparse.ArgumentTypeError(f"there is no fault {unknown[0]!r}; there are: {known}")
    return tuple(Trouble(word) for word in words)

"""End every hold, also the breaker's: the ladders go on where they stood, and the releases that the breaker stopped are
carried out."""

from __future__ import annotations

import argparse

from stafeta.cli.ready import require_ready, tell


def configure(parser: argparse.ArgumentParser) -> None:
    """The command takes no arguments."""
    del parser


def main(args: argparse.Namespace) -> int:
    """End what is held and say so; 1 where nothing was."""
    del args
    require_ready()
    from stafeta import clock
    from stafeta.switches.services.hold import lift_holds

    if not lift_holds(now=clock.now()):
        tell("Nothing is held.")
        return 1
    tell("The hold has ended; the ladders go on where they stood.")
    return 0

"""Say what the clocks show. After a clock that ran ahead was put right, `stafeta clock confirm` lets the present moment
count again and brings back what had been put off into a future that will not come."""

from __future__ import annotations

import argparse

from stafeta.cli.ready import require_ready, tell

SHOW, CONFIRM = "show", "confirm"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add what to do."""
    parser.add_argument("action", nargs="?", choices=(SHOW, CONFIRM), default=SHOW, help="default: %(default)s")


def main(args: argparse.Namespace) -> int:
    """Show, or confirm and say what came back; showing returns 1 where the clock is behind."""
    require_ready()
    from django.conf import settings

    from stafeta import clock
    from stafeta.switches.models import ServiceClock
    from stafeta.switches.services.confirm_clock import confirm_clock

    now, latest = clock.now(), ServiceClock.objects.first()
    if args.action == SHOW:
        tell(f"This machine says it is {now:%Y-%m-%d %H:%M:%S} UTC.")
        tell(f"The latest moment that any worker has shown: {latest.wall:%Y-%m-%d %H:%M:%S} UTC." if latest else "–")
        return 1 if latest and latest.wall > now else 0
    done = confirm_clock(now=now, pace=settings.CLOCK_SCALE)
    tell(f"It counts that it is {now:%Y-%m-%d %H:%M:%S} UTC; the clock had been {done.ahead} ahead.")
    tell(f"Brought back: {done.messages} messages, and the dates of {done.switches} switches.")
    return 0

"""Hold everything for maintenance: nobody climbs and nothing opens; what is queued leaves and check-ins count. The hold
ends by itself, or by `stafeta unhold`."""

from __future__ import annotations

import argparse

from stafeta.cli.ready import require_ready, tell

HOURS_DEFAULT = 2.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add for how long, and why."""
    parser.add_argument("--hours", type=float, default=HOURS_DEFAULT, help="at most 168; default: %(default)s")
    parser.add_argument("--reason", required=True, help="owners read it on their dashboards")


def main(args: argparse.Namespace) -> int:
    """Begin or change the hold and say until when it lasts."""
    require_ready()
    from stafeta import clock
    from stafeta.switches.services.hold import hold_everything

    hold = hold_everything(hours=args.hours, reason=args.reason, now=clock.now())
    tell(f"Everything is held until {hold.until:%Y-%m-%d %H:%M} UTC at the latest.")
    return 0

"""Climb the ladders and deliver the messages, until stopped. Any number may run on PostgreSQL, one on SQLite. Needs
`stafeta init` once before."""

from __future__ import annotations

import argparse
import signal
import threading

from stafeta.cli.lifeline import end_with_parent
from stafeta.cli.ready import require_ready
from stafeta.cli.web import add_parent


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the one choice there is."""
    add_parent(parser)
    parser.add_argument(
        "--once",
        action="store_true",
        help="do one round and stop, to try it out; no time passes for the ladder unless a worker keeps running",
    )


def main(args: argparse.Namespace) -> int:
    """Work until SIGINT or SIGTERM; what is being sent is finished first."""
    if args.end_with_parent:
        end_with_parent(args.end_with_parent, signal.SIGTERM)
    require_ready()
    from stafeta.worker.loop import run

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # From a thread of its own: setting takes a lock, which the waiting main thread may be holding right now.
        signal.signal(number, lambda *_: threading.Thread(target=stop.set).start())
    went_well = run(once=args.once, stop=stop)
    return 0 if went_well or not args.once else 1

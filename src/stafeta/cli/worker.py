"""Climb the ladders and deliver the messages, until stopped. Any number may run on PostgreSQL, one on SQLite. Needs
`stafeta init` once before."""

from __future__ import annotations

import argparse
import signal
import threading

from stafeta.cli.ready import require_ready


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the one choice there is."""
    parser.add_argument("--once", action="store_true", help="do one round and stop")


def main(args: argparse.Namespace) -> int:
    """Work until SIGINT or SIGTERM; what is being sent is finished first."""
    require_ready()
    from stafeta.worker.loop import run

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    run(once=args.once, stop=stop)
    return 0

"""Play the whole story on a fast clock, with invented people, in an installation of its own that is removed at the
end. Nothing leaves this computer. Open the address it prints and watch, or let --headless play it without a browser:
it prints what happens, then `demo: ok`, or what was missing (exit code 1)."""

from __future__ import annotations

import argparse
import re
import signal
import tempfile
from pathlib import Path
from typing import Final

from stafeta.cli.demo.installation import Plan, free_port
from stafeta.cli.web import PORT, count, port, require_free
from stafeta.core.errors import ConfigurationError

DAY: Final = "5s"
DAY_S_LEAST: Final = 1.0
DAY_S_MOST: Final = 3600.0
_UNITS_S: Final = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add how fast, where, and for whom."""
    parser.add_argument("--day", type=duration, default=DAY, help="how long one day takes (default: %(default)s)")
    parser.add_argument("--headless", action="store_true", help="play the story over HTTP, with no browser")
    parser.add_argument("--port", type=port, help=f"port to listen at (default: {PORT}; headless: a free one)")
    parser.add_argument(
        "--data-dir", type=Path, help="keep everything in this directory (default: one that is removed)"
    )
    parser.add_argument(
        "--database", default="", metavar="URL", help="an empty database (default: SQLite in the directory)"
    )
    parser.add_argument(
        "--workers", type=count, default=1, help="worker processes; several need PostgreSQL (default: 1)"
    )


def main(args: argparse.Namespace) -> int:
    """Show or play the story; return 0, or 1 where something was missing."""
    if args.workers > 1 and not args.database.startswith("postgres"):
        raise ConfigurationError("--workers", "SQLite takes one worker", "Name a PostgreSQL with --database.")
    # However this ends, the children end and the directory goes.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if args.data_dir is not None:
        return _play(args, args.data_dir.expanduser().absolute())
    with tempfile.TemporaryDirectory(prefix="stafeta-demo-") as directory:
        return _play(args, Path(directory))


def _play(args: argparse.Namespace, data_dir: Path) -> int:
    from stafeta.cli.demo import headless, visited

    chosen_port = args.port or (free_port() if args.headless else PORT)
    require_free("127.0.0.1", chosen_port)
    plan = Plan(
        day_s=args.day,
        data_dir=data_dir,
        port=chosen_port,
        workers=args.workers,
        database_url=args.database,
        email_url="",
        sms_url="",
        signup="first" if args.headless else "closed",
        logs=args.headless,
    )
    return headless.play(plan) if args.headless else visited.show(plan)


def duration(text: str) -> float:
    """Parse how long a day takes, as 5s, 500ms or 1m; return seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|min)?", text.strip())
    seconds = float(match[1]) * _UNITS_S[match[2] or ""] if match else 0.0
    if not DAY_S_LEAST <= seconds <= DAY_S_MOST:
        raise argparse.ArgumentTypeError(f"write it as 5s or 1m, from 1s to 60m, please, not {text!r}")
    return seconds

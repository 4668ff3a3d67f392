"""The `stafeta` command. One file a command; none is imported before it is chosen, so that `--help` is instant."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from stafeta import __version__
from stafeta.core.errors import StafetaError

# Name, and what it does in one line. The module `stafeta.cli.<name>` has `configure(parser)` and `main(args) -> int`.
COMMANDS: Final = {
    "init": "make the data directory, the secret key, the keys file and the database; safe to repeat",
    "run": "web and worker together: all that a small installation needs",
    "web": "the web server alone",
    "worker": "the worker alone: climbs the ladders and delivers the messages",
    "demo": "the whole story on a fast clock, with seeded people",
    "backup": "write a backup of the database into one file, while everything goes on running",
    "restore": "bring a backup back; nothing is released before each owner has been asked anew",
    "keys": "which key opens what; add a new one; wrap everything to it while the service runs",
    "createowner": "make an owner's account from the command line",
    "simulate": "whole lives under every fault, in a throw-away database: see that no promise breaks",
    "operator": "let an account see the operator's page and be told when somebody has to look",
    "check": "say in plain words whether everything is set up to work",
    "status": "say in plain words how the service stands",
    "hold": "hold everything for some hours: nobody climbs, nothing opens",
    "unhold": "end every hold, the breaker's too",
    "clock": "say what the clocks show; `clock confirm` once they have been put right",
}
EXIT_WRONG_SETTINGS: Final = 2
EXIT_INTERRUPTED: Final = 130
# Whatever file this program makes is for its own user.
PRIVATE: Final = 0o077


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 it did not work, 2 wrong usage or settings."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser, chosen = _parser(words)
    args = parser.parse_args(words)
    if chosen is None:
        parser.print_help()
        return 0
    os.umask(PRIVATE)
    # Imported here and not above: Django is slow to load, and `--help` does not need it.
    from django.core.exceptions import ImproperlyConfigured

    try:
        return int(import_module(f"stafeta.cli.{chosen}").main(args))
    except (StafetaError, ImproperlyConfigured) as error:
        print(error, file=sys.stderr)
        return EXIT_WRONG_SETTINGS
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _parser(words: Sequence[str]) -> tuple[argparse.ArgumentParser, str | None]:
    """Return the parser, with the arguments of the chosen command only, and that command."""
    chosen = next((word for word in words if not word.startswith("-")), None)
    parser = argparse.ArgumentParser(
        prog="stafeta",
        description="Štafeta hands over when its owner cannot. Settings are STAFETA_* environment variables; "
        "docs/operations.md lists them.",
    )
    parser.add_argument("--version", action="version", version=f"stafeta {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for name, words_of_help in COMMANDS.items():
        if name != chosen:
            commands.add_parser(name, help=words_of_help)
            continue
        module = import_module(f"stafeta.cli.{name}")
        module.configure(commands.add_parser(name, help=words_of_help, description=module.__doc__))
    return parser, chosen if chosen in COMMANDS else None

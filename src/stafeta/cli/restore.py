"""Bring a backup back into this installation's database, SQLite or PostgreSQL alike. Stop every web and worker first.
Afterwards nothing is released before each owner has been asked anew."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stafeta.cli.ready import require_ready, tell, warn
from stafeta.core.errors import ArchiveError

if TYPE_CHECKING:
    from stafeta.archive.read import Archive

WORD: Final = "restore"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add what is brought back, and what may be lost by it."""
    parser.add_argument("file", metavar="FILE", type=Path, help="a backup that `stafeta backup` has written")
    parser.add_argument("--replace", action="store_true", help="put it in the place of the accounts that are here now")
    parser.add_argument("--yes", action="store_true", help="ask nothing, not even where keys are missing")


def main(args: argparse.Namespace) -> int:
    """Check everything, ask where something would be lost, restore, and say what comes next. 1: it was not done."""
    require_ready()
    from stafeta import clock
    from stafeta.archive.load import load
    from stafeta.archive.read import open_archive, verify

    try:
        with open_archive(args.file) as archive:
            rows = verify(archive)
            tell(f"The backup of {archive.manifest['made_at']} is whole: {rows} rows")
            doubts = [*_replaced(replace=args.replace), *_missing_keys(archive)]
            for doubt in doubts:
                warn(f"WARNING: {doubt}")
            if doubts and not (args.yes or _confirmed()):
                warn("Nothing was changed.")
                return 1
            load(archive, now=clock.now(), say=warn)
    except ArchiveError as error:
        warn(str(error))
        return 1
    tell("Restored. Start web and worker: every owner is told by e-mail, and who was being asked is asked anew.")
    tell("See that nothing runs on the old database any more, here or elsewhere.")
    return 0


def _replaced(*, replace: bool) -> list[str]:
    """Return what would be lost. Raises ArchiveError where that was not asked for."""
    from stafeta.accounts.models import User

    accounts = User.objects.count()
    if not accounts:
        return []
    if not replace:
        raise ArchiveError(
            f"The database already holds accounts ({accounts})",
            "Nothing was changed. Restore into an empty one, or add --replace to lose what is here now.",
        )
    return [f"{accounts} accounts and all that is theirs are replaced by what the backup holds."]


def _missing_keys(archive: Archive) -> list[str]:
    """Return what the backup holds that the keys at hand do not open."""
    from stafeta.archive.keys import unopened

    doubts = []
    if not archive.same_secret:
        doubts.append(
            "the backup was made under another secret key: links in mails that were sent, second factors and the "
            "numbers known to be suppressed stop working. Bring the old secret key back if you have it."
        )
    closed, handovers = unopened(archive)
    if closed:
        doubts.append(
            f"{closed} of {handovers} handovers are not opened by the keys file at hand: nobody could ever read them. "
            "Bring the old keys file back."
        )
    return doubts


def _confirmed() -> bool:
    """Ask whoever types; nobody is nobody."""
    warn(f"Type {WORD!r} to go on: ")
    return sys.stdin.readline().strip() == WORD

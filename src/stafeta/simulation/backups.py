"""An old backup is brought back while the world has gone on: what happened since is known to nobody but the people."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import DatabaseError

from stafeta.archive.load import load
from stafeta.archive.read import open_archive, verify
from stafeta.archive.write import write_archive

if TYPE_CHECKING:
    from stafeta.simulation.world import World


class Backups:
    """At most one backup is kept: the one that an episode began with."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: Path | None = None

    def make(self) -> None:
        """Make a backup, unless one is kept already or the database is not well enough."""
        if self._kept is not None:
            return
        file = Path(tempfile.mkdtemp(prefix="stafeta-simulation-")) / "backup.zip"
        try:
            write_archive(file, now=self._world.wall(), say=_nobody)
        except DatabaseError:
            return
        self._kept = file

    def bring_back(self) -> bool:
        """Restore the kept backup and start workers anew; return whether there was one and the database let it."""
        if self._kept is None:
            return False
        try:
            with open_archive(self._kept) as archive:
                verify(archive)
                load(archive, now=self._world.wall(), say=_nobody)
        except DatabaseError:
            return False
        finally:
            self._kept.unlink()
            self._kept.parent.rmdir()
            self._kept = None
        return True


def _nobody(_words: str) -> None:
    """Nobody watches."""

"""The levels of protection, and exactly what each promises (vault.md, "Levels of protection").

A level is an immutable id: it never changes its meaning, so that old handovers always open.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a handover's key is held."""

    GUARDED = "guarded"
    SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class Promise:
    """Against whom a level protects the content, in facts that a test can check.

    database_thief: a copy of the database, of the backups or of the attachment store reads nothing.
    server_intruder: somebody who has taken over the running server reads nothing.
    recipient_needs_key: the recipient needs a key of their own beside the link and the SMS code.
    """

    database_thief: bool
    server_intruder: bool
    recipient_needs_key: bool


PROMISES: dict[Level, Promise] = {
    Level.GUARDED: Promise(database_thief=True, server_intruder=False, recipient_needs_key=False),
    Level.SEALED: Promise(database_thief=True, server_intruder=True, recipient_needs_key=True),
}

"""What a trouble means, in one sentence for the operator that says what to do."""

from __future__ import annotations

from typing import Final

FULL: Final = "The disk is full: free space where the database lies, and nothing else is needed."
READ_ONLY: Final = (
    "The database is read-only: give its file and folder back to this user, or point STAFETA_DATABASE_URL at the "
    "server that takes writes."
)
LOCKED: Final = (
    "Somebody else holds the database: on SQLite see that one worker runs and no other program has the file open; on "
    "PostgreSQL look for a long transaction in pg_stat_activity."
)
DEADLOCK: Final = "Two transactions waited for each other and one was taken back: do nothing, unless it recurs."
AWAY: Final = "The database does not answer: see that it runs and that the way to it is open."
TOO_MANY: Final = "The database takes no more connections: raise max_connections, or run fewer processes."
REFUSED: Final = "The database does not let us in: see the user, the password and the name in STAFETA_DATABASE_URL."
DAMAGED: Final = (
    "The database file is damaged: stop web and worker, keep a copy of the file, check the disk, bring back a backup."
)
UNREADABLE: Final = "The database cannot be read or written: check the disk, the folder and the rights of this user."
OLD_TABLES: Final = "The tables are not those of this version: run `stafeta init`, which is safe to repeat."
UNKNOWN: Final = "This cause has no name yet; the words of the database are all there is."

WORDS_CHARS_MAX: Final = 200
CAUSES_MAX: Final = 10

# PostgreSQL's SQLSTATE, whole or by its class (PostgreSQL manual, appendix A).
_BY_STATE: Final = {
    "53100": FULL,
    "53300": TOO_MANY,
    "25006": READ_ONLY,
    "40P01": DEADLOCK,
    "40001": DEADLOCK,
    "55P03": LOCKED,
    "57P01": AWAY,
    "57P02": AWAY,
    "57P03": AWAY,
    "25P03": AWAY,
    "58030": UNREADABLE,
    "42P01": OLD_TABLES,
    "42703": OLD_TABLES,
    "3D000": REFUSED,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
    "08": AWAY,
    "28": REFUSED,
}
# What SQLite and a connection that was never made say; the first that fits counts.
_BY_WORDS: Final = (
    ("database or disk is full", FULL),
    ("no space left on device", FULL),
    ("readonly database", READ_ONLY),
    ("read-only", READ_ONLY),
    ("is locked", LOCKED),
    ("deadlock detected", DEADLOCK),
    ("is malformed", DAMAGED),
    ("is not a database", DAMAGED),
    ("unable to open database file", UNREADABLE),
    ("disk i/o error", UNREADABLE),
    ("no such table", OLD_TABLES),
    ("no such column", OLD_TABLES),
    ("too many clients", TOO_MANY),
    ("too many connections", TOO_MANY),
    ("password authentication failed", REFUSED),
    ("the database system is", AWAY),
    ("connection refused", AWAY),
    ("connection failed", AWAY),
    ("connection timeout", AWAY),
    ("could not connect", AWAY),
    ("could not translate host name", AWAY),
    ("connection is closed", AWAY),
    ("connection already closed", AWAY),
    ("connection is bad", AWAY),
    ("connection is lost", AWAY),
    ("terminating connection", AWAY),
    ("server closed the connection", AWAY),
    ("consuming input failed", AWAY),
)


def remedy(error: BaseException) -> str:
    """Return what to do about a database error, found by its SQLSTATE or its words, in it or in what caused it."""
    for cause in _causes(error):
        state = getattr(cause, "sqlstate", None) or ""
        found = _BY_STATE.get(state) or _BY_STATE.get(state[:2])
        if found:
            return found
    said = " ".join(str(cause) for cause in _causes(error)).lower()
    return next((sentence for words, sentence in _BY_WORDS if words in said), UNKNOWN)


def why_deaf(*, provider: str | None, page: str, log: str) -> str:
    """Return why nobody climbs and what to do: a provider fails, the public page, the event log, or else the clock."""
    if provider:
        return f"{provider}. See the provider's account, and the log of what it answers."
    if page:
        return f"{page}. See that STAFETA_SITE_URL leads to this service, from the worker's machine too."
    if log:
        return f"{log}. See what the database says of it above; no time passes for anybody until it is mended."
    return "the clock is behind the last reading. See that this machine's clock is right."


def told(error: BaseException) -> str:
    """Return the error in one short line: its first line only, for the next ones may quote a row."""
    words = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {words}"[:WORDS_CHARS_MAX].rstrip(": ")


def _causes(error: BaseException) -> list[BaseException]:
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and len(causes) < CAUSES_MAX:
        causes.append(cause)
        cause = cause.__cause__
    return causes

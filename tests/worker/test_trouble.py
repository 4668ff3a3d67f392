"""What the operator is told when the database fails: each well-known cause by its name, and what to do."""

from __future__ import annotations

import psycopg
import pytest
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, InternalError, OperationalError

from stafeta.outbox.faults import database_failed
from stafeta.worker import trouble
from stafeta.worker.trouble import WORDS_CHARS_MAX, remedy, told, why_deaf


def caused_by(cause: Exception, error: type[Exception] = OperationalError) -> Exception:
    """Return a Django error as it comes: with the driver's own as its cause."""
    try:
        raise error(str(cause)) from cause
    except error as raised:
        return raised


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("database or disk is full", trouble.FULL),
        ("attempt to write a readonly database", trouble.READ_ONLY),
        ("database is locked", trouble.LOCKED),
        ("database table is locked: switches_switch", trouble.LOCKED),
        ("unable to open database file", trouble.UNREADABLE),
        ("disk I/O error", trouble.UNREADABLE),
        ("database disk image is malformed", trouble.DAMAGED),
        ("file is not a database", trouble.DAMAGED),
        ("no such table: switches_switch", trouble.OLD_TABLES),
        ('connection failed: connection to server at "127.0.0.1", port 5432 failed: Connection refused', trouble.AWAY),
        ('connection failed: FATAL:  password authentication failed for user "stafeta"', trouble.REFUSED),
        ("connection failed: FATAL:  sorry, too many clients already", trouble.TOO_MANY),
        ("the connection is closed", trouble.AWAY),
        ("something nobody has seen yet", trouble.UNKNOWN),
    ],
)
def test_every_well_known_cause_is_known_by_its_words(words: str, sentence: str) -> None:
    assert remedy(OperationalError(words)) == sentence


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        (psycopg.errors.DiskFull, trouble.FULL),
        (psycopg.errors.ReadOnlySqlTransaction, trouble.READ_ONLY),
        (psycopg.errors.DeadlockDetected, trouble.DEADLOCK),
        (psycopg.errors.SerializationFailure, trouble.DEADLOCK),
        (psycopg.errors.LockNotAvailable, trouble.LOCKED),
        (psycopg.errors.AdminShutdown, trouble.AWAY),
        (psycopg.errors.ConnectionFailure, trouble.AWAY),
        (psycopg.errors.TooManyConnections, trouble.TOO_MANY),
        (psycopg.errors.InvalidPassword, trouble.REFUSED),
        (psycopg.errors.UndefinedTable, trouble.OLD_TABLES),
        (psycopg.errors.DataCorrupted, trouble.DAMAGED),
    ],
)
def test_postgresql_is_understood_in_any_language_by_its_code(cause: type[psycopg.Error], sentence: str) -> None:
    assert remedy(caused_by(cause("něco se nepovedlo"))) == sentence


def test_every_sentence_says_what_to_do() -> None:
    sentences = {value for name, value in vars(trouble).items() if name.isupper() and isinstance(value, str)}
    assert len(sentences) == 11
    for sentence in sentences - {trouble.UNKNOWN}:
        assert any(
            word in sentence for word in ("free", "give", "see", "look", "do ", "raise", "stop", "check", "run ")
        )


def test_what_is_quoted_is_one_short_line_that_tells_no_row() -> None:
    error = IntegrityError("duplicate key value\nDETAIL:  Key (email)=(dana@example.org) already exists.")
    assert told(error) == "IntegrityError: duplicate key value"
    assert told(OperationalError("")) == "OperationalError"
    assert len(told(OperationalError("x" * 999))) == WORDS_CHARS_MAX


@pytest.mark.parametrize(
    ("error", "everybodys"),
    [
        (OperationalError("disk full"), True),
        (InterfaceError("connection already closed"), True),
        (InternalError("cannot execute UPDATE in a read-only transaction"), True),
        (DatabaseError("database disk image is malformed"), True),
        (DataError("value too long"), False),
        (IntegrityError("duplicate key"), False),
        (KeyError("params"), False),
    ],
)
def test_a_database_that_fails_is_told_from_a_row_that_does_not_fit(error: Exception, everybodys: bool) -> None:
    """Invariant 12: the one is everybody's trouble, the other that row's own."""
    assert database_failed(error) is everybodys


def test_why_nobody_climbs_is_said_with_what_to_do() -> None:
    assert why_deaf(provider="sms: no credit", page="", log="").startswith("sms: no credit. See the provider")
    assert "STAFETA_SITE_URL" in why_deaf(provider=None, page="somebody else answers at the public address", log="")
    assert "the database" in why_deaf(provider=None, page="", log="a check-in could not be written")
    assert "clock" in why_deaf(provider=None, page="", log="")

"""Bring a backup back: all of it in one transaction, and then the installation is another one (docs/adr/0008)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from django.contrib.sessions.models import Session
from django.db import DatabaseError, OperationalError, connection, models, transaction
from django.db.models import F

from stafeta.accounts.selectors import current_epoch
from stafeta.accounts.services.installation import begin_epoch
from stafeta.archive import ROWS_AT_ONCE, TELL_EVERY_ROWS
from stafeta.archive.files import bring_back, take_back
from stafeta.archive.ids import count_on, last_id
from stafeta.archive.read import Archive
from stafeta.archive.tables import EXEMPT, archived, columns_of, name_of
from stafeta.archive.write import Say
from stafeta.core.errors import ArchiveError
from stafeta.core.policy import DAY_S
from stafeta.outbox.models import ChannelHealth, Message
from stafeta.switches.models import ServiceClock, Switch
from stafeta.switches.selectors import service_second
from stafeta.switches.services.adopt import suspend_release
from stafeta.vault.services.release import suspend_grants

log = logging.getLogger(__name__)

# How long to wait for those who are still using the tables.
LOCK_S_MAX: Final = 60
# The service clock's readings go on from far ahead, so that no worker of before can write over one it has seen.
READING_STEP: Final = 2**40
# How long the release of a switch that nobody can read stays closed: until somebody has looked.
UNREADABLE_S: Final = 365 * DAY_S
FOREIGN_TO_BACKUPS: Final = ("contenttypes.contenttype", "auth.permission")


def load(archive: Archive, *, now: datetime, say: Say) -> int:
    """Put the rows of a verified backup in the place of all that is there, and return the epoch that begins.

    All or nothing: first the attachments, beside those that are there, then all rows in one transaction. Raises
    ArchiveError where the database or the storage refuses; then both are as they were.
    """
    brought = bring_back(archive.file, archive.manifest)
    try:
        return _load(archive, now=now, say=say)
    except BaseException:
        take_back(brought)
        raise


def _load(archive: Archive, *, now: datetime, say: Say) -> int:
    try:
        with transaction.atomic():
            _lock()
            before = {model: max(archive.last_id_of(model), last_id(model)) for model in archived()}
            epoch = max(int(archive.manifest["epoch"]), current_epoch())
            _empty()
            for model in archived():
                _insert(archive, model, say)
            for model, highest in before.items():
                count_on(model, after=highest)
            begun = begin_epoch(after=epoch, now=now)
            _stand_still()
            connection.check_constraints()
    except OperationalError as error:
        raise ArchiveError(
            f"The database did not let itself be restored ({' '.join(str(error).split())})",
            "Nothing was changed. Stop every `stafeta web` and `stafeta worker` that uses it and try again.",
        ) from None
    except DatabaseError as error:
        raise ArchiveError(
            f"The rows of the backup do not fit together ({type(error).__name__})",
            "Nothing was changed. Use another copy of the backup.",
        ) from error
    return begun


def _lock() -> None:
    """Wait until nobody uses the tables, and let nobody in until this is over. SQLite does so by itself."""
    if connection.vendor != "postgresql":
        return
    tables = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in [*archived(), *_sessions()])
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_S_MAX}s'")
        cursor.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")


def _sessions() -> list[type[models.Model]]:
    """Return the tables that no backup holds and that must not survive a restore."""
    from django.apps import apps

    kept = {*FOREIGN_TO_BACKUPS}
    found = [model for model in apps.get_models(include_auto_created=True) if name_of(model) in EXEMPT]
    assert Session in found
    return [model for model in found if name_of(model) not in kept]


def _empty() -> None:
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.execute("PRAGMA defer_foreign_keys = ON")
        for model in [*_sessions(), *archived()]:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608  # our tables


def _insert(archive: Archive, model: type[models.Model], say: Say) -> None:
    """Put a table's rows in as they are: no signal, no default, no moment of now."""
    quote = connection.ops.quote_name
    columns = columns_of(model)
    names = ", ".join(quote(field.column or field.attname) for field in columns)
    marks = ", ".join(["%s"] * len(columns))
    statement = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({marks})"  # noqa: S608  # our tables
    rows = archive.rows_of(model)
    done = 0
    with connection.cursor() as cursor:
        while batch := list(islice(rows, ROWS_AT_ONCE)):
            cursor.executemany(statement, batch)
            done += len(batch)
            if done % TELL_EVERY_ROWS == 0:
                say(f"{name_of(model)}: {done} rows")


def _stand_still() -> None:
    """Let nothing go on from where the backup stood: no message, no window, no grant, before its switch was adopted."""
    Message.objects.update(lease_until=None)
    of_switches = Message.objects.filter(state=Message.State.QUEUED, owner__in=Switch.objects.values("owner"))
    of_switches.update(next_attempt_at=None)
    ChannelHealth.objects.update(failing_since=None, reason="")
    ServiceClock.objects.update(heard=False, reading=F("reading") + READING_STEP)
    service_s = service_second()
    for switch in _released():
        try:
            suspend_release(switch, service_s=service_s)
        except Exception as fault:  # e.g. a policy that nobody can read: adopting sets the switch aside (invariant 12)
            log.error("switch %s cannot be read; its handovers stay closed: %r", switch.pk, fault)
            suspend_grants(
                owner_id=switch.owner_id,
                switch_id=switch.pk,
                cycle=switch.cycle,
                service_s=service_s,
                until_s=service_s + UNREADABLE_S,
            )


def _released() -> Iterator[Switch]:
    return Switch.objects.filter(phase="Released").order_by("pk").iterator(chunk_size=ROWS_AT_ONCE)

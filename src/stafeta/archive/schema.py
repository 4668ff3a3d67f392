"""The schema of a backup: the migrations that had been applied. This version takes its own, and what it knows to carry
on from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from django.db import connection, migrations
from django.db.migrations.loader import MigrationLoader

from stafeta import __version__
from stafeta.core.errors import ArchiveError

# What a migration may do so that rows from before it can be put into the tables from after it: their new columns get
# their defaults, their new tables stay empty.
HARMLESS: Final = (
    migrations.CreateModel,
    migrations.AddField,
    migrations.AddIndex,
    migrations.RemoveIndex,
    migrations.RenameIndex,
    migrations.AddConstraint,
    migrations.AlterModelOptions,
)
# Migrations that do more and are harmless all the same, each with the reason.
CARRIED_ON: Final = {
    ("accounts", "0002_the_world_around"): "it makes the row of the installation, which a restore makes itself",
    ("vault", "0006_recipients_keys"): "beside a new column it only names one more way of reading",
}

Schema = Mapping[str, Sequence[str]]


def present_schema() -> dict[str, list[str]]:
    """Return the migrations that this database has, by app."""
    found: dict[str, list[str]] = {}
    loader = MigrationLoader(connection)
    for app, name in sorted(loader.applied_migrations):
        if app in loader.migrated_apps:
            found.setdefault(app, []).append(name)
    return found


def require_known(schema: Schema, *, made_by: str) -> None:
    """Raise ArchiveError for a backup that this version cannot bring back, and say which one can."""
    loader = MigrationLoader(connection)
    theirs = {(app, name) for app, names in schema.items() for name in names}
    newer = theirs - set(loader.disk_migrations)
    if newer:
        app, name = min(newer)
        raise ArchiveError(
            f"The backup was made by a newer Štafeta ({made_by}): {__version__} does not know {app}.{name}",
            "Install that version or a newer one, run `stafeta init`, and restore again.",
        )
    for app, name in sorted(set(loader.disk_migrations) - theirs):
        if app in schema and (app, name) not in CARRIED_ON and not _is_harmless(loader, app, name):
            raise ArchiveError(
                f"The backup was made by an older Štafeta ({made_by}): nothing carries its rows over {app}.{name}",
                f"Install Štafeta {made_by}, restore there, and then upgrade.",
            )


def _is_harmless(loader: MigrationLoader, app: str, name: str) -> bool:
    return all(isinstance(operation, HARMLESS) for operation in _operations(loader, app, name))


def _operations(loader: MigrationLoader, app: str, name: str) -> Iterator[object]:
    yield from loader.disk_migrations[app, name].operations

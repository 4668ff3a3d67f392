"""Which tables a backup holds, and how a row becomes a line that any database can take back."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from django.apps import apps
from django.db import connection, models

from stafeta.core.errors import ArchiveError

# Tables that no backup holds, each with the reason.
EXEMPT: Final = {
    "sessions.session": "whoever was signed in signs in again; a session would open an account",
    "usersessions.usersession": "the list of those sessions",
    "account.emailconfirmation": "keys that confirm an address; a new one is sent to whoever asks",
    "contenttypes.contenttype": "made by every installation for itself",
    "auth.permission": "made by every installation for itself; the house uses none",
    "auth.group_permissions": "points to permissions",
    "accounts.user_user_permissions": "points to permissions",
    "vault.partialupload": "a file that was still on its way; its parts are not in a backup, and it is sent anew",
    "vault.uploadpart": "those parts",
}
# Tables that are no model's.
EXEMPT_TABLES: Final = {
    "stafeta_cache": "rate limits; they begin anew",
    "django_migrations": "the schema, which the manifest names",
}


def archived() -> list[type[models.Model]]:
    """Return the models whose rows a backup holds, the tables behind relations included, in an order that is stable."""
    found = apps.get_models(include_auto_created=True)
    kept = [model for model in found if model._meta.managed and not model._meta.proxy and name_of(model) not in EXEMPT]
    return sorted(kept, key=name_of)


def name_of(model: type[models.Model]) -> str:
    """Return what a model's table is called in a backup, e.g. "vault.handover"."""
    return model._meta.label_lower


def columns_of(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    """Return the columns of a model's table."""
    return list(model._meta.concrete_fields)


def to_line(names: Iterable[str], values: Iterable[object]) -> bytes:
    """Return one row as a line of JSON."""
    row = dict(zip(names, map(_plain, values), strict=True))
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def from_line(line: bytes, columns: Mapping[str, models.Field[Any, Any]]) -> list[Any]:
    """Return the values of a line, each as this database takes it, in the order of `columns`.

    A column that the line does not know gets the default that the model gives it. Raises ArchiveError for a line that
    is none, and for a column that this version does not know.
    """
    try:
        row = json.loads(line)
        unknown = set(row) - set(columns)
    except (ValueError, TypeError):
        raise _damaged("a line is no row") from None
    if unknown:
        raise _damaged(f"it has a column {min(unknown)!r} that this version does not know")
    return [_value(field, row, name) for name, field in columns.items()]


def _plain(value: object) -> object:
    match value:
        case datetime() | date():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(bytes(value)).decode()
        case _:
            return value


def _value(field: models.Field[Any, Any], row: Mapping[str, Any], name: str) -> Any:
    if name not in row:
        if not (field.has_default() or field.null):
            raise _damaged(f"it lacks the column {name!r}")
        return field.get_db_prep_save(field.get_default(), connection)
    value = row[name]
    try:
        if isinstance(value, str) and isinstance(field, models.BinaryField):
            value = base64.b64decode(value, validate=True)
        elif isinstance(value, str) and isinstance(field, models.DateTimeField):
            value = datetime.fromisoformat(value)
        return field.get_db_prep_save(value, connection)
    except Exception as error:  # whatever a field raises for what it cannot hold
        raise _damaged(f"the column {name!r} holds what it cannot ({type(error).__name__})") from None


def _damaged(problem: str) -> ArchiveError:
    return ArchiveError(f"The backup is damaged: {problem}", "Use another copy of it.")

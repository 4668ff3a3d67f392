"""Write a backup: one moment of the database and the files it names, streamed, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.db import connection, models

from stafeta import __version__
from stafeta.accounts.selectors import current_epoch
from stafeta.archive import FORMAT, FORMAT_VERSION, MANIFEST, ROWS_AT_ONCE, TABLES, TELL_EVERY_ROWS
from stafeta.archive.files import keys_in_database, write_files
from stafeta.archive.ids import last_id
from stafeta.archive.schema import present_schema
from stafeta.archive.seal import seal_of, secret_check
from stafeta.archive.snapshot import snapshot
from stafeta.archive.tables import archived, columns_of, name_of, to_line
from stafeta.core.errors import ArchiveError

Say = Callable[[str], None]


def write_archive(path: Path, *, now: datetime, say: Say) -> int:
    """Write a backup of the database and the attachments to `path`, mode 0600, and return how many rows it holds.

    Others may go on writing to the database. Raises ArchiveError where there is a file already, and where it cannot be
    written to its end; then nothing is left of it.
    """
    with whole_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with snapshot():
            manifest = _head(now)
            for model in archived():
                manifest["tables"][name_of(model)] = _write_table(archive, model, say)
            keys = keys_in_database()
        manifest["files"] = write_files(archive, keys)
        if missing := manifest["files"]["missing"]:
            say(f"WARNING: {missing} attachments are not in the storage and not in the backup")
        manifest["seal"] = seal_of(manifest)
        archive.writestr(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
    return sum(table["rows"] for table in manifest["tables"].values())


def _head(now: datetime) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "stafeta": __version__,
        "made_at": now.isoformat(),
        "database": connection.vendor,
        "epoch": current_epoch(),
        "schema": present_schema(),
        "secret_check": secret_check(),
        "tables": {},
    }


def _write_table(archive: zipfile.ZipFile, model: type[models.Model], say: Say) -> dict[str, Any]:
    columns = [field.attname for field in columns_of(model)]
    digest = hashlib.sha256()
    rows = 0
    query = model._base_manager.order_by("pk").values_list(*columns)
    with archive.open(f"{TABLES}{name_of(model)}.jsonl", "w", force_zip64=True) as member:
        for values in query.iterator(chunk_size=ROWS_AT_ONCE):
            line = to_line(columns, values)
            digest.update(line)
            member.write(line)
            rows += 1
            if rows % TELL_EVERY_ROWS == 0:
                say(f"{name_of(model)}: {rows} rows")
    return {"rows": rows, "last_id": last_id(model), "sha256": digest.hexdigest()}


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Let a file be written that is there whole or not at all, mode 0600. Never takes the place of another.

    Raises ArchiveError, which says what to do, where that cannot be.
    """
    if path.exists():
        raise taken(path)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.link(partial, path)  # not a rename, which would replace a file that has come in the meantime
        finally:
            partial.unlink(missing_ok=True)
        _sync_directory(path.parent)
    except FileExistsError:
        raise taken(path) from None
    except OSError as error:
        raise ArchiveError(
            f"{path} cannot be written ({error.strerror or error})", "Nothing is left of it; make room or name another."
        ) from None


def taken(path: Path) -> ArchiveError:
    """Return what to say where there is a file already."""
    return ArchiveError(f"{path} is there already", "Name a file that does not exist; no backup is ever overwritten.")


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Read a backup: everything about it is checked before anything is changed."""

from __future__ import annotations

import hashlib
import hmac
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import models

from stafeta.archive import FORMAT, FORMAT_VERSION, LINE_BYTES_MAX, MANIFEST, MANIFEST_BYTES_MAX, TABLES
from stafeta.archive.files import verify_files
from stafeta.archive.schema import require_known
from stafeta.archive.seal import seal_of, secret_check
from stafeta.archive.tables import archived, columns_of, from_line, name_of
from stafeta.core.errors import ArchiveError

ANOTHER_COPY = "Nothing was changed. Use another copy of the backup."


@dataclass(frozen=True, slots=True)
class Archive:
    """A backup that was opened and whose manifest this version understands.

    same_secret: it was made under the secret that is at hand, and so its seal could be checked.
    """

    file: zipfile.ZipFile
    manifest: dict[str, Any]
    same_secret: bool

    def lines_of(self, model: type[models.Model]) -> Iterator[bytes]:
        """Yield the lines of a table; none for one that is newer than the backup."""
        if name_of(model) in self.manifest["tables"]:
            with _readable(), self.file.open(f"{TABLES}{name_of(model)}.jsonl") as member:
                while line := member.readline(LINE_BYTES_MAX):
                    yield line

    def rows_of(self, model: type[models.Model]) -> Iterator[list[Any]]:
        """Yield the rows of a table as this database takes them. Raises ArchiveError at the first that it cannot."""
        columns = {field.attname: field for field in columns_of(model)}
        for line in self.lines_of(model):
            yield from_line(line, columns)

    def last_id_of(self, model: type[models.Model]) -> int:
        """Return the highest id that the table had given out when the backup was made."""
        table = self.manifest["tables"].get(name_of(model))
        return int(table["last_id"]) if table else 0


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a backup and check its manifest. Raises ArchiveError for one that is none, damaged, or newer than this."""
    with _readable():
        try:
            file = zipfile.ZipFile(path)
        except OSError as error:
            raise ArchiveError(f"{path} cannot be read ({error.strerror})", "Name the file of a backup.") from None
    with file:
        with _readable():
            manifest = _manifest(file)
        same_secret = hmac.compare_digest(str(manifest["secret_check"]), secret_check())
        if same_secret and not hmac.compare_digest(str(manifest.get("seal", "")), seal_of(manifest)):
            raise ArchiveError("The backup is not what was written: its seal does not fit", ANOTHER_COPY)
        require_known(manifest["schema"], made_by=str(manifest["stafeta"]))
        yield Archive(file, manifest, same_secret)


def verify(archive: Archive) -> int:
    """Read every file and every line of every table, and return how many lines there are.

    Raises ArchiveError for whatever is not right.
    """
    known = {name_of(model): model for model in archived()}
    tables = archive.manifest["tables"]
    strange = set(tables) - set(known)
    if strange:
        raise ArchiveError(f"The backup has a table {min(strange)!r} that this version does not know", ANOTHER_COPY)
    expected = {MANIFEST, *(f"{TABLES}{name}.jsonl" for name in tables)}
    with _readable():
        expected |= verify_files(archive.file, archive.manifest)
    names = archive.file.namelist()
    if len(names) != len(set(names)) or expected != set(names):
        raise ArchiveError("The backup does not hold what its manifest says", ANOTHER_COPY)
    rows = 0
    for name, facts in tables.items():
        columns = {field.attname: field for field in columns_of(known[name])}
        found = 0
        digest = hashlib.sha256()
        for line in archive.lines_of(known[name]):
            digest.update(line)
            from_line(line, columns)
            found += 1
        if (found, digest.hexdigest()) != (facts["rows"], facts["sha256"]):
            raise ArchiveError(f"The backup is damaged: the table {name} is not what was written", ANOTHER_COPY)
        rows += found
    return rows


def _manifest(file: zipfile.ZipFile) -> dict[str, Any]:
    try:
        with file.open(MANIFEST) as member:
            found = json.loads(member.read(MANIFEST_BYTES_MAX))
        kind, version = found["format"], found["format_version"]
        _ = (
            found["stafeta"],
            found["secret_check"],
            found["epoch"] + 0,
            found["schema"].items(),
            found["tables"].items(),
        )
        if "files" in found:
            _ = (found["files"]["count"] + 0, found["files"]["sha256"] + "")
    except (KeyError, ValueError, TypeError, AttributeError):
        raise ArchiveError("This is not a backup of Štafeta, or a damaged one", ANOTHER_COPY) from None
    if kind != FORMAT or version != FORMAT_VERSION:
        raise ArchiveError(
            f"The backup has format {version!r}, of Štafeta {found['stafeta']}; this one reads {FORMAT_VERSION}",
            "Install that version or a newer one, run `stafeta init`, and restore again.",
        )
    return dict(found)


@contextmanager
def _readable() -> Iterator[None]:
    """Say of a file that breaks off, or whose checksums are wrong, that it does."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ArchiveError(f"The backup is damaged or breaks off ({type(error).__name__})", ANOTHER_COPY) from None

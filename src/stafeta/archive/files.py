"""The attachments in a backup: the age files as they lie in the storage, and an index that the seal covers.

files/<key>         one age file, not compressed
files/index.jsonl   one line a file: {"key", "bytes", "sha256"}, all of the ciphertext; the manifest has its digest
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

from django.core.files import File

from stafeta.archive import FILES, LINE_BYTES_MAX
from stafeta.core.errors import ArchiveError
from stafeta.vault.models import Attachment
from stafeta.vault.storage import attachment_storage

INDEX: Final = f"{FILES}index.jsonl"
COPIED_AT_ONCE: Final = 1024 * 1024
_KEY: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the index: a file's key, and the length and SHA-256 of its ciphertext."""

    key: str
    bytes: int
    sha256: str

    def __post_init__(self) -> None:
        if not (_KEY.fullmatch(self.key) and isinstance(self.bytes, int) and isinstance(self.sha256, str)):
            raise ValueError("not a line of the index")


def keys_in_database() -> list[str]:
    """Return the keys of the files that belong to something, removed or not; inside the backup's snapshot."""
    return list(Attachment.objects.order_by("file__pk").values_list("file__key", flat=True))


def write_files(archive: zipfile.ZipFile, keys: list[str]) -> dict[str, Any]:
    """Copy the files into a backup and return what the manifest says of them.

    A file that is not in the storage is counted as missing and keeps nothing else from being backed up: it may have
    been erased since the snapshot, or be lost already.
    """
    digest = hashlib.sha256()
    lines = [line for key in keys if (line := _write_file(archive, key))]
    with archive.open(INDEX, "w", force_zip64=True) as member:
        for line in lines:
            digest.update(line)
            member.write(line)
    return {"count": len(lines), "missing": len(keys) - len(lines), "sha256": digest.hexdigest()}


def entries_of(archive: zipfile.ZipFile, manifest: dict[str, Any]) -> Iterator[Entry]:
    """Yield the index of a backup; nothing for one of before there were attachments. Raises ArchiveError."""
    if "files" not in manifest:
        return
    if INDEX not in archive.namelist():
        raise _damaged("the index of the attachments is missing")
    digest = hashlib.sha256()
    count = 0
    with archive.open(INDEX) as member:
        while line := member.readline(LINE_BYTES_MAX):
            digest.update(line)
            count += 1
            try:
                yield Entry(**json.loads(line))
            except (ValueError, TypeError):
                raise _damaged("the index of the attachments has a line that is none") from None
    facts = manifest["files"]
    if (count, digest.hexdigest()) != (facts["count"], facts["sha256"]):
        raise _damaged("the index of the attachments is not what was written")


def verify_files(archive: zipfile.ZipFile, manifest: dict[str, Any]) -> set[str]:
    """Read every attachment and return the names of all members that belong to them. Raises ArchiveError."""
    names = {INDEX} if "files" in manifest else set()
    present = set(archive.namelist())
    for entry in entries_of(archive, manifest):
        name = FILES + entry.key
        if name in names or name not in present:
            raise _damaged("an attachment is missing")
        with archive.open(name) as member:
            if _measured(member) != (entry.bytes, entry.sha256):
                raise _damaged("an attachment is not what was written")
        names.add(name)
    return names


def bring_back(archive: zipfile.ZipFile, manifest: dict[str, Any]) -> list[str]:
    """Put the files of a verified backup into the storage, and return the keys of those that were not there.

    One that is there already and whole stays as it is; a damaged one is replaced. It may be done again at any time.
    Raises ArchiveError where the storage refuses.
    """
    storage = attachment_storage()
    brought = []
    try:
        for entry in entries_of(archive, manifest):
            if storage.exists(entry.key):
                with storage.open(entry.key) as present:
                    if _measured(present) == (entry.bytes, entry.sha256):
                        continue
                storage.delete(entry.key)
            else:
                brought.append(entry.key)
            with archive.open(FILES + entry.key) as member:
                storage.save(entry.key, _Streamed(member))
    except OSError as error:
        take_back(brought)
        raise ArchiveError(
            f"The attachments cannot be written ({error.strerror})", "Make room in the data directory and try again."
        ) from None
    return brought


def take_back(keys: list[str]) -> None:
    """Erase files that were brought for rows that did not come."""
    storage = attachment_storage()
    for key in keys:
        storage.delete(key)


class _Streamed(File):  # type: ignore[type-arg]  # no generic at run time
    """A member of a zip, which is read once from its beginning and knows no length."""

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        while data := self.file.read(chunk_size or COPIED_AT_ONCE):  # type: ignore[union-attr]
            yield data


def _write_file(archive: zipfile.ZipFile, key: str) -> bytes:
    """Copy one file and return its line of the index; an empty one where there is no such file."""
    digest = hashlib.sha256()
    size = 0
    try:
        source = attachment_storage().open(key)
    except FileNotFoundError:
        return b""
    # Ciphertext does not compress.
    with source, archive.open(zipfile.ZipInfo(FILES + key), "w", force_zip64=True) as member:
        while data := source.read(COPIED_AT_ONCE):
            digest.update(data)
            size += len(data)
            member.write(data)
    line = json.dumps({"key": key, "bytes": size, "sha256": digest.hexdigest()}, separators=(",", ":"))
    return line.encode() + b"\n"


def _measured(file: IO[bytes] | File) -> tuple[int, str]:  # type: ignore[type-arg]
    digest = hashlib.sha256()
    size = 0
    while data := file.read(COPIED_AT_ONCE):
        digest.update(data)
        size += len(data)
    return size, digest.hexdigest()


def _damaged(problem: str) -> ArchiveError:
    return ArchiveError(f"The backup is damaged: {problem}", "Nothing was changed. Use another copy of the backup.")

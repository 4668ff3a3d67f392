"""Where attachments lie: age files in Django's storage "attachments", and plaintext only in passing, without a name."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, Storage, storages


class DurableFileStorage(FileSystemStorage):
    """Files on this machine's disk. What was saved survives a power cut."""

    def _save(self, name: str, content: Any) -> str:
        saved = super()._save(name, content)  # type: ignore[misc]  # the documented way to write a storage
        place = Path(self.path(saved))
        for path in (place, place.parent, place.parent.parent):  # the directory itself may be new
            _sync(path)
        return str(saved)


def attachment_storage() -> Storage:
    """Return the storage of attachments: it takes, gives and erases age files by their key."""
    return storages["attachments"]


def passing_file() -> IO[bytes]:
    """Return a file for what must leave nothing behind: nobody else can open it, and closing or dying erases it.

    It has no name, in a directory of mode 0700. The disk may be full: then writing to it raises OSError.
    """
    directory = Path(settings.PASSAGE_DIR)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return TemporaryFile(dir=directory)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

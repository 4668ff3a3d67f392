"""Add a file to a handover: encrypted into the storage first, and only then a row that makes it the handover's."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import Count, Q, Sum

from stafeta.core.errors import FileMissing, PolicyError
from stafeta.vault.file_names import SNIFFED_BYTES, clean_name, media_type_of
from stafeta.vault.file_sealing import Readable, seal_file
from stafeta.vault.models import Attachment, Handover, StoredFile
from stafeta.vault.sealing import require_guarded, require_open
from stafeta.vault.services.erase_files import erase_file
from stafeta.vault.storage import attachment_storage, passing_file

ATTACHMENTS_MAX: Final = 100
# What was removed may be brought back for a while and needs its room; so much of both, and no more, is kept.
KEPT_FACTOR: Final = 2
KEY_BYTES: Final = 16


class Source(Readable, Protocol):
    """What a file is read from, from its beginning and perhaps again."""

    def seek(self, offset: int, /) -> int:
        """Go back to the beginning."""


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file that lies encrypted in the storage and belongs to no handover yet."""

    row: StoredFile
    name: str
    media_type: str
    size_bytes: int


def seal_attachment(
    *, handover: Handover, source: Source, name: str, size_bytes: int, real_now: datetime
) -> SealedFile:
    """Encrypt a file to the handover's key into the storage. Not inside a transaction: it may take minutes.

    Raises SealedAway for a sealed handover, KeyMissing for one that no key at hand opens, PolicyError where the file
    breaks a limit, OSError where it cannot be written; then nothing is kept. What a crash leaves behind is erased
    after a day (erase_files).
    """
    require_open(handover)
    require_room(handover, size_bytes)
    kept_name = clean_name(name)
    source.seek(0)
    media_type = media_type_of(source.read(SNIFFED_BYTES), name=kept_name)
    source.seek(0)
    row = StoredFile.objects.create(key=secrets.token_hex(KEY_BYTES), begun_at=real_now)
    try:
        with passing_file() as ciphertext:
            length = seal_file(source, ciphertext, public_key=handover.public_key)
            _require_size(length)
            attachment_storage().save(row.key, File(ciphertext))
    except BaseException:
        erase_file(row, real_now=real_now)
        raise
    return SealedFile(row, kept_name, media_type, length)


def add_attachment(*, handover: Handover, sealed: SealedFile, now: datetime) -> Attachment:
    """Make a sealed file the handover's, unless another one took the room meanwhile.

    Raises PolicyError for a limit, Handover.DoesNotExist for a deleted handover, FileMissing for a file that was
    erased in between, or encrypted to a key that the handover has no more, SealedAway for a sealed handover. Whoever
    called then lets go of the file by `erase_file`.
    """
    with transaction.atomic():
        locked = Handover.objects.select_for_update().get(pk=handover.pk, deleted_at=None)
        require_guarded(locked)
        require_room(locked, sealed.size_bytes)
        row = StoredFile.objects.select_for_update().filter(pk=sealed.row.pk, doomed_at=None).first()
        if row is None or locked.public_key != handover.public_key:
            raise FileMissing
        return Attachment.objects.create(
            handover=locked,
            file=row,
            name=sealed.name,
            media_type=sealed.media_type,
            size_bytes=sealed.size_bytes,
            created_at=now,
        )


def require_room(handover: Handover, size_bytes: int, *, kept: bool = False) -> None:
    """Raise PolicyError where a file of this size has no room among the handover's others. kept: it is there, removed.

    Fields: "attachment_bytes" (one file), "attachments" (how many), "attachments_bytes" (all together), and both with
    what was removed and may still be brought back: "attachments_kept", "attachments_kept_bytes".
    """
    _require_size(size_bytes)
    live = Q(deleted_at=None)
    found = handover.attachments.aggregate(
        count=Count("pk", filter=live),
        size=Sum("size_bytes", filter=live, default=0),
        kept_count=Count("pk"),
        kept_size=Sum("size_bytes", default=0),
    )
    most = settings.HANDOVER_ATTACHMENTS_BYTES_MAX
    _require("attachments", found["count"] + 1, ATTACHMENTS_MAX)
    _require("attachments_bytes", found["size"] + size_bytes, most)
    if not kept:
        _require("attachments_kept", found["kept_count"] + 1, ATTACHMENTS_MAX * KEPT_FACTOR)
        _require("attachments_kept_bytes", found["kept_size"] + size_bytes, most * KEPT_FACTOR)


def _require_size(size_bytes: int) -> None:
    if not 1 <= size_bytes <= settings.ATTACHMENT_BYTES_MAX:
        raise PolicyError("attachment_bytes", size_bytes, 1, settings.ATTACHMENT_BYTES_MAX)


def _require(field: str, value: int, most: int) -> None:
    if value > most:
        raise PolicyError(field, value, 0, most)

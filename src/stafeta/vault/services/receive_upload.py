"""Take in a file part by part: a lost connection loses one part at most, and no plaintext touches the disk.

Each part is an age file of its own in the storage, encrypted to the handover's key; once all are there they are read as
one file (`JoinedParts`), which is encrypted like any other. Parts come one after another, each as often as one likes.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Sum
from pyrage import DecryptError, decrypt, encrypt
from pyrage.x25519 import Recipient

from stafeta.accounts.models import User
from stafeta.core.errors import FileMissing, PolicyError, Tampered, UploadBroken, WrongPart
from stafeta.vault.file_names import clean_name
from stafeta.vault.models import Attachment, Handover, PartialUpload, StoredFile, UploadPart
from stafeta.vault.sealing import identity_of, require_guarded, require_open
from stafeta.vault.services.add_attachment import KEY_BYTES, require_room
from stafeta.vault.services.erase_files import erase_file
from stafeta.vault.storage import attachment_storage

PART_BYTES: Final = 4 * 1024 * 1024
UPLOADS_MAX: Final = 20
ABANDONED_AFTER: Final = timedelta(days=1)
PURGE_BATCH_MAX: Final = 20


def begin_upload(
    *, handover: Handover, name: str, size_bytes: int, modified_ms: int, real_now: datetime
) -> PartialUpload:
    """Return the place where a file's parts go: the one that it has already, if it was begun before, else a new one.

    Raises PolicyError where there is no room for the file ("uploads", "uploads_bytes": what one owner may have under
    way at once), Handover.DoesNotExist for a deleted handover, SealedAway for a sealed one, KeyMissing
    for one that no key at hand opens.
    """
    kept_name = clean_name(name)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=handover.owner_id)  # the bounds are the owner's
        locked = Handover.objects.get(pk=handover.pk, deleted_at=None)
        facts = {"handover": locked, "name": kept_name, "size_bytes": size_bytes, "modified_ms": modified_ms}
        begun = PartialUpload.objects.filter(**facts, attachment=None).first()
        if begun is not None:
            return begun
        require_open(locked)
        require_room(locked, size_bytes)
        under_way = PartialUpload.objects.filter(handover__owner=locked.owner_id, attachment=None)
        if (count := under_way.count() + 1) > UPLOADS_MAX:
            raise PolicyError("uploads", count, 0, UPLOADS_MAX)
        size = size_bytes + under_way.aggregate(size=Sum("size_bytes", default=0))["size"]
        most = settings.HANDOVER_ATTACHMENTS_BYTES_MAX
        if size > most:
            raise PolicyError("uploads_bytes", size, 0, most)
        return PartialUpload.objects.create(**facts, touched_at=real_now)


def part_size(upload: PartialUpload, number: int) -> int:
    """Return how many bytes this part has; 0 beyond the end."""
    return max(0, min(PART_BYTES, upload.size_bytes - number * PART_BYTES))


def receive_part(*, upload: PartialUpload, number: int, content: bytes, real_now: datetime) -> None:
    """Store a part, encrypted. One that is there already is not stored again. Not inside a transaction.

    Raises WrongPart where another one is due or this one is not whole, OSError where it cannot be stored, SealedAway
    for a handover that was sealed meanwhile; then nothing is kept. PartialUpload.DoesNotExist where it was given up.
    """
    require_guarded(upload.handover)
    due = upload.parts.count()
    if upload.attachment_id is not None or number < due:
        return
    if number > due or len(content) != part_size(upload, number) or not content:
        raise WrongPart(due)
    ciphertext = encrypt(content, [Recipient.from_str(upload.handover.public_key)])
    row = StoredFile.objects.create(key=secrets.token_hex(KEY_BYTES), begun_at=real_now)
    try:
        attachment_storage().save(row.key, ContentFile(ciphertext))
        with transaction.atomic():
            locked = PartialUpload.objects.select_for_update(of=("self",)).get(pk=upload.pk)
            if locked.attachment_id is None and locked.parts.count() == number:
                UploadPart.objects.create(upload=locked, number=number, file=row, size_bytes=len(content))
            locked.touched_at = real_now
            locked.save(update_fields=["touched_at"])
    finally:
        erase_file(row, real_now=real_now)  # unless the upload has it now


class JoinedParts:
    """The parts of an upload, read as one file: one part in memory at a time, each verified before it is given."""

    def __init__(self, upload: PartialUpload) -> None:
        """Raise UploadBroken where a part is still missing, KeyMissing, Tampered or ConfigurationError for the key."""
        self._identity = identity_of(upload.handover)
        self._parts = list(upload.parts.select_related("file"))
        sizes = [(part.number, part.size_bytes) for part in self._parts]
        if sum(size for _, size in sizes) != upload.size_bytes or [n for n, _ in sizes] != list(range(len(sizes))):
            raise UploadBroken
        self.seek(0)

    def seek(self, offset: int, /) -> int:
        """Go back to the beginning; there is nowhere else to go."""
        if offset:
            raise ValueError("parts are read from their beginning")
        self._next = iter(self._parts)
        self._piece = memoryview(b"")
        return 0

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes; none at the end. Raises FileMissing, Tampered, OSError."""
        if not self._piece:
            part = next(self._next, None)
            if part is None:
                return b""
            self._piece = memoryview(self._opened(part))
        length = len(self._piece) if size < 0 else size
        given, self._piece = bytes(self._piece[:length]), self._piece[length:]
        return given

    def _opened(self, part: UploadPart) -> bytes:
        try:
            with attachment_storage().open(part.file.key) as file:
                plaintext: bytes = decrypt(file.read(), [self._identity])
        except FileNotFoundError:
            raise FileMissing from None
        except DecryptError:
            raise Tampered from None
        if len(plaintext) != part.size_bytes:
            raise Tampered
        return plaintext


def settle_upload(*, upload: PartialUpload, attachment: Attachment) -> None:
    """Write down what the upload has become; in the transaction that makes it so. `discard_parts` belongs after it."""
    PartialUpload.objects.filter(pk=upload.pk).update(attachment=attachment)


def discard_parts(upload: PartialUpload, *, real_now: datetime) -> None:
    """Erase the parts; what a crash leaves goes with `purge_uploads` or `erase_orphans`."""
    rows = [part.file for part in upload.parts.select_related("file")]
    upload.parts.all().delete()
    _erase(rows, real_now=real_now)


def discard_upload(*, upload: PartialUpload, real_now: datetime) -> None:
    """Give an upload up and erase what has come of it; what it has become already stays."""
    with transaction.atomic():
        rows = [part.file for part in upload.parts.select_related("file")]
        PartialUpload.objects.filter(pk=upload.pk).delete()
    _erase(rows, real_now=real_now)


def purge_uploads(*, real_now: datetime, limit: int = PURGE_BATCH_MAX) -> int:
    """Give up at most `limit` uploads that nobody has sent on for a day, and forget those that are whole."""
    old = PartialUpload.objects.filter(touched_at__lt=real_now - ABANDONED_AFTER).order_by("touched_at")[:limit]
    for upload in old:
        discard_upload(upload=upload, real_now=real_now)
    return len(old)


def _erase(rows: Iterable[StoredFile], *, real_now: datetime) -> None:
    for row in rows:
        erase_file(row, real_now=real_now)

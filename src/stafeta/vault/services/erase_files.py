"""Erase files that belong to nothing: of handovers and attachments that are gone, and of uploads that broke off.

First the row is marked, so that nobody takes the file any more, then the file goes, then the row; a crash anywhere in
between leaves something that the next time does again.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from stafeta.vault.models import Attachment, StoredFile, UploadPart
from stafeta.vault.storage import attachment_storage

log = logging.getLogger(__name__)

ORPHAN_AFTER: Final = timedelta(days=1)
ERASE_BATCH_MAX: Final = 100
# What a file may belong to; nothing that belongs to one of them is ever erased.
OWNERS: Final = (Attachment, UploadPart)


def erase_orphans(*, real_now: datetime, limit: int = ERASE_BATCH_MAX) -> int:
    """Erase at most `limit` files that were begun more than a day ago and belong to nothing; return how many.

    A day in real time: no upload lasts that long. One file that cannot be erased keeps none of the others.
    """
    owned = [Exists(model.objects.filter(file=OuterRef("pk"))) for model in OWNERS]
    old = StoredFile.objects.filter(*(~one for one in owned), begun_at__lt=real_now - ORPHAN_AFTER)
    # What was tried and refused comes last, the latest at the very end.
    batch = old.order_by(F("doomed_at").asc(nulls_first=True), "pk")[:limit]
    return sum(erase_file(row, real_now=real_now) for row in batch)


def erase_file(row: StoredFile, *, real_now: datetime) -> bool:
    """Erase a file that belongs to nothing and return whether it is gone; one that somebody took stays.

    Raises nothing but what a database raises: a storage that refuses is logged, and asked again.
    """
    if not _doom(row, real_now=real_now):
        return False
    try:
        attachment_storage().delete(row.key)
    except OSError as error:
        log.error("the file %s of an attachment cannot be erased: %s", row.key, error.strerror)
        return False
    StoredFile.objects.filter(pk=row.pk, doomed_at__isnull=False).delete()
    return True


def _doom(row: StoredFile, *, real_now: datetime) -> bool:
    """Mark a file so that nobody takes it any more; False where somebody has."""
    with transaction.atomic():
        locked = StoredFile.objects.select_for_update().filter(pk=row.pk).first()
        # A statement of its own, after the lock: it sees what whoever held the row before has written.
        if locked is None or any(model.objects.filter(file=locked).exists() for model in OWNERS):
            return False
        locked.doomed_at = real_now
        locked.save(update_fields=["doomed_at"])
    return True

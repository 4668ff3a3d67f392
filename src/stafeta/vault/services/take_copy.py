"""Take a copy of a handover out: what it will hold, verified first, and the record that it was taken."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from stafeta.core.errors import FileMissing, KeyMissing, PolicyError, Tampered
from stafeta.vault.holders import wrapped_for
from stafeta.vault.models import Copy, Handover
from stafeta.vault.selectors import attachments_of, read_content
from stafeta.vault.services.open_attachment import open_attachment
from stafeta.vault.storage import attachment_storage

COPIES_A_DAY_MAX: Final = 10
_DAY: Final = timedelta(days=1)


def verify_whole(handover: Handover) -> None:
    """Open the text and every file once, so that a copy is refused as a whole before its first byte, not in the middle.

    Of a sealed handover only whether all is there can be known. Raises KeyMissing, FileMissing, Tampered,
    ConfigurationError or OSError.
    """
    if handover.is_sealed:
        _require_stored(handover)
        return
    read_content(handover)
    for one in attachments_of(handover):
        open_attachment(one).close()


def _require_stored(handover: Handover) -> None:
    if not handover.versions.exists():
        raise Tampered
    if not wrapped_for(handover, handover.owner):
        raise KeyMissing
    for one in handover.attachments.filter(deleted_at=None).select_related("file"):
        if not attachment_storage().exists(one.file.key):
            raise FileMissing


def take_copy(*, handover: Handover, public_key: str, has_passphrase: bool, now: datetime) -> Copy:
    """Record that a copy, encrypted to `public_key`, leaves now. In the transaction that tells the owner of it.

    Raises PolicyError after `COPIES_A_DAY_MAX` of an owner within 24 hours, Handover.DoesNotExist for a deleted one.
    """
    with transaction.atomic():
        locked = Handover.objects.select_for_update().get(pk=handover.pk, deleted_at=None)
        taken = Copy.objects.filter(handover__owner=locked.owner_id, at__gt=now - _DAY).count()
        if taken >= COPIES_A_DAY_MAX:
            raise PolicyError("copies", taken + 1, 0, COPIES_A_DAY_MAX)
        return Copy.objects.create(
            handover=locked,
            public_key=public_key,
            has_passphrase=has_passphrase,
            state=state_of(locked),
            at=now,
        )


def state_of(handover: Handover) -> str:
    """Return a name for what the handover holds now: title, text and files. It changes whenever any of them does."""
    version = handover.versions.order_by("-number").values_list("number", flat=True).first()
    files = sorted(handover.attachments.filter(deleted_at=None).values_list("pk", flat=True))
    return hashlib.sha256(repr((handover.title, version, files)).encode()).hexdigest()


def last_copy(handover: Handover) -> Copy | None:
    """Return the newest copy that was taken, if any."""
    return handover.copies.first()

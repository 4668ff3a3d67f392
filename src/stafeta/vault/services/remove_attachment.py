"""Take a file away from a handover, bring it back, and let go of it for good."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from stafeta.vault.models import Attachment, Handover
from stafeta.vault.services.add_attachment import require_room
from stafeta.vault.services.delete_handover import DELETED_KEPT, PURGE_BATCH_MAX


def remove_attachment(*, attachment: Attachment, now: datetime) -> None:
    """Take the file away from everybody at once; for `DELETED_KEPT` it may be brought back."""
    Attachment.objects.filter(pk=attachment.pk, deleted_at=None).update(deleted_at=now)


def restore_attachment(*, attachment: Attachment) -> None:
    """Bring a removed file back. Raises PolicyError where others have taken its room.

    Raises Attachment.DoesNotExist for one that is gone, Handover.DoesNotExist for a deleted handover.
    """
    with transaction.atomic():
        handover = Handover.objects.select_for_update().get(pk=attachment.handover_id, deleted_at=None)
        locked = Attachment.objects.select_for_update(of=("self",)).get(pk=attachment.pk)
        if locked.deleted_at is not None:
            require_room(handover, locked.size_bytes, kept=True)
            locked.deleted_at = None
            locked.save(update_fields=["deleted_at"])


def purge_removed(*, now: datetime, limit: int = PURGE_BATCH_MAX) -> int:
    """Forget at most `limit` files that were removed longer ago than `DELETED_KEPT`; return how many.

    The files themselves belong to nothing then, and go with `erase_orphans`.
    """
    with transaction.atomic():
        # Locked, so that one brought back in this very moment is not forgotten with the others.
        old = Attachment.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            deleted_at__lt=now - DELETED_KEPT
        )
        ids = [attachment.pk for attachment in old.order_by("pk")[:limit]]
        Attachment.objects.filter(pk__in=ids).delete()
    return len(ids)

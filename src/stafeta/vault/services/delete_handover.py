"""Delete a handover, bring it back, and let go of it for good."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from stafeta.vault.models import Handover

DELETED_KEPT: Final = timedelta(days=30)
PURGE_BATCH_MAX: Final = 100


def delete_handover(*, handover: Handover, now: datetime) -> None:
    """Take the handover away from everybody at once; for `DELETED_KEPT` it may be brought back."""
    Handover.objects.filter(pk=handover.pk, deleted_at=None).update(deleted_at=now)


def restore_handover(*, handover: Handover) -> None:
    """Bring a deleted handover back as it was."""
    Handover.objects.filter(pk=handover.pk).update(deleted_at=None)


def purge_deleted(*, now: datetime, limit: int = PURGE_BATCH_MAX) -> int:
    """Erase at most `limit` handovers that were deleted longer ago than `DELETED_KEPT`; return how many."""
    old = Handover.objects.filter(deleted_at__lt=now - DELETED_KEPT).values_list("pk", flat=True)[:limit]
    ids = list(old)
    Handover.objects.filter(pk__in=ids, deleted_at__lt=now - DELETED_KEPT).delete()
    return len(ids)

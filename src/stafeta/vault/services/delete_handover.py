"""Delete a handover, bring it back, and let go of it for good."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

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
    with transaction.atomic():
        # Locked, so that one brought back in this very moment is not erased with the others.
        old = Handover.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            deleted_at__lt=now - DELETED_KEPT
        )
        ids = [handover.pk for handover in old.order_by("pk")[:limit]]
        Handover.objects.filter(pk__in=ids).delete()
    return len(ids)

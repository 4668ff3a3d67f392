"""A phone becomes the owner's when they prove it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from stafeta.accounts.models import User


def set_phone(*, owner: User, phone: str, now: datetime) -> str:
    """Make `phone` (E.164, just proved by a code) the owner's and return the proved one it replaces, or "".

    now: aware UTC, the moment of the proof.
    """
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=owner.pk)
        before = row.phone if row.has_verified_phone and row.phone != phone else ""
        row.phone, row.phone_verified_at = phone, now
        row.save(update_fields=["phone", "phone_verified_at"])
    owner.phone, owner.phone_verified_at = row.phone, row.phone_verified_at
    return before

"""Write a new handover."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from stafeta.accounts.models import User
from stafeta.vault.models import Handover, Version
from stafeta.vault.sealing import new_key, seal
from stafeta.vault.services.save_handover import checked_content, counted_bytes


def create_handover(*, owner: User, title: str, content: str, now: datetime) -> Handover:
    """Return a new handover, its content encrypted to a key made for it alone.

    Raises PolicyError for content over CONTENT_BYTES_MAX, ConfigurationError where the keyring is missing.
    """
    content = checked_content(content)
    handover = Handover(
        owner=owner, title=title, revision=1, content_bytes=counted_bytes(content), created_at=now, updated_at=now
    )
    wrapped = new_key(handover)
    with transaction.atomic():
        handover.save(force_insert=True)
        wrapped.save(force_insert=True)
        Version.objects.create(
            handover=handover, number=1, ciphertext=seal(content, public_key=handover.public_key), at=now
        )
    return handover

"""Write and save a sealed handover: what arrives was encrypted in its owner's browser."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from stafeta.accounts.models import User
from stafeta.core.errors import Conflict
from stafeta.core.protection import Level
from stafeta.vault.age_files import require_content, require_public_key
from stafeta.vault.models import Handover, Version
from stafeta.vault.services.save_handover import meets_conflict, new_version
from stafeta.vault.services.wrap_keys import Wrap, require_owners_wrap, require_wraps, store_wraps


def create_sealed(
    *,
    owner: User,
    title: str,
    public_key: str,
    wraps: Sequence[Wrap],
    ciphertext: bytes,
    is_blank: bool,
    now: datetime,
) -> Handover:
    """Return a new sealed handover. public_key: made for it alone, its private half wrapped at least to the owner's.

    is_blank: the text is nothing but blanks, which hand over nothing. Raises NotSealed, PolicyError.
    """
    require_public_key(public_key)
    require_wraps(wraps)
    length = 0 if is_blank else require_content(ciphertext)
    with transaction.atomic():
        require_owners_wrap(owner, wraps)
        handover = Handover.objects.create(
            owner=owner,
            title=title,
            level=Level.SEALED,
            public_key=public_key,
            revision=1,
            content_bytes=length,
            created_at=now,
            updated_at=now,
        )
        store_wraps(handover, wraps, now=now)
        Version.objects.create(handover=handover, number=1, ciphertext=ciphertext, at=now)
    return handover


def save_sealed(
    *,
    handover: Handover,
    title: str,
    ciphertext: bytes,
    public_key: str,
    is_blank: bool,
    base_revision: int,
    now: datetime,
    autosave: bool = False,
) -> Handover:
    """Save title and ciphertext over `base_revision`, by the rules of `save_handover`, and return the handover.

    public_key: the handover's, which it was encrypted to. Sent again to the letter it is harmless. Raises NotSealed and
    PolicyError for what is no such ciphertext, Conflict when somebody else saved or the handover has got another key,
    Handover.DoesNotExist for one that is deleted or not sealed.
    """
    length = require_content(ciphertext)
    with transaction.atomic():
        locked = Handover.objects.select_for_update().get(pk=handover.pk, deleted_at=None, level=Level.SEALED)
        newest = locked.versions.order_by("-number").first()
        if newest is not None and locked.title == title and bytes(newest.ciphertext) == ciphertext:
            return locked
        in_conflict = meets_conflict(locked, base_revision) or locked.public_key != public_key
        if not in_conflict:
            new_version(locked, title, ciphertext, length=0 if is_blank else length, now=now, autosave=autosave)
    if in_conflict:
        raise Conflict(locked.revision)
    return locked

"""Store what the owner's browser wrapped: a sealed handover's key, for each person who is to hold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from stafeta.accounts.models import User
from stafeta.core.errors import Conflict, NotSealed, PolicyError
from stafeta.core.protection import Level
from stafeta.vault.age_files import require_wrapped_key
from stafeta.vault.holders import is_changed, key_of
from stafeta.vault.models import Handover, PersonalKey, WrappedKey
from stafeta.vault.services.personal_keys import forget_useless

WRAPS_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Wrap:
    """A handover's key, encrypted to a personal key, both by their ids."""

    key: int
    blob: bytes


def wrap_keys(*, handover: Handover, public_key: str, wraps: Sequence[Wrap], now: datetime) -> int:
    """Store the wrapped keys of a sealed handover for these people, and return for how many.

    public_key: the handover's, whose private half was wrapped. What was wrapped to earlier keys of these people goes.
    Left out is who is no longer to hold it: a key that was replaced or a person taken off meanwhile, a changed key that
    the owner has not acknowledged. Raises NotSealed and PolicyError for what cannot be a wrapped key, Conflict where
    the handover has got another key, Handover.DoesNotExist where it is deleted or not sealed.
    """
    require_wraps(wraps)
    with transaction.atomic():
        locked = Handover.objects.select_for_update().get(pk=handover.pk, deleted_at=None, level=Level.SEALED)
        if locked.public_key != public_key:
            raise Conflict(locked.revision)
        return store_wraps(locked, wraps, now=now)


def require_wraps(wraps: Sequence[Wrap]) -> None:
    """Raise NotSealed or PolicyError for wrapped keys that are none, or too many."""
    if len(wraps) > WRAPS_MAX:
        raise PolicyError("wraps", len(wraps), 0, WRAPS_MAX)
    for wrap in wraps:
        require_wrapped_key(wrap.blob)


def store_wraps(locked: Handover, wraps: Sequence[Wrap], *, now: datetime) -> int:
    """Store wrapped keys of a locked handover, as `wrap_keys` says."""
    stored = 0
    for wrap in wraps:
        key = _holder(locked, wrap.key)
        if key is None:
            continue
        WrappedKey.objects.update_or_create(
            handover=locked, holder=holder_of(key), defaults={"key": key, "blob": wrap.blob}
        )
        same = {"key__owner": key.owner_id} if key.owner_id else {"key__recipient": key.recipient_id}
        WrappedKey.objects.filter(handover=locked, **same).exclude(key=key).delete()
        if key.recipient_id and key.accepted_at is None:
            key.accepted_at = now
            key.save(update_fields=["accepted_at"])
        forget_useless(locked.owner if key.recipient is None else key.recipient)
        stored += 1
    return stored


def require_owners_wrap(owner: User, wraps: Sequence[Wrap]) -> None:
    """Raise NotSealed where the owner would lock themselves out: nothing is wrapped to their present key."""
    key = key_of(owner)
    if key is None or key.pk not in {wrap.key for wrap in wraps}:
        raise NotSealed("it is not wrapped to its owner's key")


def holder_of(key: PersonalKey) -> str:
    """Return how a wrapped key names whom it is for."""
    return f"key:{key.pk}"


def _holder(handover: Handover, pk: int) -> PersonalKey | None:
    """Return the present key with this id, if it is the owner's or that of a recipient who is to hold the handover."""
    key = PersonalKey.objects.select_for_update(of=("self",)).filter(pk=pk, replaced_at=None).first()
    if key is None or is_changed(key):
        return None
    if key.owner_id:
        return key if key.owner_id == handover.owner_id else None
    return key if key.recipient in handover.recipients.all() else None

"""Wrap every handover's key to the first key of the instance keyring, while everything goes on running."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from stafeta.core.errors import KeyMissing, Tampered
from stafeta.vault.keyring import Keyring
from stafeta.vault.models import WrappedKey
from stafeta.vault.opening import BATCH_ROWS, Row, Survey, batches, survey
from stafeta.vault.sealing import HOLDER_INSTANCE

# One is enough unless rows were locked, or another process goes on wrapping to an older key.
PASSES_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation has done. changed: wrapped anew. after: what the keyring opens now."""

    changed: int
    after: Survey

    @property
    def is_complete(self) -> bool:
        """Whether the first key opens all that is opened at all."""
        return not sum(self.after.opens[1:])


def rotate_keys(*, ring: Keyring, say: Callable[[str], None], batch_rows: int = BATCH_ROWS) -> Rotated:
    """Wrap to the first key of `ring` whatever an older one opens, also what was set aside; `say` each batch.

    A wrapped key is replaced only by one that opens to the same, and only if it is still what was read. Each batch is
    a transaction of its own, so a rotation that was interrupted has lost nothing and goes on when it is repeated; once
    all is done, repeating changes nothing. Nobody waits for it longer than for a batch of updates, and it waits for
    nobody: what is locked is met in the next pass. What no key opens stays as it is.
    """
    changed = 0
    for _ in range(PASSES_MAX):
        looked_at = 0
        for rows in batches(batch_rows=batch_rows):
            looked_at += len(rows)
            changed += _replace(rows, ring)
            say(f"Looked at {looked_at} wrapped keys; wrapped anew: {changed}")
        done = Rotated(changed, survey(ring))
        if done.is_complete:
            break
    return done


def _replace(rows: list[Row], ring: Keyring) -> int:
    """Wrap anew what needs it, and return how many that were. The cryptography comes before the locks."""
    anew = {row.pk: (row, blob) for row in rows if (blob := _anew(row, ring)) is not None}
    if not anew:
        return 0
    with transaction.atomic():
        free = WrappedKey.objects.select_for_update(skip_locked=True).filter(pk__in=anew).order_by("pk")
        return sum(_swap(*anew[pk]) for pk in list(free.values_list("pk", flat=True)))


def _swap(row: Row, blob: bytes) -> int:
    """Compare and set."""
    same = WrappedKey.objects.filter(pk=row.pk, holder=row.holder, blob=row.blob)
    return same.update(holder=_holder(row), blob=blob)


def _holder(row: Row) -> str:
    """Return whose it is once it opens: what was set aside is the instance's again, an earlier key stays one."""
    return row.holder if row.is_earlier else HOLDER_INSTANCE


def _anew(row: Row, ring: Keyring) -> bytes | None:
    """Return the wrapped key for the first key, or None where nothing has to be done, or nothing can be."""
    try:
        if ring.opener_of(row.blob) == 0:
            return None if row.holder == _holder(row) else row.blob
        secret = ring.unwrap(row.blob)
    except (KeyMissing, Tampered):
        return None
    blob = ring.wrap(secret)
    if ring.opener_of(blob) != 0 or ring.unwrap(blob) != secret:
        raise Tampered
    return blob

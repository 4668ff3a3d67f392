"""Give up what no key opens, so that the others are served again."""

from __future__ import annotations

from stafeta.core.errors import KeyMissing, Tampered
from stafeta.vault.keyring import Keyring
from stafeta.vault.models import WrappedKey
from stafeta.vault.opening import batches
from stafeta.vault.sealing import HOLDER_INSTANCE, HOLDER_LOST


def set_aside_lost(*, ring: Keyring) -> int:
    """Set aside every wrapped key of the instance that no key of `ring` fits, and return how many.

    Nothing is erased: should the key turn up, `rotate_keys` takes back what it opens. Safe to repeat.
    """
    changed = 0
    for rows in batches():
        lost = [row.pk for row in rows if row.holder == HOLDER_INSTANCE and _is_lost(row.blob, ring)]
        changed += WrappedKey.objects.filter(pk__in=lost, holder=HOLDER_INSTANCE).update(holder=HOLDER_LOST)
    return changed


def _is_lost(blob: bytes, ring: Keyring) -> bool:
    try:
        ring.opener_of(blob)
    except KeyMissing:
        return True
    except Tampered:
        return False  # no key that turned up would help
    return False

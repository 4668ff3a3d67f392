"""Give a handover that nobody opens any more a fresh key, so that what its owner writes now can be read."""

from __future__ import annotations

from stafeta.core.errors import KeyMissing, Tampered
from stafeta.vault.models import Handover
from stafeta.vault.sealing import HOLDER_EARLIER, HOLDER_INSTANCE, HOLDER_LOST, identity_of, new_key


def renew_closed_key(locked: Handover) -> bool:
    """Give a locked guarded handover a fresh key if no key at hand opens the one it has; return whether it did.

    The old one is kept as an earlier one, erased is nothing: what was written and attached under it can be read again
    should its key turn up. Raises SealedAway, and ConfigurationError where there is no keyring.
    """
    try:
        identity_of(locked)
    except (KeyMissing, Tampered):
        pass
    else:
        return False
    for row in locked.wrapped_keys.filter(holder__in=(HOLDER_INSTANCE, HOLDER_LOST)):
        holder = f"{HOLDER_EARLIER}{row.pk}"
        locked.wrapped_keys.filter(pk=row.pk).update(holder=holder)
        locked.attachments.filter(holder="").update(holder=holder)
    wrapped = new_key(locked)
    wrapped.save(force_insert=True)
    locked.save(update_fields=["public_key"])
    return True

"""Ask a recipient to choose a passphrase, so that something can be sealed for them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from stafeta.outbox.services.queue import Draft, enqueue
from stafeta.vault.holders import key_of
from stafeta.vault.models import ConsentState, Recipient

ASK_AGAIN_AFTER: Final = timedelta(minutes=10)


def ask_for_key(*, recipient: Recipient, now: datetime) -> bool:
    """Queue an e-mail with the link of the recipient's invitation; return whether one was queued.

    None is for who has not agreed, has a key already, or was asked less than `ASK_AGAIN_AFTER` ago.
    """
    with transaction.atomic():
        locked = Recipient.objects.select_for_update().get(pk=recipient.pk)
        if locked.consent != ConsentState.GIVEN or key_of(locked) is not None:
            return False
        if locked.key_asked_at is not None and now - locked.key_asked_at < ASK_AGAIN_AFTER:
            return False
        if locked.invited_at is None:  # they agreed on the page of a release
            locked.invitation += 1
            locked.invited_at = now
        locked.key_asked_at = now
        locked.save(update_fields=["key_asked_at", "invitation", "invited_at"])
        draft = Draft(
            key=f"ask_for_key:{locked.pk}:{now.timestamp():.6f}",
            kind="vault.ask_for_key",
            channel="email",
            owner_id=locked.owner_id,
            params={"recipient": locked.pk, "invitation": locked.invitation},
        )
        enqueue([draft], now=now)
    return True

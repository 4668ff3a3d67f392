"""Ask somebody whether they agree to be a recipient."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from stafeta.outbox.services.queue import Draft, enqueue
from stafeta.vault.models import Consent, ConsentState, Recipient
from stafeta.vault.services.consent import WORDING

INVITE_AGAIN_AFTER: Final = timedelta(minutes=10)


def invite_recipient(*, recipient: Recipient, now: datetime) -> Recipient:
    """Queue the invitation and return the recipient; the links of earlier invitations end.

    Pressed again within `INVITE_AGAIN_AFTER` it does nothing. Who has answered keeps their answer until they change it.
    """
    with transaction.atomic():
        locked = Recipient.objects.select_for_update().get(pk=recipient.pk)
        if locked.invited_at is not None and now - locked.invited_at < INVITE_AGAIN_AFTER:
            return locked
        locked.invitation += 1
        locked.invited_at = now
        if locked.consent == ConsentState.DRAFT:
            locked.consent = ConsentState.INVITED
        locked.save(update_fields=["invitation", "invited_at", "consent"])
        Consent.objects.create(recipient=locked, kind=Consent.Kind.ASKED, wording=WORDING, at=now)
        draft = Draft(
            key=f"invite:{locked.pk}:{locked.invitation}",
            kind="vault.invite",
            channel="email",
            owner_id=locked.owner_id,
            params={"recipient": locked.pk, "invitation": locked.invitation},
        )
        enqueue([draft], now=now)
    return locked

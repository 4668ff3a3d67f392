"""Say who a handover is for, and when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from stafeta.core.errors import PolicyError
from stafeta.vault.models import (
    ACCESS_DAYS_LEAST,
    ACCESS_DAYS_MOST,
    DELAY_DAYS_MOST,
    Grant,
    Handover,
    Recipient,
    WrappedKey,
)


def set_handover_terms(
    *, handover: Handover, recipients: Iterable[Recipient], delay_days: int, access_days: int, now: datetime
) -> None:
    """Set recipients, delay and access of a handover; who is taken off it loses what they could still read.

    Of a sealed handover they lose their wrapped key as well; who is put on it gets one when the owner unlocks next.

    Raises PolicyError for days beyond their limits, Recipient.DoesNotExist for somebody else's recipient,
    Handover.DoesNotExist for a deleted handover.
    """
    _require("delay_days", delay_days, 0, DELAY_DAYS_MOST)
    _require("access_days", access_days, ACCESS_DAYS_LEAST, ACCESS_DAYS_MOST)
    people = list(recipients)
    if any(person.owner_id != handover.owner_id for person in people):
        raise Recipient.DoesNotExist
    with transaction.atomic():
        locked = Handover.objects.select_for_update().get(pk=handover.pk, deleted_at=None)
        locked.delay_days, locked.access_days = delay_days, access_days
        locked.save(update_fields=["delay_days", "access_days"])
        locked.recipients.set(people)
        WrappedKey.objects.filter(handover=locked, key__recipient__isnull=False).exclude(
            key__recipient__in=people
        ).delete()
        Grant.objects.filter(handover=locked, closed_at=None).exclude(recipient__in=people).update(closed_at=now)


def _require(field: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise PolicyError(field, value, least, most)

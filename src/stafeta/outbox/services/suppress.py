"""Remember that a provider no longer delivers to an address, and forget it when it does again."""

from __future__ import annotations

from datetime import datetime

from stafeta.outbox.models import Suppression
from stafeta.outbox.selectors import mark_of


def suppress(*, channel: str, address: str, reason: str, since: datetime) -> bool:
    """Note that the address is suppressed and return whether that is news."""
    _row, made = Suppression.objects.get_or_create(
        channel=channel, mark=mark_of(address), defaults={"reason": reason, "since": since}
    )
    return made


def lift(*, channel: str, address: str, before: datetime | None = None) -> bool:
    """Forget that the address is suppressed, if it has been since before that moment; return whether it was."""
    rows = Suppression.objects.filter(channel=channel, mark=mark_of(address))
    if before is not None:
        rows = rows.filter(since__lt=before)
    return rows.delete()[0] > 0

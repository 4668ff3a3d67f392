"""SMS codes that a wrong clock issued must not stay good, or keep the next one away, until that moment has come."""

from __future__ import annotations

from datetime import datetime

from stafeta.accounts.models import CodeChallenge, CodeIssue
from stafeta.accounts.services.codes import DELAYS


def bring_back_codes(*, now: datetime) -> None:
    """Void the codes issued in the future, end the waits that are longer than any, forget what was counted there."""
    CodeChallenge.objects.filter(issued_at__gt=now, used_at=None).update(used_at=now)
    CodeChallenge.objects.filter(issued_at__gt=now).update(issued_at=now)
    CodeChallenge.objects.filter(blocked_until__gt=now + max(DELAYS)).update(blocked_until=None)
    CodeIssue.objects.filter(at__gt=now).delete()

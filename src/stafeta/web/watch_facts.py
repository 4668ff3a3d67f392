"""What the operator's page says about the watch: every check, the canary, and who is told."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from stafeta.web.watch import wellbeing_at


def watch_facts(*, now: datetime) -> dict[str, object]:
    """Return the context of `web/operator/_watch.html`. Raises DatabaseError."""
    found = wellbeing_at(now)
    return {
        "watch": found,
        "canary_life": found.signs.canary,
        "has_heartbeat": bool(settings.HEARTBEAT_URL),
    }

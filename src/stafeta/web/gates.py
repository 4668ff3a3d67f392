"""What a code by SMS has opened in one browser: for one link, one phone, one hour."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.http import HttpRequest

from stafeta.core.links import Link
from stafeta.vault.services.reading import GATE_OPEN_FOR

GATE_KEY: Final = "release_gate"
KEY_GATE_KEY: Final = "key_gate"


def open_gate(request: HttpRequest, link: Link, *, phone: str, real_now: datetime, kept_as: str = GATE_KEY) -> None:
    """Remember in this browser that `phone` was proved for this link; the session gets a new id."""
    request.session.cycle_key()
    until = real_now + GATE_OPEN_FOR
    request.session[kept_as] = [*_proved(link, phone), until.timestamp()]


def gate_is_open(request: HttpRequest, link: Link, *, phone: str, real_now: datetime, kept_as: str = GATE_KEY) -> bool:
    """Whether this very phone was proved in this browser for this very link within the last hour."""
    kept = request.session.get(kept_as)
    if not kept:
        return False
    *proved, until = kept
    return bool(proved == _proved(link, phone) and real_now.timestamp() < float(until))


def close_gate(request: HttpRequest, *, kept_as: str = GATE_KEY) -> None:
    """Forget what was proved; harmless where nothing was."""
    request.session.pop(kept_as, None)


def _proved(link: Link, phone: str) -> list[int | str]:
    return [link.person, link.switch, link.cycle, phone]

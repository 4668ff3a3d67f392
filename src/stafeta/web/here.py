"""Who asks from this very machine."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from django.http import HttpRequest

# What proxies and tunnels add: through one on this machine everybody seems to sit at it.
_SENT_ON: Final = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")


def is_here(request: HttpRequest) -> bool:
    """Whether the visitor is at this machine, whatever name they called it by; who came through a proxy is not."""
    if any(header in request.headers for header in _SENT_ON):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False

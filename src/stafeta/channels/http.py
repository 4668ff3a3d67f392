"""What the HTTP gateways share: one request with a bounded wait, and what a status says about us or the message."""

from __future__ import annotations

from typing import Any, Final

import requests

from stafeta.core.errors import ChannelUnavailable, DeliveryRefused

TIMEOUT_S: Final = 15.0
_OURS: Final = frozenset({401, 402, 403, 404, 405, 407, 429})
"""Statuses that speak of our account, address or credit, not of the message."""
_LATER: Final = frozenset({408, 425})


def post(
    session: requests.Session, address: str, *, provider: str, timeout_s: float, **content: Any
) -> requests.Response:
    """POST, and follow no redirect: a message goes where the operator said or nowhere.

    Raises ChannelUnavailable when no answer comes. The original error is not chained: it may carry the address, and the
    address a secret.
    """
    try:
        return session.post(address, timeout=timeout_s, allow_redirects=False, **content)
    except requests.Timeout:
        raise no_answer(provider, timeout_s) from None
    except requests.RequestException as error:
        raise unreachable(provider, error) from None


def no_answer(provider: str, timeout_s: float) -> ChannelUnavailable:
    """The wait is over; whether the message was taken is unknown."""
    return ChannelUnavailable(reason=f"{provider} did not answer within {timeout_s:g} s")


def unreachable(provider: str, error: Exception) -> ChannelUnavailable:
    """The connection failed; of `error` only the name of its class is told."""
    return ChannelUnavailable(reason=f"{provider} could not be reached ({type(error).__name__})")


def check_status(status: int, *, provider: str) -> None:
    """Return for 2xx, raise what anything else means."""
    if 200 <= status < 300:
        return
    reason = f"{provider} answered {status}"
    if status in _LATER:
        raise DeliveryRefused(reason=reason, permanent=False)
    if status in _OURS or not 400 <= status < 500:
        raise ChannelUnavailable(reason=reason)
    raise DeliveryRefused(reason=reason, permanent=True)

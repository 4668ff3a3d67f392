"""What became of a message, as its provider reports it later: how such a report is read, and what it may say.

A report is made of ids, a verdict and a status code. What the receiving server wrote is not taken over: it has read the
message, and might quote a link or a code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from django.http import HttpRequest

from stafeta.channels.base import ChannelKind

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# RFC 3463 (5.1.1), and where there is none the reply code of RFC 5321 (550); an IP address is neither.
_STATUS: Final = (re.compile(r"(?<![.\d])[45]\.\d{1,3}\.\d{1,3}(?![.\d])"), re.compile(r"(?<![.\d])[45]\d\d(?![.\d])"))


class Verdict(StrEnum):
    """What a report says of a message.

    DELIVERED: it arrived. BOUNCED: it came back, this once. SUPPRESSED: it came back, or was never sent, and so will
    the next ones to this address. COMPLAINED: it arrived, but the next ones will not.
    """

    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Reported:
    """One report about one message.

    provider_id: what the channel called it when it was accepted. event: what makes this report itself and no other
    among those about the message. at: aware, as the provider names it; None where it does not. detail: for people.
    """

    provider_id: str
    event: str
    verdict: Verdict
    at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Hook:
    """Where one service reports to.

    service: its part of the address. read: returns what a request reports, at the real time given; raises ForgedReceipt
    and UnreadableReceipt. is_signed: every report proves itself, so that no secret stands in the address.
    is_announced: the address goes along with every message, and nobody has to enter it anywhere.
    """

    service: str
    channel: ChannelKind
    read: Callable[[HttpRequest, datetime], Sequence[Reported]]
    is_signed: bool = False
    is_announced: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class ReceiptAddresses:
    """The addresses under which reports are taken in; without a secret there are none. Its repr tells no secret."""

    site_url: str = ""
    secret: str = ""

    def of(self, service: str, *, is_signed: bool = False) -> str:
        """Return the address of a service's hook."""
        return f"{self.site_url}/receipts/{service}/" + ("" if is_signed else f"{self.secret}/")

    def to_announce(self, service: str) -> str:
        """Return the address to hand to a provider with every message; "" where it could not reach one."""
        is_public = (urlsplit(self.site_url).hostname or "localhost") not in _LOOPBACK
        return self.of(service) if self.secret and is_public else ""

    def __repr__(self) -> str:
        return f"<ReceiptAddresses {self.site_url}>"


def status_in(text: object) -> str:
    """Return the first status code in what a server wrote, such as "5.1.1" or "550", or ""."""
    if isinstance(text, str):
        for pattern in _STATUS:
            if found := pattern.search(text):
                return found.group()
    return ""


def words(*parts: str | None) -> str:
    """Return the parts that say something, each once."""
    return ", ".join(dict.fromkeys(part for part in parts if part))


def aware(moment: object) -> datetime | None:
    """Return a provider's moment in UTC; one without an offset is taken for UTC, and no moment is None."""
    if not isinstance(moment, datetime):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

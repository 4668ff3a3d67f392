"""What a channel is: it hands one rendered message to one provider and says truthfully what came of it.

A channel knows nothing of people, ladders or the outbox. It never retries a message that a provider may already have
taken; who calls it decides when to try again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar


class ChannelKind(StrEnum):
    """The two ways to reach a person."""

    EMAIL = "email"
    SMS = "sms"


@dataclass(frozen=True, slots=True)
class EmailMessage:
    """A rendered e-mail. `message_id` (with its angle brackets) is the same at every attempt, so that a duplicate
    is recognised as one. What it says stays out of its repr: links open things."""

    id: str
    to: str
    subject: str = field(repr=False)
    text: str = field(repr=False)
    message_id: str
    html: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    language: str = "cs"


@dataclass(frozen=True, slots=True)
class SmsMessage:
    """A rendered SMS to one E.164 number; the text is sent exactly as it is (`text.gsm7` belongs to rendering).
    What it says stays out of its repr: it may be a code."""

    id: str
    to: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took responsibility for the message; `provider_id` is what its receipts will call it."""

    provider_id: str


M_contra = TypeVar("M_contra", EmailMessage, SmsMessage, contravariant=True)


class Channel(Protocol[M_contra]):
    """One provider. Safe to use from several threads; opens its connection at the first message and reuses it."""

    @property
    def name(self) -> str:
        """What the provider is called in the log of attempts."""

    def send(self, message: M_contra) -> Accepted:
        """Hand the message over.

        Raises `DeliveryRefused` when this one message or address is refused, and `ChannelUnavailable` when the provider
        as a whole cannot be reached or refuses us. Neither quotes what a provider said after it had read the message:
        it might quote a link or a code.
        """

    def close(self) -> None:
        """Let the connection go. A later `send` opens a new one."""

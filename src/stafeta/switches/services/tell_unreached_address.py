"""An address stopped being reached, or is reached again: the log says so, and whose own it is hears of it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from stafeta.accounts.models import User
from stafeta.core.policy import By
from stafeta.outbox.models import Message
from stafeta.outbox.selectors import mark_of
from stafeta.outbox.services.queue import LADDER, Draft, enqueue
from stafeta.switches.models import Switch
from stafeta.switches.services.record_fact import record_fact
from stafeta.switches.unreached import Place, owners_at, place_of

MARK_CHARS: Final = 16
UNREACHED, REACHED = "AddressUnreached", "AddressReached"


def address_unreached(*, message: Message, now: datetime) -> None:
    """Note that the address of a message is reached no more, with whoever sent it and with whoever owns it.

    An owner hears of their own by their other channel, once a month at most for one address.
    """
    owners = owners_at(channel=message.channel, address=message.to)
    _note(message, owners, UNREACHED, now=now)
    enqueue([draft for owner in owners for draft in _drafts(owner, message, now=now)], now=now)


def address_reached_again(*, message: Message, now: datetime) -> None:
    """Note that the address of a message is reached again."""
    _note(message, owners_at(channel=message.channel, address=message.to), REACHED, now=now)


def _drafts(owner: User, message: Message, *, now: datetime) -> list[Draft]:
    by = By(message.channel).other
    if by is By.SMS and not owner.has_verified_phone:
        return []
    return [
        Draft(
            key=f"unreached:{owner.pk}:{message.channel}:{mark_of(message.to)[:MARK_CHARS]}:{now:%Y-%m}",
            kind="switches.tell_unreached",
            channel=by.value,
            owner_id=owner.pk,
            priority=LADDER,
            params={"person": owner.pk, "fails": message.channel},
        )
    ]


def _note(message: Message, owners: list[User], kind: str, *, now: datetime) -> None:
    places: dict[int, Place] = {}
    for user in (*owners, *([message.owner] if message.owner else [])):
        place = place_of(user, channel=message.channel, address=message.to)
        if place is not None:
            places[user.pk] = place
    for switch in Switch.objects.filter(owner__in=places).order_by("pk"):
        place = places[switch.owner_id]
        record_fact(switch=switch, kind=kind, facts={place.role: place.pk, "channel": place.channel}, now=now)

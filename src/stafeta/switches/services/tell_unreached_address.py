"""An address stopped being reached, or is reached again: the log says so, and the owner hears of their own."""

from __future__ import annotations

from datetime import datetime

from stafeta.core.policy import By
from stafeta.outbox.models import Message
from stafeta.outbox.selectors import mark_of
from stafeta.outbox.services.queue import LADDER, Draft, enqueue
from stafeta.switches.models import Switch
from stafeta.switches.services.record_fact import record_fact
from stafeta.switches.unreached import Place, place_of

MARK_CHARS = 16


def address_unreached(*, message: Message, now: datetime) -> None:
    """Note that the address of a message is reached no more. The owner is told by their other channel, once a month at
    most for one address, if it is their own."""
    place = _place(message)
    if place is None or message.owner is None:
        return
    _note(message, place, "AddressUnreached", now=now)
    by = By(message.channel).other
    if place.role != "owner" or (by is By.SMS and not message.owner.has_verified_phone):
        return
    draft = Draft(
        key=f"unreached:{message.owner_id}:{message.channel}:{mark_of(message.to)[:MARK_CHARS]}:{now:%Y-%m}",
        kind="switches.tell_unreached",
        channel=by.value,
        owner_id=message.owner_id,
        priority=LADDER,
        params={"person": message.owner.pk, "fails": message.channel},
    )
    enqueue([draft], now=now)


def address_reached_again(*, message: Message, now: datetime) -> None:
    """Note that the address of a message is reached again."""
    place = _place(message)
    if place is not None:
        _note(message, place, "AddressReached", now=now)


def _place(message: Message) -> Place | None:
    return place_of(message.owner, channel=message.channel, address=message.to) if message.owner else None


def _note(message: Message, place: Place, kind: str, *, now: datetime) -> None:
    switch = Switch.objects.filter(owner=message.owner_id).first()
    if switch is not None:
        record_fact(switch=switch, kind=kind, facts={place.role: place.pk, "channel": place.channel}, now=now)

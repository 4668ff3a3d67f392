"""Whom a provider no longer delivers to: the owner, and the people the owner entered. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stafeta.accounts.models import User
from stafeta.outbox.models import Message, Suppression
from stafeta.outbox.selectors import suppressions_of
from stafeta.switches.models import Switch, TrustedContact
from stafeta.vault.models import Recipient

OWNERS_MAX = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Somebody on one channel. role: "owner", "contact" or "recipient"; pk: of whoever it is."""

    role: str
    pk: int
    name: str
    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Unreached:
    """A place that nothing reaches any more, as far as its provider says."""

    place: Place
    suppression: Suppression


def places_of(owner: User) -> list[Place]:
    """Return every address and number that is the owner's or was entered by them."""
    return [place for place in _places(owner) if place.address]


def unreached_of(owner: User) -> list[Unreached]:
    """Return where the owner and their people are no longer reached, the owner first."""
    places = places_of(owner)
    found = suppressions_of((place.channel, place.address) for place in places)
    return [
        Unreached(place, found[place.channel, place.address])
        for place in places
        if (place.channel, place.address) in found
    ]


def place_of(owner: User, *, channel: str, address: str) -> Place | None:
    """Return whose address that is: the owner's own before anybody else's."""
    same = (place for place in places_of(owner) if (place.channel, place.address) == (channel, address))
    return next(same, None)


def owners_at(*, channel: str, address: str) -> list[User]:
    """Return the owners whose own address that is; a phone may be that of several."""
    if not address:
        return []
    own = {"email": address} if channel == Message.Channel.EMAIL else {"phone": address}
    return list(User.objects.filter(is_active=True, **own).order_by("pk")[:OWNERS_MAX])


def _places(owner: User) -> Iterator[Place]:
    yield from _of(owner, "owner")
    switch = Switch.objects.filter(owner=owner).first()
    for contact in TrustedContact.objects.filter(switch=switch) if switch else ():
        yield from _of(contact, "contact")
    for recipient in Recipient.objects.filter(owner=owner).order_by("pk"):
        yield from _of(recipient, "recipient")


def _of(person: User | TrustedContact | Recipient, role: str) -> tuple[Place, Place]:
    return (
        Place(role, person.pk, person.name, Message.Channel.EMAIL.value, person.email),
        Place(role, person.pk, person.name, Message.Channel.SMS.value, person.phone),
    )

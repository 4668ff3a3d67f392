"""Who holds the key of a sealed handover, who should, and what waits for its owner's unlock: reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, QuerySet

from stafeta.accounts.models import User
from stafeta.core.protection import Level
from stafeta.vault.models import ConsentState, Handover, PersonalKey, Recipient, WrappedKey


class Seat(StrEnum):
    """How one person stands to the key of a sealed handover."""

    HOLDS = "holds"
    WAITS = "waits"  # they have a key, and nothing is wrapped to it yet
    CHANGED = "changed"  # they have another key than the owner knew, and the owner has not acknowledged it
    NO_KEY = "no_key"


@dataclass(frozen=True, slots=True)
class Seated:
    """A person beside a sealed handover. recipient: None for the owner. key: their present one.

    opens: whether they can open it now, be it with a key that they have replaced since.
    """

    recipient: Recipient | None
    key: PersonalKey | None
    seat: Seat
    opens: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """A sealed handover for which something waits until its owner unlocks. keys: what it is to be wrapped to."""

    handover: Handover
    keys: tuple[PersonalKey, ...]


def key_of(person: User | Recipient) -> PersonalKey | None:
    """Return the person's present key, if they have made one."""
    return person.personal_keys.filter(replaced_at=None).first()


def keys_of(person: User | Recipient) -> list[PersonalKey]:
    """Return the person's present key and those of before that still open something, the newest first."""
    useful = Q(replaced_at=None) | Exists(WrappedKey.objects.filter(key=OuterRef("pk")))
    return list(person.personal_keys.filter(useful).prefetch_related("files"))


def is_changed(key: PersonalKey) -> bool:
    """Whether this is another key than the one of the same recipient that the owner has accepted before."""
    if key.recipient_id is None or key.accepted_at is not None or key.replaced_at is not None:
        return False
    return PersonalKey.objects.filter(recipient=key.recipient_id, accepted_at__isnull=False).exists()


def known_key_before(key: PersonalKey) -> PersonalKey | None:
    """Return the last key of the same recipient that the owner has accepted, to be compared with this one."""
    return PersonalKey.objects.filter(recipient=key.recipient_id, accepted_at__isnull=False).exclude(pk=key.pk).first()


def changed_keys_of(owner: User) -> list[PersonalKey]:
    """Return the keys of the owner's recipients that have changed and were not acknowledged yet."""
    known = PersonalKey.objects.filter(recipient=OuterRef("recipient"), accepted_at__isnull=False)
    return list(
        PersonalKey.objects.filter(Exists(known), recipient__owner=owner, replaced_at=None, accepted_at=None)
        .select_related("recipient")
        .order_by("recipient__name", "pk")
    )


def wrapped_for(handover: Handover, person: User | Recipient) -> list[WrappedKey]:
    """Return the handover's key as it is wrapped to this person, to their present key first."""
    mine = Q(key__owner=person) if isinstance(person, User) else Q(key__recipient=person)
    return list(handover.wrapped_keys.filter(mine).select_related("key").order_by("-key__made_at", "-key__pk"))


def seats_of(handover: Handover) -> tuple[Seated, ...]:
    """Return how the owner and every recipient who did not decline stand to a sealed handover's key, owner first."""
    people = [person for person in handover.recipients.all() if person.consent != ConsentState.DECLINED]
    mine = Q(owner=handover.owner_id) | Q(recipient__in=people)
    present = {(key.owner_id, key.recipient_id): key for key in PersonalKey.objects.filter(mine, replaced_at=None)}
    wrapped = list(handover.wrapped_keys.filter(key__isnull=False).values_list("key", "key__owner", "key__recipient"))
    held = {key for key, _owner, _recipient in wrapped}
    openers = {(owner, recipient) for _key, owner, recipient in wrapped}
    seats = []
    for person in [None, *people]:
        who: tuple[int | None, int | None] = (handover.owner_id, None) if person is None else (None, person.pk)
        key = present.get(who)
        seats.append(Seated(person, key, _seat(key, held), who in openers))
    return tuple(seats)


def waiting_for(owner: User) -> list[Waiting]:
    """Return the owner's sealed handovers that somebody with a key cannot open with it yet.

    A changed key waits for its acknowledgement first, and is not among them.
    """
    found = []
    for handover in sealed_of(owner):
        keys = tuple(seated.key for seated in seats_of(handover) if seated.key and seated.seat is Seat.WAITS)
        if keys:
            found.append(Waiting(handover, keys))
    return found


def sealed_of(owner: User) -> QuerySet[Handover]:
    """Return the owner's sealed handovers by title."""
    return owner.handovers.filter(level=Level.SEALED, deleted_at=None).prefetch_related("recipients")


def without_key(owner: User) -> list[Recipient]:
    """Return the recipients of sealed handovers who agreed, but have made no key: nothing can be sealed for them."""
    sealed = Handover.objects.filter(owner=owner, level=Level.SEALED, deleted_at=None)
    has_key = PersonalKey.objects.filter(recipient=OuterRef("pk"), replaced_at=None)
    people = Recipient.objects.filter(~Exists(has_key), owner=owner, consent=ConsentState.GIVEN)
    return list(people.filter(handovers__in=sealed).distinct())


def public_keys_of(owner: User) -> dict[int, str]:
    """Return the public half of the present key of each recipient of the owner who has one, by the recipient's id."""
    keys = PersonalKey.objects.filter(recipient__owner=owner, replaced_at=None)
    return {pk: public_key for pk, public_key in keys.values_list("recipient", "public_key") if pk is not None}


def is_wanted(recipient: Recipient) -> bool:
    """Whether a recipient needs a key: they are to hold something sealed, or their owner has asked them to make one."""
    sealed = recipient.handovers.filter(level=Level.SEALED, deleted_at=None)
    return recipient.key_asked_at is not None or sealed.exists()


def openers_of(handovers: Iterable[Handover]) -> set[tuple[int, int]]:
    """Return who can open which of these sealed handovers: (handover, recipient), by ids."""
    held = WrappedKey.objects.filter(handover__in=list(handovers), key__recipient__isnull=False)
    return set(held.values_list("handover", "key__recipient"))


def somebody_opens() -> Q:
    """Return the condition of a handover that is guarded, or whose key a recipient holds who did not decline."""
    held = WrappedKey.objects.filter(handover=OuterRef("pk"), key__recipient__handovers=OuterRef("pk")).exclude(
        key__recipient__consent=ConsentState.DECLINED
    )
    return Q(level=Level.GUARDED) | Q(Exists(held))


def is_opened_by_any(seats: Iterable[Seated]) -> bool:
    """Whether at least one recipient can open it."""
    return any(seated.opens for seated in seats if seated.recipient is not None)


def _seat(key: PersonalKey | None, held: set[int]) -> Seat:
    if key is None:
        return Seat.NO_KEY
    if key.pk in held:
        return Seat.HOLDS
    return Seat.CHANGED if is_changed(key) else Seat.WAITS

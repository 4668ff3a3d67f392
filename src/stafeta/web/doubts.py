"""Doubts about the people an owner entered. They warn and never refuse (mission.md, point 2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from stafeta.accounts.addresses import is_shared_mailbox, same_person_hint
from stafeta.accounts.models import User
from stafeta.switches.models import Switch, TrustedContact
from stafeta.vault.models import ConsentState, Recipient

Person = Recipient | TrustedContact


def doubts_about(person: Person, *, owner: User, others: Iterable[Person]) -> tuple[str, ...]:
    """Return what speaks against the way a person was entered. `others`: the list they stand in."""
    found = []
    if is_shared_mailbox(person.email):
        found.append(_("%(email)s looks like a mailbox that several people read.") % {"email": person.email})
    if person.email.lower() == owner.email.lower():
        found.append(_("This is your own e-mail."))
    elif owner.phone and person.phone == owner.phone:
        found.append(_("This is your own phone."))
    twins = [other.name for other in others if other.pk != person.pk and _may_be_same(person, other)]
    if twins:
        found.append(_("Perhaps the same person as %(name)s: the phone is the same.") % {"name": twins[0]})
    return tuple(found)


def doubted_people(owner: User, switch: Switch) -> list[str]:
    """Return the names of those with a doubt about them, who did not decline."""
    lists: tuple[Sequence[Person], ...] = (list(switch.contacts.all()), list(owner.recipients.all()))
    return [
        person.name
        for people in lists
        for person in people
        if person.consent != ConsentState.DECLINED and doubts_about(person, owner=owner, others=people)
    ]


def _may_be_same(person: Person, other: Person) -> bool:
    return same_person_hint(email=person.email, phone=person.phone, other_email=other.email, other_phone=other.phone)

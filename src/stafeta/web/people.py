"""Enter, change and remove people: the one service call, what the log says of it, and who is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.http import Http404

from stafeta.switches.models import Switch, TrustedContact
from stafeta.switches.services.contacts import add_contact, invite_contact, remove_contact, update_contact
from stafeta.switches.services.record_fact import record_fact
from stafeta.vault.models import ConsentState, Recipient
from stafeta.vault.services.ask_for_key import ask_for_key
from stafeta.vault.services.invite_recipient import invite_recipient
from stafeta.vault.services.recipients import add_recipient, remove_recipient, update_recipient
from stafeta.web.notices import tell_address, tell_owner

Person = Recipient | TrustedContact


class Role(StrEnum):
    """What somebody is to the owner."""

    CONTACT = "contact"
    RECIPIENT = "recipient"


@dataclass(frozen=True, slots=True)
class Entry:
    """What an owner writes about somebody. phone: E.164."""

    name: str
    email: str
    phone: str
    language: str


def people_of(switch: Switch, role: Role) -> list[Person]:
    """Return the owner's people of one role, in the order they are shown."""
    return list(switch.contacts.all()) if role is Role.CONTACT else list(switch.owner.recipients.all())


def person_of(switch: Switch, role: Role, pk: int) -> Person:
    """Return one of the owner's people. Raises Http404 for anybody else's, as for none."""
    found = next((person for person in people_of(switch, role) if person.pk == pk), None)
    if found is None:
        raise Http404
    return found


@transaction.atomic
def enter(*, switch: Switch, role: Role, entry: Entry, now: datetime) -> Person:
    """Enter somebody. Raises PolicyError beyond five trusted contacts, IntegrityError for an e-mail entered before."""
    person: Person
    if role is Role.CONTACT:
        person = add_contact(switch=switch, **_fields(entry), now=now)
    else:
        person = add_recipient(owner=switch.owner, **_fields(entry), now=now)
        record_fact(switch=switch, kind="RecipientAdded", facts={"recipient": person.pk}, now=now)
    tell_owner(switch=switch, now=now)
    return person


@transaction.atomic
def change(*, switch: Switch, person: Person, entry: Entry, now: datetime) -> Person:
    """Change what is entered about somebody. Raises IntegrityError for an e-mail entered before.

    Another e-mail is told to the old one and invited anew, if the person knows of us; the owner is told of any change
    (invariant 15).
    """
    knew, before = person.consent in (ConsentState.INVITED, ConsentState.GIVEN), person.email
    changed: Person
    if isinstance(person, TrustedContact):
        changed = update_contact(contact=person, **_fields(entry), now=now)
    else:
        # First the switch, then what hangs on it, as a release locks them.
        record_fact(switch=switch, kind="RecipientChanged", facts={"recipient": person.pk}, now=now)
        changed = update_recipient(recipient=person, **_fields(entry), now=now)
    tell_owner(switch=switch, now=now)
    if knew and changed.email != before:
        tell_address(owner=switch.owner, email=before, language=person.language, now=now)
        changed = invite(person=changed, now=now)
    return changed


@transaction.atomic
def remove(*, switch: Switch, person: Person, now: datetime) -> None:
    """Remove somebody and what is stored about them; the owner is told."""
    if isinstance(person, TrustedContact):
        remove_contact(contact=person, now=now)
    else:
        facts: Mapping[str, int | str] = {"recipient": person.pk, "name": person.name}
        record_fact(switch=switch, kind="RecipientRemoved", facts=facts, now=now)
        remove_recipient(recipient=person, now=now)
    tell_owner(switch=switch, now=now)


def invite(*, person: Person, now: datetime) -> Person:
    """Ask somebody for their consent; pressed again within ten minutes it does nothing."""
    if isinstance(person, TrustedContact):
        return invite_contact(contact=person, now=now)
    return invite_recipient(recipient=person, now=now)


@transaction.atomic
def ask_key(*, switch: Switch, recipient: Recipient, now: datetime) -> bool:
    """Ask a recipient to choose a passphrase; whether an e-mail goes out (services.ask_for_key)."""
    if not ask_for_key(recipient=recipient, now=now):
        return False
    record_fact(switch=switch, kind="KeyAskedFor", facts={"recipient": recipient.pk}, now=now)
    return True


def _fields(entry: Entry) -> dict[str, str]:
    return {"name": entry.name, "email": entry.email, "phone": entry.phone, "language": entry.language}

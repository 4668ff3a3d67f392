"""Enter, order, change and remove the people close to an owner, and invite them.

The ladder of a running cycle was fixed when it began (invariant 15). Adding, changing and removing are done by the
owner in person, so on an armed switch they begin a new cycle that knows the contacts as they are now; what a contact
does themselves never does. The log keeps ids; a name only where the owner removed somebody.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from stafeta.accounts.models import CodeChallenge
from stafeta.core.errors import PolicyError
from stafeta.core.policy import CONTACTS_MAX
from stafeta.core.states import Evidence
from stafeta.outbox.models import Message
from stafeta.outbox.services.queue import Draft, enqueue
from stafeta.switches.models import Switch, TrustedContact
from stafeta.switches.services.decide import locked_switch
from stafeta.switches.services.record_fact import record_fact
from stafeta.switches.services.renew_cycle import renew_cycle
from stafeta.vault.models import ConsentState
from stafeta.vault.services.invite_recipient import INVITE_AGAIN_AFTER


def add_contact(*, switch: Switch, name: str, email: str, phone: str, language: str, now: datetime) -> TrustedContact:
    """Return a new contact, the last to be named and not invited yet.

    Raises PolicyError beyond five contacts, and IntegrityError for an e-mail entered before.
    """
    with transaction.atomic():
        locked = Switch.objects.select_for_update().get(pk=switch.pk)
        count = locked.contacts.count()
        if count >= CONTACTS_MAX:
            raise PolicyError("contacts", count + 1, 1, CONTACTS_MAX)
        last = locked.contacts.order_by("-position").values_list("position", flat=True).first() or 0
        contact = TrustedContact.objects.create(
            switch=locked, position=last + 1, name=name, email=email.lower(), phone=phone, language=language
        )
        _renew(locked.pk, now=now)
        record_fact(switch=locked, kind="ContactAdded", facts={"contact": contact.pk}, now=now)
    return contact


def update_contact(
    *, contact: TrustedContact, name: str, email: str, phone: str, language: str, now: datetime
) -> TrustedContact:
    """Change a contact and return them. Raises IntegrityError as `add_contact` does.

    A new e-mail ends the old invitation and asks for a new one: whoever reads the old mailbox has not agreed for
    whoever reads the new one. A new phone has to be verified anew.
    """
    with transaction.atomic():
        locked = TrustedContact.objects.select_for_update().get(pk=contact.pk)
        if email.lower() != locked.email.lower():
            locked.invitation += 1
            locked.invited_at, locked.consent = None, ConsentState.DRAFT
        if phone != locked.phone:
            locked.phone_verified_at = None
        locked.name, locked.email, locked.phone, locked.language = name, email.lower(), phone, language
        locked.save()
        _renew(locked.switch_id, now=now)
        record_fact(switch=locked.switch, kind="ContactChanged", facts={"contact": locked.pk}, now=now)
    return locked


def move_contact(*, contact: TrustedContact, places: int, now: datetime) -> None:
    """Move a contact by so many places in the order (negative: earlier); at the ends it stays where it is."""
    with transaction.atomic():
        switch = Switch.objects.select_for_update().get(pk=contact.switch_id)
        before = list(switch.contacts.order_by("position", "pk"))
        order = [other for other in before if other.pk != contact.pk]
        place = next(number for number, other in enumerate(before) if other.pk == contact.pk)
        order.insert(min(max(0, place + places), len(order)), before[place])
        if [other.pk for other in order] == [other.pk for other in before]:
            return
        for position, other in enumerate(order, start=1):
            other.position = position
        TrustedContact.objects.bulk_update(order, ["position"])
        record_fact(switch=switch, kind="ContactMoved", facts={"contact": contact.pk}, now=now)


def remove_contact(*, contact: TrustedContact, now: datetime) -> None:
    """Remove a contact: nobody asks them any more, and their links open nothing."""
    switch = contact.switch
    facts: dict[str, int | str | bool | None] = {"contact": contact.pk, "name": contact.name}
    with transaction.atomic():
        _forget(contact)
        contact.delete()
        _renew(switch.pk, now=now)
        record_fact(switch=switch, kind="ContactRemoved", facts=facts, now=now)


def erase_contact(*, contact: TrustedContact, now: datetime) -> None:
    """Remove a contact at their own wish; not even their name stays (GDPR, Art. 17)."""
    with transaction.atomic():
        _forget(contact)
        record_fact(switch=contact.switch, kind="ContactErased", facts={"contact": contact.pk}, now=now)
        contact.delete()


def invite_contact(*, contact: TrustedContact, now: datetime) -> TrustedContact:
    """Queue the invitation and return the contact; the links of earlier invitations end.

    Pressed again within `INVITE_AGAIN_AFTER` it does nothing. Who has answered keeps their answer until they change it.
    """
    with transaction.atomic():
        locked = TrustedContact.objects.select_for_update().get(pk=contact.pk)
        if locked.invited_at is not None and now - locked.invited_at < INVITE_AGAIN_AFTER:
            return locked
        locked.invitation += 1
        locked.invited_at = now
        if locked.consent == ConsentState.DRAFT:
            locked.consent = ConsentState.INVITED
        locked.save(update_fields=["invitation", "invited_at", "consent"])
        record_fact(switch=locked.switch, kind="ContactInvited", facts={"contact": locked.pk}, now=now)
        draft = Draft(
            key=f"{locked.switch_id}:contact:{locked.pk}:invitation:{locked.invitation}",
            kind="switches.invite_contact",
            channel="email",
            owner_id=locked.switch.owner_id,
            params={"switch": locked.switch_id, "person": locked.pk, "invitation": locked.invitation},
        )
        enqueue([draft], now=now)
    return locked


def _renew(switch_id: int, *, now: datetime) -> None:
    renew_cycle(switch=locked_switch(pk=switch_id), evidence=Evidence.PEOPLE, now=now)


def _forget(contact: TrustedContact) -> None:
    """Erase the contact's codes, and their address in the outbox."""
    Message.objects.filter(owner=contact.switch.owner_id, to__in=[contact.email, contact.phone]).update(to="")
    CodeChallenge.objects.filter(subject__startswith=f"contact:{contact.pk}:").delete()

"""Who lives in a world: an owner, the people around them and a handover, made by the real services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from allauth.account.models import EmailAddress

from stafeta.accounts.models import User
from stafeta.core.codec import encode
from stafeta.simulation.script import Life, Stance
from stafeta.switches.models import Switch, TrustedContact
from stafeta.switches.services.arm import arm
from stafeta.switches.services.contacts import add_contact
from stafeta.switches.services.ensure_switch import ensure_switch
from stafeta.vault.models import ConsentState, Handover, Recipient
from stafeta.vault.services.create_handover import create_handover
from stafeta.vault.services.recipients import add_recipient
from stafeta.vault.services.set_handover_terms import set_handover_terms

CONTENT: Final = "Only for whom it is meant: {number}"
ACCESS_DAYS: Final = 90
CONSENTS: Final = {
    Stance.AGREED: ConsentState.GIVEN,
    Stance.SILENT: ConsentState.INVITED,
    Stance.DECLINED: ConsentState.DECLINED,
}


@dataclass(frozen=True, slots=True)
class Household:
    """The rows of one life. contacts, recipients: in the order of the script."""

    life: Life
    owner: User
    switch_id: int
    contacts: tuple[TrustedContact, ...]
    recipients: tuple[Recipient, ...]
    handover: Handover


def found(life: Life, *, now: datetime) -> Household:
    """Make everything that is this life's and arm its switch."""
    n = life.number
    owner = User.objects.create_user(
        f"owner{n}@example.org",
        name=f"Owner {n}",
        phone=f"+4206{n % 10**6:06d}00",
        phone_verified_at=now,
        language="en",
        zone=life.choices.zone,
    )
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    switch = ensure_switch(owner=owner)
    Switch.objects.filter(pk=switch.pk).update(choices=encode(life.choices))
    contacts = tuple(_contact(switch, n, place, now=now) for place in range(len(life.contacts)))
    recipients = tuple(_recipient(owner, n, place, stance, now=now) for place, stance in enumerate(life.recipients))
    handover = create_handover(owner=owner, title="Everything", content=CONTENT.format(number=n), now=now)
    set_handover_terms(
        handover=handover, recipients=recipients, delay_days=life.delay_days, access_days=ACCESS_DAYS, now=now
    )
    arm(owner=owner, now=now)
    return Household(life, owner, switch.pk, contacts, recipients, handover)


def _contact(switch: Switch, n: int, place: int, *, now: datetime) -> TrustedContact:
    contact = add_contact(
        switch=switch,
        name=f"Contact {n}.{place}",
        email=f"contact{place}.of{n}@example.org",
        phone=f"+4207{n % 10**6:06d}{place:02d}",
        language="en",
        now=now,
    )
    contact.consent, contact.phone_verified_at = ConsentState.GIVEN, now
    contact.save(update_fields=["consent", "phone_verified_at"])
    return contact


def _recipient(owner: User, n: int, place: int, stance: Stance, *, now: datetime) -> Recipient:
    recipient = add_recipient(
        owner=owner,
        name=f"Recipient {n}.{place}",
        email=f"recipient{place}.of{n}@example.org",
        phone=f"+4204{n % 10**6:06d}{place:02d}",
        language="en",
        now=now,
    )
    recipient.consent = CONSENTS[stance]
    recipient.phone_verified_at = now if stance is Stance.AGREED else None
    recipient.save(update_fields=["consent", "phone_verified_at"])
    return recipient

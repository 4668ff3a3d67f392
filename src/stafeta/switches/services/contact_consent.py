"""A trusted contact agrees, declines, proves their phone; `contacts.erase_contact` erases them at their wish."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from stafeta.accounts.services.codes import issue_code, verify_code
from stafeta.outbox.services.queue import URGENT, Draft, enqueue
from stafeta.switches.models import TrustedContact
from stafeta.switches.services.record_fact import record_fact
from stafeta.vault.models import ConsentState


def agree(*, contact: TrustedContact, now: datetime) -> TrustedContact:
    """Record that the contact agreed; also after they had declined."""
    return _answer(contact, ConsentState.GIVEN, "ContactAgreed", now=now)


def decline(*, contact: TrustedContact, now: datetime) -> TrustedContact:
    """Record that the contact declined; also after they had agreed. From now on nobody asks or tells them anything."""
    return _answer(contact, ConsentState.DECLINED, "ContactDeclined", now=now)


def ask_phone_code(*, contact: TrustedContact, now: datetime, real_now: datetime) -> None:
    """Queue an SMS with a code that proves the contact's phone. Raises CodeThrottled."""
    with transaction.atomic():
        challenge = issue_code(subject=_subject(contact), phone=contact.phone, now=real_now)
        draft = Draft(
            key=f"contact_code:{challenge.pk}:{challenge.counter}",
            kind="switches.contact_code",
            channel="sms",
            owner_id=contact.switch.owner_id,
            priority=URGENT,
            params={"person": contact.pk, "challenge": challenge.pk, "counter": challenge.counter},
        )
        enqueue([draft], now=now)


def prove_phone(*, contact: TrustedContact, digits: str, now: datetime, real_now: datetime) -> None:
    """Record that the contact's phone is theirs if `digits` are its code; not if it was changed meanwhile.

    Must not be called inside a transaction. Raises WrongCode, CodeExpired, CodeThrottled.
    """
    verify_code(subject=_subject(contact), digits=digits, now=real_now)
    with transaction.atomic():
        unproved = TrustedContact.objects.filter(pk=contact.pk, phone=contact.phone, phone_verified_at__isnull=True)
        if unproved.update(phone_verified_at=now):
            record_fact(switch=contact.switch, kind="ContactPhoneVerified", facts={"contact": contact.pk}, now=now)


def _subject(contact: TrustedContact) -> str:
    return f"contact:{contact.pk}:{contact.phone}"


def _answer(contact: TrustedContact, state: ConsentState, fact: str, *, now: datetime) -> TrustedContact:
    with transaction.atomic():
        locked = TrustedContact.objects.select_for_update().get(pk=contact.pk)
        if locked.consent != state:
            locked.consent = state
            locked.save(update_fields=["consent"])
            record_fact(switch=locked.switch, kind=fact, facts={"contact": locked.pk}, now=now)
    return locked

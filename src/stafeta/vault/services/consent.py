"""A recipient agrees, declines, proves their phone, or has everything about them erased."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from stafeta.accounts.services.codes import issue_code, verify_code
from stafeta.outbox.services.queue import URGENT, Draft, enqueue
from stafeta.vault.models import Consent, ConsentState, Recipient
from stafeta.vault.services.recipients import remove_recipient

WORDING: Final = "2025-11"  # of what people are told before they answer; a new text gets a new one


def give_consent(*, recipient: Recipient, now: datetime) -> Recipient:
    """Record that the recipient agreed; also after they had declined."""
    return _answer(recipient, ConsentState.GIVEN, Consent.Kind.GIVEN, now=now)


def decline(*, recipient: Recipient, now: datetime) -> Recipient:
    """Record that the recipient declined; also after they had agreed. From now on they get nothing."""
    return _answer(recipient, ConsentState.DECLINED, Consent.Kind.DECLINED, now=now)


def erase_recipient(*, recipient: Recipient, now: datetime) -> None:
    """Erase everything stored about the recipient, at their own wish (GDPR, Art. 17)."""
    remove_recipient(recipient=recipient, now=now)


def ask_phone_code(*, recipient: Recipient, now: datetime, real_now: datetime) -> None:
    """Queue an SMS with a code that proves the recipient's phone. Raises CodeThrottled."""
    send_code(use="recipient", recipient=recipient, now=now, real_now=real_now)


def prove_phone(*, recipient: Recipient, digits: str, now: datetime, real_now: datetime) -> Recipient:
    """Record that the recipient's phone is theirs if `digits` are the code of `ask_phone_code`.

    Must not be called inside a transaction. Raises WrongCode, CodeExpired, CodeThrottled.
    """
    verify_code(subject=code_subject("recipient", recipient), digits=digits, now=real_now)
    return record_phone(recipient=recipient, now=now)


def ask_key_code(*, recipient: Recipient, now: datetime, real_now: datetime) -> None:
    """Queue an SMS with the code without which a recipient makes no key. Raises CodeThrottled."""
    send_code(use="key", recipient=recipient, now=now, real_now=real_now)


def prove_for_key(*, recipient: Recipient, digits: str, real_now: datetime) -> None:
    """Use up the code of `ask_key_code`. Not inside a transaction. Raises WrongCode, CodeExpired, CodeThrottled."""
    verify_code(subject=code_subject("key", recipient), digits=digits, now=real_now)


def record_phone(*, recipient: Recipient, now: datetime) -> Recipient:
    """Record that this phone was proved, unless the owner has changed it meanwhile."""
    with transaction.atomic():
        locked = Recipient.objects.select_for_update().get(pk=recipient.pk)
        if locked.phone == recipient.phone and locked.phone_verified_at is None:
            locked.phone_verified_at = now
            locked.save(update_fields=["phone_verified_at"])
            Consent.objects.create(recipient=locked, kind=Consent.Kind.PHONE, wording=WORDING, at=now)
    return locked


def code_subject(use: str, recipient: Recipient) -> str:
    """Return what a code proves: this phone, of this recipient, for this use and no other."""
    return f"{use}:{recipient.pk}:{recipient.phone}"


def send_code(*, use: str, recipient: Recipient, now: datetime, real_now: datetime) -> None:
    """Issue a code for one use and queue its SMS. Raises CodeThrottled.

    real_now: `clock.real_now()`; codes live by it, the outbox by `now`.
    """
    with transaction.atomic():
        challenge = issue_code(subject=code_subject(use, recipient), phone=recipient.phone, now=real_now)
        draft = Draft(
            key=f"code:{challenge.pk}:{challenge.counter}",
            kind="vault.code",
            channel="sms",
            owner_id=recipient.owner_id,
            priority=URGENT,
            params={"recipient": recipient.pk, "challenge": challenge.pk, "counter": challenge.counter},
        )
        enqueue([draft], now=now)


def _answer(recipient: Recipient, state: ConsentState, kind: Consent.Kind, *, now: datetime) -> Recipient:
    with transaction.atomic():
        locked = Recipient.objects.select_for_update().get(pk=recipient.pk)
        if locked.consent != state:
            locked.consent = state
            locked.save(update_fields=["consent"])
            Consent.objects.create(recipient=locked, kind=kind, wording=WORDING, at=now)
    return locked

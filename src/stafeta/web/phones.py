"""The way of an owner's phone: a code is asked for, sent through the outbox, answered; then the number counts."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.db import transaction

from stafeta.accounts.models import User
from stafeta.accounts.services.codes import issue_code, verify_code
from stafeta.accounts.services.set_phone import set_phone
from stafeta.outbox.services.queue import ORDINARY, URGENT, Draft, enqueue


def send_phone_code(*, owner: User, phone: str, now: datetime, real_now: datetime) -> None:
    """Queue the SMS that proves `phone` (E.164). Raises CodeThrottled."""
    with transaction.atomic():
        challenge = issue_code(subject=_subject(owner, phone), phone=phone, now=real_now)
        draft = Draft(
            key=f"accounts:phone_code:{challenge.pk}:{challenge.counter}",
            kind="accounts.phone_code",
            channel="sms",
            owner_id=owner.pk,
            params={"person": owner.pk, "challenge": challenge.pk, "counter": challenge.counter},
            priority=URGENT,
        )
        enqueue([draft], now=now)


def prove_phone(*, owner: User, phone: str, digits: str, now: datetime, real_now: datetime) -> None:
    """Make `phone` the owner's if `digits` are its code. A change is told to the e-mail and to the phone given up.

    Raises CodeError; must not be called inside a transaction (see `verify_code`).
    """
    verify_code(subject=_subject(owner, phone), digits=digits, now=real_now)
    with transaction.atomic():
        before = set_phone(owner=owner, phone=phone, now=now)
        if before:
            enqueue([_told(owner, "email", owner.email), _told(owner, "sms", before)], now=now)


def _subject(owner: User, phone: str) -> str:
    return f"phone:{owner.pk}:{phone}"


def _told(owner: User, channel: str, to: str) -> Draft:
    return Draft(
        key=f"accounts:phone_changed:{channel}:{uuid4().hex}",
        kind="accounts.phone_changed",
        channel=channel,
        owner_id=owner.pk,
        params={"person": owner.pk, "to": to},
        priority=ORDINARY,
    )

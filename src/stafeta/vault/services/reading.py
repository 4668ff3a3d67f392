"""The second gate and what is behind it: a code proves the phone, a reading is recorded, a copy goes out on request."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from stafeta.accounts.services.codes import verify_code
from stafeta.core.errors import BadLink
from stafeta.outbox.models import Message
from stafeta.outbox.services.queue import ORDINARY, Draft, enqueue
from stafeta.vault.holders import openers_of
from stafeta.vault.models import ConsentState, Grant, Reading, Recipient
from stafeta.vault.sealing import require_guarded
from stafeta.vault.selectors import OpenRelease
from stafeta.vault.services.consent import code_subject, send_code

GATE_OPEN_FOR: Final = timedelta(minutes=60)  # in real time: people read as slowly in a demo as anywhere
MAIL_AGAIN_AFTER_S: Final = 600


def ask_code(*, release: OpenRelease, now: datetime, real_now: datetime) -> None:
    """Queue the SMS that opens this release. Raises CodeThrottled, and BadLink for who has not agreed."""
    _require_consent(release.recipient)
    send_code(use="release", recipient=release.recipient, now=now, real_now=real_now)


def open_by_code(*, release: OpenRelease, digits: str, real_now: datetime) -> None:
    """Use up the code of `ask_code`. Not inside a transaction.

    Raises WrongCode, CodeExpired, CodeThrottled, and BadLink for who has not agreed.
    """
    _require_consent(release.recipient)
    verify_code(subject=code_subject("release", release.recipient), digits=digits, now=real_now)


def record_reading(*, grants: Iterable[Grant], now: datetime, how: Reading.How = Reading.How.PAGE) -> tuple[Grant, ...]:
    """Record that the content of these grants is shown from now on, and return those it may be shown of.

    Of a sealed handover only that it was given, still locked: `record_unlocking` records that it was read. One that was
    closed, or whose recipient declined, in the meantime is left out. Raises BadLink when none is left.
    """
    with transaction.atomic():
        shown = _still_open(grants)
        for grant in shown:
            if grant.handover.is_sealed:
                _record(grant, Reading.How.LOCKED, now=now)
            else:
                _record(grant, how, now=now)
    return shown


def record_unlocking(*, grants: Iterable[Grant], now: datetime) -> tuple[Grant, ...]:
    """Record that the recipient's browser has unlocked these sealed handovers, and return those it may show.

    Asked before anything is shown, so that what has closed meanwhile stays locked; a browser that does not ask can show
    what it was given. Asked again it records nothing more until the content is given again. Raises as `record_reading`.
    """
    sealed = [grant for grant in grants if grant.handover.is_sealed]
    openers = openers_of(grant.handover for grant in sealed)
    with transaction.atomic():
        shown = _still_open(grant for grant in sealed if (grant.handover_id, grant.recipient_id) in openers)
        for grant in shown:
            newest = grant.readings.order_by("-pk").first()
            if newest is not None and newest.how == Reading.How.LOCKED:
                _record(grant, Reading.How.PAGE, now=now)
    return shown


def _still_open(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Return those of the grants that are open still, locked for this transaction. Raises BadLink for none."""
    still_open = (
        Grant.objects.select_for_update(of=("self",))
        .filter(pk__in=[grant.pk for grant in grants], closed_at=None, handover__deleted_at=None)
        .filter(recipient__consent=ConsentState.GIVEN)
        .select_related("handover", "recipient__owner")
        .order_by("pk")  # as `close_grants` locks them
    )
    shown = tuple(still_open)
    if not shown:
        raise BadLink
    return shown


def _record(grant: Grant, how: Reading.How, *, now: datetime) -> None:
    if how != Reading.How.LOCKED and grant.first_read_at is None:
        grant.first_read_at = now
        grant.save(update_fields=["first_read_at"])
    Reading.objects.create(grant=grant, how=how, version=grant.handover.revision, at=now)


def mail_content(*, grant: Grant, now: datetime, service_s: int) -> None:
    """Queue a copy of the content to the recipient's e-mail, at their own request.

    Raises BadLink when it has closed, SealedAway for what the server cannot read.

    The message carries the grant's id; the content is decrypted when it is sent, if the grant is still open then and
    its days cannot have run out since `service_s`, the service second at which this was asked.
    Pressed again within ten minutes nothing more is sent.
    """
    require_guarded(grant.handover)
    with transaction.atomic():
        spell = int(now.timestamp()) // MAIL_AGAIN_AFTER_S
        key = f"{grant.switch}:{grant.cycle}:content:{grant.pk}:{grant.handover.revision}:{spell}"
        if Message.objects.filter(key=key).exists():
            return
        record_reading(grants=[grant], now=now, how=Reading.How.MAIL)
        draft = Draft(
            key=key,
            kind="vault.content",
            channel="email",
            owner_id=grant.handover.owner_id,
            priority=ORDINARY,
            params={
                "recipient": grant.recipient_id,
                "switch": grant.switch,
                "cycle": grant.cycle,
                "grant": grant.pk,
                "until": int(now.timestamp()) + grant.expires_at_s - service_s,
            },
        )
        enqueue([draft], now=now)


def _require_consent(recipient: Recipient) -> None:
    if recipient.consent != ConsentState.GIVEN:
        raise BadLink

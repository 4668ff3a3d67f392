"""The first gate: a release opens grants, the owner's return closes what was not opened (ladder.md)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from stafeta.core.policy import DAY_S
from stafeta.outbox.models import Message
from stafeta.outbox.services.queue import LADDER, Draft, enqueue
from stafeta.vault.models import ConsentState, Grant
from stafeta.vault.selectors import releasable

FAILED = (Message.State.DEAD, Message.State.BOUNCED)


def open_handovers(*, owner_id: int, switch_id: int, cycle: int, now: datetime, service_s: int) -> None:
    """Grant every releasable handover to each of its recipients who did not decline, after its own delay.

    Nobody is told here: `follow_up` tells, when each grant opens. A release carried out twice grants once.
    """
    grants = []
    with transaction.atomic():
        for handover in releasable(owner_id).prefetch_related("recipients"):
            opens_at_s = service_s + handover.delay_days * DAY_S
            grants += [
                Grant(
                    handover=handover,
                    recipient=recipient,
                    switch=switch_id,
                    cycle=cycle,
                    granted_at=now,
                    opens_at_s=opens_at_s,
                    expires_at_s=opens_at_s + handover.access_days * DAY_S,
                )
                for recipient in handover.recipients.all()
                if recipient.consent != ConsentState.DECLINED
            ]
        Grant.objects.bulk_create(grants, ignore_conflicts=True)


def close_grants(*, owner_id: int, switch_id: int, cycle: int, now: datetime) -> None:
    """Close every grant of this release that was not opened, and tell everybody who was told that it was a false alarm.

    What was read stays open until it expires: it cannot be unread, and the owner sees who has read it.
    """
    with transaction.atomic():
        grants = list(
            Grant.objects.select_for_update(of=("self",))
            .filter(switch=switch_id, cycle=cycle, handover__owner=owner_id, closed_at=None)
            .order_by("pk")
        )
        unopened = [grant.pk for grant in grants if grant.first_read_at is None]
        Grant.objects.filter(pk__in=unopened).update(closed_at=now)
        told = {grant.recipient_id: grant.news for grant in grants if grant.news}
        enqueue([_false_alarm(owner_id, switch_id, cycle, *person) for person in told.items()], now=now)


def _false_alarm(owner_id: int, switch_id: int, cycle: int, recipient_id: int, news: str) -> Draft:
    """Return the news that all is well, by SMS where the e-mail did not get through before."""
    by_sms = Message.objects.filter(key=f"{news}:email", state__in=FAILED).exists()
    channel = "sms" if by_sms else "email"
    return Draft(
        key=f"{switch_id}:{cycle}:false_alarm:{recipient_id}:{channel}",
        kind="vault.false_alarm",
        channel=channel,
        owner_id=owner_id,
        priority=LADDER,
        params={"recipient": recipient_id, "switch": switch_id, "cycle": cycle},
    )


def suspend_grants(*, owner_id: int, switch_id: int, cycle: int, service_s: int, until_s: int) -> None:
    """Let nothing of a release that nobody has read yet open before service second `until_s` (docs/adr/0008).

    Its days begin anew then, and so do the news; until then no news of it leaves. Doing it again changes nothing but
    the moment. What was read cannot be unread and stays open, as when the owner returns.
    """
    unread = Grant.objects.filter(
        switch=switch_id, cycle=cycle, handover__owner=owner_id, closed_at=None, first_read_at=None
    )
    later = Greatest(F("opens_at_s"), Value(until_s))
    unread.filter(expires_at_s__gt=service_s).update(
        opens_at_s=later,
        expires_at_s=F("expires_at_s") + later - F("opens_at_s"),
        told_at=None,
        remind_at_s=None,
    )

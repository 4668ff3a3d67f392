"""After a release: tell each recipient when their grants open, remind them, and notice who is out of reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Value
from django.db.models.functions import Concat

from stafeta.accounts.selectors import current_epoch, require_epoch
from stafeta.core.policy import DAY_S
from stafeta.outbox.models import Message
from stafeta.outbox.services.queue import LADDER, REMINDER, Draft, enqueue
from stafeta.vault.models import ConsentState, Grant
from stafeta.vault.selectors import open_grants
from stafeta.vault.services.release import FAILED

FOLLOW_UP_MAX: Final = 200
REMINDER_DAYS: Final = (3, 10, 30)
UNREACHED_SAID_FOR: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What one round did.

    told, reminded: how many people. unreached: ids of handovers of whose recipients none got the news through; said
    again each round, for the caller's messages have keys of their own.
    """

    told: int
    reminded: int
    unreached: tuple[int, ...]


def follow_up(*, now: datetime, service_s: int, limit: int = FOLLOW_UP_MAX, epoch: int | None = None) -> FollowUp:
    """Queue what is due for at most `limit` grants of each sort. Any number of workers may do it at once.

    epoch: the installation's when `service_s` was read. Raises Superseded in another one.
    """
    with transaction.atomic():
        require_epoch(epoch)
        told = _tell(now=now, service_s=service_s, limit=limit)
    with transaction.atomic():
        require_epoch(epoch)
        reminded = _remind(now=now, service_s=service_s, limit=limit)
    return FollowUp(told, reminded, _unreached(now=now, service_s=service_s, limit=limit))


def _tell(*, now: datetime, service_s: int, limit: int) -> int:
    due = _willing(service_s).filter(told_at=None)
    drafts: list[Draft] = []
    told = 0
    epoch = current_epoch()
    again = f":{epoch}" if epoch else ""  # what a restore has suspended is told once more when it opens
    for grants in _by_person(_claimed(due, limit)):
        first = grants[0]
        news = f"{first.switch}:{first.cycle}:news:{first.recipient_id}:{first.pk}{again}"
        Grant.objects.filter(pk__in=[grant.pk for grant in grants]).update(
            told_at=now, news=news, remind_at_s=service_s + REMINDER_DAYS[0] * DAY_S
        )
        drafts.append(_draft(first, kind="vault.release", channel="email", key=f"{news}:email", priority=LADDER))
        drafts.append(_draft(first, kind="vault.release_sms", channel="sms", key=f"{news}:sms", priority=LADDER))
        told += 1
    enqueue(drafts, now=now)
    return told


def _remind(*, now: datetime, service_s: int, limit: int) -> int:
    due = _willing(service_s).filter(told_at__isnull=False, first_read_at=None, remind_at_s__lte=service_s)
    drafts: list[Draft] = []
    for grants in _by_person(_claimed(due, limit)):
        first = grants[0]
        for grant in grants:
            grant.reminders += 1
            grant.remind_at_s = _next_reminder_s(grant, service_s)
        Grant.objects.bulk_update(grants, ["reminders", "remind_at_s"])
        key = f"{first.switch}:{first.cycle}:reminder:{first.recipient_id}:{first.pk}:{first.reminders}"
        drafts.append(_draft(first, kind="vault.reminder", channel="email", key=key, priority=REMINDER))
    enqueue(drafts, now=now)
    return len(drafts)


def _next_reminder_s(grant: Grant, service_s: int) -> int | None:
    if grant.reminders >= len(REMINDER_DAYS):
        return None
    wait_days = REMINDER_DAYS[grant.reminders] - REMINDER_DAYS[grant.reminders - 1]
    return service_s + wait_days * DAY_S


def _unreached(*, now: datetime, service_s: int, limit: int) -> tuple[int, ...]:
    """Return the handovers whose told recipients have all had the e-mail with their link refused for good.

    The SMS beside it only says that an e-mail waits, so whoever gets the SMS alone gets nothing.
    """
    dead = Exists(Message.objects.filter(key=Concat(OuterRef("news"), Value(":email")), state__in=FAILED))
    recent = _willing(service_s).filter(told_at__gt=now - UNREACHED_SAID_FOR, first_read_at=None)
    lost = recent.filter(dead).order_by("pk").values_list("handover", "switch", "cycle", "pk")[:limit]
    lost_ids = {pk for *_, pk in lost}
    found = set()
    for handover, switch, cycle, _pk in lost:
        others = Grant.objects.filter(handover=handover, switch=switch, cycle=cycle, closed_at=None)
        if not others.exclude(recipient__consent=ConsentState.DECLINED).exclude(pk__in=lost_ids).exists():
            found.add(handover)
    return tuple(sorted(found))


def _willing(service_s: int) -> QuerySet[Grant]:
    return Grant.objects.filter(open_grants(service_s)).exclude(recipient__consent=ConsentState.DECLINED)


def _claimed(due: QuerySet[Grant], limit: int) -> list[Grant]:
    """Lock at most `limit` of the due grants for this transaction; those another worker has are left to it."""
    locked = due.select_for_update(skip_locked=True, of=("self",)).annotate(owner_id=F("handover__owner"))
    return list(locked.order_by("switch", "cycle", "recipient", "pk")[:limit])


def _by_person(grants: Iterable[Grant]) -> list[list[Grant]]:
    """Group grants, sorted as `_claimed` sorts them, by the release and the person they belong to."""
    return [list(group) for _, group in groupby(grants, lambda grant: (grant.switch, grant.cycle, grant.recipient_id))]


def _draft(grant: Grant, *, kind: str, channel: str, key: str, priority: int) -> Draft:
    return Draft(
        key=key,
        kind=kind,
        channel=channel,
        owner_id=grant.owner_id,  # type: ignore[attr-defined]  # annotated by _claimed
        priority=priority,
        params={
            "recipient": grant.recipient_id,
            "switch": grant.switch,
            "cycle": grant.cycle,
            "grant": grant.pk,
        },
    )

"""After a release: tell each recipient when their grants open, remind them, and notice who is out of reach."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Value
from django.db.models.functions import Concat

from stafeta.accounts.selectors import current_epoch, require_epoch
from stafeta.core.policy import DAY_S
from stafeta.outbox.faults import database_failed
from stafeta.outbox.models import Message
from stafeta.outbox.services.queue import LADDER, REMINDER, Draft, enqueue
from stafeta.vault.models import ConsentState, Grant
from stafeta.vault.selectors import open_grants
from stafeta.vault.services.release import FAILED

log = logging.getLogger(__name__)

FOLLOW_UP_MAX: Final = 200
CLAIMS_MAX: Final = 5
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

    A person whose grants nobody can follow up is left out and named in the log; everybody else is told all the same
    (invariant 12). Raises what the database raises when it fails itself; then what was committed stands, and the next
    round does the rest (invariant 11). epoch: the installation's when `service_s` was read; raises Superseded in
    another one.
    """

    def tell(grants: Sequence[Grant]) -> None:
        _tell(grants, now=now, service_s=service_s)

    def remind(grants: Sequence[Grant]) -> None:
        _remind(grants, now=now, service_s=service_s)

    willing = _willing(service_s)
    told = _for_each_person(willing.filter(told_at=None), tell, limit=limit, epoch=epoch)
    silent = willing.filter(told_at__isnull=False, first_read_at=None, remind_at_s__lte=service_s)
    reminded = _for_each_person(silent, remind, limit=limit, epoch=epoch)
    return FollowUp(told, reminded, _unreached(now=now, service_s=service_s))


def _for_each_person(
    due: QuerySet[Grant], act: Callable[[Sequence[Grant]], None], *, limit: int, epoch: int | None
) -> int:
    """Do `act` for each person whose grants are due, and return for how many it was done.

    Where some cannot be followed up, others are claimed in their place, `CLAIMS_MAX` times at most: whoever cannot be
    told for ever must not take the room of those behind.
    """
    done = 0
    left_out: set[int] = set()
    for _ in range(CLAIMS_MAX):
        with transaction.atomic():
            require_epoch(epoch)
            people = _by_person(_claimed(due.exclude(pk__in=left_out), limit))
            faulty = [person for person in people if not _acted(act, person)]
        done += len(people) - len(faulty)
        if not faulty:
            break
        left_out |= {grant.pk for person in faulty for grant in person}
    return done


def _acted(act: Callable[[Sequence[Grant]], None], grants: Sequence[Grant]) -> bool:
    try:
        with transaction.atomic():
            act(grants)
    except Exception as fault:
        if database_failed(fault):
            raise
        log.error("grants %s cannot be followed up: %s", [grant.pk for grant in grants], type(fault).__name__)
        return False
    return True


def _tell(grants: Sequence[Grant], *, now: datetime, service_s: int) -> None:
    first, epoch = grants[0], current_epoch()
    again = f":{epoch}" if epoch else ""  # what a restore has suspended is told once more when it opens
    news = f"{first.switch}:{first.cycle}:news:{first.recipient_id}:{first.pk}{again}"
    Grant.objects.filter(pk__in=[grant.pk for grant in grants]).update(
        told_at=now, news=news, remind_at_s=service_s + REMINDER_DAYS[0] * DAY_S
    )
    mail = _draft(first, kind="vault.release", channel="email", key=f"{news}:email", priority=LADDER)
    text = _draft(first, kind="vault.release_sms", channel="sms", key=f"{news}:sms", priority=LADDER)
    enqueue([mail, text], now=now)


def _remind(grants: Sequence[Grant], *, now: datetime, service_s: int) -> None:
    first = grants[0]
    for grant in grants:
        grant.reminders += 1
        grant.remind_at_s = _next_reminder_s(grant, service_s)
    Grant.objects.bulk_update(grants, ["reminders", "remind_at_s"])
    key = f"{first.switch}:{first.cycle}:reminder:{first.recipient_id}:{first.pk}:{first.reminders}"
    enqueue([_draft(first, kind="vault.reminder", channel="email", key=key, priority=REMINDER)], now=now)


def _next_reminder_s(grant: Grant, service_s: int) -> int | None:
    if grant.reminders >= len(REMINDER_DAYS):
        return None
    wait_days = REMINDER_DAYS[grant.reminders] - REMINDER_DAYS[grant.reminders - 1]
    return service_s + wait_days * DAY_S


def _unreached(*, now: datetime, service_s: int) -> tuple[int, ...]:
    """Return the handovers whose told recipients have all had the e-mail with their link refused for good.

    The SMS beside it only says that an e-mail waits, so whoever gets the SMS alone gets nothing. Bounded by what was
    told within `UNREACHED_SAID_FOR`, and by nothing else: a limit would let the first ones hide those behind.
    """
    dead = Exists(Message.objects.filter(key=Concat(OuterRef("news"), Value(":email")), state__in=FAILED))
    recent = _willing(service_s).filter(told_at__gt=now - UNREACHED_SAID_FOR, first_read_at=None)
    lost = recent.filter(dead)
    same_release = Grant.objects.filter(
        handover=OuterRef("handover"), switch=OuterRef("switch"), cycle=OuterRef("cycle"), closed_at=None
    )
    others = same_release.exclude(recipient__consent=ConsentState.DECLINED).exclude(pk__in=lost.values("pk"))
    return tuple(sorted(set(lost.exclude(Exists(others)).values_list("handover", flat=True))))


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

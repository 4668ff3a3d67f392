"""Somebody has to look: the operator is told, by e-mail, and where it is urgent by SMS too."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.conf import settings

from stafeta.accounts.models import User
from stafeta.outbox.models import Message
from stafeta.outbox.services.queue import URGENT, Draft, enqueue

log = logging.getLogger(__name__)

KIND: Final = "switches.page_operator"
OPERATORS_MAX: Final = 20
PAGES_PER_DAY_MAX: Final = 60  # of one alarm, to all operators together


class Alarm(StrEnum):
    """What the operator is told of; each has its words in `switches.messages.operator`."""

    BREAKER = "breaker"
    HOLD_BEGAN = "hold_began"
    HOLD_ENDED = "hold_ended"
    CLOCK_BEHIND = "clock_behind"
    OUTAGE = "outage"


URGENT_ALARMS: Final = (Alarm.BREAKER, Alarm.CLOCK_BEHIND, Alarm.OUTAGE)


def page_operator(*, alarm: Alarm, about: int, event: str = "", now: datetime) -> None:
    """Queue what the operator is to be told, once for each `alarm`, row `about` and `event` of that row.

    It goes to STAFETA_OPERATOR_EMAIL, or to every active operator's account where that is not set; an urgent alarm
    also by SMS to every operator with a verified phone. Join it to the transaction of what it tells. Said again, or
    more than `PAGES_PER_DAY_MAX` times a day, nothing is queued; where there is nobody to tell, the log says so.
    """
    about_words = f"{about}:{event}" if event else str(about)
    drafts = {draft.key: draft for draft in _drafts(alarm, about, about_words)}
    if not drafts:
        log.error("%s (%s), and there is no operator to tell: set STAFETA_OPERATOR_EMAIL", alarm, about_words)
        return
    known = set(Message.objects.filter(key__in=drafts).values_list("key", flat=True))
    new = [draft for key, draft in drafts.items() if key not in known]
    today = Message.objects.filter(key__startswith=f"page:{alarm}:", queued_at__gt=now - timedelta(days=1)).count()
    if new and today >= PAGES_PER_DAY_MAX:
        log.error("%s (%s), and the operator was told of that %s times within a day", alarm, about_words, today)
        return
    enqueue(new, now=now)


def _drafts(alarm: Alarm, about: int, about_words: str) -> Iterator[Draft]:
    operators = list(User.objects.filter(is_staff=True, is_active=True).order_by("pk")[:OPERATORS_MAX])
    by_email = [0] if settings.OPERATOR_EMAIL else [user.pk for user in operators]
    by_sms = [user.pk for user in operators if user.has_verified_phone] if alarm in URGENT_ALARMS else []
    for channel, people in (("email", by_email), ("sms", by_sms)):
        for person in people:
            yield Draft(
                key=f"page:{alarm}:{about_words}:{person}:{channel}",
                kind=KIND,
                channel=channel,
                owner_id=person or None,
                priority=URGENT,
                params={"alarm": alarm.value, "about": about, "person": person},
            )

"""Hear what a provider says later about a message that it accepted (docs/adr/0010-accepted.md).

Whatever the order, however often and however late: a report is heard once, it makes an accepted message one that came
back and nothing else, and a message that came back never becomes anything better. No report is a sign of life
(invariant 6).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import DatabaseError, transaction

from stafeta.channels.receipts import Reported, Verdict
from stafeta.outbox.models import Message, Receipt
from stafeta.outbox.selectors import under_way
from stafeta.outbox.services.suppress import lift, suppress

log = logging.getLogger(__name__)

ID_CHARS_MAX = 150
EVENT_DIGEST_CHARS = 40
DETAIL_CHARS_MAX = 300
WAITING_BATCH_MAX = 200
PURGE_BATCH_MAX = 1000
RECEIPTS_KEPT = timedelta(days=90)
UNKNOWN_KEPT = timedelta(days=7)


class News(StrEnum):
    """What a report changed, told to whoever has to act upon it.

    BOUNCED: the message, accepted until now, came back. SUPPRESSED: no more messages reach this address.
    DELIVERED_AGAIN: they do, after they had not.
    """

    BOUNCED = "bounced"
    SUPPRESSED = "suppressed"
    DELIVERED_AGAIN = "delivered_again"


OnNews = Callable[[Message, News, datetime], None]


def receive_receipt(*, reported: Reported, channel: str, now: datetime, on_news: OnNews) -> bool:
    """Hear one report, unless it was heard before or speaks of nothing of ours; return whether it was new.

    `on_news` joins the transaction. A report that overtakes the record of its own message's acceptance waits for it
    (`hear_waiting`); it is kept only while such a message is under way, so that nobody can fill the table.
    """
    event = _event(reported, channel)
    with transaction.atomic():
        may_be_recorded_yet = under_way(channel).exists()  # before looking: what is recorded in between is found
        message = _locked(channel, reported.provider_id)
        waits = message is None or message.state == Message.State.QUEUED
        if message is None and not may_be_recorded_yet:
            return False
        receipt, made = Receipt.objects.get_or_create(
            event=event,
            defaults={
                "channel": channel,
                "verdict": reported.verdict.value,
                "message": None if waits else message,
                "at": min(reported.at or now, now),
                "heard_at": now,
                "detail": _printable(reported.detail)[:DETAIL_CHARS_MAX],
            },
        )
        if made and message is not None and not waits:
            _apply(message, receipt, now=now, on_news=on_news)
    return made


def hear_waiting(*, now: datetime, on_news: OnNews, limit: int = WAITING_BATCH_MAX) -> int:
    """Hear the reports whose messages have been recorded as accepted since, and return how many those were."""
    heard = 0
    for receipt in Receipt.objects.filter(message=None).order_by("-pk")[:limit]:
        provider_id = receipt.event.split(" ")[1]
        with transaction.atomic():
            message = _locked(receipt.channel, provider_id)
            if message is None or message.state == Message.State.QUEUED:
                continue
            if Receipt.objects.filter(pk=receipt.pk, message=None).update(message=message):
                _apply(message, receipt, now=now, on_news=on_news)
                heard += 1
    return heard


def purge_receipts(*, now: datetime, limit: int = PURGE_BATCH_MAX) -> int:
    """Erase at most `limit` receipts that are older than `RECEIPTS_KEPT`, and unknown ones after `UNKNOWN_KEPT`."""
    old = Receipt.objects.filter(heard_at__lt=now - RECEIPTS_KEPT)
    unknown = Receipt.objects.filter(message=None, heard_at__lt=now - UNKNOWN_KEPT)
    pks = [pk for rows in (old, unknown) for pk in rows.order_by("heard_at").values_list("pk", flat=True)[:limit]]
    return Receipt.objects.filter(pk__in=pks[:limit]).delete()[0]


def _event(reported: Reported, channel: str) -> str:
    """Return the name under which the report is heard once: channel, the message's id, a digest of the rest."""
    identity = f"{reported.provider_id}\x00{reported.event}"
    digest = hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:EVENT_DIGEST_CHARS]
    readable = _printable(reported.provider_id)
    fits = readable == reported.provider_id and " " not in readable and len(readable) <= ID_CHARS_MAX
    return f"{channel} {readable if fits else '-'} {digest}"


def _locked(channel: str, provider_id: str) -> Message | None:
    """Return the message that the provider calls so, locked; first the message, then its switch, as settling does.

    A Message-ID may have lost its angle brackets on the way.
    """
    bare = provider_id.strip("<>")
    if not bare or _printable(provider_id) != provider_id:
        return None
    names = {provider_id, bare, f"<{bare}>"}
    found = Message.objects.select_for_update(of=("self",)).filter(channel=channel, provider_id__in=names)
    return found.order_by("-pk").first()


def _apply(message: Message, receipt: Receipt, *, now: datetime, on_news: OnNews) -> None:
    """Let a report take effect on its locked message. The message is written last, as in `settle`."""
    verdict = Verdict(receipt.verdict)
    news: list[News] = []
    came_back = verdict in (Verdict.BOUNCED, Verdict.SUPPRESSED) and message.state == Message.State.ACCEPTED
    if came_back:
        message.state, message.problem, message.settled_at = Message.State.BOUNCED, receipt.detail, now
    if verdict in (Verdict.SUPPRESSED, Verdict.COMPLAINED) and _suppress(message, receipt):
        news.append(News.SUPPRESSED)
    if came_back:
        news.append(News.BOUNCED)
    if verdict is Verdict.DELIVERED and lift(channel=message.channel, address=message.to, before=receipt.at):
        news.append(News.DELIVERED_AGAIN)
    for one in news:
        _tell(message, one, now=now, on_news=on_news)
    if came_back:
        message.save(update_fields=["state", "problem", "settled_at"])


def _suppress(message: Message, receipt: Receipt) -> bool:
    """Note the address, unless something has been delivered to it since: then the report is merely late."""
    if not message.to:
        return False
    since = Receipt.objects.filter(
        channel=message.channel, verdict=Verdict.DELIVERED.value, message__to=message.to, at__gt=receipt.at
    )
    if since.filter(heard_at__gte=receipt.at).exists():
        return False
    return suppress(channel=message.channel, address=message.to, reason=receipt.detail, since=receipt.at)


def _tell(message: Message, news: News, *, now: datetime, on_news: OnNews) -> None:
    try:
        with transaction.atomic():
            on_news(message, news, now)
    except DatabaseError:
        raise
    except Exception as fault:  # a switch nobody can read: the report stays heard all the same (invariant 12)
        log.error("the receipt of message %s (%s) led to nothing: %s", message.pk, message.kind, type(fault).__name__)


def _printable(text: str) -> str:
    """Return what a database can hold and a person can read."""
    return "".join(letter for letter in text if letter.isprintable())

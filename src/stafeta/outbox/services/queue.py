"""Put messages into the outbox, in the transaction of whatever they tell about (house.md, style 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from stafeta.accounts.selectors import epoch_now
from stafeta.outbox.models import Message

URGENT, LADDER, ORDINARY, REMINDER = 10, 20, 50, 80


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be: what it is called, whom its failure concerns, and what its renderer needs to know.

    key: unique for ever; by `switch:cycle:rung:round:person:channel` where the ladder asks.
    channel: "email" or "sms". params: ids only (invariant 17). not_before: when it is due, where that is not at once.
    """

    key: str
    kind: str
    channel: str
    owner_id: int | None
    params: Mapping[str, int | str | bool] = field(default_factory=dict)
    priority: int = ORDINARY
    not_before: datetime | None = None


def enqueue(drafts: Iterable[Draft], *, now: datetime) -> None:
    """Queue every draft whose key is new; one already queued, sent or dead stays what it is (invariant 14)."""
    Message.objects.bulk_create(
        [
            Message(
                key=draft.key,
                kind=draft.kind,
                channel=draft.channel,
                owner_id=draft.owner_id,
                params=dict(draft.params),
                priority=draft.priority,
                epoch=epoch_now(),
                queued_at=draft.not_before or now,
                next_attempt_at=draft.not_before or now,
            )
            for draft in drafts
        ],
        ignore_conflicts=True,
    )

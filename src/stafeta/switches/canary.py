"""The canary: an account of the operator's, asked every day, that shows whether asking works from end to end.

It is an ordinary switch. What it proves is read from rows that are there anyway: when it was last asked, when a
provider took a prompt, when somebody answered. Reads only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.db.models import Min, QuerySet

from stafeta.accounts.models import User
from stafeta.outbox.models import Message
from stafeta.switches.models import Event, Switch

MISSED_AFTER: Final = timedelta(hours=1)
"""A first prompt is due on the minute, and the worker looks every few seconds."""
UNSENT_AFTER: Final = timedelta(hours=2)
"""A refused prompt is tried on the other channel within the hour, and the longest pause between two attempts is one."""
UNANSWERED_AFTER: Final = timedelta(days=1)
"""Whoever set up a question for every day looks into that mailbox every day."""
IDLE_AFTER: Final = timedelta(days=3)
"""Answered before it was asked, day after day: it is well, and shows nothing about asking."""
INTERVAL_DAYS: Final = 1

AWAITING_ANSWER: Final = ("Climbing", "Held", "Released")


class Canary(StrEnum):
    """What the canary says: that all is well, that something does not work, or nothing at all (a doubt)."""

    WELL = "well"
    MISSED = "missed"
    UNSENT = "unsent"
    UNANSWERED = "unanswered"
    UNKNOWN = "unknown"
    UNARMED = "unarmed"
    SELDOM = "seldom"
    IDLE = "idle"

    @property
    def is_alarm(self) -> bool:
        return self in (Canary.MISSED, Canary.UNSENT, Canary.UNANSWERED)

    @property
    def is_doubt(self) -> bool:
        return self in (Canary.UNKNOWN, Canary.UNARMED, Canary.SELDOM, Canary.IDLE)


@dataclass(frozen=True, slots=True)
class CanaryLife:
    """What is written down about the canary.

    phase: its switch's; "" where there is no such account. interval_days: of the running cycle.
    due_at: when it is to be asked next, where it waits. armed_at: when it was last armed.
    asked_at, accepted_at: the first prompt of the latest cycle that had one, and when a provider first took one of
    that cycle that has not come back. answered_at: the owner's last sign of life.
    """

    phase: str = ""
    interval_days: int | None = None
    due_at: datetime | None = None
    armed_at: datetime | None = None
    asked_at: datetime | None = None
    accepted_at: datetime | None = None
    answered_at: datetime | None = None


def canary_life(email: str) -> CanaryLife:
    """Return the life of the canary with that address."""
    switch = Switch.objects.filter(owner__email__iexact=email).first()
    if switch is None:  # a new account gets its switch at the first sign-in
        return CanaryLife(phase="Resting" if User.objects.filter(email__iexact=email).exists() else "")
    asked_at, accepted_at = _latest_question(switch)
    return CanaryLife(
        phase=switch.phase,
        interval_days=switch.policy.get(
            "interval_days"
        ),  # the bare row: one that the core cannot read must not end the watch
        due_at=switch.due_at,
        armed_at=_events(switch, "Armed").order_by("-number").values_list("at", flat=True).first(),
        asked_at=asked_at,
        accepted_at=accepted_at,
        answered_at=switch.last_checkin_at,
    )


def judge_canary(life: CanaryLife, *, now: datetime, climbing_since: datetime | None, slack: timedelta) -> Canary:
    """Return what that life says at the moment `now`.

    climbing_since: since when ladders have been able to climb, without an outage or a hold; None while they are not,
    and then a prompt that is due is not expected. slack: the least that "late" means, where the clock runs fast.
    """
    if not life.phase:
        return Canary.UNKNOWN
    if life.phase in AWAITING_ANSWER:
        return _judge_question(life, now=now, slack=slack)
    if life.phase != "Waiting":
        return Canary.UNARMED
    if climbing_since is not None and life.due_at is not None:
        late = min(now - life.due_at, now - climbing_since)
        if late > max(MISSED_AFTER, slack):
            return Canary.MISSED
    return _doubt(life, now=now)


def _judge_question(life: CanaryLife, *, now: datetime, slack: timedelta) -> Canary:
    if life.phase == "Released":
        return Canary.UNANSWERED
    if life.accepted_at is not None:
        if now - life.accepted_at > max(UNANSWERED_AFTER, slack):
            return Canary.UNANSWERED
    elif life.asked_at is not None and now - life.asked_at > max(UNSENT_AFTER, slack):
        return Canary.UNSENT
    return _doubt(life, now=now)


def _doubt(life: CanaryLife, *, now: datetime) -> Canary:
    if life.interval_days is None or life.interval_days > INTERVAL_DAYS:
        return Canary.SELDOM
    latest = max((at for at in (life.armed_at, life.asked_at) if at is not None), default=None)
    if latest is None or now - latest > IDLE_AFTER:
        return Canary.IDLE
    return Canary.WELL


def _latest_question(switch: Switch) -> tuple[datetime | None, datetime | None]:
    """Return when the canary was last asked, and when a provider took a prompt of that cycle."""
    ticks = _events(switch, "Ticked")
    latest = ticks.order_by("-number").first()
    if latest is None:
        return None, None
    asked_at = ticks.filter(cycle=latest.cycle).order_by("number").values_list("at", flat=True)[0]
    prompts = Message.objects.filter(
        owner=switch.owner_id,
        kind="switches.ask_owner",
        state=Message.State.ACCEPTED,
        params__cycle=latest.cycle,
    )
    accepted_at: datetime | None = prompts.aggregate(at=Min("settled_at"))["at"]
    return asked_at, accepted_at


def _events(switch: Switch, kind: str) -> QuerySet[Event]:
    return Event.objects.filter(switch=switch, kind=kind, on_ladder=True)

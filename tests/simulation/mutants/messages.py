"""Bugs of the outbox."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any
from unittest.mock import patch

from stafeta.outbox.models import Attempt, Message
from stafeta.outbox.services import deliver
from stafeta.outbox.services.settle import Outcome
from stafeta.simulation.script import Fate, Trait, Trouble
from stafeta.switches.services import delivery
from tests.simulation.lives import GONE, WEEKLY, episode, life, script
from tests.simulation.mutants.mutant import FALSE_RELEASE, LOST_MESSAGE, MISSED_RELEASE, Mutant

LOST = frozenset({LOST_MESSAGE, FALSE_RELEASE})


def sent_before_it_is_sent() -> AbstractContextManager[object]:
    """A message counts as sent whatever the provider says."""
    attempts = deliver.attempt

    def attempt(message: Message, channels: Any) -> Outcome:
        outcome = attempts(message, channels)
        return Outcome(Attempt.Outcome.ACCEPTED) if outcome.kind is Attempt.Outcome.UNAVAILABLE else outcome

    return patch.object(deliver, "attempt", attempt)


def lease_never_ends() -> AbstractContextManager[object]:
    """What a dead worker had in hand is nobody's any more."""
    claims = deliver.claim

    def claim(*, lease: timedelta, **of: Any) -> list[Message]:
        return claims(lease=timedelta(days=10_000) if lease else lease, **of)

    return patch.object(deliver, "claim", claim)


def name_of_its_own_at_every_attempt() -> AbstractContextManager[object]:
    """Every attempt has another Message-ID, so that no mailbox knows a duplicate."""
    numbers = count()
    return patch.object(deliver, "message_id", lambda *_args, **_more: f"<{next(numbers)}@localhost>")


def gone_with_the_first_failure() -> AbstractContextManager[object]:
    """A message that did not get through once is dropped."""
    from stafeta.outbox.services import settle

    return patch.object(settle, "_state_after", _drops)


def bounces_are_ignored() -> AbstractContextManager[object]:
    """A prompt that came back counts as one that arrived."""
    return patch.object(delivery, "_bounced", lambda *_args, **_more: None)


def _drops(row: Message, outcome: Outcome, **_now: Any) -> Message.State:
    del row
    return Message.State.ACCEPTED if outcome.kind is Attempt.Outcome.ACCEPTED else Message.State.CANCELLED


DAILY = replace(WEEKLY, interval_days=1)
CRASHING = (episode(Trouble.CRASHES, day=6, days=20),)
AWAY = (episode(Trouble.ALL_AWAY, day=7, days=2),)
MUTANTS = (
    Mutant(
        "bounces_are_ignored",
        frozenset({FALSE_RELEASE}),
        bounces_are_ignored,
        script(*[life(n, Trait.MAILBOX_BOUNCES, fate=Fate.DIES, gone_day=29.0) for n in range(4)]),
    ),
    Mutant(
        "sent_before_it_is_sent",
        LOST,
        sent_before_it_is_sent,
        script(life(1, **GONE), life(2), episodes=AWAY),
    ),
    Mutant(
        "lease_never_ends",
        frozenset({LOST_MESSAGE, MISSED_RELEASE}),
        lease_never_ends,
        script(*[life(n, choices=DAILY) for n in range(16)], episodes=CRASHING),
    ),
    Mutant(
        "name_of_its_own_at_every_attempt",
        LOST,
        name_of_its_own_at_every_attempt,
        script(life(1, **GONE)),
    ),
    Mutant(
        "gone_with_the_first_failure",
        frozenset({LOST_MESSAGE, MISSED_RELEASE, FALSE_RELEASE}),
        gone_with_the_first_failure,
        script(life(0), life(2), episodes=(episode(Trouble.ALL_AWAY, day=6, days=24),), days=30.5),
    ),
)

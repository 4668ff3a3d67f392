"""What providers say later of what they took: true and false, twice, days late, too early, and of others' messages."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from stafeta.channels.base import EmailMessage
from stafeta.channels.receipts import Reported, Verdict
from stafeta.outbox.services.receive_receipt import receive_receipt
from stafeta.simulation.providers import Mail, Taken
from stafeta.switches.services.delivery import record_news

if TYPE_CHECKING:
    from stafeta.simulation.world import World

SOON, DAYS_LATE = timedelta(minutes=7), timedelta(days=9)
DELIVERED_RATE, COMPLAINT_RATE, FORGED_RATE, HARD_RATE = 0.1, 0.2, 0.02, 0.5
ODDITIES: Final = ("", "", "receipt_twice", "receipt_days_late", "receipt_out_of_order", "receipt_missing")


class Reports:
    """The receipts of one world's providers."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self._world = world
        self._rng = rng

    def bounced(self, message: Mail, taken: Taken, *, is_hard: bool) -> None:
        """Nobody got it. The provider says so, as providers do; of a hard bounce it often says that more would be."""
        oddity = self._rng.choice(ODDITIES)
        if oddity:
            self._world.saw(oddity)
        if oddity == "receipt_missing":
            return
        wait = DAYS_LATE if oddity == "receipt_days_late" else SOON * self._rng.randint(1, 60)
        verdict = Verdict.SUPPRESSED if is_hard and self._rng.random() < HARD_RATE else Verdict.BOUNCED
        self._say(message, taken, verdict, wait)
        if oddity == "receipt_twice":
            self._say(message, taken, verdict, wait + SOON)
        if oddity == "receipt_out_of_order":
            self._say(message, taken, Verdict.DELIVERED, wait + SOON)

    def lost(self, message: Mail, taken: Taken) -> None:
        """It vanished, and the provider says that it was delivered."""
        self._world.saw("receipt_fake")
        self._say(message, taken, Verdict.DELIVERED, SOON)

    def arrived(self, message: Mail, taken: Taken, *, complains: bool) -> None:
        """It arrived; now and then somebody says so, or the addressee calls it spam."""
        if self._rng.random() < DELIVERED_RATE:
            self._say(message, taken, Verdict.DELIVERED, SOON)
        if complains and isinstance(message, EmailMessage) and self._rng.random() < COMPLAINT_RATE:
            self._world.saw("complaint")
            self._say(message, taken, Verdict.COMPLAINED, SOON)
        if self._rng.random() < FORGED_RATE:
            self._world.saw("receipt_of_no_message_of_ours")
            stranger = Taken(taken.at, taken.heard_s, taken.to, f"stranger-{self._rng.randrange(10**9)}")
            self._say(message, stranger, Verdict.BOUNCED, SOON)

    def _say(self, message: Mail, taken: Taken, verdict: Verdict, wait: timedelta) -> None:
        reported = Reported(taken.provider_id, verdict.value, verdict, taken.at)
        channel = "email" if isinstance(message, EmailMessage) else "sms"
        self._world.later(wait, partial(self._hook, reported, channel))

    def _hook(self, reported: Reported, channel: str) -> None:
        """The provider calls our address; one that finds nobody calls again in an hour."""
        came = self._world.by_web(partial(self._hear, reported, channel))
        if not came:
            self._world.later(timedelta(hours=1), partial(self._hook, reported, channel))
        elif reported.verdict in (Verdict.BOUNCED, Verdict.SUPPRESSED):
            self._world.ledger.bounced.setdefault(reported.provider_id, self._world.heard_s)

    def _hear(self, reported: Reported, channel: str) -> None:
        receive_receipt(reported=reported, channel=channel, now=self._world.wall(), on_news=record_news)

"""The providers of a simulated world, and what they remember: the only witness of what really left the house."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from stafeta.channels.base import Accepted, ChannelKind, EmailMessage, SmsMessage
from stafeta.core.errors import ChannelUnavailable, DeliveryRefused
from stafeta.simulation.script import Trouble

Mail = EmailMessage | SmsMessage
LOSS_RATE, REFUSAL_RATE, TIMEOUT_RATE, SOFT_RATE = 0.4, 0.5, 0.3, 0.01
AWAY = {
    ChannelKind.EMAIL: (Trouble.EMAIL_AWAY, Trouble.ALL_AWAY),
    ChannelKind.SMS: (Trouble.SMS_AWAY, Trouble.ALL_AWAY),
}


@dataclass(frozen=True, slots=True)
class Taken:
    """A provider took a message: at `at` (true time) and `heard_s` (true seconds in which the service could hear)."""

    at: datetime
    heard_s: float
    to: str
    provider_id: str


@dataclass
class Ledger:
    """Every attempt and acceptance, by Message-ID; and the addresses that turned out to be closed."""

    taken: dict[str, list[Taken]] = field(default_factory=lambda: defaultdict(list))
    tried: dict[str, float] = field(default_factory=dict)  # Message-ID → heard_s of the first attempt
    bounced: dict[str, float] = field(default_factory=dict)  # provider id → heard_s at which we were told
    refuses: dict[str, bool] = field(default_factory=dict)  # address → refused at the door (True) or bounced later


class Bounces(Protocol):
    """Is told of every message that comes back."""

    def __call__(self, message: Mail, taken: Taken, *, is_hard: bool) -> None: ...


class SimChannel:
    """One provider. `arrives` is called with every message that really reaches somebody."""

    name = "simulated"

    def __init__(
        self,
        kind: ChannelKind,
        *,
        troubles: set[Trouble],
        ledger: Ledger,
        rng: random.Random,
        clocks: Callable[[], tuple[datetime, float]],
        arrives: Callable[[Mail, Taken], None],
        bounces: Bounces,
        loses: Callable[[Mail, Taken], None],
        door: Callable[[], None],
        stall: Callable[[], None],
        fired: Callable[[str], None],
    ) -> None:
        self._kind = kind
        self._troubles = troubles
        self._ledger = ledger
        self._rng = rng
        self._clocks = clocks
        self._arrives = arrives
        self._bounces = bounces
        self._loses = loses
        self._door = door
        self._stall = stall
        self._fired = fired
        self._missed_last: set[str] = set()
        self._count = 0

    def send(self, message: Mail) -> Accepted:
        """Take, refuse, lose or forget the message, as the troubles of the hour have it."""
        self._ledger.tried.setdefault(message.id, self._clocks()[1])
        self._door()
        if Trouble.STALLED in self._troubles and self._rng.random() < 0.1:
            self._stall()
        self._refuse_if(message)
        self._count += 1
        taken = Taken(*self._clocks(), message.to, f"{self._kind}-{self._count}")
        self._ledger.taken[message.id].append(taken)
        if self._ledger.refuses.get(message.to) is False:
            self._fired("hard_bounce")
            self._bounces(message, taken, is_hard=True)
        elif self._comes_back(message):
            self._fired("soft_bounce")
            self._bounces(message, taken, is_hard=False)
        elif self._is_lost(message):
            self._fired(Trouble.LOSES.value)
            self._loses(message, taken)
        else:
            self._arrives(message, taken)
        if Trouble.TIMES_OUT in self._troubles and self._rng.random() < TIMEOUT_RATE:
            self._fired(Trouble.TIMES_OUT.value)
            raise ChannelUnavailable("no answer in time")
        self._door()
        return Accepted(taken.provider_id)

    def close(self) -> None:
        """Nothing is held."""

    def _refuse_if(self, message: Mail) -> None:
        for trouble in AWAY[self._kind]:
            if trouble in self._troubles:
                self._fired(trouble.value)
                raise ChannelUnavailable("502 bad gateway")
        if Trouble.FOR_NOW in self._troubles and self._rng.random() < REFUSAL_RATE:
            self._fired(Trouble.FOR_NOW.value)
            raise DeliveryRefused("451 greylisted", permanent=False)
        if self._ledger.refuses.get(message.to):
            self._fired("address_refused")
            raise DeliveryRefused("550 no such mailbox", permanent=True)

    def _comes_back(self, message: Mail) -> bool:
        """A full mailbox, this once."""
        return self._kind is ChannelKind.EMAIL and self._misses(message, SOFT_RATE)

    def _is_lost(self, message: Mail) -> bool:
        if self._misses(message, LOSS_RATE if Trouble.LOSES in self._troubles else 0.0):
            return True
        self._missed_last.discard(message.to)
        return False

    def _misses(self, message: Mail, rate: float) -> bool:
        """Never two in a row to one address: whoever gets nothing at all cannot be asked by anybody."""
        if message.to in self._missed_last or self._rng.random() >= rate:
            return False
        self._missed_last.add(message.to)
        return True

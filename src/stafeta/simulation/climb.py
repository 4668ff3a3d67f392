"""How the ladder of one release was climbed, put together from what the providers took and when."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from stafeta.core.policy import DAY_S
from stafeta.outbox.message_ids import message_id
from stafeta.outbox.models import Message
from stafeta.simulation.providers import Ledger
from stafeta.switches.models import Switch
from stafeta.vault.models import ConsentState

PROMPTS: Final = ("switches.ask_owner", "switches.ask_contact")
LAST_CALL: Final = -1
UNREACHABLE_S: Final = 3 * DAY_S
SLACK_S: Final = 900


def identity_of(message: Message) -> str:
    """Return the Message-ID a message leaves under."""
    return message_id(message.key, message.epoch)


@dataclass
class Asking:
    """One asking of one rung, in seconds of the true time in which the service could hear.

    tried_s: when each prompt was first tried. taken: when one was taken, and when we were told that it came back.
    """

    tried_s: list[float] = field(default_factory=list)
    taken: list[tuple[float, float]] = field(default_factory=list)

    def stood_since_s(self, until_s: float) -> float | None:
        """Return since when a prompt stood that was taken by `until_s`, and not yet said to have come back."""
        return min((taken_s for taken_s, told_s in self.taken if taken_s <= until_s < told_s), default=None)


@dataclass
class Climb:
    """Every asking of one cycle, by (rung, round), and the windows its owner was promised.

    contacts: how many the cycle was to ask; contacts_left: how many of them have not declined since.
    """

    windows_s: list[int]
    contacts: int
    contacts_left: int
    owner_rungs: int
    released_s: float
    askings: dict[tuple[int, int], Asking]

    @classmethod
    def of(cls, switch: Switch, ledger: Ledger, *, released_s: float) -> Climb:
        """Return how the present cycle of `switch` was climbed."""
        askings: dict[tuple[int, int], Asking] = defaultdict(Asking)
        prompts = Message.objects.filter(
            owner=switch.owner_id, kind__in=PROMPTS, key__startswith=f"{switch.pk}:{switch.cycle}:"
        )
        for message in prompts:
            asking = askings[message.params["rung"], message.params["round"]]
            name = identity_of(message)
            if name in ledger.tried:
                asking.tried_s.append(ledger.tried[name])
            taken = ledger.taken.get(name, ())
            asking.taken += [(one.heard_s, ledger.bounced.get(one.provider_id, math.inf)) for one in taken]
        rungs = switch.policy["rungs"]
        return cls(
            windows_s=[rung["window_s"] for rung in rungs],
            contacts=switch.policy["contacts"],
            contacts_left=switch.contacts.exclude(consent=ConsentState.DECLINED).count(),
            owner_rungs=sum(rung["asks"] == "owner" and rung["kind"] != "cooling_off" for rung in rungs),
            released_s=released_s,
            askings=dict(askings),
        )

    @property
    def began_s(self) -> float:
        """When the first prompt of the cycle was tried; the release itself where none ever was."""
        return min((second for asking in self.askings.values() for second in asking.tried_s), default=self.released_s)

    @property
    def was_called_last(self) -> bool:
        """Whether the contacts said to go ahead, so that the owner's last call ended the climb."""
        return any(rung == LAST_CALL for rung, _round in self.askings)

    def complaints(self) -> Iterator[str]:
        """Return every rung that was left sooner than its owner was promised, the last one first."""
        until_s = self.released_s
        rungs = [(rung, window_s) for rung, window_s in enumerate(self.windows_s)]
        if self.was_called_last:
            rungs = [*rungs[: self.owner_rungs], (LAST_CALL, DAY_S)]
        for rung, window_s in reversed(rungs):
            tried = [asking for (at, _round), asking in self.askings.items() if at == rung and asking.tried_s]
            before = [asking for asking in tried if min(asking.tried_s) < until_s]
            if not before:
                if not self._asked_nobody(rung):
                    yield f"rung {rung} was never asked"
                continue
            asking = max(before, key=lambda asking: min(asking.tried_s))
            yield from self._left_too_soon(rung, asking, window_s, until_s)
            until_s = min(until_s, *(min(asking.tried_s) for asking in before))

    def _left_too_soon(self, rung: int, asking: Asking, window_s: int, until_s: float) -> Iterator[str]:
        stood_since_s = asking.stood_since_s(until_s)
        if stood_since_s is not None:
            waited_s, promised_s = until_s - stood_since_s, float(window_s)
        else:
            waited_s, promised_s = until_s - min(asking.tried_s), float(UNREACHABLE_S + 2 * window_s)
        if waited_s < promised_s - SLACK_S:
            yield f"rung {rung} was left after {waited_s / DAY_S:.2f} of {promised_s / DAY_S:.2f} days"

    def _asked_nobody(self, rung: int) -> bool:
        """A rung of contacts who have all declined meanwhile."""
        return self.contacts > 0 and not self.contacts_left and rung >= self.owner_rungs

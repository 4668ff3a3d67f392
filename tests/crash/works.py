"""The pieces of work that a process may die in, each with the moment it begins at."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from stafeta.accounts.models import User
from stafeta.channels.base import Accepted, EmailMessage, SmsMessage
from stafeta.core.errors import DeliveryRefused, LadderError
from stafeta.core.links import Link, Purpose
from stafeta.core.states import Climbing, Evidence
from stafeta.outbox.message_ids import message_id
from stafeta.outbox.models import Message
from stafeta.outbox.services.deliver import LEASE_S, Channels, deliver
from stafeta.switches.models import Event, ServiceClock, Switch, TrustedContact
from stafeta.switches.selectors import service_second
from stafeta.switches.services.checkin import record_checkin
from stafeta.switches.services.contact_says import ask_to_wait, give_go_ahead, vouch
from stafeta.switches.services.delivery import record_delivery
from stafeta.switches.services.tell_unreached import tell_unreached
from stafeta.switches.services.tick import tick
from stafeta.vault.models import Grant, Handover
from stafeta.vault.services.delete_handover import DELETED_KEPT, delete_handover, purge_deleted
from stafeta.vault.services.follow_up import REMINDER_DAYS, follow_up
from tests.crash.points import Points
from tests.switches.jump import to_phase, to_rung
from tests.world import World

EMA = "ema@example.org"
ROUNDS_MAX = 20
GRANT_IN_KEY = re.compile(r"(:(?:news|reminder):\d+):\d+")


@dataclass
class Provider:
    """A provider that outlives every process of ours: what it took it keeps."""

    points: Points
    took: list[tuple[str, str]]
    refuses: str = ""
    name: str = "provider"

    def send(self, message: EmailMessage | SmsMessage) -> Accepted:
        self.points.reach(f"provider is given a message to {message.to}")
        if message.to == self.refuses:
            raise DeliveryRefused("no such mailbox", permanent=True)
        self.took.append((message.id, message.to))
        return Accepted(f"provider-{len(self.took)}")

    def close(self) -> None:
        pass


@dataclass
class Desk:
    """One moment of the service, and everything that providers take in it, whoever sends it."""

    world: World
    dana: User
    refuses: str = ""
    took: list[tuple[str, str]] = field(default_factory=list)
    link: Link = field(init=False)

    def take_link(self) -> None:
        """Put Karel's link of the cycle that runs now on the desk; it stays the same, however often it is pressed."""
        switch = Switch.objects.get(owner=self.dana)
        self.link = Link(Purpose.TRUSTED, TrustedContact.objects.get(switch=switch).pk, switch.pk, switch.cycle)

    def deliver(self, points: Points, *, later: bool = False) -> int:
        channels = Channels(*(Provider(points, self.took, self.refuses) for _ in range(2)))
        return deliver(channels=channels, now=lambda: self.now(later), pace=1.0, on_settled=record_delivery)

    def now(self, later: bool) -> Any:
        """Return the moment of the work, or one at which every lease of that moment has run out."""
        return self.world.now + timedelta(seconds=LEASE_S + 1 if later else 0)

    def go_on(self) -> None:
        """Let a new worker do all that is to be done, after the lease of the dead one."""
        for _ in range(ROUNDS_MAX):
            now, service_s = self.now(later=True), service_second()
            changed = tick(now=now, service_s=service_s).changed
            tell_unreached(handovers=follow_up(now=now, service_s=service_s).unreached, now=now)
            purge_deleted(now=now)
            if not self.deliver(Points(), later=True) + changed:
                return
        raise AssertionError("there is no end to it")


@dataclass(frozen=True)
class Work:
    """One piece of work: `ready` brings the service to its moment, `do` does it.

    again: whoever got no answer does it once more; a worker needs nobody for that.
    sends: a provider is called in it.
    """

    name: str
    ready: Callable[[Desk], None]
    do: Callable[[Desk, Points], object]
    again: bool = False
    sends: bool = False


def picture() -> dict[str, Any]:
    """Return all that counts, without the moments at which it was written and the numbers that rows happened to get."""
    sent_as = {}
    for grant in Grant.objects.all():
        sent_as[grant.news] = GRANT_IN_KEY.sub(r"\1", grant.news)
    return {
        "switches": list(
            Switch.objects.order_by("pk").values_list("pk", "state", "policy", "phase", "cycle", "due_at", "due_s")
        ),
        "events": list(
            Event.objects.order_by("switch", "number").values_list(
                "switch", "number", "cycle", "kind", "event", "policy"
            )
        ),
        "messages": sorted(
            (GRANT_IN_KEY.sub(r"\1", key), kind, channel, state, to)
            for key, kind, channel, state, to in Message.objects.values_list("key", "kind", "channel", "state", "to")
        ),
        "grants": sorted(
            (
                *(
                    grant.handover_id,
                    grant.recipient_id,
                    grant.switch,
                    grant.cycle,
                    grant.opens_at_s,
                    grant.expires_at_s,
                ),
                *(sent_as[grant.news], grant.told_at is None, grant.reminders, grant.remind_at_s or 0),
                *(grant.first_read_at is None, grant.closed_at is None),
            )
            for grant in Grant.objects.all()
        ),
        "handovers": sorted(Handover.objects.values_list("pk", flat=True)),
    }


def sent(took: list[tuple[str, str]]) -> dict[str, set[str]]:
    """Return to whom each message went, by its key without row numbers. Raises KeyError for one that nobody queued."""
    keys = {message_id(key): GRANT_IN_KEY.sub(r"\1", key) for key in Message.objects.values_list("key", flat=True)}
    found: dict[str, set[str]] = {}
    for identity, to in took:
        found.setdefault(keys[identity], set()).add(to)
    return found


def press_again(work: Work, desk: Desk) -> None:
    """Whoever got no answer presses once more; that the first press counted after all is an answer too."""
    if work.again:
        with suppress(LadderError):
            work.do(desk, Points())


def _rung(number: int) -> Callable[[Desk], None]:
    return lambda desk: to_rung(desk.world, desk.dana, number)


def _window_over(rung: int) -> Callable[[Desk], None]:
    """Stand on the rung at the very second in which its window has passed."""

    def ready(desk: Desk) -> None:
        to_rung(desk.world, desk.dana, rung)
        due_s = Switch.objects.get(owner=desk.dana).due_s
        assert due_s is not None
        ServiceClock.objects.update(counted_ms=due_s * 1000)

    return ready


def _asked(rung: int) -> Callable[[Desk], None]:
    """Stand on the rung with its prompts queued, not sent."""

    def ready(desk: Desk) -> None:
        _window_over(rung - 1)(desk)
        tick(now=desk.world.now, service_s=service_second())
        state = Switch.objects.get(owner=desk.dana).ladder_state
        assert isinstance(state, Climbing)
        assert (state.rung, state.accepted_at_s) == (rung, None)

    return ready


def _first_prompt_due(desk: Desk) -> None:
    due_at = Switch.objects.get(owner=desk.dana).due_at
    assert due_at is not None
    desk.world.now = due_at


def _released_untold(desk: Desk) -> None:
    _window_over(5)(desk)
    tick(now=desk.world.now, service_s=service_second())
    assert Grant.objects.filter(told_at=None).exists()


def _released_unsent(desk: Desk) -> None:
    _released_untold(desk)
    _follow(desk, Points())


def _released_and_told(desk: Desk) -> None:
    to_phase(desk.world, desk.dana, "Released")


def _reminder_due(desk: Desk) -> None:
    _released_and_told(desk)
    ServiceClock.objects.update(counted_ms=(service_second() + REMINDER_DAYS[0] * 86400) * 1000)


def _unreached(desk: Desk) -> None:
    desk.world.email.fail = lambda to: DeliveryRefused("gone", permanent=True) if to == EMA else None
    to_rung(desk.world, desk.dana, 5)
    _window_over(5)(desk)
    service_s = service_second()
    tick(now=desk.world.now, service_s=service_s)
    follow_up(now=desk.world.now, service_s=service_s)
    desk.world.deliver()


def _deleted_long_ago(desk: Desk) -> None:
    delete_handover(handover=Handover.objects.get(), now=desk.world.now - DELETED_KEPT - timedelta(days=1))


def _refused(desk: Desk) -> None:
    _asked(2)(desk)
    desk.refuses = desk.dana.email


def _tick(desk: Desk, _points: Points) -> object:
    return tick(now=desk.world.now, service_s=service_second())


def _follow(desk: Desk, _points: Points) -> object:
    now, service_s = desk.world.now, service_second()
    return tell_unreached(handovers=follow_up(now=now, service_s=service_s).unreached, now=now)


def _check_in(desk: Desk, _points: Points) -> object:
    return record_checkin(owner=desk.dana, evidence=Evidence.LINK, cycle=desk.link.cycle, now=desk.world.now)


def _vouch(desk: Desk, _points: Points) -> object:
    return vouch(link=desk.link, now=desk.world.now)


def _wait(desk: Desk, _points: Points) -> object:
    return ask_to_wait(link=desk.link, days=9, now=desk.world.now)


def _go_ahead(desk: Desk, _points: Points) -> object:
    return give_go_ahead(link=desk.link, now=desk.world.now)


def _purge(desk: Desk, _points: Points) -> object:
    return purge_deleted(now=desk.world.now)


WORKS = (
    Work("the first prompt", _first_prompt_due, _tick),
    Work("climbing to the contacts", _window_over(3), _tick),
    Work("the release", _window_over(5), _tick),
    Work("sending a prompt by e-mail", _asked(1), Desk.deliver, sends=True),
    Work("sending a prompt by e-mail and SMS", _asked(3), Desk.deliver, sends=True),
    Work("a prompt that is refused", _refused, Desk.deliver, sends=True),
    Work("sending the news of a release", _released_unsent, Desk.deliver, sends=True),
    Work("a check-in while climbing", _rung(4), _check_in, again=True),
    Work("a check-in after the release", _released_and_told, _check_in, again=True),
    Work("a contact vouches", _rung(4), _vouch, again=True),
    Work("a contact asks to wait", _rung(4), _wait, again=True),
    Work("a contact says go ahead", _rung(4), _go_ahead, again=True),
    Work("telling the recipients", _released_untold, _follow),
    Work("reminding the recipients", _reminder_due, _follow),
    Work("nobody could be reached", _unreached, _follow),
    Work("erasing what was deleted", _deleted_long_ago, _purge),
)

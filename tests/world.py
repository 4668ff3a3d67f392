"""A service in virtual time: the real services and the real database, a clock that tests move, channels that record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Min

from stafeta.accounts.models import User
from stafeta.channels.base import Accepted, EmailMessage, SmsMessage
from stafeta.core.codec import decode_event, decode_policy
from stafeta.core.errors import DeliveryError
from stafeta.core.ladder import advance
from stafeta.core.policy import Policy
from stafeta.core.service_time import Reading
from stafeta.core.states import Climbing, Resting, State
from stafeta.outbox.models import Message
from stafeta.outbox.selectors import outage
from stafeta.outbox.services.deliver import Channels, deliver
from stafeta.switches.models import Event, Switch
from stafeta.switches.selectors import service_second
from stafeta.switches.services.adopt import adopt
from stafeta.switches.services.delivery import record_delivery
from stafeta.switches.services.service_clock import read_service_clock
from stafeta.switches.services.tell_unreached import tell_unreached
from stafeta.switches.services.tick import tick
from stafeta.vault.models import Grant
from stafeta.vault.services.follow_up import follow_up
from tests.make import NOON

STEP_LEAST, STEP_WHILE_STUCK = timedelta(minutes=1), timedelta(hours=1)
MOMENTS_MAX = 5000
DELIVERIES_MAX = 50


@dataclass
class RecordingChannel:
    """A provider that accepts everything and remembers it, until it is told to fail."""

    sent: list[EmailMessage | SmsMessage] = field(default_factory=list)
    fail: Callable[[str], DeliveryError | None] = lambda _to: None
    name: str = "recording"
    next_id: str = ""

    def send(self, message: EmailMessage | SmsMessage) -> Accepted:
        error = self.fail(message.to)
        if error is not None:
            raise error
        self.sent.append(message)
        return Accepted(self.next_id or f"provider-{len(self.sent)}")

    def close(self) -> None:
        pass


class World:
    """What happens to people while time passes."""

    def __init__(self) -> None:
        self.now = NOON
        self.email = RecordingChannel()
        self.sms = RecordingChannel()
        self._read_at = NOON
        self._counted_ms: int | None = None
        self.tick()

    # Time

    def wait(self, *, days: float = 0, hours: float = 0) -> None:
        """Let the service work through so much time; moments at which nothing is due are passed over."""
        end = self.now + timedelta(days=days, hours=hours)
        while self.now < end:
            self.now = min(end, self._next_moment())
            self.tick()

    def _next_moment(self) -> datetime:
        """Return when something is next due, if nothing is interrupted; an hour from now where something is overdue."""
        second = service_second()
        due = Switch.objects.filter(retry_at=None).aggregate(at=Min("due_at"), s=Min("due_s"))
        grants = Grant.objects.filter(closed_at=None)
        told = grants.filter(told_at=None).aggregate(s=Min("opens_at_s"))
        reminded = grants.filter(first_read_at=None).aggregate(s=Min("remind_at_s"))
        queued = Message.objects.filter(state=Message.State.QUEUED).aggregate(at=Min("next_attempt_at"))
        seconds = [found["s"] for found in (due, told, reminded) if found["s"] is not None]
        moments = [self.now + timedelta(seconds=s - second) for s in seconds]
        moments += [found["at"] for found in (due, queued) if found["at"] is not None]
        soonest = min(moments, default=self.now + timedelta(days=1))
        return max(soonest, self.now + STEP_LEAST) if soonest > self.now else self.now + STEP_WHILE_STUCK

    def outage(self, *, days: float = 0, hours: float = 0) -> None:
        """Let time pass while neither worker nor web run."""
        self.now += timedelta(days=days, hours=hours)
        self._read_at = self.now
        self._counted_ms = None

    def tick(self, *, hears: bool = True) -> None:
        """One round of the worker."""
        elapsed_ms = (self.now - self._read_at) // timedelta(milliseconds=1)
        self._read_at = self.now
        failing = outage(now=self.now)
        hears = hears and failing is None
        reading = Reading(self.now, elapsed_ms, hears, elapsed_ms, self._counted_ms)
        span = read_service_clock(reading=reading, deaf_reason="" if hears else failing or "the test says so")
        self._counted_ms = span.counted_ms
        if span.may_climb:
            adopt(now=self.now, service_s=span.service_s)
            tick(now=self.now, service_s=span.service_s)
            followed = follow_up(now=self.now, service_s=span.service_s)
            tell_unreached(handovers=followed.unreached, now=self.now)
        self.deliver()

    def deliver(self) -> None:
        """Send everything that is due."""
        channels = Channels(email=self.email, sms=self.sms)
        for _ in range(DELIVERIES_MAX):
            if not deliver(channels=channels, now=lambda: self.now, pace=1.0, on_settled=record_delivery):
                return
        raise AssertionError("the outbox never emptied")

    def until(self, owner: User, *, rung: int) -> None:
        """Wait until the owner's ladder stands on that rung (0 is the first)."""
        for _ in range(MOMENTS_MAX):
            state = self.state(owner)
            if isinstance(state, Climbing) and state.rung == rung:
                return
            self._pass_to_next_moment()
        raise AssertionError(f"rung {rung} was never reached; the switch is {self.state(owner)}")

    def until_phase(self, owner: User, phase: str) -> None:
        """Wait until the owner's switch is in that state."""
        for _ in range(MOMENTS_MAX):
            if Switch.objects.get(owner=owner).phase == phase:
                return
            self._pass_to_next_moment()
        raise AssertionError(f"{phase} was never reached; the switch is {self.state(owner)}")

    def _pass_to_next_moment(self) -> None:
        self.now = self._next_moment()
        self.tick()

    # What one sees

    def switch(self, owner: User) -> Switch:
        return Switch.objects.get(owner=owner)

    def state(self, owner: User) -> State:
        return self.switch(owner).ladder_state

    def sent(self, to: str | None = None) -> list[EmailMessage | SmsMessage]:
        """Return every message accepted so far, e-mails first, to that address or number."""
        return [message for message in [*self.email.sent, *self.sms.sent] if to in (None, message.to)]

    def forget(self) -> None:
        """Empty the providers' memory."""
        self.email.sent.clear()
        self.sms.sent.clear()

    def service_s(self) -> int:
        return service_second()


def replay(switch: Switch) -> tuple[State, Policy | None]:
    """Return the state and policy that the event log of `switch` replays to (invariant 18)."""
    state: State = Resting(cycle=0)
    policy: Policy | None = None
    for row in Event.objects.filter(switch=switch, on_ladder=True).order_by("number"):
        begins = decode_policy(row.policy) if row.policy else None
        in_force = policy or begins
        assert in_force is not None
        state, _effects = advance(
            state, decode_event(row.event), in_force, now=row.at, service_s=row.service_s, next_policy=begins
        )
        policy = begins or policy
    return state, policy

"""A worker that was stopped beyond its lease and wakes up: what it still holds in its hands is no longer its own."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.db import connection

from stafeta.accounts.models import User
from stafeta.channels.base import Accepted, EmailMessage, SmsMessage
from stafeta.core.states import Climbing, Evidence, Waiting
from stafeta.outbox.models import Message
from stafeta.outbox.services.deliver import LEASE_S, Channels, deliver
from stafeta.switches.models import Switch
from stafeta.switches.selectors import service_second
from stafeta.switches.services.checkin import record_checkin
from stafeta.switches.services.delivery import record_delivery
from stafeta.switches.services.tick import tick
from tests import make
from tests.on_both import on_postgresql_too
from tests.switches.jump import to_rung
from tests.world import World, replay

WAIT_S_MAX = 30

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Stopping:
    """A provider at which a worker is stopped (as by SIGSTOP) while it hands over its first message."""

    stopped: threading.Event = field(default_factory=threading.Event)
    wake: threading.Event = field(default_factory=threading.Event)
    ids: list[str] = field(default_factory=list)
    name: str = "stopping"

    def send(self, message: EmailMessage | SmsMessage) -> Accepted:
        if not self.stopped.is_set():
            self.stopped.set()
            assert self.wake.wait(WAIT_S_MAX)
        self.ids.append(message.id)
        return Accepted(f"stopping-{len(self.ids)}")

    def close(self) -> None:
        pass


@dataclass
class Asleep:
    """Dana stands on rung 3 with two prompts to send, and the worker that holds them has been stopped."""

    world: World
    dana: User
    provider: Stopping = field(default_factory=Stopping)

    def __post_init__(self) -> None:
        to_rung(self.world, self.dana, 2)
        due_s = Switch.objects.get(owner=self.dana).due_s
        assert due_s is not None
        tick(now=self.world.now, service_s=due_s)
        self._sleeper = threading.Thread(target=self._deliver_and_close)
        self._sleeper.start()
        assert self.provider.stopped.wait(WAIT_S_MAX)
        self.world.now += timedelta(seconds=LEASE_S + 1)

    def deliver(self) -> None:
        """Let another worker send what is free."""
        channels = Channels(self.provider, self.provider)
        deliver(channels=channels, now=lambda: self.world.now, pace=1.0, on_settled=record_delivery)

    def wake(self) -> None:
        """Let the stopped worker go on with what it had in its hands."""
        self.provider.wake.set()
        self._sleeper.join(WAIT_S_MAX)
        assert not self._sleeper.is_alive()

    def _deliver_and_close(self) -> None:
        try:
            self.deliver()
        finally:
            connection.close()


@pytest.fixture
def asleep(keys_file: object) -> Asleep:
    world = World()
    return Asleep(world, make.armed_owner(now=world.now))


def test_what_it_sends_late_comes_under_the_id_that_came_already(asleep: Asleep) -> None:
    """Invariants 13 and 14: one message more at most, the same one; and of the rest of its batch none."""
    asleep.deliver()
    first = list(asleep.provider.ids)
    assert len(first) == len(set(first)) == 2
    state = Switch.objects.get(owner=asleep.dana).state
    asleep.wake()
    assert len(asleep.provider.ids) == 3
    assert set(asleep.provider.ids) == set(first)
    switch = Switch.objects.get(owner=asleep.dana)
    assert switch.state == state
    assert replay(switch)[0] == switch.ladder_state


def test_what_it_learns_of_a_cycle_that_has_ended_changes_nothing(asleep: Asleep) -> None:
    """Invariant 13: Dana confirmed while it slept; the acceptance it reports begins no window."""
    record_checkin(owner=asleep.dana, evidence=Evidence.SIGN_IN, now=asleep.world.now)
    before = Switch.objects.get(owner=asleep.dana)
    assert isinstance(before.ladder_state, Waiting)
    asleep.wake()
    asleep.deliver()
    after = Switch.objects.get(owner=asleep.dana)
    assert (after.state, after.events_count) == (before.state, before.events_count)
    prompts = Message.objects.filter(kind="switches.ask_owner", params__rung=3)
    assert sorted(prompts.values_list("state", flat=True)) == ["accepted", "cancelled"]
    assert len(asleep.provider.ids) == 1


def test_a_tick_at_a_second_long_past_turns_nothing_back(asleep: Asleep) -> None:
    """Invariants 9 and 13: a worker that read the clock before it was stopped, and ticks after it woke."""
    asleep.deliver()
    asleep.wake()
    before = Switch.objects.get(owner=asleep.dana)
    assert isinstance(before.ladder_state, Climbing)
    for service_s in (0, service_second() - 86_400):
        assert tick(now=asleep.world.now - timedelta(days=30), service_s=service_s).changed == 0
    assert Switch.objects.get(owner=asleep.dana).state == before.state


test_all_this_holds_on_postgresql_too = on_postgresql_too(__file__)

"""Everything at the same moment: pages and workers in threads, on SQLite and on PostgreSQL (invariants 2, 3, 13).

Each round starts from the same rows. The one who comes first comes sooner by a growing head start, so that the rounds
between "clearly earlier" and "clearly later" meet in the middle.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Barrier, Lock
from typing import Any, Final, TypeVar

import pytest
from django.db import connection

from stafeta.accounts.models import User
from stafeta.channels.base import Accepted, EmailMessage, SmsMessage
from stafeta.core.states import Climbing, Evidence, Released, Resting, Waiting
from stafeta.outbox.models import Attempt, Message
from stafeta.outbox.services.deliver import Channels, deliver
from stafeta.outbox.services.settle import Outcome, settle
from stafeta.switches.models import Event, Switch
from stafeta.switches.services.checkin import CheckinResult, record_checkin
from stafeta.switches.services.delivery import record_delivery
from stafeta.switches.services.tick import TickResult, tick
from stafeta.vault.models import Grant
from tests import make
from tests.on_both import on_postgresql_too
from tests.world import World, replay

ROUNDS: Final = 24
HEAD_STARTS_S: Final = [-0.25, *((number - ROUNDS // 2) * 0.001 for number in range(ROUNDS)), 0.25]
WAIT_S_MAX: Final = 30
RUN_S_MAX: Final = 120

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")


@dataclass
class SlowChannel:
    """A provider that takes its time, and remembers every message by its id."""

    name: str = "slow"
    ids: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def send(self, message: EmailMessage | SmsMessage) -> Accepted:
        time.sleep(0.002)
        with self._lock:
            self.ids.append(message.id)
        return Accepted(f"slow-{len(self.ids)}")

    def close(self) -> None:
        pass


class Moment:
    """A moment that can be lived through again: the rows of a switch and all that hangs on them."""

    def __init__(self) -> None:
        self._switch: dict[str, Any] = Switch.objects.values().get()
        self._newest = Message.objects.latest("pk").pk

    def again(self) -> Switch:
        """Put everything back and return the switch."""
        Grant.objects.all().delete()
        Message.objects.filter(pk__gt=self._newest).delete()
        Event.objects.filter(number__gt=self._switch["events_count"]).delete()
        Switch.objects.update(**{name: value for name, value in self._switch.items() if name != "id"})
        return Switch.objects.get()


def at_once(*acts: Callable[[], T], head_start_s: float = 0) -> list[T]:
    """Do everything at the same moment, each in a thread of its own; a positive head start is the first one's."""
    barrier = Barrier(len(acts))

    def run(number: int) -> T:
        try:
            barrier.wait(WAIT_S_MAX)
            time.sleep(max(0.0, head_start_s if number else -head_start_s))
            return acts[number]()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=len(acts)) as pool:
        return list(pool.map(run, range(len(acts)), timeout=WAIT_S_MAX))


@pytest.fixture
def world(keys_file: object) -> World:
    return World()


@pytest.fixture
def dana(world: World) -> User:
    return make.armed_owner(now=world.now)


def test_checkin_and_release_at_the_same_moment_are_never_both(world: World, dana: User) -> None:
    """Invariant 3: either there was no release, or what it opened is closed; and the log tells which."""
    world.until(dana, rung=5)
    moment = Moment()
    outcomes: list[bool] = []
    for head_start_s in HEAD_STARTS_S:
        switch = moment.again()
        due_s, cycle = switch.due_s, switch.cycle
        assert due_s is not None
        checked, _ticked = at_once(
            lambda cycle=cycle: record_checkin(owner=dana, evidence=Evidence.LINK, cycle=cycle, now=world.now),
            lambda due_s=due_s: tick(now=world.now, service_s=due_s),
            head_start_s=head_start_s,
        )
        assert isinstance(checked, CheckinResult)
        assert checked.counted
        switch.refresh_from_db()
        state = switch.ladder_state
        if checked.was_released:
            assert isinstance(state, Resting)
            assert not Grant.objects.filter(closed_at=None).exists()
        else:
            assert isinstance(state, Waiting)
            assert state.cycle == cycle + 1
            assert not Grant.objects.exists()
        assert replay(switch)[0] == state
        outcomes.append(checked.was_released)
    assert set(outcomes) == {True, False}, "the two never met from both sides"


def test_two_ticks_at_once_climb_once(world: World, dana: User) -> None:
    """Invariant 8: one rung, one event, every prompt of it once."""
    world.until(dana, rung=3)
    moment = Moment()
    for _ in range(ROUNDS):
        switch = moment.again()
        due_s, events, newest = switch.due_s, switch.events_count, Message.objects.latest("pk").pk
        assert due_s is not None
        results: Sequence[TickResult] = at_once(
            *[lambda due_s=due_s: tick(now=world.now, service_s=due_s) for _ in range(3)]
        )
        switch.refresh_from_db()
        state = switch.ladder_state
        assert isinstance(state, Climbing)
        assert state.rung == 4
        assert switch.events_count == events + 1
        assert sum(result.changed for result in results) == 1
        assert sum(result.set_aside for result in results) == 0
        prompts = Message.objects.filter(pk__gt=newest, kind="switches.ask_contact")
        assert sorted(prompts.values_list("channel", flat=True)) == ["email", "sms"]


def test_two_ticks_at_once_release_once(world: World, dana: User) -> None:
    world.until(dana, rung=5)
    moment = Moment()
    for _ in range(ROUNDS // 4):
        switch = moment.again()
        due_s, events = switch.due_s, switch.events_count
        assert due_s is not None
        at_once(*[lambda due_s=due_s: tick(now=world.now, service_s=due_s) for _ in range(3)])
        switch.refresh_from_db()
        assert isinstance(switch.ladder_state, Released)
        assert switch.events_count == events + 1
        assert Grant.objects.count() == 1


def test_pressing_twice_at_once_counts_once(world: World, dana: User) -> None:
    """Invariant 7: the second press finds a cycle that has begun."""
    world.until(dana, rung=3)
    moment = Moment()
    for _ in range(ROUNDS // 4):
        switch = moment.again()
        cycle = switch.cycle
        at_once(
            *[lambda: record_checkin(owner=dana, evidence=Evidence.BUTTON, now=world.now) for _ in range(3)],
        )
        switch.refresh_from_db()
        assert isinstance(switch.ladder_state, Waiting)
        assert switch.cycle > cycle
        assert replay(switch)[0] == switch.ladder_state


def test_workers_that_deliver_at_once_send_each_message_once(world: World, dana: User) -> None:
    """Invariant 11 and 14: claimed by one, sent once, recorded once."""
    world.until_phase(dana, "Released")
    Message.objects.update(
        state=Message.State.QUEUED, next_attempt_at=world.now, lease_until=None, settled_at=None, attempts=0
    )
    Attempt.objects.all().delete()
    email, sms = SlowChannel(), SlowChannel()
    channels = Channels(email=email, sms=sms)

    def work() -> int:
        attempted = 0
        while done := deliver(channels=channels, now=lambda: world.now, pace=1.0, on_settled=record_delivery, limit=3):
            attempted += done
        return attempted

    attempted = sum(at_once(work, work, work))
    sent = [*email.ids, *sms.ids]
    assert len(sent) > 3
    assert len(sent) == len(set(sent))
    assert attempted == Attempt.objects.count() == Message.objects.exclude(state=Message.State.QUEUED).count()
    assert not Message.objects.filter(state=Message.State.QUEUED).exists()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write after another")
def test_a_prompt_accepted_while_its_twin_is_refused_keeps_nobody_waiting_for_each_other(
    world: World, dana: User
) -> None:
    """The refused one asks by the other channel, whose message is just being settled: no deadlock, both are heard."""
    world.until(dana, rung=3)
    twins = Message.objects.filter(kind="switches.ask_owner", params__rung=3)
    twins.update(state=Message.State.QUEUED, lease_until=world.now + timedelta(minutes=5), settled_at=None)
    email, sms = twins.get(channel="email"), twins.get(channel="sms")
    both_hold_their_message = Barrier(2)

    def slowly(message: Message, now: datetime) -> None:
        both_hold_their_message.wait(WAIT_S_MAX)
        time.sleep(0.3 if message.channel == "email" else 0)
        record_delivery(message, now)

    def settled(message: Message, outcome: Attempt.Outcome) -> None:
        settle(message, Outcome(outcome), now=world.now, pace=1.0, on_settled=slowly)

    at_once(lambda: settled(email, Attempt.Outcome.ACCEPTED), lambda: settled(sms, Attempt.Outcome.REFUSED))
    assert dict(twins.values_list("channel", "state")) == {"email": "accepted", "sms": "dead"}


# There workers really do work at the same time: SQLite lets one write after another.
test_all_this_holds_on_postgresql_too = on_postgresql_too(__file__, run_s_max=RUN_S_MAX)

"""Receipts at the same moment as each other, as what they speak of, and as the ladder; on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest
from django.db import connection

from stafeta.accounts.models import User
from stafeta.channels.receipts import Reported, Verdict
from stafeta.core.states import Climbing, Evidence, Released, Waiting
from stafeta.outbox.models import Attempt, Message, Receipt, Suppression
from stafeta.outbox.services.receive_receipt import hear_waiting, receive_receipt
from stafeta.outbox.services.settle import Outcome, settle
from stafeta.switches.models import Event, Switch
from stafeta.switches.services.checkin import CheckinResult, record_checkin
from stafeta.switches.services.delivery import record_delivery, record_news
from stafeta.switches.services.tick import TickResult, tick
from stafeta.vault.models import Grant
from tests import make
from tests.on_both import on_postgresql_too
from tests.switches.test_race import RUN_S_MAX, at_once
from tests.world import World, replay

HEAD_STARTS_S: Final = [-0.25, *(number * 0.001 for number in range(-8, 9)), 0.25]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(keys_file: object) -> World:
    return World()


@pytest.fixture
def dana(world: World) -> User:
    return make.armed_owner(now=world.now)


class Moment:
    """A moment that can be lived through again: the switch, its prompts, and nothing heard of them yet."""

    def __init__(self) -> None:
        self._switch: dict[str, Any] = Switch.objects.values().get()
        self._messages: list[dict[str, Any]] = list(Message.objects.values())

    def again(self) -> Switch:
        for table in (Grant, Receipt, Suppression):
            table.objects.all().delete()
        Message.objects.exclude(pk__in=[row["id"] for row in self._messages]).delete()
        for row in self._messages:
            Message.objects.filter(pk=row["id"]).update(**{name: row[name] for name in row if name != "id"})
        Event.objects.filter(number__gt=self._switch["events_count"]).delete()
        Switch.objects.update(**{name: value for name, value in self._switch.items() if name != "id"})
        return Switch.objects.get()


def hear(world: World, message: Message, verdict: Verdict = Verdict.BOUNCED) -> bool:
    reported = Reported(message.provider_id, f"{verdict} {message.pk}", verdict, None, "postmark: bounced")
    return receive_receipt(reported=reported, channel=message.channel, now=world.now, on_news=record_news)


def accept(world: World, leased: Message, before: Message) -> bool:
    """Record that the provider accepted the message under the same id and for the same address as before."""
    outcome = Outcome(Attempt.Outcome.ACCEPTED, to=before.to, provider_id=before.provider_id)
    settle(leased, outcome, now=world.now, pace=1.0, on_settled=record_delivery)
    return True


def twins(rung: int) -> tuple[Message, Message]:
    prompts = Message.objects.filter(kind="switches.ask_owner", params__rung=rung)
    return prompts.get(channel="email"), prompts.get(channel="sms")


def test_one_receipt_told_by_many_at_once_is_heard_once(world: World, dana: User) -> None:
    """Invariant 14."""
    world.until(dana, rung=0)
    message = Message.objects.get(kind="switches.ask_owner")
    moment = Moment()
    for _ in range(6):
        moment.again()
        heard = at_once(*[lambda: hear(world, message, Verdict.SUPPRESSED) for _ in range(4)])
        assert sorted(heard) == [False, False, False, True]
        assert (Receipt.objects.count(), Suppression.objects.count()) == (1, 1)
        assert Event.objects.filter(kind="PromptBounced").count() == 1
        assert Message.objects.filter(kind="switches.tell_unreached").count() == 1


def test_of_two_that_come_back_at_once_neither_counts_on_the_other(world: World, dana: User) -> None:
    """Invariant 2: the second has to see that the first stands no more."""
    world.until(dana, rung=3)
    email, sms = twins(3)
    moment = Moment()
    for head_start_s in HEAD_STARTS_S:
        moment.again()
        at_once(lambda: hear(world, email), lambda: hear(world, sms), head_start_s=head_start_s)
        state = Switch.objects.get().ladder_state
        assert isinstance(state, Climbing)
        assert state.accepted_at_s is None
        assert len(state.bounced) == 2


def test_a_bounce_at_the_very_moment_of_its_acceptance_is_never_lost(world: World, dana: User) -> None:
    """Invariant 11: before, after or between, it is heard; at the latest in the worker's next round."""
    world.until(dana, rung=0)
    message = Message.objects.get(kind="switches.ask_owner")
    lease = world.now + timedelta(minutes=5)
    Message.objects.filter(pk=message.pk).update(
        state="queued", lease_until=lease, settled_at=None, provider_id="", attempts=0
    )
    moment = Moment()
    waited: set[bool] = set()
    for head_start_s in HEAD_STARTS_S:
        moment.again()
        leased = Message.objects.get(pk=message.pk)
        at_once(
            lambda: hear(world, message),
            lambda leased=leased: accept(world, leased, message),
            head_start_s=head_start_s,
        )
        waited.add(hear_waiting(now=world.now, on_news=record_news) == 1)
        assert Message.objects.get(pk=message.pk).state == "bounced"
        assert Receipt.objects.get().message_id == message.pk
    assert waited == {True, False}, "they never met from both sides"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write after another")
def test_a_bounce_while_its_twin_is_just_accepted_keeps_nobody_waiting_for_each_other(world: World, dana: User) -> None:
    """Each holds its message and wants the switch; the bounce also asks by the channel of the other."""
    world.until(dana, rung=3)
    email, sms = twins(3)
    Message.objects.filter(pk=sms.pk).update(
        state="queued", lease_until=world.now + timedelta(minutes=5), settled_at=None, provider_id=""
    )
    moment = Moment()
    for head_start_s in HEAD_STARTS_S:
        moment.again()
        leased = Message.objects.get(pk=sms.pk)
        at_once(
            lambda: hear(world, email),
            lambda leased=leased: accept(world, leased, sms),
            head_start_s=head_start_s,
        )
        state = Switch.objects.get().ladder_state
        assert isinstance(state, Climbing)
        assert state.accepted_at_s == world.service_s()
        assert dict(Message.objects.filter(pk__in=[email.pk, sms.pk]).values_list("channel", "state")) == {
            "email": "bounced",
            "sms": "accepted",
        }


def test_a_bounce_and_a_checkin_at_once_end_in_a_new_cycle(world: World, dana: User) -> None:
    """Invariants 3 and 13."""
    world.until(dana, rung=3)
    email, _sms = twins(3)
    moment = Moment()
    for head_start_s in HEAD_STARTS_S[::3]:
        before = moment.again()
        checked, _heard = at_once(
            lambda: record_checkin(owner=dana, evidence=Evidence.BUTTON, now=world.now),
            lambda: hear(world, email),
            head_start_s=head_start_s,
        )
        assert isinstance(checked, CheckinResult)
        switch = Switch.objects.get()
        assert isinstance(switch.ladder_state, Waiting)
        assert switch.cycle == before.cycle + 1
        assert replay(switch)[0] == switch.ladder_state


def test_a_bounce_of_all_and_the_release_at_once_are_put_in_order(world: World, dana: User) -> None:
    """The bounce that comes first restarts the last rung; the release that comes first stands. Never half of each."""
    world.until(dana, rung=5)
    asked = Message.objects.filter(kind="switches.ask_contact", params__rung=5)
    email, sms = asked.get(channel="email"), asked.get(channel="sms")
    hear(world, sms)
    moment = Moment()
    seen: set[str] = set()
    for head_start_s in HEAD_STARTS_S:
        due_s = moment.again().due_s
        assert due_s is not None
        _heard, ticked = at_once(
            lambda: hear(world, email),
            lambda due_s=due_s: tick(now=world.now, service_s=due_s),
            head_start_s=head_start_s,
        )
        assert isinstance(ticked, TickResult)
        assert ticked.set_aside == 0
        switch = Switch.objects.get()
        seen.add(switch.phase)
        assert isinstance(switch.ladder_state, (Climbing, Released))
        assert Grant.objects.exists() == isinstance(switch.ladder_state, Released)
        assert replay(switch)[0] == switch.ladder_state
    assert seen == {"Climbing", "Released"}, "the two never met from both sides"


def test_addresses_of_several_people_fall_silent_at_once(world: World, dana: User) -> None:
    """Two of one owner's messages, one switch, one address: first the message, then the address, then the switch."""
    world.until(dana, rung=1)
    prompts = list(Message.objects.filter(kind="switches.ask_owner", channel="email", state="accepted"))
    assert len(prompts) >= 2
    moment = Moment()
    for _ in range(6):
        moment.again()
        at_once(*[lambda one=one: hear(world, one, Verdict.COMPLAINED) for one in [*prompts, *prompts]])
        assert Suppression.objects.count() == 1
        assert Event.objects.filter(kind="AddressUnreached").count() == 1


# There workers really do work at the same time: SQLite lets one write after another.
test_all_this_holds_on_postgresql_too = on_postgresql_too(__file__, run_s_max=RUN_S_MAX)

"""What is our fault never climbs: outages, clocks, providers, crashed rows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stafeta.accounts.models import User
from stafeta.core.errors import ChannelUnavailable, DeliveryRefused
from stafeta.core.policy import Choices
from stafeta.core.states import Climbing, Released
from stafeta.outbox import kinds
from stafeta.outbox.kinds import Rendered
from stafeta.outbox.models import Message
from stafeta.switches.models import ServiceClock, Switch
from stafeta.switches.services.arm import arm
from stafeta.switches.services.change_choices import change_choices
from tests.make import armed_owner, contact, handover, owner, recipient
from tests.world import World

DANA, DANA_PHONE = "dana@example.org", "+420601000001"


@pytest.fixture
def dana(world: World) -> User:
    return armed_owner()


def rung_of(world: World, dana: User) -> int:
    state = world.state(dana)
    assert isinstance(state, Climbing), state
    return state.rung


@pytest.mark.parametrize("rung", range(6))
def test_thirty_days_of_outage_climb_no_rung(world: World, dana: User, rung: int) -> None:
    """Invariant 2: a window never runs out while the owner could not have answered."""
    world.until(dana, rung=rung)
    world.forget()
    world.outage(days=30)
    world.tick()
    assert rung_of(world, dana) == rung
    assert world.sent() == []


def test_after_an_outage_the_rest_of_the_window_still_has_to_pass(world: World, dana: User) -> None:
    world.until(dana, rung=5)
    world.wait(hours=30)
    world.outage(days=365)
    world.wait(hours=17)
    assert rung_of(world, dana) == 5
    world.wait(hours=2)
    assert isinstance(world.state(dana), Released)


def test_an_outage_over_the_whole_ladder_ends_with_the_first_question(world: World, dana: User) -> None:
    world.outage(days=90)
    world.tick()
    assert rung_of(world, dana) == 0
    world.wait(hours=23)
    assert rung_of(world, dana) == 0


def test_a_service_that_cannot_hear_does_not_climb(world: World, dana: User) -> None:
    """The worker lives, the web is down: the probe fails."""
    world.until(dana, rung=2)
    for _ in range(24 * 5):
        world.now += timedelta(hours=1)
        world.tick(hears=False)
    assert rung_of(world, dana) == 2
    assert ServiceClock.objects.get().deaf_reason == "the test says so"


def test_a_clock_that_jumps_a_year_ahead_releases_nothing(world: World, dana: User) -> None:
    world.until(dana, rung=5)
    world.outage(days=365)
    for _ in range(3):
        world.tick()
    assert rung_of(world, dana) == 5


def test_a_clock_set_back_stops_climbing_until_it_has_caught_up(world: World, dana: User) -> None:
    """Invariant 9."""
    world.until(dana, rung=1)
    before_s = world.service_s()
    world.now -= timedelta(days=2)
    world._read_at = world.now
    world.wait(hours=47)
    assert rung_of(world, dana) == 1
    assert world.service_s() == before_s
    world.wait(days=3)
    assert rung_of(world, dana) > 1


def test_a_window_starts_when_the_provider_accepted_not_when_the_message_was_queued(world: World, dana: User) -> None:
    world.email.fail = lambda _to: DeliveryRefused("greylisted", permanent=False)
    world.sms.fail = lambda _to: DeliveryRefused("no route now", permanent=False)
    world.until(dana, rung=0)
    world.wait(hours=20)
    state = world.state(dana)
    assert isinstance(state, Climbing)
    assert state.accepted_at_s is None
    world.email.fail = lambda _to: None
    world.wait(hours=2)
    accepted = world.state(dana)
    assert isinstance(accepted, Climbing)
    assert accepted.accepted_at_s is not None
    world.wait(hours=21)
    assert rung_of(world, dana) == 0


def test_a_refused_prompt_is_tried_on_the_other_channel_within_the_hour(world: World, dana: User) -> None:
    world.email.fail = lambda to: DeliveryRefused("no such mailbox", permanent=True) if to == DANA else None
    world.until(dana, rung=0)
    world.wait(hours=1)
    assert len(world.sent(DANA_PHONE)) == 1
    state = world.state(dana)
    assert isinstance(state, Climbing)
    assert state.accepted_at_s is not None


def test_an_owner_whose_mailbox_and_phone_are_gone_does_not_block_the_release(world: World, dana: User) -> None:
    """Invariant 19: unreachable rungs run doubled, never skipped, never stuck."""
    gone = DeliveryRefused("gone", permanent=True)
    world.email.fail = lambda to: gone if to == DANA else None
    world.sms.fail = lambda to: gone if to == DANA_PHONE else None
    world.until(dana, rung=0)
    began_s = world.service_s()
    world.until_phase(dana, "Released")
    days = (world.service_s() - began_s) / 86400
    assert days >= 4 * (3 + 2) + 4  # four unreachable rungs, then two that reached Karel
    assert days <= 4 * (3 + 2) + 4 + 1


def test_a_provider_that_is_down_stops_the_ladder(world: World, dana: User) -> None:
    """docs/adr/0004: nobody climbs; when the provider is back, the ladder goes on."""
    world.until(dana, rung=1)
    world.email.fail = lambda _to: ChannelUnavailable("connection refused")
    world.sms.fail = world.email.fail
    world.wait(hours=30)
    stood = world.state(dana)
    world.wait(days=1)
    assert world.state(dana) == stood
    world.email.fail = world.sms.fail = lambda _to: None
    world.wait(days=20)
    assert isinstance(world.state(dana), Released)


def test_a_switch_that_cannot_be_read_delays_no_other(world: World, dana: User) -> None:
    """Invariant 12."""
    poison = owner("mallory@example.org", name="Mallory")
    handover(poison, recipient(poison, "x@example.org"))
    contact(poison, "y@example.org")
    Switch.objects.filter(owner=poison).update(state={"is": "Nonsense"}, due_at=world.now)
    world.until(dana, rung=0)
    row = Switch.objects.get(owner=poison)
    assert row.faults >= 1
    assert "Nonsense" in row.fault
    assert row.retry_at is not None


def test_a_switch_set_aside_is_taken_up_again_once_it_can_be_read(world: World, dana: User) -> None:
    row = Switch.objects.get(owner=dana)
    Switch.objects.filter(pk=row.pk).update(state={"is": "Nonsense"}, due_at=world.now)
    world.wait(hours=3)
    Switch.objects.filter(pk=row.pk).update(state=row.state, due_at=row.due_at)
    world.until(dana, rung=0)


def test_a_version_of_ours_that_can_write_to_nobody_releases_nothing(
    world: World, dana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/adr/0004: a prompt that cannot be rendered is our outage, not the owner's silence."""

    def broken(_message: Message) -> Rendered:
        raise LookupError("a template that was not shipped")

    world.until(dana, rung=1)
    monkeypatch.setattr(kinds, "_RENDERERS", dict.fromkeys(kinds.kinds(), broken))
    world.wait(days=20)
    assert rung_of(world, dana) <= 3
    monkeypatch.undo()
    world.until_phase(dana, "Released")
    assert world.sent(DANA_PHONE)


def test_whoever_an_sms_still_reaches_is_asked_before_a_release_however_long_no_email_leaves(world: World) -> None:
    """Invariant 2: a provider that takes nothing for a month refuses nothing either; the other channel must ask."""
    dana = owner()
    change_choices(owner=dana, choices=Choices(sms_attempts=0, trusted_attempts=1), now=world.now)
    handover(dana, recipient(dana))
    contact(dana)
    arm(owner=dana, now=world.now)
    world.email.fail = lambda _to: ChannelUnavailable("connection refused")
    world.until(dana, rung=1)
    asked = [message for message in world.sent(DANA_PHONE) if "/l/" in message.text]
    assert len(asked) == 1

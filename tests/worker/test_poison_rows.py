"""Rows that nobody can read, send or follow up: each is set aside and named, and delays nobody else (invariant 12)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection

from stafeta import clock
from stafeta.accounts.models import User
from stafeta.core.errors import DeliveryRefused
from stafeta.outbox.models import ChannelHealth, Message
from stafeta.outbox.selectors import outage
from stafeta.switches.models import Event, Switch, TrustedContact
from stafeta.switches.selectors import service_second
from stafeta.switches.services.arm import arm
from stafeta.switches.services.tell_unreached import tell_unreached
from stafeta.switches.services.tick import tick
from stafeta.vault.models import Grant, Handover, WrappedKey
from stafeta.vault.services.follow_up import follow_up
from stafeta.vault.services.reading import mail_content
from stafeta.vault.services.release import open_handovers
from tests import make
from tests.world import World, replay

DAY_S = 24 * 3600
TOO_MANY = 32_767 if connection.vendor == "postgresql" else 2**63 - 1  # one more does not fit into its column
LADDER_S = (1 + 1 + 1 + 1 + 2 + 2) * DAY_S

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None, keys_file: object) -> World:
    world = World()
    world.now = clock.now()  # what a copy of the content says of its own end is read from the real clock
    return world


@pytest.fixture
def mallory(world: World) -> User:
    """Somebody on the same schedule as Dana, made and armed before her, so that their row is taken first."""
    mallory = make.owner("mallory@example.org", name="Mallory")
    make.handover(mallory, make.recipient(mallory, "m@example.org", phone="+420601000012"))
    make.contact(mallory, "n@example.org", phone="+420601000013")
    arm(owner=mallory, now=world.now)
    return mallory


@pytest.fixture
def dana(world: World, mallory: User) -> User:
    return make.armed_owner(now=world.now)


def no_state(mallory: User) -> None:
    Switch.objects.filter(owner=mallory).update(state={"is": "Nonsense"})


def no_policy(mallory: User) -> None:
    Switch.objects.filter(owner=mallory).update(policy={"is": "Policy", "rungs": "many"})


def state_that_is_no_object(mallory: User) -> None:
    Switch.objects.filter(owner=mallory).update(state=[1, 2, 3])


def prompt_without_its_params(mallory: User) -> None:
    Message.objects.filter(owner=mallory, state=Message.State.QUEUED).update(params={})


def event_that_no_log_replays(mallory: User) -> None:
    Event.objects.filter(switch__owner=mallory).update(event={"is": "Nonsense"})


def contact_with_no_phone(mallory: User) -> None:
    TrustedContact.objects.filter(switch__owner=mallory).update(phone="", email="nobody")


def contact_with_a_phone_that_is_none(mallory: User) -> None:
    TrustedContact.objects.filter(switch__owner=mallory).update(phone="'; DROP", email="a b\r\nBcc: x@y")


def owner_with_a_zone_that_is_none(mallory: User) -> None:
    User.objects.filter(pk=mallory.pk).update(zone="Mars/Olympus", language="xx")


@pytest.mark.parametrize(
    "poison",
    [
        no_state,
        no_policy,
        state_that_is_no_object,
        event_that_no_log_replays,
        contact_with_no_phone,
        contact_with_a_phone_that_is_none,
        owner_with_a_zone_that_is_none,
    ],
)
@pytest.mark.parametrize("rung", [0, 4])
def test_a_poisoned_neighbour_delays_nobody(
    poison: Callable[[User], None], rung: int, world: World, mallory: User, dana: User
) -> None:
    world.until(dana, rung=0)
    began_s = world.service_s()
    world.until(dana, rung=rung)
    poison(mallory)
    world.until_phase(dana, "Released")
    assert world.service_s() - began_s == LADDER_S
    assert {message.to for message in world.sent("ema@example.org")} == {"ema@example.org"}
    assert replay(world.switch(dana))[0] == world.state(dana)


def test_a_prompt_that_nobody_can_render_delays_others_no_longer_than_an_outage_of_one_provider(
    world: World, mallory: User, dana: User
) -> None:
    """It looks like a faulty version of ours until others get through (docs/adr/0004): three days, and then no more."""
    world.until(dana, rung=0)
    began_s, began_at = world.service_s(), world.now
    tick(now=world.now, service_s=Switch.objects.get(owner=mallory).due_s or 0)
    prompt_without_its_params(mallory)
    Message.objects.filter(owner=mallory, params={}).update(state=Message.State.QUEUED, settled_at=None)
    world.until_phase(dana, "Released")
    assert world.service_s() - began_s == LADDER_S
    assert (world.now - began_at).total_seconds() <= LADDER_S + 10 * DAY_S


def test_a_handover_that_nobody_can_open_is_refused_to_who_asked_and_is_no_outage(
    world: World, mallory: User, dana: User, caplog: pytest.LogCaptureFixture
) -> None:
    """Its recipient's copy is tried for three days and shown as a dead letter; nobody's ladder waits for it."""
    world.until_phase(mallory, "Released")
    grant = Grant.objects.get(handover__owner=mallory)
    WrappedKey.objects.filter(handover__owner=mallory).update(blob=b"damaged")
    mail_content(grant=grant, now=world.now, service_s=service_second())
    world.tick()
    copy = Message.objects.get(kind="vault.content")
    assert (copy.state, copy.problem) == (Message.State.QUEUED, "the handover cannot be opened (Tampered)")
    assert outage(now=world.now) is None
    assert "cannot be opened" in caplog.text
    world.wait(days=4)
    copy.refresh_from_db()
    assert copy.state == Message.State.DEAD
    assert "zlatý-kapr" not in copy.problem + caplog.text


def test_a_message_that_never_reached_its_provider_does_not_say_that_the_provider_is_well(world: World) -> None:
    """An owner without a phone must not end the outage of the SMS gateway."""
    dana = make.armed_owner(now=world.now)
    User.objects.filter(pk=dana.pk).update(phone="")
    world.until(dana, rung=3)
    ChannelHealth.objects.update_or_create(channel="sms", defaults={"failing_since": world.now, "reason": "no credit"})
    prompt = Message.objects.get(kind="switches.ask_owner", channel="sms", params__rung=3)
    assert prompt.state == Message.State.DEAD
    Message.objects.filter(pk=prompt.pk).update(state=Message.State.QUEUED, settled_at=None)
    world.deliver()
    assert Message.objects.get(pk=prompt.pk).state == Message.State.DEAD
    assert ChannelHealth.objects.get(channel="sms").failing_since is not None


def test_a_recipient_who_cannot_be_reminded_keeps_nobody_from_being(
    world: World, dana: User, caplog: pytest.LogCaptureFixture
) -> None:
    world.until_phase(dana, "Released")
    world.until_phase(User.objects.get(email="mallory@example.org"), "Released")
    world.tick()
    poisoned = Grant.objects.get(handover__owner__email="mallory@example.org")
    Grant.objects.filter(pk=poisoned.pk).update(reminders=TOO_MANY)
    world.forget()
    world.wait(days=4)
    assert [message.to for message in world.email.sent if message.to == "ema@example.org"] == ["ema@example.org"]
    assert f"grants [{poisoned.pk}] cannot be followed up" in caplog.text


def test_those_who_cannot_be_followed_up_never_take_the_room_of_those_behind(world: World, dana: User) -> None:
    world.until_phase(dana, "Released")
    world.tick()
    first = Grant.objects.get(handover__owner=dana)
    people = [make.recipient(dana, f"r{number}@example.org", name=f"R{number}") for number in range(3)]
    handover = first.handover
    handover.recipients.add(*people)
    switch = Switch.objects.get(owner=dana)
    open_handovers(owner_id=dana.pk, switch_id=switch.pk, cycle=switch.cycle, now=world.now, service_s=service_second())
    follow_up(now=world.now, service_s=service_second())
    Grant.objects.filter(recipient__in=people[:2]).update(reminders=TOO_MANY)
    later_s = service_second() + 3 * DAY_S
    for _ in ("the neighbour's", "Ema", "the last one"):
        follow_up(now=world.now, service_s=later_s, limit=1)
    assert Message.objects.filter(kind="vault.reminder", params__recipient=people[2].pk).exists()


def test_a_handover_of_somebody_without_a_switch_keeps_no_contact_from_being_told(
    world: World, dana: User, caplog: pytest.LogCaptureFixture
) -> None:
    world.until_phase(dana, "Released")
    orphan = make.owner("orphan@example.org", name="Orphan")
    theirs = make.handover(orphan, make.recipient(orphan, "o@example.org"))
    Switch.objects.filter(owner=orphan).delete()
    hers = Handover.objects.get(owner=dana)
    tell_unreached(handovers=[theirs.pk, hers.pk], now=world.now)
    assert Message.objects.filter(params__told="unreached", params__handover=hers.pk).exists()
    assert f"nobody can be told of handover {theirs.pk}" in caplog.text


def test_no_number_of_lost_letters_hides_another(world: World, dana: User) -> None:
    """Invariant 11: those lost first are said again each round; a limit would let them hide the next."""
    people = [make.recipient(dana, f"r{number}@example.org", name=f"R{number}") for number in range(3)]
    handovers = [make.handover(dana, person, title=person.name) for person in people]
    gone = {person.email for person in people}
    world.email.fail = lambda to: DeliveryRefused("gone", permanent=True) if to in gone else None
    world.until_phase(dana, "Released")
    world.tick()
    found = follow_up(now=world.now, service_s=service_second(), limit=1).unreached
    assert found == tuple(sorted(handover.pk for handover in handovers))

"""What a receipt does to a ladder: a prompt that came back counts for nothing, and nothing counts as life."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from stafeta.accounts.models import User
from stafeta.channels.receipts import Reported, Verdict
from stafeta.core.errors import ChannelUnavailable, DeliveryRefused
from stafeta.core.policy import UNREACHABLE_AFTER_S
from stafeta.core.states import Climbing, Evidence, Released, State, Waiting
from stafeta.outbox.models import Message, Suppression
from stafeta.outbox.selectors import mark_of
from stafeta.outbox.services.receive_receipt import receive_receipt
from stafeta.switches.models import Event
from stafeta.switches.services.checkin import record_checkin
from stafeta.switches.services.delivery import record_news
from stafeta.worker.parts import ALWAYS, Instant, hear_receipts
from tests.make import armed_owner, contact, owner
from tests.switches.jump import to_phase, to_rung
from tests.world import World, replay

DANA, DANA_PHONE = "dana@example.org", "+420601000001"
NEITHER = "edaří se doručit e-maily ani SMS"
KAREL, KAREL_PHONE = "karel@example.org", "+420601000003"


@pytest.fixture
def dana(world: World) -> User:
    return armed_owner()


def prompt(rung: int, channel: str = "email", *, round: int = 0) -> Message:
    """Return a prompt of the running cycle."""
    kinds = ["switches.ask_owner", "switches.ask_contact"]
    return Message.objects.get(kind__in=kinds, channel=channel, params__rung=rung, params__round=round)


def hear(world: World, message: Message, verdict: Verdict, *, at: datetime | None = None) -> None:
    reported = Reported(message.provider_id, f"{verdict} {message.pk}", verdict, at, f"postmark: {verdict}")
    receive_receipt(reported=reported, channel=message.channel, now=world.now, on_news=record_news)


def suppress(world: World, address: str, channel: str = "email") -> None:
    Suppression.objects.create(channel=channel, mark=mark_of(address), since=world.now)


def climbing(world: World, dana: User) -> Climbing:
    state: State = world.state(dana)
    assert isinstance(state, Climbing), state
    return state


def log_of(dana: User) -> list[str]:
    return list(Event.objects.filter(switch__owner=dana).order_by("number").values_list("kind", flat=True))


# Bounces --------------------------------------------------------------------------------------------------------


def test_a_late_bounce_restarts_the_rung_on_the_other_channel(world: World, dana: User) -> None:
    to_rung(world, dana, 0)
    world.wait(hours=20)
    world.forget()
    hear(world, prompt(0), Verdict.BOUNCED)
    assert climbing(world, dana).accepted_at_s is None
    world.tick()
    assert [message.to for message in world.sent()] == [DANA_PHONE]
    world.wait(hours=23)
    assert climbing(world, dana).rung == 0
    world.wait(hours=2)
    assert climbing(world, dana).rung == 1
    assert replay(world.switch(dana))[0] == world.state(dana)


def test_a_bounce_that_overtakes_its_acceptance_is_heard_in_the_workers_next_round(world: World, dana: User) -> None:
    to_rung(world, dana, 0)
    message = prompt(0)
    lease = world.now + timedelta(minutes=5)
    Message.objects.filter(pk=message.pk).update(state="queued", provider_id="", settled_at=None, lease_until=lease)
    hear(world, message, Verdict.BOUNCED)
    assert hear_receipts in ALWAYS
    hear_receipts(Instant(world.now, world.service_s()))
    assert Message.objects.get(pk=message.pk).state == "queued"
    Message.objects.filter(pk=message.pk).update(state="accepted", provider_id=message.provider_id, lease_until=None)
    hear_receipts(Instant(world.now, world.service_s()))
    assert Message.objects.get(pk=message.pk).state == "bounced"
    assert climbing(world, dana).accepted_at_s is None


def test_a_bounce_of_one_of_two_keeps_the_window_where_the_other_stands(world: World, dana: User) -> None:
    to_rung(world, dana, 3)
    began = climbing(world, dana).accepted_at_s
    world.wait(hours=3)
    hear(world, prompt(3, "sms"), Verdict.BOUNCED)
    state = climbing(world, dana)
    assert state.accepted_at_s == began
    hear(world, prompt(3, "email"), Verdict.BOUNCED)
    assert climbing(world, dana).accepted_at_s is None


def test_the_contact_reached_first_does_not_hide_that_the_other_bounced(world: World, dana: User) -> None:
    """Another contact who was reached counts; the one who was not is asked by the other channel."""
    contact(dana, "jana@example.org", name="Jana", phone="+420601000004")
    record_checkin(owner=dana, evidence=Evidence.BUTTON, now=world.now)
    to_rung(world, dana, 4)
    hear(world, Message.objects.get(to=KAREL, kind="switches.ask_contact"), Verdict.BOUNCED)
    hear(world, Message.objects.get(to=KAREL_PHONE, kind="switches.ask_contact"), Verdict.BOUNCED)
    assert climbing(world, dana).accepted_at_s is not None


def test_when_everything_bounces_the_rung_is_unreachable_and_doubled_never_stuck(world: World, dana: User) -> None:
    """Invariant 19: a mailbox closed after a death does not block the release."""
    to_rung(world, dana, 0)
    world.sms.fail = lambda to: DeliveryRefused("no such number", permanent=True) if to == DANA_PHONE else None
    hear(world, prompt(0), Verdict.BOUNCED)
    world.wait(days=UNREACHABLE_AFTER_S / 86400, hours=1)
    state = climbing(world, dana)
    assert (state.rung, state.unreachable) == (0, True)
    world.wait(days=1, hours=12)
    assert climbing(world, dana).rung == 0
    world.wait(hours=14)
    assert climbing(world, dana).rung == 1
    to_phase(world, dana, "Released")


def test_a_bounce_of_an_earlier_rung_or_cycle_changes_nothing(world: World, dana: User) -> None:
    """Invariant 13: however late it is."""
    to_rung(world, dana, 0)
    first = prompt(0)
    to_rung(world, dana, 1)
    before = world.state(dana)
    hear(world, first, Verdict.BOUNCED)
    assert world.state(dana) == before
    second = prompt(1)
    record_checkin(owner=dana, evidence=Evidence.LINK, cycle=before.cycle, now=world.now)
    after = world.state(dana)
    world.now += timedelta(days=6)
    hear(world, second, Verdict.BOUNCED)
    assert world.state(dana) == after
    assert Message.objects.get(pk=second.pk).state == "bounced"


@pytest.mark.parametrize("verdict", list(Verdict))
def test_no_receipt_is_a_sign_of_life(world: World, dana: User, verdict: Verdict) -> None:
    """Invariant 6."""
    to_rung(world, dana, 4)
    before, seen = climbing(world, dana), world.switch(dana).last_checkin_at
    for message in Message.objects.exclude(provider_id=""):
        hear(world, message, verdict)
    state = climbing(world, dana)
    assert (state.cycle, state.rung) == (before.cycle, before.rung)
    assert world.switch(dana).last_checkin_at == seen


def test_a_bounce_after_the_release_takes_nothing_back(world: World, dana: User) -> None:
    to_phase(world, dana, "Released")
    hear(world, prompt(5), Verdict.BOUNCED)
    assert isinstance(world.state(dana), Released)


def test_the_news_of_a_release_that_came_back_is_told_to_the_contacts(world: World, dana: User) -> None:
    """Ema's mailbox is gone: nobody else can tell her, and the provider found out hours later."""
    to_phase(world, dana, "Released")
    world.wait(hours=5)
    world.forget()
    hear(world, Message.objects.get(kind="vault.release"), Verdict.SUPPRESSED)
    world.tick()
    (told,) = [message for message in world.email.sent if message.to == KAREL]
    assert "Ema Malá" in told.text


def test_contacts_are_told_that_the_owners_mail_came_back(world: World, dana: User) -> None:
    to_rung(world, dana, 2)
    hear(world, prompt(2), Verdict.BOUNCED)
    world.sms.fail = lambda to: DeliveryRefused("no such number", permanent=True) if to == DANA_PHONE else None
    world.email.fail = lambda to: DeliveryRefused("no such mailbox", permanent=True) if to == DANA else None
    to_rung(world, dana, 4)
    asked = next(message for message in world.email.sent if message.to == KAREL)
    assert NEITHER in asked.text


def test_a_late_bounce_of_an_old_prompt_does_not_hide_that_the_newest_arrived(world: World, dana: User) -> None:
    to_rung(world, dana, 0)
    first = prompt(0)
    to_rung(world, dana, 3)
    world.wait(hours=1)
    hear(world, first, Verdict.BOUNCED)
    to_rung(world, dana, 4)
    asked = next(message for message in world.email.sent if message.to == KAREL)
    assert "edaří se doručit" not in asked.text


# Held up --------------------------------------------------------------------------------------------------------


def test_a_prompt_refused_for_now_is_tried_on_the_other_channel_within_the_hour(world: World, dana: User) -> None:
    world.email.fail = lambda to: DeliveryRefused("greylisted", permanent=False) if to == DANA else None
    to_rung(world, dana, 0)
    assert world.sent(DANA_PHONE) == []
    world.wait(hours=1)
    assert len(world.sent(DANA_PHONE)) == 1
    world.wait(hours=10)
    assert len(world.sent(DANA_PHONE)) == 1
    assert log_of(dana).count("PromptRefused") == 1
    assert Message.objects.get(kind="switches.ask_owner", channel="email").state == "queued"


def test_a_prompt_taken_at_the_second_try_needs_no_other_channel(world: World, dana: User) -> None:
    world.email.fail = lambda to: DeliveryRefused("greylisted", permanent=False) if to == DANA else None
    to_rung(world, dana, 0)
    world.email.fail = lambda _to: None
    world.wait(hours=5)
    assert world.sent(DANA_PHONE) == []
    assert len(world.sent(DANA)) == 1


def test_a_provider_that_is_away_sends_nothing_by_the_other_channel(world: World, dana: User) -> None:
    """It is our outage, not hers: nobody climbs."""
    world.email.fail = lambda _to: ChannelUnavailable("connection refused")
    to_rung(world, dana, 0)
    world.wait(hours=10)
    assert world.sent() == []
    assert climbing(world, dana).accepted_at_s is None


# Suppressed addresses -------------------------------------------------------------------------------------------


def test_a_prompt_to_a_suppressed_address_goes_by_the_other_channel_too(world: World, dana: User) -> None:
    suppress(world, DANA)
    to_rung(world, dana, 0)
    world.wait(hours=1)
    assert [message.to for message in world.sent()] == [DANA, DANA_PHONE]
    assert climbing(world, dana).began_by is not None
    assert climbing(world, dana).began_by.by == "sms"  # type: ignore[union-attr]


def test_no_window_counts_from_a_prompt_that_its_provider_may_have_dropped(world: World, dana: User) -> None:
    suppress(world, DANA)
    suppress(world, DANA_PHONE, "sms")
    to_rung(world, dana, 0)
    world.wait(days=2)
    assert climbing(world, dana).accepted_at_s is None
    world.wait(days=1, hours=1)
    assert climbing(world, dana).unreachable
    to_phase(world, dana, "Released")


def test_a_prompt_delivered_in_spite_of_a_suppression_counts_from_its_delivery(world: World, dana: User) -> None:
    suppress(world, DANA)
    suppress(world, DANA_PHONE, "sms")
    to_rung(world, dana, 0)
    world.now += timedelta(hours=2)
    world.tick()
    hear(world, prompt(0), Verdict.DELIVERED, at=world.now)
    state = climbing(world, dana)
    assert state.accepted_at_s == world.service_s()
    assert not Suppression.objects.filter(channel="email").exists()
    assert log_of(dana)[-2:] == ["AddressReached", "PromptAccepted"]


def test_a_prompt_that_bounced_does_not_count_because_another_was_taken_for_a_suppressed_address(
    world: World, dana: User
) -> None:
    to_rung(world, dana, 3)
    suppress(world, DANA)
    hear(world, prompt(3, "sms"), Verdict.BOUNCED)
    assert climbing(world, dana).accepted_at_s is None


def test_a_prompt_that_came_back_counts_no_more_though_it_is_reported_as_delivered(world: World, dana: User) -> None:
    """The provider takes its suppression back; what it says of this message cannot be trusted any more."""
    to_rung(world, dana, 0)
    world.sms.fail = lambda to: DeliveryRefused("no such number", permanent=True) if to == DANA_PHONE else None
    hear(world, prompt(0), Verdict.SUPPRESSED)
    world.now += timedelta(hours=1)
    world.tick()
    hear(world, prompt(0), Verdict.DELIVERED, at=world.now)
    assert not Suppression.objects.exists()
    assert climbing(world, dana).accepted_at_s is None
    assert "PromptAccepted" not in log_of(dana)[log_of(dana).index("PromptBounced") :]


def test_the_owner_hears_once_by_sms_that_their_mailbox_is_reached_no_more(world: World, dana: User) -> None:
    to_rung(world, dana, 0)
    world.forget()
    hear(world, prompt(0), Verdict.COMPLAINED)
    world.tick()
    (told,) = world.sms.sent
    assert told.to == DANA_PHONE
    assert told.text.startswith("Stafeta: e-maily k vam uz nedojdou.")
    assert len(told.text) <= 160
    Suppression.objects.all().delete()
    hear(world, prompt(0), Verdict.SUPPRESSED)
    world.tick()
    assert len([message for message in world.sms.sent if "uz nedojdou" in message.text]) == 1
    assert log_of(dana).count("AddressUnreached") == 2


def test_the_owner_hears_by_email_that_their_phone_is_reached_no_more(world: World, dana: User) -> None:
    to_rung(world, dana, 3)
    world.forget()
    hear(world, prompt(3, "sms"), Verdict.SUPPRESSED)
    world.tick()
    told = [message for message in world.email.sent if "SMS k vám už nedojdou" in message.text]
    assert [message.to for message in told] == [DANA]


def test_news_of_a_mailbox_that_works_again_before_it_is_sent_is_not_sent(world: World, dana: User) -> None:
    to_rung(world, dana, 0)
    hear(world, prompt(0), Verdict.COMPLAINED)
    Suppression.objects.all().delete()
    world.tick()
    assert world.sent(DANA_PHONE) == []
    assert Message.objects.get(kind="switches.tell_unreached").state == "cancelled"


def test_an_owner_hears_nothing_by_sms_of_somebody_elses_mailbox(world: World, dana: User) -> None:
    to_rung(world, dana, 4)
    world.forget()
    hear(world, Message.objects.get(to=KAREL, kind="switches.ask_contact"), Verdict.COMPLAINED)
    world.tick()
    assert world.sent() == []
    fact = Event.objects.get(kind="AddressUnreached")
    assert set(fact.event) == {"contact", "channel"}


def test_a_contact_who_owns_a_switch_of_their_own_hears_of_their_mailbox(world: World, dana: User) -> None:
    karel = owner(KAREL, name="Karel Novák")
    User.objects.filter(pk=karel.pk).update(phone="+420601000009")
    to_rung(world, dana, 4)
    world.forget()
    hear(world, Message.objects.get(to=KAREL, kind="switches.ask_contact"), Verdict.COMPLAINED)
    world.tick()
    assert [message.to for message in world.sms.sent] == ["+420601000009"]
    facts = Event.objects.filter(kind="AddressUnreached").order_by("switch")
    assert [set(fact.event) - {"channel"} for fact in facts] == [{"contact"}, {"owner"}]


def test_contacts_are_told_that_the_owners_mailbox_is_suppressed(world: World, dana: User) -> None:
    suppress(world, DANA)
    to_rung(world, dana, 4)
    asked = next(message for message in world.email.sent if message.to == KAREL)
    assert "Nedaří se doručit e-maily" in asked.text


def test_a_waiting_switch_is_not_moved_by_any_receipt(world: World, dana: User) -> None:
    to_rung(world, dana, 0)
    message = prompt(0)
    record_checkin(owner=dana, evidence=Evidence.BUTTON, now=world.now)
    before = world.state(dana)
    for verdict in Verdict:
        hear(world, message, verdict)
    assert isinstance(before, Waiting)
    assert world.state(dana) == before

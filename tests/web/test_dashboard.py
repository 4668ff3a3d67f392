"""The dashboard says how it stands in one sentence, in every state, and its buttons do what they say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from stafeta.core.errors import DeliveryRefused
from stafeta.core.links import Link, Purpose
from stafeta.outbox.models import ChannelHealth, Message
from stafeta.switches.models import Event, Switch, TrustedContact
from stafeta.switches.services.contact_says import ask_to_wait, vouch
from stafeta.vault.models import ConsentState, Grant, Recipient
from stafeta.web import notices
from tests import make
from tests.make import NOON
from tests.web.desk import Desk, words
from tests.world import World


@pytest.fixture
def world(db: None, keys_file: object, settings: Settings) -> World:
    """A browser that stays signed in for longer than a ladder takes."""
    settings.SESSION_COOKIE_AGE = 365 * 24 * 3600
    return World()


@pytest.fixture
def desk(world: World) -> Desk:
    """Dana with everything ready and her switch armed."""
    return Desk(world, make.armed_owner())


def _trusted(desk: Desk) -> Link:
    karel = TrustedContact.objects.get()
    return Link(Purpose.TRUSTED, karel.pk, desk.switch.pk, desk.switch.cycle)


def test_a_waiting_switch_says_when_it_asks_again(desk: Desk) -> None:
    page = desk.text("dashboard")
    assert "All is well. I will ask you again on Sunday 15 March at 9:00." in page
    assert "I'm fine" in page
    assert "Karel Novák" in page
    assert "Handover: Weby klientů" in page


def test_the_big_button_is_a_sign_of_life(desk: Desk) -> None:
    desk.world.until(desk.owner, rung=1)
    cycle = desk.switch.cycle
    response = desk.post("im-fine")
    assert desk.switch.cycle == cycle + 1
    assert "Thank you. I will ask you again" in words(response)
    assert Event.objects.filter(kind="CheckedIn", event__evidence="button").count() == 1


def test_a_get_of_any_button_changes_nothing(desk: Desk) -> None:
    before = desk.switch.state
    for name in ("im-fine", "pause-end"):
        assert desk.get(name).status_code == 405
    for name in ("arm", "disarm", "pause"):
        desk.get(name)
    assert desk.switch.state == before


def test_a_resting_switch_lists_what_arming_needs(world: World) -> None:
    dana = make.owner()
    dana.phone_verified_at = None
    dana.save()
    desk = Desk(world, dana)
    page = desk.text("dashboard")
    assert "Your switch is not armed" in page
    assert "Missing: Your phone is verified" in page
    assert "Missing: A handover has a text and a recipient" in page
    assert "Done: Your e-mail is verified" in page
    assert "Arm the switch" not in page
    assert "Something is still missing" in words(desk.post("arm"))
    assert desk.switch.phase == "Resting"


def test_arming_shows_who_would_read_what_and_then_arms(world: World) -> None:
    dana = make.owner()
    make.handover(dana, make.recipient(dana), delay_days=30)
    make.contact(dana)
    desk = Desk(world, dana)
    page = desk.text("arm")
    assert "30 days later" in page
    assert "Weby klientů → Ema Malá" in page
    assert "Armed. I will ask you for the first time on Sunday 15 March at 9:00." in words(desk.post("arm"))
    assert desk.switch.phase == "Waiting"


def test_a_climbing_switch_is_loud_and_says_what_follows(desk: Desk) -> None:
    desk.world.until(desk.owner, rung=2)
    page = desk.text("dashboard")
    assert "Are you all right?" in page
    assert "I asked you by e-mail (3 of 3)" in page
    assert "I will send you an SMS on Wednesday 18 March at 9:00" in page
    desk.world.until(desk.owner, rung=4)
    page = desk.text("dashboard")
    assert "I asked the people close to you about you (1 of 2)." in page
    assert "The handovers would open on" in page


def test_the_last_rung_says_when_the_handovers_open(desk: Desk) -> None:
    desk.world.until(desk.owner, rung=5)
    assert "If I do not hear from you, the handovers will open on" in desk.text("dashboard")


def test_a_held_switch_says_who_asked_to_wait_and_until_when(desk: Desk) -> None:
    desk.world.until(desk.owner, rung=4)
    ask_to_wait(link=_trusted(desk), days=10, now=desk.world.now)
    page = desk.text("dashboard")
    assert "Karel Novák asked me to wait for you." in page
    assert "I will ask again on" in page


def test_a_cycle_that_somebody_else_confirmed_says_so(desk: Desk) -> None:
    desk.world.until(desk.owner, rung=4)
    vouch(link=_trusted(desk), now=desk.world.now)
    assert "Last time somebody close to you confirmed for you" in desk.text("dashboard")


def test_a_pause_has_an_end_and_ends_early(desk: Desk) -> None:
    response = desk.post("pause", day="2026-04-20")
    assert "Paused until 20 April. Then I will ask you at once." in words(response)
    assert "The switch is paused until 20 April." in desk.text("dashboard")
    assert desk.switch.due_at is not None
    assert desk.switch.due_at.isoformat() == "2026-04-20T07:00:00+00:00"
    assert Message.objects.filter(kind="web.switch_changed").count() == 1
    assert "The pause is over. I will ask you on Sunday 15 March at 9:00." in words(desk.post("pause-end"))


@pytest.mark.parametrize("day", ["", "yesterday", "2026-03-01", "2020-01-01", "2027-03-02", "9999-12-31"])
def test_a_pause_without_a_sensible_end_is_refused_with_both_limits(desk: Desk, day: str) -> None:
    before = desk.switch.state
    page = words(desk.post("pause", day=day))
    assert desk.switch.state == before
    assert "Take a pause" in page
    if day.startswith(("20", "99")):
        assert "Choose a day from" in page


def test_disarming_asks_first_and_is_told_by_mail(desk: Desk) -> None:
    assert "take a pause" in desk.text("disarm")
    desk.post("disarm")
    assert desk.switch.phase == "Resting"
    desk.world.deliver()
    mail = desk.world.sent(to="dana@example.org")[-1]
    assert "You disarmed the switch." in mail.text
    assert "choose a new password" in mail.text


@pytest.mark.parametrize(("page", "fields"), [("disarm", {}), ("pause", {"day": "2026-03-20"})])
def test_what_stops_the_switch_and_the_mail_about_it_are_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, page: str, fields: dict[str, str]
) -> None:
    """Invariant 15: an intruder's change that nobody is told of must not stand."""

    def fail(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(notices, "enqueue", fail)
    with pytest.raises(RuntimeError):
        desk.post(page, **fields)
    assert desk.switch.phase == "Waiting"


def test_disarming_needs_a_fresh_sign_in(desk: Desk) -> None:
    desk.world.now += timedelta(minutes=30)
    response = desk.post("disarm", follow=False)
    assert "reauthenticate" in response["Location"]
    assert desk.switch.phase == "Waiting"


def test_the_owner_who_comes_back_sees_what_was_read_and_arms_again_by_hand(desk: Desk) -> None:
    desk.world.until_phase(desk.owner, "Released")
    page = desk.text("dashboard")
    assert "I did not hear from you, and your handovers opened on" in page
    assert "not read yet" in page
    assert "I am back" in page
    Grant.objects.update(first_read_at=desk.world.now)
    page = words(desk.post("im-fine"))
    assert "Welcome back." in page
    assert "Weby klientů – Ema Malá" in page.replace("  ", " ")
    assert "Change the passwords and codes in what was read" in page
    assert desk.switch.phase == "Resting"
    assert "Arm the switch" in page


def test_what_nobody_read_is_shown_as_closed(desk: Desk) -> None:
    desk.world.until_phase(desk.owner, "Released")
    assert "not read, closed" in words(desk.post("im-fine"))


def test_a_dead_letter_is_shown_and_can_be_tried_again(desk: Desk) -> None:
    refused = DeliveryRefused("no such mailbox", permanent=True)
    desk.world.email.fail = lambda to: refused if to == "karel@example.org" else None
    desk.world.until(desk.owner, rung=4)
    page = desk.text("dashboard")
    assert "The question to somebody close to you (karel@example.org): It was refused: no such mailbox" in page
    letter = Message.objects.get(state=Message.State.DEAD)
    desk.world.email.fail = lambda _to: None
    assert "It is being tried again." in words(desk.post("message-retry", letter.pk))
    desk.world.deliver()
    letter.refresh_from_db()
    assert letter.state == Message.State.ACCEPTED
    assert "It is on its way already." in words(desk.post("message-retry", letter.pk))


def test_mallory_cannot_try_danas_letter(desk: Desk) -> None:
    letter = Message.objects.create(key="x", kind="vault.invite", channel="email", owner=desk.owner, queued_at=NOON)
    Message.objects.update(state=Message.State.DEAD)
    mallory = Desk(desk.world, make.owner("mallory@example.org", name="Mallory"))
    assert mallory.post("message-retry", letter.pk).status_code == 404
    assert Message.objects.get(pk=letter.pk).state == Message.State.DEAD


def test_what_needs_attention_is_listed(desk: Desk) -> None:
    Recipient.objects.update(consent=ConsentState.DECLINED, email="info@example.org")
    make.contact(desk.owner, "kontakt@firma.cz", name="Jana", phone="+420601000077", consent=ConsentState.DRAFT)
    ChannelHealth.objects.create(channel="sms", failing_since=NOON, reason="401")
    Switch.objects.update(faults=2, fault="ValueError: x")
    page = desk.text("dashboard")
    assert "Ema Malá declined and gets nothing." in page
    assert "There is nothing to hand over" in page
    assert "Jana is not invited yet." in page
    assert "Please check what is entered: Jana." in page
    assert "SMS: the provider takes no messages; it began" in page
    assert "The service stumbled over your switch" in page


def test_the_dashboard_speaks_czech_to_czechs(world: World) -> None:
    desk = Desk(world, make.armed_owner(), language="cs")
    assert 'lang="cs"' in desk.get("dashboard").content.decode()


def test_strangers_are_asked_to_sign_in(world: World) -> None:
    desk = Desk(world, make.owner())
    desk.client.logout()
    for name in ("dashboard", "people", "schedule", "history", "arm", "operator"):
        assert desk.get(name).status_code == 302


def test_only_the_operator_sees_the_operators_page(desk: Desk) -> None:
    assert desk.get("operator").status_code == 404
    make.User.objects.update(is_staff=True)
    Message.objects.create(
        key="x", kind="vault.invite", channel="email", owner=desk.owner, queued_at=NOON, state=Message.State.DEAD,
        settled_at=NOON, to="ema@example.org", problem="550 no such user",
    )  # fmt: skip
    Switch.objects.update(faults=1, fault="ValueError: poison", retry_at=NOON)
    page = desk.text("operator")
    assert "vault.invite" in page
    assert "550 no such user" in page
    assert "ValueError: poison" in page
    assert "ema@example.org" not in page

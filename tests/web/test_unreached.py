"""Whom nothing reaches any more is shown at once, on the dashboard, among the people and in the history."""

from __future__ import annotations

import pytest
from django.urls import reverse

from stafeta.channels.receipts import Reported, Verdict
from stafeta.outbox.models import Message, Suppression
from stafeta.outbox.selectors import mark_of
from stafeta.outbox.services.receive_receipt import receive_receipt
from stafeta.switches.models import TrustedContact
from stafeta.switches.services.delivery import record_news
from stafeta.vault.models import Recipient
from tests import make
from tests.switches.jump import to_rung
from tests.web.desk import Desk, words
from tests.world import World

DANA, KAREL, EMA_PHONE = "dana@example.org", "karel@example.org", "+420601000002"


@pytest.fixture
def world(db: None, keys_file: object) -> World:
    return World()


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world, make.armed_owner())


def suppress(desk: Desk, address: str, channel: str = "email") -> Suppression:
    return Suppression.objects.create(channel=channel, mark=mark_of(address), since=desk.world.now)


def test_the_owner_sees_at_once_that_their_own_mailbox_is_reached_no_more(desk: Desk) -> None:
    suppress(desk, DANA)
    page = desk.text("dashboard")
    assert "E-mails to you (dana@example.org) are no longer delivered, since 1 March." in page
    assert "It works again" in page


def test_people_who_are_not_reached_are_named_with_where_to_change_it(desk: Desk) -> None:
    suppress(desk, KAREL)
    suppress(desk, EMA_PHONE, "sms")
    page = desk.get("dashboard").content.decode()
    assert reverse("contact-edit", args=[TrustedContact.objects.get().pk]) in page
    assert reverse("recipient-edit", args=[Recipient.objects.get().pk]) in page
    people = desk.text("people")
    assert "E-mails to Karel Novák (karel@example.org) are no longer delivered" in people
    assert "SMS to Ema Malá (+420 601 000 002) are no longer delivered" in people


def test_a_changed_address_is_another_address(desk: Desk) -> None:
    suppress(desk, KAREL)
    TrustedContact.objects.update(email="karel.new@example.org")
    assert "no longer delivered" not in desk.text("people") + desk.text("dashboard")


def test_the_owner_may_say_that_it_works_again(desk: Desk) -> None:
    row = suppress(desk, DANA)
    assert desk.get("address-works", row.pk).status_code == 405
    assert "Noted." in words(desk.post("address-works", row.pk))
    assert not Suppression.objects.exists()
    assert desk.post("address-works", row.pk).status_code == 404


def test_nobody_says_so_of_somebody_elses_address(desk: Desk, world: World) -> None:
    """Mallory cannot even find out that there is one."""
    row = suppress(desk, DANA)
    mallory = Desk(world, make.owner("mallory@example.org", name="Mallory"))
    assert mallory.post("address-works", row.pk).status_code == 404
    assert Suppression.objects.exists()


def test_the_history_tells_what_came_back_and_why(desk: Desk, world: World) -> None:
    to_rung(world, desk.owner, 0)
    message = Message.objects.get(kind="switches.ask_owner")
    reported = Reported(message.provider_id, "e", Verdict.SUPPRESSED, None, "postmark: bounced, 5.1.1")
    receive_receipt(reported=reported, channel="email", now=world.now, on_news=record_news)
    page = desk.text("history")
    assert "The e-mail to you came back." in page
    assert "E-mails to you are no longer delivered." in page
    assert "It came back: postmark: bounced, 5.1.1" in page
    assert "E-mails to you are no longer delivered." in desk.text("history", kind="problems")
    assert "It came back: postmark: bounced, 5.1.1" in desk.text("dashboard")

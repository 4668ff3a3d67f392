"""A trusted contact learns what is kept, agrees or declines by a button, proves a phone, or is erased."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from stafeta.accounts.models import CodeChallenge, User
from stafeta.channels.base import SmsMessage
from stafeta.core.links import Link, Purpose
from stafeta.outbox.models import Message
from stafeta.switches.models import Event, TrustedContact
from stafeta.switches.services.contacts import invite_contact
from tests import make
from tests.web.links import opened, press
from tests.web.traces import database_as_text
from tests.world import World


@pytest.fixture
def world(db: None, keys_file: object) -> World:
    return World()


@pytest.fixture
def karel(world: World, monkeypatch: pytest.MonkeyPatch) -> TrustedContact:
    """Karel, invited by Dana and reading English; the web's clock is the world's."""
    monkeypatch.setattr("stafeta.clock.now", lambda: world.now)
    monkeypatch.setattr("stafeta.clock.real_now", lambda: world.now)
    dana = make.owner()
    make.contact(dana, consent="draft")  # type: ignore[arg-type]
    TrustedContact.objects.update(language="en", phone_verified_at=None)
    return invite_contact(contact=TrustedContact.objects.get(), now=world.now)


def browser_of(karel: TrustedContact) -> Client:
    return opened(Link(Purpose.CONTACT_CONSENT, karel.pk, karel.switch_id, karel.invitation))


def code_in(world: World) -> str:
    world.deliver()
    [*_, sms] = [message for message in world.sms.sent if isinstance(message, SmsMessage)]
    found = re.search(r"(\d{4}) (\d{4})", sms.text)
    assert found is not None
    return "".join(found.groups())


def test_page_says_who_why_what_is_kept_and_how_to_get_rid_of_it(karel: TrustedContact) -> None:
    page = browser_of(karel).get("/contact-consent/").content.decode()
    for words in ("Dana Nováková trusts you", "karel@example.org", "Karel Novák", "I decline", "Erase everything"):
        assert words in page
    assert "601 000 003" not in page


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_changes_nothing(karel: TrustedContact, method: str) -> None:
    """Invariant 5."""
    browser = browser_of(karel)
    browser.get("/contact-consent/")
    before = database_as_text()
    for path in ("", "phone/", "erase/", "erased/"):
        getattr(browser, method)(f"/contact-consent/{path}")
    assert database_as_text() == before


def test_agreeing_leads_to_the_phone(karel: TrustedContact) -> None:
    assert "Would an SMS reach you?" in press(browser_of(karel), "/contact-consent/", answer="agree")


@pytest.mark.django_db(transaction=True)
def test_right_code_verifies_the_phone_and_a_wrong_one_says_so(world: World, karel: TrustedContact) -> None:
    browser = browser_of(karel)
    press(browser, "/contact-consent/", answer="agree")
    press(browser, "/contact-consent/phone/", send="1")
    code = code_in(world)
    assert code not in database_as_text()
    wrong = f"{(int(code) + 1) % 10**8:08}"
    assert "This is not the code." in press(browser, "/contact-consent/phone/", code=wrong)
    page = press(browser, "/contact-consent/phone/", code=f"{code[:4]} {code[4:]}")
    assert "your phone is verified" in page
    karel.refresh_from_db()
    assert karel.phone_verified_at == world.now
    kinds = list(Event.objects.values_list("kind", flat=True))
    assert kinds[-2:] == ["ContactAgreed", "ContactPhoneVerified"]


def test_asking_for_codes_for_ever_is_slowed_down_in_plain_words(world: World, karel: TrustedContact) -> None:
    browser = browser_of(karel)
    press(browser, "/contact-consent/", answer="agree")
    for minute in range(6):
        world.now = make.NOON.replace(minute=minute)
        page = press(browser, "/contact-consent/phone/", send="1")
    assert "There were too many codes or attempts." in page


def test_declining_ends_all_messages_and_can_be_taken_back(karel: TrustedContact) -> None:
    browser = browser_of(karel)
    assert "You have declined." in press(browser, "/contact-consent/", answer="decline")
    karel.refresh_from_db()
    assert karel.consent == "declined"
    press(browser, "/contact-consent/", answer="agree")
    press(browser, "/contact-consent/", answer="agree")
    karel.refresh_from_db()
    assert karel.consent == "given"
    assert Event.objects.filter(kind="ContactAgreed").count() == 1


def test_erasing_leaves_no_trace_of_the_person(world: World, karel: TrustedContact) -> None:
    browser = browser_of(karel)
    world.deliver()
    press(browser, "/contact-consent/", answer="agree")
    press(browser, "/contact-consent/phone/", send="1")
    world.deliver()
    assert "Všechno je vymazané" in press(browser, "/contact-consent/erase/")
    assert not TrustedContact.objects.exists()
    assert not CodeChallenge.objects.exists()
    assert not Message.objects.exclude(to="").exists()
    left = database_as_text()
    for trace in ("karel@example.org", "Karel Novák", "+420601000003"):
        assert trace not in left
    assert browser.get("/contact-consent/").status_code == 404


def test_link_of_an_earlier_invitation_opens_nothing(world: World, karel: TrustedContact) -> None:
    browser = browser_of(karel)
    TrustedContact.objects.update(invitation=karel.invitation + 1)
    assert browser.get("/contact-consent/").status_code == 404
    assert browser.get("/contact-consent/erase/").status_code == 404


def test_phone_page_is_for_those_who_agreed(karel: TrustedContact) -> None:
    assert browser_of(karel).get("/contact-consent/phone/")["Location"] == "/contact-consent/"


def test_page_speaks_the_contacts_language(karel: TrustedContact) -> None:
    TrustedContact.objects.update(language="cs")
    User.objects.update(language="en")
    assert '<html lang="cs">' in browser_of(karel).get("/contact-consent/").content.decode()

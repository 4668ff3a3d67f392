"""Recipients and trusted contacts: entered, invited, ordered, changed, removed; doubts warn and never refuse."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stafeta.core.policy import CONTACTS_MAX
from stafeta.outbox.models import Message
from stafeta.switches.models import Event, TrustedContact
from stafeta.vault.models import ConsentState, Recipient
from tests import make
from tests.web.desk import Desk, words
from tests.world import World

KAREL = {"name": "Karel", "email": "Karel@Example.org", "phone": "601 000 003", "language": "cs"}


@pytest.fixture
def world(db: None, keys_file: object) -> World:
    return World()


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world, make.owner())


def test_both_lists_say_how_to_begin(desk: Desk) -> None:
    page = desk.text("people")
    assert "Nobody close to you yet" in page
    assert "No recipients yet" in page


@pytest.mark.parametrize("role", ["contact", "recipient"])
def test_entering_somebody_stores_the_phone_as_e164_and_invites(desk: Desk, role: str) -> None:
    page = words(desk.post(f"{role}-new", **KAREL, invite="yes"))
    assert "Karel was entered and invited." in page
    assert "+420 601 000 003" in page
    assert "invited, no answer yet" in page
    person = (TrustedContact if role == "contact" else Recipient).objects.get()
    assert (person.email, person.phone) == ("karel@example.org", "+420601000003")
    desk.world.deliver()
    assert len(desk.world.sent(to="karel@example.org")) == 1


def test_saving_only_bothers_nobody(desk: Desk) -> None:
    page = words(desk.post("recipient-new", **KAREL))
    assert "Do not forget to invite them" in page
    assert not Message.objects.filter(kind="vault.invite").exists()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("email", "karel(at)example.org", "Enter a valid email address"),
        ("email", "a" * 300 + "@example.org", "at most 254 characters"),
        ("phone", "volejte", "This is not a phone number"),
        ("phone", "+420 224 000 000", "This line takes no SMS"),
        ("phone", "123", "No phone can have this number"),
        ("name", "", "This field is required"),
        ("name", "x" * 200, "at most 120 characters"),
        ("language", "tlh", "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_refused_with_a_clear_word_and_nothing_lost(
    desk: Desk, field: str, value: str, sentence: str
) -> None:
    response = desk.post("contact-new", **{**KAREL, field: value})
    assert sentence in words(response)
    assert not TrustedContact.objects.exists()
    if field != "name":
        assert 'value="Karel"' in response.content.decode()


def test_one_address_is_entered_once_and_it_is_said_for_whom(desk: Desk) -> None:
    desk.post("recipient-new", **KAREL)
    page = words(desk.post("recipient-new", **{**KAREL, "name": "Karel podruhé", "email": "KAREL@example.org"}))
    assert "You have entered this e-mail already, for Karel." in page
    assert Recipient.objects.count() == 1


def test_a_shared_mailbox_is_doubted_and_taken(desk: Desk) -> None:
    page = words(desk.post("recipient-new", **{**KAREL, "email": "info@firma.cz"}))
    assert "Karel: info@firma.cz looks like a mailbox that several people read." in page
    assert Recipient.objects.count() == 1
    assert "looks like a mailbox" in desk.text("people")


def test_the_owners_own_address_and_a_shared_phone_are_doubted(desk: Desk) -> None:
    page = words(desk.post("contact-new", **{**KAREL, "email": "dana@example.org"}))
    assert "Karel: This is your own e-mail." in page
    page = words(desk.post("contact-new", **{**KAREL, "name": "Jana", "email": "jana@example.org"}))
    assert "Jana: Perhaps the same person as Karel: the phone is the same." in page
    page = words(desk.post("contact-new", **{**KAREL, "email": "k@example.org", "phone": "+420601000001"}))
    assert "This is your own phone." in page


def test_a_sixth_contact_is_refused_in_plain_words(desk: Desk) -> None:
    for number in range(CONTACTS_MAX):
        make.contact(desk.owner, f"k{number}@example.org", phone=f"+42060100010{number}")
    assert "Remove somebody first." in words(desk.post("contact-new", **KAREL))
    assert TrustedContact.objects.count() == CONTACTS_MAX
    assert 'href="/people/contacts/new/"' not in desk.get("people").content.decode()


def test_contacts_are_put_in_order_by_buttons(desk: Desk) -> None:
    make.contact(desk.owner)
    jana = make.contact(desk.owner, "jana@example.org", name="Jana", phone="+420601000004")
    desk.post("contact-move", jana.pk, way="up")
    assert [contact.name for contact in desk.switch.contacts.all()] == ["Jana", "Karel Novák"]
    desk.post("contact-move", jana.pk, way="down")
    assert [contact.name for contact in desk.switch.contacts.all()] == ["Karel Novák", "Jana"]


@pytest.mark.parametrize("role", ["contact", "recipient"])
def test_a_new_address_is_told_to_the_old_one_and_invited_at_the_new_one(desk: Desk, role: str) -> None:
    """Invariant 15."""
    ema = (make.recipient if role == "recipient" else make.contact)(desk.owner, "ema@example.org", name="Ema")
    page = words(
        desk.post(f"{role}-edit", ema.pk, **{**KAREL, "name": "Ema", "email": "ema@nova.cz", "phone": "601 000 008"})
    )
    assert "Ema has a new e-mail, so an invitation went there, and a notice to the old one." in page
    desk.world.deliver()
    (old,) = desk.world.sent(to="ema@example.org")
    assert "ema@nova.cz" not in old.text
    assert "Dana Nováková" in old.text
    assert len(desk.world.sent(to="ema@nova.cz")) == 1
    ema.refresh_from_db()
    assert (ema.consent, ema.phone_verified_at) == (ConsentState.INVITED, None)


def test_somebody_who_was_never_invited_is_not_told(desk: Desk) -> None:
    ema = make.recipient(desk.owner, consent=ConsentState.DRAFT)
    desk.post("recipient-edit", ema.pk, **{**KAREL, "email": "ema@nova.cz"})
    assert not Message.objects.exists()


def test_while_armed_every_change_is_told_to_the_owner(world: World) -> None:
    """Invariant 15: an intruder cannot change people in silence."""
    desk = Desk(world, make.armed_owner())
    world.forget()
    assert "Saving counts as a sign of life" in desk.text("contact-new")
    desk.post("contact-new", **{**KAREL, "email": "novy@example.org"})
    desk.post("contact-remove", TrustedContact.objects.get(email="karel@example.org").pk)
    world.deliver()
    first, second = world.sent(to="dana@example.org")
    assert "You entered Karel as somebody close to you." in first.text
    assert "You removed Karel Novák from the people close to you." in second.text


def test_removing_asks_first_and_says_what_follows(desk: Desk) -> None:
    karel = make.contact(desk.owner)
    page = desk.text("contact-remove", karel.pk)
    assert "Remove Karel Novák?" in page
    assert "nobody close to you is left" in page
    assert TrustedContact.objects.exists()
    assert "Karel Novák was removed." in words(desk.post("contact-remove", karel.pk))
    assert not TrustedContact.objects.exists()
    ema = make.recipient(desk.owner)
    desk.post("recipient-remove", ema.pk)
    assert not Recipient.objects.exists()
    assert list(Event.objects.values_list("kind", flat=True)) == ["ContactRemoved", "RecipientRemoved"]


def test_an_invitation_goes_again_but_not_in_a_flood(desk: Desk) -> None:
    ema = make.recipient(desk.owner, consent=ConsentState.DRAFT)
    assert "is on its way" in words(desk.post("recipient-invite", ema.pk))
    assert "was invited a moment ago" in words(desk.post("recipient-invite", ema.pk))
    desk.world.now += timedelta(hours=1)
    assert "The invitation of Ema Malá is on its way." in words(desk.post("recipient-invite", ema.pk))
    assert Message.objects.filter(kind="vault.invite").count() == 2


def test_who_declined_is_not_invited_again(desk: Desk) -> None:
    ema = make.recipient(desk.owner, consent=ConsentState.DECLINED)
    assert "Invite" not in desk.text("people").replace("invited", "")
    assert "declined and is not invited again" in words(desk.post("recipient-invite", ema.pk))
    assert not Message.objects.exists()


def test_changing_people_needs_a_fresh_sign_in(desk: Desk) -> None:
    """Invariant 15."""
    karel = make.contact(desk.owner)
    desk.world.now += timedelta(minutes=30)
    for name, args in (("contact-new", ()), ("contact-edit", (karel.pk,)), ("contact-remove", (karel.pk,))):
        assert "reauthenticate" in desk.post(name, *args, follow=False, **KAREL)["Location"]
    assert TrustedContact.objects.get().name == "Karel Novák"


def test_mallory_finds_nobody_of_danas(desk: Desk) -> None:
    karel, ema = make.contact(desk.owner), make.recipient(desk.owner)
    mallory = Desk(desk.world, make.owner("mallory@example.org", name="Mallory"))
    for role, person in (("contact", karel), ("recipient", ema)):
        for verb in ("edit", "remove", "invite"):
            assert mallory.post(f"{role}-{verb}", person.pk, **KAREL).status_code == 404
    assert mallory.post("contact-move", karel.pk, way="up").status_code == 404
    assert "Karel" not in mallory.text("people")
    assert Recipient.objects.count() == TrustedContact.objects.count() == 1

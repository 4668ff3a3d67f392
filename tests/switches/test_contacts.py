"""The people close to an owner: entered, ordered, changed, asked for their consent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError

from stafeta.accounts.models import CodeChallenge
from stafeta.accounts.services.codes import code_of
from stafeta.core.errors import PolicyError, WrongCode
from stafeta.core.policy import CONTACTS_MAX
from stafeta.outbox.models import Message
from stafeta.switches.models import Event, Switch, TrustedContact
from stafeta.switches.selectors import asked_contacts_count, switch_of
from stafeta.switches.services.contact_consent import agree, ask_phone_code, decline, prove_phone
from stafeta.switches.services.contacts import (
    add_contact,
    erase_contact,
    invite_contact,
    move_contact,
    remove_contact,
    update_contact,
)
from stafeta.vault.models import ConsentState
from tests import make
from tests.make import NOON
from tests.world import World

KAREL = {"name": "Karel", "email": "Karel@Example.org", "phone": "+420601000003", "language": "cs"}


@pytest.fixture
def switch(world: World) -> Switch:
    return switch_of(make.owner())


def _kinds(switch: Switch) -> list[str]:
    return list(Event.objects.filter(switch=switch).values_list("kind", flat=True))


def test_a_contact_is_asked_from_the_moment_they_are_entered(switch: Switch) -> None:
    """A close person who never answered the invitation can still confirm for the owner."""
    add_contact(switch=switch, **KAREL, now=NOON)
    assert asked_contacts_count(switch) == 1
    assert TrustedContact.objects.get().email == "karel@example.org"
    assert _kinds(switch) == ["ContactAdded"]


def test_the_sixth_contact_is_refused(switch: Switch) -> None:
    for number in range(CONTACTS_MAX):
        add_contact(switch=switch, **{**KAREL, "email": f"k{number}@example.org"}, now=NOON)
    with pytest.raises(PolicyError) as refusal:
        add_contact(switch=switch, **KAREL, now=NOON)
    assert refusal.value.most == CONTACTS_MAX
    assert switch.contacts.count() == CONTACTS_MAX


def test_one_address_is_entered_once(switch: Switch) -> None:
    add_contact(switch=switch, **KAREL, now=NOON)
    with pytest.raises(IntegrityError):
        add_contact(switch=switch, **KAREL, now=NOON)


def test_an_invitation_pressed_twice_goes_out_once(switch: Switch) -> None:
    contact = invite_contact(contact=add_contact(switch=switch, **KAREL, now=NOON), now=NOON)
    again = invite_contact(contact=contact, now=NOON + timedelta(minutes=5))
    assert again.consent == ConsentState.INVITED
    assert Message.objects.filter(kind="switches.invite_contact").count() == 1
    later = invite_contact(contact=contact, now=NOON + timedelta(hours=1))
    assert later.invitation == 2
    assert Message.objects.filter(kind="switches.invite_contact").count() == 2


def test_a_new_address_asks_for_a_new_consent_and_a_new_phone_for_a_new_proof(switch: Switch) -> None:
    contact = agree(contact=add_contact(switch=switch, **KAREL, now=NOON), now=NOON)
    TrustedContact.objects.update(phone_verified_at=NOON)
    same = update_contact(contact=contact, **{**KAREL, "name": "Karel Novák"}, now=NOON)
    assert (same.consent, same.phone_verified_at) == (ConsentState.GIVEN, NOON)
    moved = update_contact(contact=contact, **{**KAREL, "email": "novy@example.org"}, now=NOON)
    assert (moved.consent, moved.invitation) == (ConsentState.DRAFT, contact.invitation + 1)
    called = update_contact(contact=contact, **{**KAREL, "phone": "+420601000009"}, now=NOON)
    assert called.phone_verified_at is None


def test_a_contact_moves_up_and_down_and_stops_at_the_ends(switch: Switch) -> None:
    people = [
        add_contact(switch=switch, **{**KAREL, "name": name, "email": f"{name}@example.org"}, now=NOON)
        for name in "abc"
    ]
    move_contact(contact=people[2], places=-1, now=NOON)
    move_contact(contact=people[0], places=-1, now=NOON)
    assert [contact.name for contact in switch.contacts.all()] == ["a", "c", "b"]
    move_contact(contact=people[0], places=5, now=NOON)
    assert [contact.name for contact in switch.contacts.all()] == ["c", "b", "a"]
    assert _kinds(switch).count("ContactMoved") == 2


def test_a_removed_contact_leaves_a_name_only_in_the_owners_log(switch: Switch) -> None:
    contact = add_contact(switch=switch, **KAREL, now=NOON)
    remove_contact(contact=contact, now=NOON)
    assert not TrustedContact.objects.exists()
    assert Event.objects.get(kind="ContactRemoved").event["name"] == "Karel"


def test_an_erased_contact_leaves_no_name_at_all(switch: Switch) -> None:
    contact = add_contact(switch=switch, **KAREL, now=NOON)
    ask_phone_code(contact=contact, now=NOON, real_now=NOON)
    Message.objects.update(to=contact.phone)
    erase_contact(contact=contact, now=NOON)
    assert not TrustedContact.objects.exists()
    assert not CodeChallenge.objects.exists()
    assert Message.objects.get().to == ""
    assert "Karel" not in str(list(Event.objects.values_list("event", flat=True)))


def test_who_declined_is_not_asked_and_may_still_agree(switch: Switch) -> None:
    contact = decline(contact=add_contact(switch=switch, **KAREL, now=NOON), now=NOON)
    assert asked_contacts_count(switch) == 0
    decline(contact=contact, now=NOON)
    agree(contact=contact, now=NOON)
    assert asked_contacts_count(switch) == 1
    assert _kinds(switch) == ["ContactAdded", "ContactDeclined", "ContactAgreed"]


@pytest.mark.django_db(transaction=True)
def test_a_contact_proves_their_phone_by_the_code_and_by_nothing_else(keys_file: object) -> None:
    switch = switch_of(make.owner())
    contact = add_contact(switch=switch, **KAREL, now=NOON)
    ask_phone_code(contact=contact, now=NOON, real_now=NOON)
    code = code_of(CodeChallenge.objects.get())
    wrong = str(int(code[0]) ^ 1) + code[1:]
    with pytest.raises(WrongCode):
        prove_phone(contact=contact, digits=wrong, now=NOON, real_now=NOON)
    prove_phone(contact=contact, digits=code, now=NOON, real_now=NOON)
    assert TrustedContact.objects.get().phone_verified_at == NOON
    assert Message.objects.get().kind == "switches.contact_code"


def test_a_change_of_contacts_leaves_the_running_ladder_alone(world: World) -> None:
    """Invariant 15: never shortens a running cycle."""
    dana = make.armed_owner()
    before = world.switch(dana).policy
    add_contact(switch=world.switch(dana), **{**KAREL, "email": "nova@example.org"}, now=NOON)
    remove_contact(contact=TrustedContact.objects.get(email="karel@example.org"), now=NOON)
    assert world.switch(dana).policy == before

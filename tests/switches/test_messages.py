"""What the ladder's messages say, as the people who get them read them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from stafeta.accounts.models import User
from stafeta.accounts.signed_links import link_from
from stafeta.channels.base import EmailMessage, SmsMessage
from stafeta.core.errors import DeliveryRefused, Obsolete
from stafeta.core.links import Link, Purpose
from stafeta.core.states import Evidence
from stafeta.outbox.kinds import renderer_of
from stafeta.outbox.models import Message
from stafeta.switches.models import Switch, TrustedContact
from stafeta.switches.services.change_choices import change_choices
from stafeta.switches.services.checkin import record_checkin
from stafeta.switches.services.contact_says import ask_to_wait, give_go_ahead, vouch
from stafeta.switches.services.contacts import invite_contact
from tests import make
from tests.switches.jump import to_phase, to_rung
from tests.web.traces import database_as_text
from tests.world import World

TOKEN = re.compile(r"/l/([A-Za-z0-9_-]+)/")
SMS_RUNG, TRUSTED_RUNG, LAST_TRUSTED_RUNG = 3, 4, 5

pytestmark = pytest.mark.django_db


def texts(world: World, to: str) -> list[str]:
    return [
        message.text if isinstance(message, SmsMessage) else f"{message.subject}\n\n{message.text}"
        for message in world.sent(to)
    ]


def links(text: str) -> list[Link]:
    return [link_from(token) for token in TOKEN.findall(text)]


def karel(dana: User) -> TrustedContact:
    return Switch.objects.get(owner=dana).contacts.get()


def trusted_link(dana: User) -> Link:
    switch = Switch.objects.get(owner=dana)
    return Link(Purpose.TRUSTED, karel(dana).pk, switch.pk, switch.cycle)


def in_english(dana: User) -> None:
    User.objects.filter(pk=dana.pk).update(language="en")
    TrustedContact.objects.update(language="en")


def english_dana(**changes: object) -> User:
    dana = make.armed_owner()
    in_english(dana)
    if changes:
        choices = replace(Switch.objects.get(owner=dana).owner_choices, **changes)  # type: ignore[arg-type]
        change_choices(owner=dana, choices=choices, now=make.NOON)
    return dana


class TestOwner:
    def test_first_question_is_short_and_calm_and_says_what_follows(self, world: World) -> None:
        dana = english_dana()
        to_rung(world, dana, 0)
        [mail] = world.email.sent
        assert isinstance(mail, EmailMessage)
        assert mail.subject == "Are you all right? One tap is enough"
        assert "Opening the link changes nothing" in mail.text
        assert "If no confirmation comes, we write again on Monday 16 March at 9:00." in mail.text
        assert "handovers" not in mail.text
        assert mail.language == "en"

    def test_every_mail_has_the_owners_link_of_this_cycle_in_text_and_html(self, world: World) -> None:
        dana = english_dana()
        to_rung(world, dana, SMS_RUNG)
        switch = Switch.objects.get(owner=dana)
        expected = Link(Purpose.CHECKIN, dana.pk, switch.pk, switch.cycle)
        mails = [message for message in world.email.sent if isinstance(message, EmailMessage)]
        assert len(mails) == 4
        for mail in mails:
            assert links(mail.text) == [expected]
            assert set(links(mail.html)) == {expected}

    def test_mails_of_one_cycle_are_one_conversation_with_ids_of_their_own(self, world: World) -> None:
        dana = english_dana()
        to_rung(world, dana, 2)
        mails = [message for message in world.email.sent if isinstance(message, EmailMessage)]
        assert len({mail.message_id for mail in mails}) == 3
        assert len({mail.headers["References"] for mail in mails}) == 1

    def test_repeated_questions_say_which_they_are_and_when_the_handovers_open(self, world: World) -> None:
        dana = english_dana()
        to_rung(world, dana, 1)
        mail = world.email.sent[-1]
        assert isinstance(mail, EmailMessage)
        assert mail.subject == "Are you all right? Please confirm (request 2/3)"
        assert "If nobody answers, the handovers open on Monday 23 March at 9:00." in mail.text
        assert "The dates hold if nothing is interrupted." in mail.text

    def test_last_mail_before_the_sms_says_that_an_sms_follows(self, world: World) -> None:
        dana = english_dana()
        to_rung(world, dana, 2)
        assert "we also send an SMS to your phone on Wednesday 18 March at 9:00" in texts(world, dana.email)[-1]

    def test_sms_asks_says_by_when_and_what_follows(self, world: World) -> None:
        dana = english_dana()
        to_rung(world, dana, SMS_RUNG)
        [sms] = world.sms.sent
        assert sms.to == dana.phone
        assert "Confirm by 19 Mar 9:00, or we ask those close to you:" in sms.text

    def test_cooling_off_says_loudly_and_exactly_when_the_handovers_open(self, world: World) -> None:
        dana = english_dana(cooling_off_days=2)
        to_rung(world, dana, LAST_TRUSTED_RUNG + 1)
        mail, sms = texts(world, dana.email)[-1], texts(world, dana.phone)[-1]
        assert mail.startswith("Last call: the handovers open on Wednesday 25 March at 9:00\n")
        assert "The handovers open on Wednesday 25 March at 9:00." in mail
        assert "LAST CALL: the handovers open 25 Mar 9:00." in sms

    def test_last_call_says_twenty_four_hours_and_who_caused_it(self, world: World) -> None:
        dana = english_dana(may_go_ahead=True)
        to_rung(world, dana, TRUSTED_RUNG)
        give_go_ahead(link=trusted_link(dana), now=world.now)
        world.tick()
        mail, sms = texts(world, dana.email)[-1], texts(world, dana.phone)[-1]
        assert mail.startswith("Last call: the handovers open in 24 hours\n")
        assert "The answer came from: Karel Novák." in mail
        assert "the handovers open in 24 hours" in sms

    def test_sms_instead_of_a_refused_mail_says_that_mail_fails(self, world: World) -> None:
        dana = english_dana()
        world.email.fail = lambda to: DeliveryRefused("no such mailbox", permanent=True) if to == dana.email else None
        to_rung(world, dana, 0)
        world.tick()
        assert "e-mail does not reach you" in texts(world, dana.phone)[0]

    def test_owner_is_told_who_was_asked_vouched_waited(self, world: World) -> None:
        dana = english_dana()
        to_rung(world, dana, TRUSTED_RUNG)
        assert "- Karel Novák" in texts(world, dana.email)[-1]
        ask_to_wait(link=trusted_link(dana), days=5, now=world.now)
        world.tick()
        assert texts(world, dana.email)[-1].startswith("Karel Novák has asked us to wait\n")
        vouch(link=trusted_link(dana), now=world.now)
        world.tick()
        told = texts(world, dana.email)[-1]
        assert told.startswith("Karel Novák says that you are all right\n")
        assert "We will ask you again on" in told

    def test_owner_learns_of_the_release_and_of_the_return(self, world: World) -> None:
        dana = english_dana()
        to_phase(world, dana, "Released")
        world.tick()
        released = texts(world, dana.email)[-1]
        assert released.startswith("The handovers have opened to your recipients\n")
        assert "I'm back:" in released
        record_checkin(owner=dana, evidence=Evidence.LINK, now=world.now)
        world.tick()
        assert texts(world, dana.email)[-1].startswith("You are back: the handovers have closed\n")


class TestContact:
    def test_contact_reads_who_asks_why_under_what_name_and_the_choices(self, world: World) -> None:
        dana = english_dana()
        to_rung(world, dana, TRUSTED_RUNG)
        [mail] = texts(world, "karel@example.org")
        assert mail.startswith("Is Dana Nováková all right? Please help us find out\n")
        assert "under the name Karel Novák" in mail
        assert "- All is well" in mail
        assert "- Wait: they are in hospital or out of reach for a while. You choose how long, 30 days at most." in mail
        assert "Go ahead" not in mail
        assert "If nobody answers, we ask you again on Saturday 21 March at 9:00." in mail
        assert "opens to its recipients on Monday 23 March at 9:00." in mail
        assert links(mail) == [trusted_link(dana)]

    def test_go_ahead_is_offered_only_where_the_owner_allowed_it(self, world: World) -> None:
        dana = english_dana(may_go_ahead=True)
        to_rung(world, dana, TRUSTED_RUNG)
        assert "- Go ahead: something has happened." in texts(world, "karel@example.org")[0]

    def test_contact_learns_that_the_owners_own_mail_failed(self, world: World) -> None:
        dana = english_dana()
        world.email.fail = lambda to: DeliveryRefused("no such mailbox", permanent=True) if to == dana.email else None
        to_rung(world, dana, TRUSTED_RUNG)
        world.tick()
        assert "Our e-mails to Dana Nováková could not be delivered" in texts(world, "karel@example.org")[0]

    def test_contact_sms_names_the_owner_and_carries_the_contacts_link(self, world: World) -> None:
        dana = english_dana()
        to_rung(world, dana, TRUSTED_RUNG)
        [sms] = texts(world, "+420601000003")
        assert sms.startswith("Stafeta: Dana Novakova does not answer.")
        assert links(sms) == [trusted_link(dana)]

    def test_contact_is_told_every_turn_without_cheer_or_promotion(self, world: World) -> None:
        dana = english_dana(may_go_ahead=True)
        to_rung(world, dana, TRUSTED_RUNG)
        ask_to_wait(link=trusted_link(dana), days=5, now=world.now)
        world.tick()
        assert "We have noted your answer about Dana Nováková." in texts(world, "karel@example.org")[-1]
        give_go_ahead(link=trusted_link(dana), now=world.now)
        to_rung(world, dana, -1)
        assert "Dana Nováková: the last call is under way" in texts(world, "karel@example.org")[-1]
        to_phase(world, dana, "Released")
        world.tick()
        assert "We do not know what has happened." in texts(world, "karel@example.org")[-1]
        record_checkin(owner=dana, evidence=Evidence.LINK, now=world.now)
        world.tick()
        assert "is all right: it was a false alarm" in texts(world, "karel@example.org")[-1]

    def test_all_well_tells_whose_word_it_is(self, world: World) -> None:
        dana = english_dana()
        to_rung(world, dana, TRUSTED_RUNG)
        vouch(link=trusted_link(dana), now=world.now)
        world.tick()
        assert "We have noted your answer." in texts(world, "karel@example.org")[-1]
        to_rung(world, dana, TRUSTED_RUNG)
        record_checkin(owner=dana, evidence=Evidence.BUTTON, now=world.now)
        world.tick()
        assert "Dana Nováková has confirmed it." in texts(world, "karel@example.org")[-1]

    def test_invitation_says_who_why_what_is_kept_and_how_to_decline(self, world: World) -> None:
        dana = make.owner()
        make.contact(dana)
        in_english(dana)
        invite_contact(contact=karel(dana), now=world.now)
        world.deliver()
        [mail] = texts(world, "karel@example.org")
        assert mail.startswith("Dana Nováková would like you as a trusted contact\n")
        for words in ("your name: Karel Novák", "agree, decline, or have everything erased", "will not see the hand"):
            assert words in mail
        contact = karel(dana)
        assert links(mail) == [Link(Purpose.CONTACT_CONSENT, contact.pk, contact.switch_id, contact.invitation)]


class TestObsolete:
    """Invariant 13: what a finished cycle still has in the queue is not sent."""

    def queued(self, world: World, dana: User, *, kind: str, rung: int) -> Message:
        to_rung(world, dana, rung)
        return Message.objects.filter(kind=kind).order_by("-pk")[0]

    def test_question_of_a_finished_cycle_is_not_asked(self, world: World) -> None:
        dana = make.armed_owner()
        message = self.queued(world, dana, kind="switches.ask_owner", rung=0)
        record_checkin(owner=dana, evidence=Evidence.LINK, now=world.now)
        with pytest.raises(Obsolete):
            renderer_of(message.kind)(message)

    def test_question_that_a_later_one_repeats_is_not_asked(self, world: World) -> None:
        dana = make.armed_owner()
        message = self.queued(world, dana, kind="switches.ask_owner", rung=0)
        to_rung(world, dana, 1)
        with pytest.raises(Obsolete):
            renderer_of(message.kind)(message)

    def test_contact_who_is_gone_or_declined_is_not_asked(self, world: World) -> None:
        dana = make.armed_owner()
        message = self.queued(world, dana, kind="switches.ask_contact", rung=TRUSTED_RUNG)
        TrustedContact.objects.update(consent="declined")
        with pytest.raises(Obsolete):
            renderer_of(message.kind)(message)
        TrustedContact.objects.all().delete()
        with pytest.raises(Obsolete):
            renderer_of(message.kind)(message)

    def test_release_is_not_told_to_an_owner_who_is_back(self, world: World) -> None:
        dana = make.armed_owner()
        to_phase(world, dana, "Released")
        message = Message.objects.get(kind="switches.tell_owner", params__told="released")
        record_checkin(owner=dana, evidence=Evidence.LINK, now=world.now)
        with pytest.raises(Obsolete):
            renderer_of(message.kind)(message)

    def test_older_invitation_is_not_sent(self, world: World) -> None:
        dana = make.owner()
        make.contact(dana)
        invite_contact(contact=karel(dana), now=world.now)
        message = Message.objects.get(kind="switches.invite_contact")
        TrustedContact.objects.update(invitation=7)
        with pytest.raises(Obsolete):
            renderer_of(message.kind)(message)

    def test_missing_phone_is_a_refusal_so_that_the_other_channel_is_tried(self, world: World) -> None:
        dana = make.armed_owner()
        to_rung(world, dana, SMS_RUNG)
        message = Message.objects.get(kind="switches.ask_owner", channel="sms")
        User.objects.update(phone="")
        with pytest.raises(DeliveryRefused):
            renderer_of(message.kind)(message)


def test_no_link_of_any_message_lies_in_the_database(world: World) -> None:
    """Invariant 17: tokens are computed when a message is rendered and stored nowhere."""
    dana = make.armed_owner()
    to_phase(world, dana, "Released")
    world.tick()
    tokens = {token for message in world.sent() for token in TOKEN.findall(message.text)}
    assert len(tokens) >= 3
    stored = database_as_text()
    assert not [token for token in tokens if token in stored]

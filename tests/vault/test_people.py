"""Recipients: invited, asked, verified; they may decline or be erased at any time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError

from stafeta.accounts.models import CodeChallenge
from stafeta.accounts.services.codes import code_of
from stafeta.core.errors import BadLink, CodeExpired, WrongCode
from stafeta.core.links import Link, Purpose
from stafeta.outbox.models import Message
from stafeta.vault.models import Consent, ConsentState, Recipient
from stafeta.vault.selectors import recipient_behind
from stafeta.vault.services.consent import (
    ask_phone_code,
    decline,
    erase_recipient,
    give_consent,
    prove_phone,
)
from stafeta.vault.services.invite_recipient import INVITE_AGAIN_AFTER, invite_recipient
from stafeta.vault.services.recipients import add_recipient, update_recipient
from tests import make
from tests.vault.conftest import Story, queued, rendered


@pytest.fixture
def petr(story: Story) -> Recipient:
    """Somebody whom Dana has just entered."""
    return make.recipient(
        story.dana, "petr@example.org", name="Petr", phone="+420601000009", consent=ConsentState.DRAFT
    )


def link_to(recipient: Recipient) -> Link:
    return Link(Purpose.RECIPIENT_CONSENT, recipient.pk, recipient.owner_id, recipient.invitation)


def changed(recipient: Recipient, **facts: str) -> Recipient:
    kept = {name: getattr(recipient, name) for name in ("name", "email", "phone", "language")}
    return update_recipient(recipient=recipient, now=make.NOON, **(kept | facts))


def test_the_invitation_says_who_what_and_how_to_be_erased(petr: Recipient) -> None:
    invited = invite_recipient(recipient=petr, now=make.NOON)
    assert invited.consent == ConsentState.INVITED
    (message,) = queued("vault.invite")
    mail = rendered(message)
    assert mail is not None
    assert (mail.to, mail.language) == ("petr@example.org", "cs")
    assert "Dana Nováková" in mail.subject
    for part in (mail.text, mail.html):
        assert "Dana Nováková" in part
        assert "Petr" in part
        assert "/l/" in part


def test_an_invitation_carries_nothing_of_a_handover(story: Story, petr: Recipient) -> None:
    invite_recipient(recipient=petr, now=make.NOON)
    mail = rendered(queued("vault.invite")[0])
    assert mail is not None
    assert story.handover.title not in mail.text + mail.html
    assert make.SECRET_TEXT not in mail.text + mail.html


def test_a_new_invitation_ends_the_links_of_the_old_one(petr: Recipient) -> None:
    first = invite_recipient(recipient=petr, now=make.NOON)
    again = invite_recipient(recipient=petr, now=make.NOON + timedelta(seconds=5))
    assert again.invitation == first.invitation
    second = invite_recipient(recipient=petr, now=make.NOON + INVITE_AGAIN_AFTER)
    assert rendered(queued("vault.invite")[0]) is None
    assert recipient_behind(link_to(second)) == petr
    with pytest.raises(BadLink):
        recipient_behind(link_to(first))


@pytest.mark.parametrize("change", [{"person": 999_999}, {"switch": 999_999}, {"cycle": 0}, {"cycle": 2}])
def test_a_link_of_somebody_else_opens_nothing(petr: Recipient, change: dict[str, int]) -> None:
    link = link_to(invite_recipient(recipient=petr, now=make.NOON))
    facts = {"person": link.person, "switch": link.switch, "cycle": link.cycle} | change
    with pytest.raises(BadLink):
        recipient_behind(Link(Purpose.RECIPIENT_CONSENT, **facts))


def test_whoever_was_never_invited_has_no_link(petr: Recipient) -> None:
    with pytest.raises(BadLink):
        recipient_behind(link_to(petr))


def test_every_answer_is_kept_and_the_last_one_counts(petr: Recipient) -> None:
    invite_recipient(recipient=petr, now=make.NOON)
    for answer in (give_consent, give_consent, decline, give_consent):
        answer(recipient=petr, now=make.NOON)
    petr.refresh_from_db()
    assert petr.consent == ConsentState.GIVEN
    kinds = list(Consent.objects.filter(recipient=petr).order_by("pk").values_list("kind", flat=True))
    assert kinds == ["asked", "given", "declined", "given"]


def test_the_code_proves_the_phone_once(petr: Recipient) -> None:
    ask_phone_code(recipient=petr, now=make.NOON, real_now=make.NOON)
    challenge = CodeChallenge.objects.get()
    with pytest.raises(WrongCode):
        prove_phone(recipient=petr, digits="00000000", now=make.NOON, real_now=make.NOON)
    prove_phone(recipient=petr, digits=code_of(challenge), now=make.NOON, real_now=make.NOON)
    petr.refresh_from_db()
    assert petr.phone_verified_at == make.NOON
    with pytest.raises(CodeExpired):
        prove_phone(recipient=petr, digits=code_of(challenge), now=make.NOON, real_now=make.NOON)


def test_a_code_for_an_old_phone_proves_nothing(petr: Recipient) -> None:
    ask_phone_code(recipient=petr, now=make.NOON, real_now=make.NOON)
    digits = code_of(CodeChallenge.objects.get())
    moved = changed(petr, phone="+420601000010")
    with pytest.raises(CodeExpired):
        prove_phone(recipient=moved, digits=digits, now=make.NOON, real_now=make.NOON)


def test_a_new_e_mail_asks_anew_and_a_new_phone_is_unverified(petr: Recipient) -> None:
    invited = invite_recipient(recipient=petr, now=make.NOON)
    give_consent(recipient=petr, now=make.NOON)
    moved = changed(invited, email="New@Example.org", phone="+420601000011")
    assert (moved.email, moved.consent, moved.phone_verified_at) == ("new@example.org", ConsentState.DRAFT, None)
    assert queued("vault.invite")[0].state == Message.State.CANCELLED
    with pytest.raises(BadLink):
        recipient_behind(link_to(invited))


def test_nobody_is_entered_twice(story: Story) -> None:
    with pytest.raises(IntegrityError):
        add_recipient(
            owner=story.dana, name="E", email="EMA@example.org", phone="+420601000012", language="cs", now=make.NOON
        )


def test_erasing_leaves_nothing_of_the_person(petr: Recipient) -> None:
    invite_recipient(recipient=petr, now=make.NOON)
    ask_phone_code(recipient=petr, now=make.NOON, real_now=make.NOON)
    Message.objects.update(to="petr@example.org")
    erase_recipient(recipient=petr, now=make.NOON)
    assert not Recipient.objects.filter(name="Petr").exists()
    assert not CodeChallenge.objects.exists()
    assert not Message.objects.exclude(to="").exists()
    assert {message.state for message in Message.objects.all()} == {Message.State.CANCELLED}

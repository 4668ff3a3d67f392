"""A recipient's consent page, by the link of the invitation and without an account."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from stafeta.accounts.models import CodeChallenge
from stafeta.accounts.services.codes import code_of
from stafeta.accounts.signed_links import url_for
from stafeta.core.links import Link, Purpose
from stafeta.outbox.models import Message
from stafeta.vault.models import Consent, ConsentState, Recipient
from stafeta.vault.services.invite_recipient import INVITE_AGAIN_AFTER, invite_recipient
from stafeta.vault.services.recipients import remove_recipient
from tests import make


@pytest.fixture
def ema(db: None, keys_file: Path) -> Recipient:
    dana = make.owner()
    ema = make.recipient(dana, consent=ConsentState.DRAFT)
    return invite_recipient(recipient=ema, now=make.NOON)


def follow(client: Client, recipient: Recipient) -> None:
    link = Link(Purpose.RECIPIENT_CONSENT, recipient.pk, recipient.owner_id, recipient.invitation)
    client.get(url_for(link).removeprefix("http://localhost:8000"))


@pytest.fixture
def browser(client: Client, ema: Recipient) -> Client:
    client.cookies["django_language"] = "en"
    follow(client, ema)
    return client


def test_the_page_says_who_why_what_and_how_to_leave(browser: Client, ema: Recipient) -> None:
    page = browser.get(reverse("consent")).content.decode()
    for said in (
        "Dana Nováková",
        "ema@example.org",
        "+420\u00a0•••\u00a0•••\u00a0002",
        "legitimate interest",
        "Erase everything",
    ):
        assert said in page


def test_opening_the_link_answers_nothing(browser: Client, ema: Recipient) -> None:
    browser.get(reverse("consent"))
    browser.head(reverse("consent"))
    browser.get(reverse("consent-erase"))
    ema.refresh_from_db()
    assert ema.consent == ConsentState.INVITED
    assert Consent.objects.count() == 1  # that they were asked


def test_agreeing_leads_to_the_phone_and_the_code_verifies_it(browser: Client, ema: Recipient) -> None:
    response = browser.post(reverse("consent"), {"answer": "agree"})
    assert response["Location"] == reverse("consent-phone")
    browser.post(reverse("consent-phone"), {"send": "1"})
    wrong = browser.post(reverse("consent-phone"), {"code": "00000000"})
    assert "This is not the code" in wrong.content.decode()
    digits = code_of(CodeChallenge.objects.get())
    assert browser.post(reverse("consent-phone"), {"code": f"{digits[:4]} {digits[4:]}"}).status_code == 302
    ema.refresh_from_db()
    assert ema.consent == ConsentState.GIVEN
    assert ema.phone_verified_at is not None
    assert "nothing more is needed" in browser.get(reverse("consent")).content.decode()


def test_the_code_is_on_no_page_and_in_no_row(browser: Client, ema: Recipient) -> None:
    browser.post(reverse("consent"), {"answer": "agree"})
    page = browser.post(reverse("consent-phone"), {"send": "1"}, follow=True).content.decode()
    digits = code_of(CodeChallenge.objects.get())
    assert digits not in page
    assert digits not in str(list(Message.objects.values()))


def test_pressing_send_again_and_again_queues_one_code(browser: Client, ema: Recipient) -> None:
    browser.post(reverse("consent"), {"answer": "agree"})
    for _ in range(5):
        browser.post(reverse("consent-phone"), {"send": "1"})
    assert Message.objects.filter(kind="vault.code").count() == 1


def test_declining_is_possible_later_by_the_same_link(browser: Client, ema: Recipient) -> None:
    browser.post(reverse("consent"), {"answer": "agree"})
    browser.post(reverse("consent"), {"answer": "decline"})
    browser.post(reverse("consent"), {"answer": "decline"})
    ema.refresh_from_db()
    assert ema.consent == ConsentState.DECLINED
    assert "You have declined" in browser.get(reverse("consent")).content.decode()


def test_an_answer_we_do_not_know_changes_nothing(browser: Client, ema: Recipient) -> None:
    browser.post(reverse("consent"), {"answer": "maybe"})
    ema.refresh_from_db()
    assert ema.consent == ConsentState.INVITED


def test_erasing_asks_once_more_and_then_leaves_nothing(browser: Client, ema: Recipient) -> None:
    assert browser.get(reverse("consent-erase")).status_code == 200
    assert Recipient.objects.exists()
    response = browser.post(reverse("consent-erase"), follow=True)
    assert "Everything is erased" in response.content.decode()
    assert not Recipient.objects.exists()
    assert browser.get(reverse("consent")).status_code == 404


def test_no_phone_page_before_agreeing(browser: Client, ema: Recipient) -> None:
    browser.post(reverse("consent-phone"), {"send": "1"})
    assert not CodeChallenge.objects.exists()


def test_an_old_invitation_gets_a_kind_page_that_reveals_nothing(browser: Client, ema: Recipient) -> None:
    invite_recipient(recipient=ema, now=make.NOON + INVITE_AGAIN_AFTER)
    response = browser.get(reverse("consent"))
    assert response.status_code == 404
    assert "Dana" not in response.content.decode()
    assert browser.post(reverse("consent"), {"answer": "agree"}).status_code == 404


def test_a_removed_recipient_gets_the_same_page(browser: Client, ema: Recipient) -> None:
    remove_recipient(recipient=ema, now=make.NOON)
    response = browser.get(reverse("consent"))
    assert response.status_code == 404
    assert "Dana" not in response.content.decode()


def test_without_the_link_there_is_no_page(client: Client, ema: Recipient) -> None:
    for name in ("consent", "consent-phone", "consent-erase"):
        assert client.get(reverse(name)).status_code == 404
        assert client.post(reverse(name), {"answer": "agree"}).status_code == 404


def test_the_page_speaks_the_recipients_language(client: Client, ema: Recipient) -> None:
    Recipient.objects.update(language="en")
    follow(client, ema)
    assert 'lang="en"' in client.get(reverse("consent")).content.decode()

"""From the first visit to an account with a proved e-mail (issue: accounts; invariants 5, 17)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from stafeta.accounts.models import User
from stafeta.core.errors import Obsolete
from stafeta.outbox.kinds import renderer_of
from stafeta.switches.models import Switch
from tests import make
from tests.signin import sign_in
from tests.web.letters import link_in, messages, newest
from tests.web.traces import database_as_text

pytestmark = pytest.mark.django_db

SIGNUP = "accounts.email_confirmation_signup"
DANA = {
    "name": "Dana Nováková",
    "email": "Dana@Example.org",
    "password1": make.PASSWORD,
    "phone": "601 000 001",
    "language": "cs",
}


def sign_up(client: Client, **changes: str) -> None:
    response = client.post(reverse("account_signup"), {**DANA, **changes})
    assert response.status_code == 302, response.content.decode()
    assert response["Location"] == reverse("account_email_verification_sent")


def prove(client: Client) -> None:
    client.get(link_in(newest(SIGNUP)))
    response = client.post(reverse("account-prove-email"))
    assert response.status_code == 302, response.content.decode()


def test_first_visitor_is_led_to_make_the_account(client: Client) -> None:
    """Nobody has an account: every way leads to the sign-up; afterwards to the sign-in."""
    login = reverse("account_login")
    assert client.get(login)["Location"] == reverse("account_signup")
    make.owner()
    assert client.get(login).status_code == 200


def test_signup_makes_an_account_that_waits_for_its_proof(client: Client) -> None:
    """What was typed is kept; nobody is signed in and no switch exists before the e-mail is proved."""
    sign_up(client)
    user = User.objects.get()
    assert (user.email, user.name, user.phone) == ("dana@example.org", "Dana Nováková", "+420601000001")
    assert (user.language, user.zone) == ("cs", "Europe/Prague")
    assert not user.has_verified_phone
    assert "_auth_user_id" not in client.session
    assert not Switch.objects.exists()


def test_proof_of_the_email_needs_a_press(client: Client) -> None:
    """GET, HEAD and OPTIONS prove nothing; the button does, and signs this browser in (invariant 5)."""
    sign_up(client)
    link = link_in(newest(SIGNUP))
    scanner = Client()
    for method in (scanner.head, scanner.options, scanner.get):
        method(link)
        method(reverse("account-prove-email"))
    assert not EmailAddress.objects.get().verified
    response = client.get(link)
    assert response["Location"] == reverse("account-prove-email")
    assert "no-store" in response["Cache-Control"]
    assert client.get(response["Location"]).status_code == 200
    assert not EmailAddress.objects.get().verified
    assert client.post(reverse("account-prove-email"))["Location"] == reverse("account-phone")
    assert EmailAddress.objects.get().verified
    assert client.session["_auth_user_id"] == str(User.objects.get().pk)


def test_link_opened_elsewhere_proves_but_does_not_sign_in(client: Client) -> None:
    """Whoever reads the mailbox alone gets into nothing."""
    sign_up(client)
    elsewhere = Client()
    elsewhere.get(link_in(newest(SIGNUP)))
    response = elsewhere.post(reverse("account-prove-email"))
    assert response["Location"] == reverse("account_login")
    assert EmailAddress.objects.get().verified
    assert "_auth_user_id" not in elsewhere.session
    sign_in(client, User.objects.get())


def test_a_new_owner_is_not_asked_at_once_for_the_password_they_have_just_chosen(client: Client) -> None:
    sign_up(client)
    prove(client)
    assert client.get(reverse("contact-new")).status_code == 200


def test_link_works_once_and_is_kind_afterwards(client: Client) -> None:
    """Used, damaged, foreign: one plain page; and a second mail is not sent in vain."""
    sign_up(client)
    link = link_in(newest(SIGNUP))
    prove(client)
    for url in (link, link[:-3] + "x/", reverse("account_confirm_email", args=["1:forged:key"])):
        response = client.get(url)
        assert response.status_code == 404
        assert "panel" in response.content.decode()
    message = messages(SIGNUP)[-1]
    with pytest.raises(Obsolete):
        renderer_of(message.kind)(message)


def test_prove_page_without_a_link_does_nothing(client: Client) -> None:
    """Pressing without having opened a link."""
    sign_up(client)
    assert Client().post(reverse("account-prove-email")).status_code == 404
    assert not EmailAddress.objects.get().verified


def test_no_token_is_ever_in_the_database(client: Client) -> None:
    """Neither when the mail waits, nor while the link is being used, nor later (invariant 17)."""
    sign_up(client)
    link = link_in(newest(SIGNUP))
    token = link.rstrip("/").rsplit("/", 1)[1]
    signature = token.rsplit(":", 1)[1]
    for step in (lambda: client.get(link), lambda: client.post(reverse("account-prove-email"))):
        assert signature not in database_as_text()
        assert token not in str(dict(client.session.items()))
        step()
    assert signature not in database_as_text()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("email", "not an address"),
        ("email", f"{'a' * 250}@x.cz"),
        ("password1", "123"),
        ("password1", "dana@example.org"),
        ("phone", "12"),
        ("phone", "224 123 456"),
        ("language", "xx"),
    ],
)
def test_bad_input_is_said_and_nothing_is_lost(client: Client, field: str, value: str) -> None:
    """The form comes back with what was typed and a message at the field."""
    response = client.post(reverse("account_signup"), {**DANA, field: value})
    assert response.status_code == 200
    assert response.context["form"].errors[field]
    page = response.content.decode()
    assert "Dana Nováková" in page or field == "name"
    if field == "phone":
        assert f'value="{value}"' in page
    assert not User.objects.exists()


def test_only_the_first_visitor_makes_an_account(client: Client) -> None:
    """STAFETA_SIGNUP=first: afterwards the page is closed, for GET and for POST."""
    make.owner()
    for response in (client.get(reverse("account_signup")), client.post(reverse("account_signup"), DANA)):
        assert "account/signup_closed.html" in [template.name for template in response.templates]
    assert User.objects.count() == 1


def test_first_visitor_may_correct_a_typo(client: Client) -> None:
    """An account whose e-mail was never proved makes way, whatever address it had."""
    sign_up(client, email="dnaa@example.org")
    sign_up(Client())
    sign_up(Client())
    assert User.objects.get().email == "dana@example.org"
    prove(client)
    assert User.objects.get().emailaddress_set.get().verified


def test_somebody_else_was_faster(client: Client) -> None:
    """Two first visitors at once: who proves their e-mail first is the owner, the other is told."""
    sign_up(client)
    client.get(link_in(newest(SIGNUP)))
    make.owner("ema@example.org")
    response = client.post(reverse("account-prove-email"))
    assert response.status_code == 403
    assert not EmailAddress.objects.get(email="dana@example.org").verified


@pytest.mark.parametrize(("mode", "is_open"), [("open", True), ("closed", False)])
def test_signup_modes(client: Client, settings: Settings, mode: str, is_open: bool) -> None:
    """STAFETA_SIGNUP=open takes everybody, closed nobody, not even the first."""
    settings.SIGNUP = mode
    client.post(reverse("account_signup"), DANA)
    assert User.objects.exists() is is_open


def test_signing_up_twice_reveals_nothing(client: Client, settings: Settings) -> None:
    """The answer for a taken address is the answer for a free one; only the mailbox's owner learns it."""
    settings.SIGNUP = "open"
    dana = make.owner()
    sign_up(client)
    assert User.objects.count() == 1
    assert not messages(SIGNUP)
    letter = newest("accounts.account_already_exists")
    assert letter.to == dana.email
    assert make.PASSWORD not in database_as_text()


def test_signing_in_with_an_unproved_email_sends_the_link_again(client: Client, settings: Settings) -> None:
    """A lost mail is no dead end."""
    settings.ACCOUNT_RATE_LIMITS = {"confirm_email": None}
    sign_up(client)
    user = User.objects.get()
    other = Client()
    response = other.post(reverse("account_login"), {"login": user.email, "password": make.PASSWORD})
    assert response["Location"] == reverse("account_email_verification_sent")
    assert "_auth_user_id" not in other.session
    assert len(messages("accounts.email_confirmation")) + len(messages(SIGNUP)) == 2


def test_language_of_the_visitor_becomes_the_accounts(client: Client) -> None:
    """Who reads the form in English is offered English."""
    client.cookies["django_language"] = "en"
    assert client.get(reverse("account_signup")).context["form"].fields["language"].initial == "en"
    sign_up(client, language="en")
    assert newest(SIGNUP).language == "en"
    assert "Verify your e-mail" in newest(SIGNUP).subject


def test_signup_records_when_it_was(client: Client) -> None:
    """A new account begins now and nothing of it is armed."""
    sign_up(client)
    prove(client)
    assert (datetime.now(UTC) - User.objects.get().created_at).total_seconds() < 60
    assert Switch.objects.get().phase == "Resting"

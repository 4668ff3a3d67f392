"""Every mail that django-allauth can send goes through the outbox, as ids, and is rendered here (invariants 11, 17)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import allauth
import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from stafeta import clock
from stafeta.accounts.models import User
from stafeta.channels.text import SMS_CHARS_MAX, gsm7_length
from stafeta.core.errors import Obsolete
from stafeta.outbox.kinds import kinds, renderer_of
from stafeta.outbox.models import Message
from stafeta.web.messages import NOTICES
from tests import make
from tests.signin import sign_in
from tests.web.letters import link_in, messages, newest
from tests.web.traces import database_as_text

pytestmark = pytest.mark.django_db

# Mails of ways to sign in that are switched off (allauth_settings.py), and bases of others.
CANNOT_OCCUR = {"login_code", "password_reset_code", "base"}
NEW_PASSWORD = "uplne-jine-heslo-77"


def names_of_allauth() -> set[str]:
    folder = Path(allauth.__file__).parent / "templates"
    found = [*folder.glob("account/email/*_message.txt"), *folder.glob("mfa/email/*_message.txt")]
    return {path.name.removesuffix("_message.txt") for path in found}


def test_every_mail_of_allauth_has_our_renderer() -> None:
    """A newer allauth with a new mail fails here rather than in front of somebody."""
    assert {f"accounts.{name}" for name in names_of_allauth() - CANNOT_OCCUR} <= set(kinds())
    assert len(names_of_allauth()) > 10


@pytest.mark.parametrize("language", ["cs", "en"])
@pytest.mark.parametrize("name", [*sorted(names_of_allauth() - CANNOT_OCCUR), "phone_changed"])
def test_every_mail_says_something(name: str, language: str) -> None:
    """Subject, text and HTML, in the person's language, with a way back to us."""
    dana = make.owner()
    User.objects.filter(pk=dana.pk).update(language=language)
    waiting = EmailAddress.objects.create(user=dana, email="new@example.org", verified=False)
    params = {
        "person": dana.pk,
        "to": dana.email,
        "address": waiting.pk,
        "language": language,
        "from_email": "old@example.org",
        "to_email": "new@example.org",
        "deleted_email": "old@example.org",
    }
    message = Message(kind=f"accounts.{name}", channel="email", params=params, queued_at=make.NOON)
    letter = renderer_of(message.kind)(message)
    assert letter.language == language
    assert letter.to in (dana.email, waiting.email)
    assert letter.subject
    assert len(letter.subject) <= 60
    assert "{{" not in letter.text + letter.html
    assert "None" not in letter.text
    assert "<h1" in letter.html
    if name in (*NOTICES, "phone_changed"):
        assert "13:00" in letter.text  # noon in UTC, in Prague


def test_phone_changed_tells_the_old_phone() -> None:
    """One SMS in plain letters."""
    dana = make.owner()
    message = Message(kind="accounts.phone_changed", channel="sms", params={"person": dana.pk, "to": "+420601000009"})
    letter = renderer_of(message.kind)(message)
    assert letter.to == "+420601000009"
    assert gsm7_length(letter.text) <= SMS_CHARS_MAX


def reset_asked(client: Client, email: str) -> None:
    response = client.post(reverse("account_reset_password"), {"email": email})
    assert response["Location"] == reverse("account_reset_password_done")


def test_password_reset_from_mail_to_new_password(client: Client) -> None:
    """The link leads to the form, the form works once, the owner is told; the token is never at rest (invariant 17)."""
    dana = make.owner()
    reset_asked(client, dana.email)
    assert messages("accounts.password_reset_key")[0].params == {"person": dana.pk, "to": dana.email}
    link = link_in(newest("accounts.password_reset_key"))
    token = link.rstrip("/").rsplit("-", 1)[1]
    response = client.get(link)
    assert token not in response["Location"]
    assert token not in database_as_text()
    done = client.post(response["Location"], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert done["Location"] == reverse("account_reset_password_from_key_done")
    assert token not in database_as_text()
    again = Client().get(link)
    assert again.status_code == 200
    assert "password1" not in again.content.decode()
    dana.refresh_from_db()
    assert dana.check_password(NEW_PASSWORD)
    assert newest("accounts.password_reset").to == dana.email
    sign_in(Client(), dana, password=NEW_PASSWORD)


def test_opening_a_reset_link_changes_nothing() -> None:
    """A scanner cannot use it up (invariant 5)."""
    dana = make.owner()
    reset_asked(Client(), dana.email)
    link = link_in(newest("accounts.password_reset_key"))
    scanner = Client()
    for _ in range(2):
        scanner.head(link)
        scanner.get(link, follow=True)
    mine = Client()
    form = mine.get(link)["Location"]
    assert mine.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}).status_code == 302


def test_reset_for_a_stranger_reveals_nothing(client: Client) -> None:
    """The page answers the same; what the stranger gets names no account; nothing but the address is queued."""
    make.owner()
    reset_asked(client, "mallory@example.org")
    message = messages("accounts.unknown_account")[0]
    assert message.params == {"to": "mallory@example.org", "language": "cs"}
    assert message.owner is None
    assert "dana" not in newest("accounts.unknown_account").text.lower()


def test_reset_of_a_deactivated_account_is_not_sent() -> None:
    """Between queue and delivery the account may have gone."""
    dana = make.owner()
    reset_asked(Client(), dana.email)
    User.objects.update(is_active=False)
    message = messages("accounts.password_reset_key")[0]
    with pytest.raises(Obsolete):
        renderer_of(message.kind)(message)


def test_change_of_password_is_told(client: Client) -> None:
    """And the session that changed it goes on."""
    dana = make.owner()
    sign_in(client, dana)
    fields = {"oldpassword": make.PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    response = client.post(reverse("account_change_password"), fields)
    assert response["Location"] == reverse("account")
    assert newest("accounts.password_changed").to == dana.email


def test_change_of_email_is_told_to_both(client: Client) -> None:
    """The new mailbox proves itself by a press, the old one hears of it, and nothing changes before (invariant 15)."""
    dana = make.owner()
    sign_in(client, dana)
    client.post(reverse("account_email"), {"action_add": "", "email": "dana@new.example"})
    dana.refresh_from_db()
    assert dana.email == "dana@example.org"
    letter = newest("accounts.email_confirmation")
    assert letter.to == "dana@new.example"
    client.get(link_in(letter))
    client.post(reverse("account-prove-email"))
    dana.refresh_from_db()
    assert dana.email == "dana@new.example"
    told = newest("accounts.email_changed")
    assert told.to == "dana@example.org"
    assert "dana@new.example" in told.text


def test_change_of_email_needs_a_fresh_signin(client: Client) -> None:
    """Invariant 15: at a laptop left open nobody leads the ladder's questions to another mailbox."""
    dana = make.owner()
    sign_in(client, dana)
    with time_machine.travel(clock.real_now() + timedelta(minutes=11)):
        response = client.post(reverse("account_email"), {"action_add": "", "email": "mallory@example.org"})
    assert response["Location"].startswith(reverse("account_reauthenticate"))
    assert not messages("accounts.email_confirmation")


def test_nothing_leaves_beside_the_outbox(client: Client) -> None:
    """No mail is sent while a request waits."""
    dana = make.owner()
    reset_asked(client, dana.email)
    assert mail.outbox == []

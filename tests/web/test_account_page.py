"""The account page: who the owner is, the phone and its proof, languages and zones."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from stafeta import clock
from stafeta.accounts.models import CodeChallenge, User
from stafeta.accounts.services.codes import code_of
from stafeta.outbox.models import Message
from stafeta.switches.models import Switch
from tests import make
from tests.signin import sign_in
from tests.web.letters import messages, newest
from tests.web.traces import database_as_text

pytestmark = pytest.mark.django_db

PHONE = reverse_phone = "account-phone"
CODE = "account-phone-code"
NEW = "+420602000009"


@pytest.fixture
def dana(client: Client) -> User:
    """Dana, signed in with `client`, her phone proved."""
    user = make.owner()
    sign_in(client, user)
    return user


def unproved(user: User) -> None:
    User.objects.filter(pk=user.pk).update(phone_verified_at=None)


def send_code(client: Client, number: str) -> str:
    """Ask for a code to `number` and return it, as the SMS says it."""
    response = client.post(reverse(PHONE), {"phone": number})
    assert response["Location"] == reverse(CODE), response
    text = newest("accounts.phone_code").text
    return text.rsplit("#", 1)[1]


def test_phone_is_proved_by_the_code(client: Client, dana: User) -> None:
    """Asking sends, opening the page does not; the right code makes the number count."""
    unproved(dana)
    assert client.get(reverse(PHONE)).status_code == 200
    assert not messages("accounts.phone_code")
    digits = send_code(client, "601 000 001")
    assert newest("accounts.phone_code").to == "+420601000001"
    response = client.post(reverse(CODE), {"code": f"{digits[:4]} {digits[4:]}"})
    assert response["Location"] == reverse("dashboard")
    assert User.objects.get(pk=dana.pk).has_verified_phone
    assert not messages("accounts.phone_changed")


def test_code_is_never_in_the_database(client: Client, dana: User) -> None:
    """Neither while it waits, nor after it was used (invariant 17)."""
    unproved(dana)
    digits = send_code(client, "601 000 001")
    assert digits not in database_as_text()
    client.post(reverse(CODE), {"code": digits})
    assert digits not in database_as_text()
    params = messages("accounts.phone_code")[0].params
    assert set(params) == {"person", "challenge", "counter"}


def test_wrong_codes_are_said_plainly(client: Client, dana: User) -> None:
    """Tries are counted down, the fifth means waiting, and the number stays unproved."""
    unproved(dana)
    digits = send_code(client, "601 000 001")
    wrong = f"{(int(digits) + 1) % 10**8:08}"
    words = []
    for _ in range(6):
        response = client.post(reverse(CODE), {"code": wrong})
        assert response.status_code == 200
        words.append(str(response.context["form"].errors["code"]))
    assert len(set(words[:4])) == 4
    assert words[4] == words[5]
    assert not User.objects.get(pk=dana.pk).has_verified_phone


def test_double_press_sends_one_sms(client: Client, dana: User) -> None:
    """Twice within half a minute is one message (invariant 14)."""
    unproved(dana)
    send_code(client, "601 000 001")
    send_code(client, "601 000 001")
    client.post(reverse("account-phone-code-again"))
    assert len(messages("accounts.phone_code")) == 1
    with time_machine.travel(clock.real_now() + timedelta(seconds=31)):
        client.post(reverse("account-phone-code-again"))
    assert len(messages("accounts.phone_code")) == 2


def test_too_many_codes_are_refused_kindly(client: Client, dana: User) -> None:
    """The sixth within an hour; the page says when to come back."""
    unproved(dana)
    start = clock.real_now()
    for minute in range(5):
        with time_machine.travel(start + timedelta(minutes=minute)):
            send_code(client, "601 000 001")
    with time_machine.travel(start + timedelta(minutes=5)):
        response = client.post(reverse(PHONE), {"phone": "601 000 001"})
    assert response.status_code == 200
    assert "55" in str(response.context["form"].errors["phone"])


def test_new_phone_counts_only_when_proved_and_everybody_is_told(client: Client, dana: User) -> None:
    """Invariant 15: the e-mail and the number given up hear of it."""
    digits = send_code(client, NEW)
    assert User.objects.get(pk=dana.pk).phone == "+420601000001"
    assert client.post(reverse(CODE), {"code": digits})["Location"] == reverse("account")
    assert User.objects.get(pk=dana.pk).phone == NEW
    told = Message.objects.filter(kind="accounts.phone_changed").order_by("channel")
    assert [(message.channel, message.params["to"]) for message in told] == [
        ("email", dana.email),
        ("sms", "+420601000001"),
    ]
    assert NEW not in newest("accounts.phone_changed").text


def test_new_phone_needs_a_fresh_signin(client: Client, dana: User) -> None:
    """Not from a laptop left open."""
    with time_machine.travel(clock.real_now() + timedelta(minutes=11)):
        response = client.post(reverse(PHONE), {"phone": NEW})
    assert response["Location"].startswith(reverse("account_reauthenticate"))
    assert not messages("accounts.phone_code")


def test_code_of_one_number_proves_no_other(client: Client, dana: User) -> None:
    """The code to Mallory's phone does not prove Dana's."""
    unproved(dana)
    send_code(client, NEW)
    with time_machine.travel(clock.real_now() + timedelta(minutes=1)):
        send_code(client, "601 000 001")
    other = code_of(CodeChallenge.objects.get(phone=NEW))
    client.post(reverse(CODE), {"code": other})
    assert not User.objects.get(pk=dana.pk).has_verified_phone


@pytest.mark.parametrize("name", ["account", PHONE, CODE])
def test_pages_are_for_those_signed_in(name: str) -> None:
    """Anybody else is asked to sign in."""
    make.owner()
    assert Client().get(reverse(name))["Location"].startswith(reverse("account_login"))


def test_person_is_saved(client: Client, dana: User) -> None:
    """Name and language; the answer is in the new language."""
    response = client.post(
        reverse("account"), {"name": "Dana N.", "language": "en", "zone": "Europe/Prague"}, follow=True
    )
    dana.refresh_from_db()
    assert (dana.name, dana.language) == ("Dana N.", "en")
    assert response["Content-Language"] == "en"
    assert "Saved." in response.content.decode()


def test_zone_moves_the_checkins(client: Client, dana: User) -> None:
    """The schedule lives where the owner does; an unknown zone is refused."""
    fields = {"name": dana.name, "language": "cs"}
    assert client.post(reverse("account"), {**fields, "zone": "Mars/Olympus"}).status_code == 200
    client.post(reverse("account"), {**fields, "zone": "America/New_York"})
    assert User.objects.get(pk=dana.pk).zone == "America/New_York"
    assert Switch.objects.get(owner=dana).owner_choices.zone == "America/New_York"


def test_another_zone_needs_a_fresh_signin(client: Client, dana: User) -> None:
    """It is part of the schedule (invariant 15)."""
    with time_machine.travel(clock.real_now() + timedelta(minutes=11)):
        client.post(reverse("account"), {"name": "Dana", "language": "cs", "zone": "America/New_York"})
    assert User.objects.get(pk=dana.pk).zone == "Europe/Prague"


@pytest.mark.usefixtures("keys_file")
def test_another_zone_of_an_armed_switch_is_told(client: Client) -> None:
    """It moves the questions, as the schedule's own page does (invariant 15)."""
    dana = make.armed_owner()
    sign_in(client, dana)
    client.post(reverse("account"), {"name": dana.name, "language": "cs", "zone": "America/New_York"})
    assert newest("web.switch_changed").to == dana.email


def test_language_switch_is_remembered(client: Client, dana: User) -> None:
    """In the account of who is signed in, in a cookie for everybody; only by a press, only languages we speak."""
    assert client.get(reverse("account"))["Content-Language"] == "cs"
    client.get(reverse("set_language"), {"language": "en"})
    client.post(reverse("set_language"), {"language": "xx"})
    assert client.get(reverse("account"))["Content-Language"] == "cs"
    client.post(reverse("set_language"), {"language": "en", "next": "/account/"})
    assert client.get(reverse("account"))["Content-Language"] == "en"
    visitor = Client()
    assert visitor.get(reverse("account_login"))["Content-Language"] == "cs"
    visitor.post(reverse("set_language"), {"language": "en"})
    assert visitor.get(reverse("account_login"))["Content-Language"] == "en"


def test_zone_of_one_person_does_not_stick(client: Client, dana: User) -> None:
    """The next request of another person in the same worker has its own."""
    User.objects.filter(pk=dana.pk).update(zone="Asia/Tokyo")
    client.get(reverse("account"))
    assert timezone.get_current_timezone_name() == "UTC"

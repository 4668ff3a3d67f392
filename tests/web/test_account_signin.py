"""Signing in: a sign of life, limited, fresh for a while, with second factors nobody reads in the database."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path, reverse
from pytest_django.fixtures import Settings

from stafeta import clock
from stafeta.accounts.models import User
from stafeta.switches.models import Event, Switch
from stafeta.web import urls as real_urls
from stafeta.web.fresh import fresh_signin_required
from tests import make
from tests.signin import sign_in
from tests.web.letters import messages
from tests.web.traces import database_as_text

pytestmark = pytest.mark.django_db


@fresh_signin_required
def danger(request: HttpRequest) -> HttpResponse:
    """Something that an intruder at an open laptop must not do."""
    return HttpResponse(f"done {request.method} {request.POST.get('what', '')}")


urlpatterns = [path("danger/", danger), *real_urls.urlpatterns]


@pytest.fixture
def with_danger(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__


def armed() -> tuple[User, Switch]:
    """Dana, whose switch waits for her next check-in."""
    dana = make.armed_owner()
    return dana, Switch.objects.get(owner=dana)


def test_signing_in_is_a_checkin(client: Client, keys_file: object) -> None:
    """It ends the cycle, once; going on with the session does not."""
    dana, switch = armed()
    sign_in(client, dana)
    after = Switch.objects.get(pk=switch.pk)
    assert after.cycle == switch.cycle + 1
    assert after.last_checkin_at is not None
    for _ in range(3):
        assert client.get(reverse("account")).status_code == 200
    assert Switch.objects.get(pk=switch.pk).cycle == switch.cycle + 1


def test_wrong_password_is_no_sign_of_life(client: Client, keys_file: object) -> None:
    """Mallory guessing keeps nobody alive."""
    dana, switch = armed()
    events = Event.objects.count()
    response = client.post(reverse("account_login"), {"login": dana.email, "password": "mallory-was-here"})
    assert response.status_code == 200
    assert Switch.objects.get(pk=switch.pk).cycle == switch.cycle
    assert Event.objects.count() == events


def test_new_owner_gets_a_switch(client: Client) -> None:
    """Every owner has one, resting."""
    dana = make.owner()
    Switch.objects.all().delete()
    sign_in(client, dana)
    assert Switch.objects.get(owner=dana).phase == "Resting"


def test_guessing_is_slowed_down(client: Client) -> None:
    """After five wrong passwords even the right one has to wait; nothing tells whether the account exists."""
    dana = make.owner()
    for email in (dana.email, "nobody@example.org"):
        answers = set()
        for _ in range(6):
            response = client.post(reverse("account_login"), {"login": email, "password": "wrong"})
            answers.add(str(response.context["form"].non_field_errors()) if response.context else "429")
        assert len(answers) == 2
    response = client.post(reverse("account_login"), {"login": dana.email, "password": make.PASSWORD})
    assert "_auth_user_id" not in client.session
    with time_machine.travel(clock.real_now() + timedelta(minutes=6)):
        sign_in(client, dana)
    assert response.status_code in (200, 429)


@pytest.mark.usefixtures("with_danger")
def test_recent_signin_is_fresh(client: Client) -> None:
    """Who has just typed the password is not asked again."""
    sign_in(client, make.owner())
    assert client.post("/danger/", {"what": "x"}).content == b"done POST x"


@pytest.mark.usefixtures("with_danger")
def test_old_signin_is_asked_again_and_loses_nothing(client: Client) -> None:
    """After ten minutes the password is asked for; then what was sent is done, and none of it was readable at rest."""
    dana = make.owner()
    sign_in(client, dana)
    with time_machine.travel(clock.real_now() + timedelta(minutes=11)):
        response = client.post("/danger/", {"what": "canary-of-a-form"})
        assert response["Location"].startswith(reverse("account_reauthenticate"))
        assert "canary-of-a-form" not in database_as_text()
        wrong = client.post(response["Location"], {"password": "wrong"})
        assert wrong.status_code == 200
        done = client.post(response["Location"], {"password": make.PASSWORD})
    assert done.content == b"done POST canary-of-a-form"


@pytest.mark.usefixtures("with_danger")
def test_anonymous_is_sent_to_sign_in(client: Client) -> None:
    """And comes back afterwards."""
    make.owner()
    assert client.get("/danger/")["Location"] == f"{reverse('account_login')}?next=/danger/"


def activate_totp(client: Client) -> str:
    """Add an authenticator app and return its secret."""
    page = client.get(reverse("mfa_activate_totp"))
    secret: str = page.context["form"].secret
    assert secret not in database_as_text()
    response = client.post(reverse("mfa_activate_totp"), {"code": pyotp.TOTP(secret).now()})
    assert response.status_code == 302, response.content.decode()
    return secret


def test_authenticator_app_end_to_end(client: Client, django_capture_on_commit_callbacks: object) -> None:
    """Secret and recovery codes are ciphertext at rest; the second factor is asked for; its use is a sign-in."""
    dana = make.owner()
    sign_in(client, dana)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        secret = activate_totp(client)
    assert messages("accounts.totp_activated")
    codes = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES).wrap().generate_codes()
    at_rest = database_as_text()
    assert secret not in at_rest
    assert not [code for code in codes if re.search(rf"\b{code}\b", at_rest)]
    other = Client()
    sign_in(other, dana)
    assert "_auth_user_id" not in other.session
    with time_machine.travel(clock.real_now() + timedelta(minutes=1)):
        other.post(reverse("mfa_authenticate"), {"code": pyotp.TOTP(secret).now()})
    assert "_auth_user_id" in other.session
    third = Client()
    sign_in(third, dana)
    third.post(reverse("mfa_authenticate"), {"code": codes[0]})
    assert "_auth_user_id" in third.session


def test_recovery_codes_are_shown_by_a_button_and_once(client: Client) -> None:
    """Whatever opens the page uses nothing up (invariant 5); a second showing would be one to somebody else."""
    dana = make.owner()
    sign_in(client, dana)
    activate_totp(client)
    codes = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES).wrap().generate_codes()
    page = reverse("mfa_view_recovery_codes")
    for response in (client.get(page), client.head(page), client.get(page)):
        assert codes[0] not in response.content.decode()
    assert codes[0] in client.post(page).content.decode()
    assert codes[0] not in client.post(page).content.decode()
    assert client.get(reverse("mfa_download_recovery_codes")).status_code == 404


def test_password_alone_with_a_second_factor_is_no_sign_of_life(client: Client, keys_file: object) -> None:
    """A stolen password keeps nobody alive where a second factor is asked for."""
    dana, switch = armed()
    sign_in(client, dana)
    activate_totp(client)
    cycle = Switch.objects.get(pk=switch.pk).cycle
    sign_in(Client(), dana)
    assert Switch.objects.get(pk=switch.pk).cycle == cycle


def test_devices_are_listed_and_signed_out(client: Client) -> None:
    """The list of sessions ends the others at one press."""
    dana = make.owner()
    other = Client()
    sign_in(client, dana)
    sign_in(other, dana)
    assert client.get(reverse("usersessions_list")).status_code == 200
    client.post(reverse("usersessions_list"))
    assert "_auth_user_id" not in other.session
    assert client.get(reverse("account")).status_code == 200


def test_passkey_pages_run_under_the_strict_policy(client: Client) -> None:
    """No inline script and no style attribute: what allauth puts into its pages is data and files of ours."""
    dana = make.owner()
    pages = [client.get(reverse("account_login")).content.decode()]
    sign_in(client, dana)
    names = ("mfa_add_webauthn", "mfa_list_webauthn", "mfa_activate_totp", "mfa_index", "account_email", "account")
    pages += [client.get(reverse(name)).content.decode() for name in names]
    for page in pages:
        for tag in re.findall(r"<script\b[^>]*>", page):
            assert " src=" in tag or 'type="application/json"' in tag, tag
        assert not re.findall(r"<[^>]+\s(?:style|on[a-z]+)=", page)
    assert "passkey_login" in pages[0]


def test_signing_out_needs_a_press(client: Client) -> None:
    """A link or a scanner signs nobody out (invariant 5)."""
    sign_in(client, make.owner())
    client.get(reverse("account_logout"))
    assert "_auth_user_id" in client.session
    client.post(reverse("account_logout"))
    assert "_auth_user_id" not in client.session

"""What lies in the session table opens nothing and says nothing (invariant 17)."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from stafeta.web.sessions import SessionStore
from tests import make
from tests.settings import SIGNED_COOKIES
from tests.signin import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _as_in_life(settings: Settings) -> None:
    plain = "django.contrib.sessions.middleware.SessionMiddleware"
    settings.MIDDLEWARE = [SIGNED_COOKIES if name == plain else name for name in settings.MIDDLEWARE]


def knows(client: Client) -> bool:
    return client.get(reverse("account")).status_code == 200


def test_cookie_signs_in_and_keeps_its_safety() -> None:
    """The signed cookie works, and is still HttpOnly and SameSite."""
    client = Client()
    sign_in(client, make.owner())
    assert knows(client)
    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_stolen_row_signs_nobody_in() -> None:
    """Whoever reads the session table, or the list of devices, has ids and no cookie."""
    client = Client()
    sign_in(client, make.owner())
    ids = {Session.objects.get().session_key, UserSession.objects.get().session_key}
    mac = client.cookies["sessionid"].value.partition(".")[2]
    for session_id in ids:
        for forged in (session_id, f"{session_id}.", f"{session_id}.{'0' * 64}", f"x{session_id}.{mac}", "éíá", "."):
            thief = Client()
            thief.cookies["sessionid"] = forged
            assert not knows(thief)


def test_content_is_unreadable_and_survives() -> None:
    """Encrypted on the way in, the same on the way out; under another secret it is nothing."""
    store = SessionStore()
    store["secret"] = "canary"
    store.save()
    row = Session.objects.get()
    assert "canary" not in row.session_data
    assert SessionStore(row.session_key)["secret"] == "canary"
    assert store.decode("gAAAAA" + row.session_data) == {}
    assert store.decode("") == {}


def test_signing_out_takes_the_cookie_away() -> None:
    """And the old cookie is worth nothing."""
    client = Client()
    sign_in(client, make.owner())
    old = client.cookies["sessionid"].value
    client.post(reverse("account_logout"))
    client.cookies["sessionid"] = old
    assert not knows(client)


def test_device_signed_out_elsewhere_is_out() -> None:
    """The list of devices still finds its sessions."""
    here, there = Client(), Client()
    dana = make.owner()
    sign_in(here, dana)
    sign_in(there, dana)
    here.post(reverse("usersessions_list"))
    assert knows(here)
    assert not knows(there)

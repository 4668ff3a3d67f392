"""A passkey, added and used in a real browser under the real content security policy."""

from __future__ import annotations

import shutil

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from stafeta.accounts.models import User
from tests import make

CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


def with_virtual_key(page: Page, *, prf: bool = False) -> None:
    """Give the browser a security key that always says yes. prf: it can derive secrets, too."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
        "hasPrf": prf,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_passkey_is_added_and_signs_in(live_server: LiveServer) -> None:
    """From the password to the key, and from then on without the password."""
    dana = make.owner()
    complaints: list[str] = []
    site = live_server.url.replace("127.0.0.1", "localhost")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(locale="en-GB")
        page.context.add_cookies([{"name": "django_language", "value": "en", "url": site}])
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        with_virtual_key(page)
        page.goto(f"{site}/account/auth/login/")
        page.fill("[name=login]", dana.email)
        page.fill("[name=password]", make.PASSWORD)
        page.click("main form button[type=submit]:not(#passkey_login)")
        page.goto(f"{site}/account/auth/2fa/webauthn/add/")
        page.check("[name=passwordless]")
        page.click("#mfa_webauthn_add")
        page.wait_for_url("**/2fa/**")
        page.wait_for_load_state()
        page.click("footer button[type=submit]")
        page.wait_for_url("**/login/**")
        page.click("#passkey_login")
        page.wait_for_url(f"{site}/")
        browser.close()
    assert complaints == []
    assert Authenticator.objects.filter(user=dana, type=Authenticator.Type.WEBAUTHN).count() == 1
    assert User.objects.get().last_login is not None

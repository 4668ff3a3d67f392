"""The pages that the story does not need, for whoever wants to see every page there is."""

from __future__ import annotations

from typing import Final

from django.urls import reverse

from stafeta.cli.demo.cast import DANA
from tests.e2e.browsers import Browsers, Visitor
from tests.e2e.stack import Stack
from tests.e2e.story import PASSWORD

OWNERS_PAGES: Final = (
    *("dashboard", "handovers", "handover-new", "people", "contact-new", "recipient-new", "schedule", "arm", "history"),
    *("account", "account-phone", "account_email", "account_change_password", "mfa_index", "mfa_activate_totp"),
    *("mfa_list_webauthn", "mfa_add_webauthn", "mfa_generate_recovery_codes", "usersessions_list", "demo"),
    *("operator", "operator-hold", "account_logout"),
)
OWNERS_LINKS: Final = "main a[href^='/handovers/']:not([download]), main a[href^='/people/']"
OWNERS_PAGES_MAX: Final = 60
STRANGERS_PAGES: Final = ("account_login", "account_reset_password", "account_reset_password_done", "consent-erased")
STRANGERS_ERRORS: Final = ("/checkin/", "/no-such-page/", "/l/forged/")


def look_around(stack: Stack, browsers: Browsers, dana: Visitor) -> None:
    """Let Dana, signed in, open all her pages and the operator's, and a stranger those that are for everybody."""
    stack.command("operator", DANA.email)
    _open_everything(dana)
    stranger = browsers.visitor()
    for name in STRANGERS_PAGES:
        stranger.open(reverse(name))
    for address in STRANGERS_ERRORS:
        browsers.complaints.expected.add((address, 404))
        stranger.open(address)


def _open_everything(dana: Visitor) -> None:
    """Open the owner's pages, and those of single handovers and people that they lead to."""
    addresses = [reverse(name) for name in OWNERS_PAGES]
    for number in range(OWNERS_PAGES_MAX):
        if number == len(addresses):
            return
        _open(dana, addresses[number])
        found: list[str] = dana.page.eval_on_selector_all(OWNERS_LINKS, "links => links.map(one => one.pathname)")
        addresses += [address for address in dict.fromkeys(found) if address not in addresses]


def _open(dana: Visitor, address: str) -> None:
    """Open a page that may ask for the password first."""
    dana.open(address)
    if dana.path == reverse("account_reauthenticate"):
        dana.fill(password=PASSWORD)
        dana.press("form:has([name=password]) button[type=submit]")

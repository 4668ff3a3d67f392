"""People who open the signed link of a message in a browser of their own."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.test import Client

from stafeta.accounts.models import User
from stafeta.accounts.signed_links import url_for
from stafeta.core.links import Link, Purpose
from stafeta.switches.models import Switch, TrustedContact


def opened(link: Link) -> Client:
    """Return a browser in which this link was opened; CSRF is checked in it as in life."""
    browser = Client(enforce_csrf_checks=True)
    response = browser.get(urlsplit(url_for(link)).path)
    assert response.status_code == 302
    return browser


def checkin_link(dana: User) -> Link:
    switch = Switch.objects.get(owner=dana)
    return Link(Purpose.CHECKIN, dana.pk, switch.pk, switch.cycle)


def trusted_link(dana: User, *, position: int = 1) -> Link:
    switch = Switch.objects.get(owner=dana)
    contact = TrustedContact.objects.get(switch=switch, position=position)
    return Link(Purpose.TRUSTED, contact.pk, switch.pk, switch.cycle)


def press(browser: Client, path: str, **fields: str) -> str:
    """Show the page, press its button with these fields, follow where it leads, and return what is shown then."""
    browser.get(path, follow=True)
    token = browser.cookies["csrftoken"].value
    response = browser.post(path, {**fields, "csrfmiddlewaretoken": token}, follow=True)
    assert response.status_code in (200, 422), response.status_code
    return response.content.decode()

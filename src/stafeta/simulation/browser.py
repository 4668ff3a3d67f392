"""The real pages, as a person's browser and a mail scanner call for them."""

from __future__ import annotations

import re
from typing import Final

from django.test import Client
from django.urls import reverse

from stafeta.accounts.derived_keys import link_key
from stafeta.core.links import Link, make_token

HOST: Final = "localhost"
_LINK: Final = re.compile(r"/l/[A-Za-z0-9_-]+/")
LINKS_MAX: Final = 10


def scan(text: str) -> None:
    """Do what a link scanner does seconds after delivery: HEAD, GET, and every page that a browser would be led to."""
    for path in _LINK.findall(text)[:LINKS_MAX]:
        browser = Client(SERVER_NAME=HOST)
        browser.head(path, follow=True)
        browser.get(path, follow=True)
        browser.options(path)


def press_button(link: Link) -> bool:
    """Open a check-in link and press its button; return whether that led to thanks."""
    browser = Client(SERVER_NAME=HOST)
    browser.get(f"/l/{make_token(link, key=link_key())}/")
    answer = browser.post(reverse("checkin"))
    return answer.status_code == 302 and answer["Location"] == reverse("checkin-thanks")

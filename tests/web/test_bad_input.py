"""Whatever is sent: a clear word, nothing lost that was typed, nothing revealed, nothing broken.

The forms are found on the pages themselves, so a new one is tried as well; what single fields refuse in which words is
told beside each page's own tests.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from stafeta.accounts.models import CodeChallenge, User
from stafeta.accounts.services.codes import code_of
from stafeta.cli.demo.browser import Form, Page, read_page
from stafeta.core.links import Link, Purpose
from stafeta.outbox.models import Message
from stafeta.switches.models import Switch, TrustedContact
from stafeta.vault.models import Grant, Handover, Recipient
from tests import make
from tests.contracts import roles
from tests.contracts.addresses import ABSENT, all_links, token_of
from tests.contracts.domain import domain
from tests.web.desk import words
from tests.world import World

SCRIPT: Final = "<script>alert(1)</script>"
NASTY: Final = {
    "nothing": "",
    "blanks": "  \t ",
    "script": f"{SCRIPT}\"'><img src=x onerror=alert(1)>",
    "sql": "'; DROP TABLE accounts_user; --",
    "null byte": "before\0after",
    "emoji and rtl": "🏁\u202eabc\u200b",
    "template": "{{ request.user }}{% debug %}%(name)s{0}",
    "a lot": "x" * 70_000,
    "huge number": "9" * 400,
    "negative": "-1",
    "formula": '=HYPERLINK("http://evil.example")',
    "newlines": "a\r\nBcc: mallory@example.org\r\n\r\nb",
}
# Fields that nobody types into, and those that come back empty on purpose.
HIDDEN: Final = {
    *("csrfmiddlewaretoken", "next", "answer", "revision", "credential"),
    *("password", "password1", "password2", "oldpassword"),
}
LEFT_OUT: Final = ("/account/auth/logout/", "/demo/", "/language/")
OWNERS_PAGES: Final = (
    "account",
    "account-phone",
    "account-phone-code",
    "account_email",
    "account_change_password",
    "account_reset_password",
    "account_reauthenticate",
    "mfa_activate_totp",
    "contact-new",
    "recipient-new",
    "schedule",
    "pause",
    "handover-new",
)


@pytest.fixture
def world(db: None, keys_file: object, settings: Settings) -> Iterator[World]:
    """Karel is asked, in English; the demo's clock is off."""
    found = roles.scene(roles.asked, settings)
    yield from _at(found, settings)


@pytest.fixture
def released(db: None, keys_file: object, settings: Settings) -> Iterator[World]:
    """Ema may read, in English."""
    found = roles.scene(roles.released, settings)
    yield from _at(found, settings)


def _at(world: World, settings: Settings) -> Iterator[World]:
    settings.CLOCK_SCALE, settings.CLOCK_EPOCH = 1.0, None
    for model in (User, Recipient, TrustedContact):
        model.objects.update(language="en")
    with time_machine.travel(world.now, tick=False):
        yield world


def _owners_addresses() -> list[str]:
    dana = User.objects.get(email="dana@example.org")
    handover = Handover.objects.filter(owner=dana, deleted_at=None)[0]
    return [
        *map(reverse, OWNERS_PAGES),
        reverse("handover", args=[handover.pk]),
        reverse("handover-terms", args=[handover.pk]),
        reverse("contact-edit", args=[TrustedContact.objects.filter(switch__owner=dana)[0].pk]),
        reverse("recipient-edit", args=[Recipient.objects.filter(owner=dana)[0].pk]),
    ]


def _page(client: Client, address: str) -> Page:
    response = client.get(address, follow=True)
    path = response.redirect_chain[-1][0] if response.redirect_chain else address
    return read_page(f"http://testserver{path}", response.status_code, response.content.decode())


def _try(client: Client, address: str, value: str) -> int:
    """Send every form of a page with `value` in all its fields, then in the hidden ones too; return how many it has."""
    page = _page(client, address)
    assert page.status == 200, f"{address} → {page.path}: {page.status}"
    tried = 0
    for form in page.forms:
        target = urlsplit(form.action).path
        if form.method != "post" or target.startswith(LEFT_OUT):
            continue
        typed = [name for name in form.fields if name not in HIDDEN]
        if not typed:
            continue
        response = client.post(target, {**form.fields, **dict.fromkeys(typed, value)})
        _require_kindness(response, form, f"{address} → {target}", value)
        response = client.post(target, dict.fromkeys(form.names - {"csrfmiddlewaretoken"}, value))
        _require_calm(response, f"{address} → {target} with everything forged")
        tried += 1
    return tried


def _require_calm(response: HttpResponse, what: str) -> None:
    assert response.status_code < 500, what
    assert SCRIPT not in response.content.decode(), f"{what} shows a script as it was sent"


def _require_kindness(response: HttpResponse, form: Form, what: str, value: str) -> None:
    """What was refused comes back with a word about it and with what was typed."""
    _require_calm(response, what)
    if response.status_code in (302, 303):
        return
    text = response.content.decode()
    assert "field-error" in text or 'role="alert"' in text, f"{what} says nothing about {value[:20]!r}"
    if _is_choice(form) or not value.strip() or "\0" in value:
        return
    again = read_page("http://testserver/", response.status_code, text)
    shown = [shown for found in again.forms if found.names >= form.names for shown in found.fields.items()]
    typed = [_one_line(one) for name, values in shown if name not in HIDDEN for one in values]
    assert any(_one_line(value)[:60] in one for one in typed), f"{what} lost {value[:20]!r}"


def _one_line(text: str) -> str:
    return html.unescape(text).replace("\r\n", "\n")


def _is_choice(form: Form) -> bool:
    """Whether there is nothing to type in: lists, boxes and passwords only."""
    return all(name in form.offers or name in HIDDEN for name in form.fields)


@pytest.mark.parametrize("value", NASTY.values(), ids=NASTY.keys())
def test_no_form_of_the_owners_breaks(world: World, value: str) -> None:
    client = roles.dana()
    client.post(reverse("account-phone"), {"phone": "601 000 009"})
    tried = sum(_try(client, address, value) for address in _owners_addresses())
    assert tried >= len(OWNERS_PAGES)


@pytest.mark.parametrize("value", NASTY.values(), ids=NASTY.keys())
def test_no_form_behind_a_link_breaks(world: World, value: str) -> None:
    TrustedContact.objects.update(phone_verified_at=None)
    karel, petr = roles.karel(), roles.petr_consenting()
    petr.post(reverse("consent"), {"answer": "agree"})
    for client, page in ((karel, "trusted"), (karel, "contact-consent-phone"), (petr, "consent-phone")):
        client.post(reverse(page), {"send": "1"})
        assert _try(client, reverse(page), value) == 1


@pytest.mark.parametrize("value", NASTY.values(), ids=NASTY.keys())
def test_no_form_of_a_release_breaks(released: World, value: str) -> None:
    ema = roles.ema()
    ema.post(reverse("release-code"), {"send": "1"})
    assert _try(ema, reverse("release-code"), value) >= 1


@pytest.mark.parametrize("value", NASTY.values(), ids=NASTY.keys())
def test_no_form_for_strangers_breaks(world: World, value: str) -> None:
    """Signing in and asking for a new password; the page tells nobody who has an account."""
    assert _try(Client(), reverse("account_login"), value) >= 1
    assert _try(Client(), reverse("account_reset_password"), value) >= 1


@pytest.mark.parametrize("value", NASTY.values(), ids=NASTY.keys())
def test_no_address_breaks(world: World, value: str) -> None:
    """Whatever stands behind the question mark, and numbers that no database holds."""
    client = roles.dana()
    for name in ("history", "schedule", "people", "account_login", "demo", "mailbox"):
        for key in ("page", "what", "preset", "next", "from"):
            assert client.get(reverse(name), {key: value.encode("utf-8", "replace")}).status_code < 500
    for pk in (ABSENT, 10**30):
        assert client.get(f"/handovers/{pk}/").status_code == 404
        assert client.get(f"/people/recipients/{pk}/").status_code == 404
        assert client.post(f"/messages/{pk}/retry/").status_code == 404
        assert client.get(f"/mailbox/{pk}/").status_code == 404


WRONG_CODE_IN_CZECH: Final = "To není ten kód."


@pytest.mark.parametrize(
    ("role", "address", "fields", "page"),
    [
        (roles.dana, "account-phone", {"phone": "601 000 009"}, "account-phone-code"),
        (roles.petr_consenting, "consent", {"answer": "agree"}, "consent-phone"),
        (roles.karel, "contact-consent", {"answer": "agree"}, "contact-consent-phone"),
        (roles.ema, "release-code", {"send": "1"}, "release-code"),
    ],
)
def test_a_wrong_code_is_said_everywhere_in_the_same_words(
    released: World, role: Callable[[], Client], address: str, fields: dict[str, str], page: str
) -> None:
    """In the person's language, with what was typed, and with nothing of the right one."""
    for model in (User, Recipient, TrustedContact):
        model.objects.update(language="cs")
    TrustedContact.objects.update(phone_verified_at=None)
    client = role()
    client.post(reverse(address), fields)
    if page != "account-phone-code":
        client.post(reverse(page), {"send": "1"})
    digits = code_of(CodeChallenge.objects.latest("issued_at"))
    wrong = f"{(int(digits) + 1) % 10**8:08d}"
    text = client.post(reverse(page), {"code": wrong}).content.decode()
    assert WRONG_CODE_IN_CZECH in text
    assert wrong in text
    assert digits not in text
    assert not Grant.objects.exclude(first_read_at=None).exists()


def test_links_of_other_times_and_people_reveal_nothing(released: World) -> None:
    """Links that are genuine and mean nothing: another cycle or invitation, a person of somebody else's, nobody."""
    before = domain()
    for link in all_links():
        if link.purpose is Purpose.PROBE:
            continue
        for strange in (
            replace(link, cycle=link.cycle + 7),
            replace(link, person=ABSENT),
            replace(link, switch=ABSENT),
            Link(link.purpose, 2**60, 2**60, 2**60),
        ):
            text = _all_that_is_shown(strange)
            assert make.SECRET_TEXT not in text
            assert "Weby klientů" not in text
            assert "@example.org" not in text
            assert "601" not in text
    assert domain() == before


def _all_that_is_shown(link: Link) -> str:
    """Open a link, press every button behind it, and return all that was to be seen."""
    client = Client()
    response = client.get(reverse("landing", args=[token_of(link)]), follow=True)
    assert response.status_code in (200, 404)
    shown = words(response)
    page = read_page("http://testserver/", response.status_code, response.content.decode())
    for form in page.forms:
        target = urlsplit(form.action).path
        if form.method == "post" and not target.startswith(LEFT_OUT):
            shown += words(client.post(target, form.fields, follow=True))
    return shown


@pytest.mark.parametrize(
    ("role", "address", "fields"),
    [
        (roles.dana, "im-fine", {}),
        (roles.dana, "disarm", {}),
        (roles.dana, "pause", {"until": "2026-06-01"}),
        (roles.dana_by_link, "checkin", {}),
        (roles.karel, "trusted", {"answer": "well"}),
        (roles.karel, "trusted", {"answer": "wait", "days": "5"}),
        (roles.karel, "contact-consent", {"answer": "decline"}),
        (roles.petr_consenting, "consent", {"answer": "agree"}),
        (roles.petr_consenting, "consent", {"answer": "decline"}),
    ],
)
def test_a_second_press_tells_nobody_anything_twice(
    world: World, role: Callable[[], Client], address: str, fields: dict[str, str]
) -> None:
    """Invariants 7 and 14: the same form sent again adds no message and takes nothing back."""
    client = role()
    assert client.post(reverse(address), fields).status_code in (200, 302)
    told, phase = Message.objects.count(), Switch.objects.get(owner__email="dana@example.org").phase
    assert client.post(reverse(address), fields).status_code in (200, 302, 422)
    assert Message.objects.count() == told
    assert Switch.objects.get(owner__email="dana@example.org").phase == phase

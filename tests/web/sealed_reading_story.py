"""Sealed, as recipients live it in a real browser: a key made at consent, a release, both gates, and the text.

Whatever their browsers send is recorded and searched for what is secret.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from stafeta.accounts.models import CodeChallenge, User
from stafeta.accounts.services.codes import code_of
from stafeta.switches.models import ServiceClock
from stafeta.vault.holders import key_of
from stafeta.vault.models import ConsentState, Grant, Handover, Reading, Recipient
from stafeta.vault.services.follow_up import follow_up
from stafeta.vault.services.invite_recipient import invite_recipient
from stafeta.vault.services.personal_keys import accept_key
from stafeta.vault.services.release import close_grants, open_handovers
from tests import make
from tests.e2e.browsers import ARGUMENTS, CHROMIUM, DESKTOP, NO_CHROMIUM, PHONE, Complaints, look_with_axe
from tests.vault.sealed import Keys
from tests.web.letters import link_in, newest
from tests.web.sealed_story import Wire, beside_playwright, found, identity_on
from tests.web.test_open import square_code
from tests.web.test_release import CYCLE, NOW_S, SWITCH

__all__ = ["beside_playwright"]

MARKER = "zlatý-kapr-7319 ví, kde je klíč"
TEXT = f"""\
# Co dělat

- [ ] {MARKER}
- [x] zavolat do banky

## Web

<script>document.title = "stolen"</script>

[klikni](javascript:alert(1)) ![obrázek](https://evil.example/x.png)

## Firma

| co | kde |
|---|--:|
| trezor | sklep |
"""
SECOND_TEXT = "Druhé předání, pro Petrův druhý klíč: modrý kapr"
PASSPHRASE = "sedm zelených lžic pod mostem"
# Where pictures of every page go, if somebody wants to look at them.
ALBUM = os.environ.get("STAFETA_TEST_ALBUM", "")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM),
]


@dataclass
class Visitors:
    """People at browsers of their own, heard by one wire; each page that is looked at must please axe."""

    browser: Browser
    site: str
    wire: Wire
    complaints: Complaints
    taken: int = 0

    def come(self, address: str, *, phone: bool = False, dark: bool = False) -> Page:
        context = self.browser.new_context(
            base_url=self.site,
            viewport=PHONE if phone else DESKTOP,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            accept_downloads=True,
        )
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda said: self.complaints.console.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.console.append(str(error)))
        self.wire.listen(page)
        page.goto(address)
        return page

    def look(self, page: Page, name: str) -> None:
        look_with_axe(page, self.complaints)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} scrolls to the side by {wide} px"
        if ALBUM:
            self.taken += 1
            page.screenshot(path=Path(ALBUM) / f"{self.taken:02d}-{name}.png", full_page=True)


@contextmanager
def visitors(live_server: LiveServer) -> Iterator[Visitors]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        site = live_server.url.replace("127.0.0.1", "localhost")
        yield Visitors(browser, site, Wire(), Complaints())
        browser.close()


@dataclass
class Cast:
    """Dana, whose browser is played by services; Ema at a phone, in Czech; Petr in English, in the dark."""

    dana: User
    ema: Recipient
    petr: Recipient
    handover: Handover
    keys: Keys

    def keys_of_petr(self) -> tuple[str, str]:
        """Seal for Ema and Petr; then he has another key, and a second handover is sealed for it. Return both cards."""
        emas, former = key_of(self.ema), self.keys.new(self.petr)
        assert emas
        assert self.keys.wrap(self.handover, emas, former) == 2
        later = self.keys.new(self.petr)
        accept_key(key=later, now=make.NOON)
        second = self.keys.handover(self.dana, self.petr, text=SECOND_TEXT)
        Handover.objects.filter(pk=second.pk).update(title="Druhé")
        assert self.keys.wrap(second, later) == 1
        return self.keys.of[former.public_key].identity, self.keys.of[later.public_key].identity

    def release(self) -> None:
        open_handovers(owner_id=self.dana.pk, switch_id=SWITCH, cycle=CYCLE, now=make.NOON, service_s=NOW_S)
        follow_up(now=make.NOON, service_s=NOW_S)

    def come_back(self) -> None:
        close_grants(owner_id=self.dana.pk, switch_id=SWITCH, cycle=CYCLE, now=make.NOON)


@pytest.fixture
def cast(keys_file: Path) -> Cast:
    dana, keys = make.owner(), Keys()
    ema = make.recipient(dana, consent=ConsentState.DRAFT)
    petr = make.recipient(dana, "petr@example.org", name="Petr Svoboda", phone="+420601000004")
    Recipient.objects.filter(pk=petr.pk).update(language="en")
    ServiceClock.objects.update_or_create(pk=1, defaults={"counted_ms": NOW_S * 1000, "wall": make.NOON})
    return Cast(dana, ema, petr, keys.handover(dana, ema, petr, text=TEXT), keys)


def by_code(page: Page, *, ask: Callable[[], None]) -> None:
    """Ask for a code and write it, by the keyboard."""
    ask()
    page.wait_for_selector("[name=code]")
    page.focus("[name=code]")
    page.keyboard.type(code_of(CodeChallenge.objects.latest("pk")))
    page.keyboard.press("Enter")


def to_the_text(people: Visitors, person: Recipient, *, phone: bool, dark: bool) -> Page:
    """Open the mail's link, pass both gates, and return the page on which something waits to be unlocked."""
    letter = newest_to(person)
    page = people.come(letter, phone=phone, dark=dark)
    by_code(page, ask=lambda: page.click("button[name=send]"))
    page.wait_for_url(f"**{reverse('release-read')}")
    page.wait_for_selector("[data-unlock]:not([hidden])")
    return page


def newest_to(person: Recipient) -> str:
    """Return the link in the news that this person got."""
    from stafeta.outbox.kinds import renderer_of
    from tests.web.letters import messages

    (message,) = [one for one in messages("vault.release") if one.params["recipient"] == person.pk]
    return link_in(renderer_of(message.kind)(message))


def test_recipients_make_a_key_and_read_by_passphrase_and_by_card(live_server: LiveServer, cast: Cast) -> None:
    with visitors(live_server) as people:
        card = make_a_key_at_consent(people, cast)
        former, later = cast.keys_of_petr()
        cast.release()
        read_by_passphrase(people, cast)
        read_by_cards(people, cast, former, later)
        too_late(people, cast, later)

        identities = [card, former, later, cast.keys.of[cast.handover.public_key].identity]
        secrets = [MARKER, SECOND_TEXT, PASSPHRASE, *identities, *(one[16:] for one in identities), "AGE-SECRET-KEY-"]
        assert found(secrets, people.wire.sent) == []
        assert found(["answer=agree"], people.wire.sent) == ["answer=agree"], "the search finds nothing"
    assert [said for said in people.complaints.console if "404" not in said] == []
    assert people.complaints.accessibility == []


def make_a_key_at_consent(people: Visitors, cast: Cast) -> str:
    """Ema agrees, proves her phone, and chooses a passphrase, by the keyboard alone; return what her card says."""
    invite_recipient(recipient=cast.ema, now=make.NOON)
    page = people.come(link_in(newest("vault.invite")), phone=True)
    page.focus("form:has([value=agree]) button")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('consent-phone')}")
    by_code(page, ask=lambda: page.click("button[name=send]"))
    page.wait_for_url(f"**{reverse('consent-key')}")
    people.look(page, "key")
    for typed in ("heslo1234567", PASSPHRASE):
        page.focus("#new-passphrase")
        page.keyboard.press("Control+A")
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
        page.keyboard.press("Control+A")
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
        if typed != PASSPHRASE:
            page.wait_for_selector("[data-passphrase-error]:not(:empty)")
            people.look(page, "key-weak")
    page.wait_for_selector('[data-step="card"]:not([hidden])')
    people.look(page, "card")
    page.keyboard.press("Tab")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    card = identity_on(Path(download.value.path()).read_bytes())
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('consent')}")
    page.wait_for_selector("[data-words-cs]:not(:empty)")
    people.look(page, "agreed")
    page.click(f"a[href='{reverse('consent-key')}']")
    page.wait_for_url(f"**{reverse('consent-key-code')}")
    people.look(page, "another-code")
    by_code(page, ask=lambda: page.click("button[name=send]"))
    page.wait_for_url(f"**{reverse('consent-key')}")
    page.wait_for_selector("[data-unlock]:not([hidden])")
    people.look(page, "kept")
    page.click("[data-unlock] summary")
    page.fill("#unlock-card", card)
    page.click("[data-unlock-card] button[type=submit]")
    page.wait_for_selector("[data-unlocked]:not([hidden])")
    people.look(page, "kept-unlocked")
    with page.expect_download() as again:
        page.click("[data-card-save]")
    assert identity_on(Path(again.value.path()).read_bytes()) == card
    page.click("a[href$='another=1']")
    page.wait_for_selector("[data-passphrase]")
    people.look(page, "another-key")
    return card


def read_by_passphrase(people: Visitors, cast: Cast) -> None:
    """At the second try; what is hostile in the text does nothing."""
    page = to_the_text(people, cast.ema, phone=True, dark=False)
    people.look(page, "locked")
    assert MARKER not in page.content()
    assert page.is_hidden("[data-sealed-waiting]")
    without_room(page)
    page.focus("#unlock-passphrase")
    page.keyboard.type("not this one at all")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-unlock-error]:not(:empty)")
    people.look(page, "wrong-passphrase")
    assert not Grant.objects.exclude(first_read_at=None).exists()
    page.fill("#unlock-passphrase", "")
    page.keyboard.type(PASSPHRASE.upper().lower())
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-sealed-text]:not([hidden])")
    people.look(page, "unlocked")
    assert MARKER in page.inner_text(".prose")
    assert page.title() != "stolen"
    assert page.locator(".prose script, .prose img, .prose [href^=javascript]").count() == 0
    assert page.locator(".prose input[type=checkbox][disabled]").count() == 2
    assert page.locator("[data-sealed-contents] a").count() == 3
    assert page.is_hidden("[data-unlock]")
    assert page.evaluate("document.activeElement.matches('[data-sealed-prose]')")
    with page.expect_download() as download:
        page.click("[data-sealed-save]")
    assert Path(download.value.path()).read_text(encoding="utf-8") == TEXT
    grant = Grant.objects.get(recipient=cast.ema)
    assert grant.first_read_at is not None
    assert [one.how for one in grant.readings.order_by("pk")] == [Reading.How.LOCKED, Reading.How.PAGE]
    page.reload()
    page.wait_for_selector("[data-unlock]:not([hidden])")
    assert MARKER not in page.content(), "what was unlocked lives in the page alone"


def without_room(page: Page) -> None:
    """On a device without memory enough it is not said that the passphrase were wrong."""
    page.evaluate("() => { window.Worker = class { constructor() { throw new RangeError('allocation failed'); } }; }")
    page.fill("#unlock-passphrase", PASSPHRASE)
    page.click("[data-unlock-go]")
    page.wait_for_selector("[data-unlock-error]:not(:empty)")
    assert "256 MB" in page.inner_text("[data-unlock-error]")
    page.reload()
    page.wait_for_selector("[data-unlock]:not([hidden])")


def read_by_cards(people: Visitors, cast: Cast, former: str, later: str) -> None:
    """Petr types his former card as it is printed, with a mistake first, and takes a photo of the present one.

    Each opens what was sealed for it; what is left goes on asking. Another's card opens nothing.
    """
    page = to_the_text(people, cast.petr, phone=False, dark=True)
    photo = photo_of(people, later)
    people.look(page, "two-keys")
    page.click("[data-unlock] summary")
    others = cast.keys.of[cast.handover.public_key].identity
    for typed in (former[:-1] + ("q" if former[-1] != "Q" else "p"), others):
        page.fill("#unlock-card", typed)
        page.click("[data-unlock-card] button[type=submit]")
        page.wait_for_selector("[data-unlock-card-error]:not(:empty)")
    people.look(page, "wrong-card")
    groups = [former[16:].lower()[at : at + 4] for at in range(0, 58, 4)]
    page.fill("#unlock-card", "AGE-SECRET-KEY-1\n" + " ".join(groups))
    page.click("[data-unlock-card] button[type=submit]")
    page.wait_for_selector("[data-sealed-text]:not([hidden])")
    people.look(page, "one-opened")
    assert MARKER in page.inner_text("main")
    assert SECOND_TEXT not in page.inner_text("main")
    page.set_input_files("#unlock-picture", {"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.wait_for_selector("[data-unlock-card-error]:not(:empty)")
    page.set_input_files("#unlock-picture", {"name": "card.png", "mimeType": "image/png", "buffer": photo})
    page.wait_for_selector(f"text={SECOND_TEXT}")
    assert page.is_hidden("[data-unlock]")
    people.look(page, "both-opened")


def photo_of(people: Visitors, text: str) -> bytes:
    """Return a picture of the square code on a card, taken in a browser that is not listened to."""
    context = people.browser.new_context()
    picture = square_code(context.new_page(), text)
    context.close()
    return picture


def too_late(people: Visitors, cast: Cast, identity: str) -> None:
    """Dana comes back while a page lies open that was never unlocked: it shows nothing any more."""
    Grant.objects.filter(recipient=cast.petr).update(first_read_at=None)
    page = to_the_text(people, cast.petr, phone=True, dark=True)
    cast.come_back()
    page.click("[data-unlock] summary")
    page.fill("#unlock-card", identity)
    page.click("[data-unlock-card] button[type=submit]")
    page.wait_for_selector("[data-failure]:not([hidden])")
    people.look(page, "closed-meanwhile")
    assert MARKER not in page.content()

"""A copy from the owner's page to somebody who opens it years later: real browser, real server, paper between."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pypdfium2
import pyrage
import pytest
from playwright.sync_api import Download, Page, Request, expect
from pytest_django.live_server_helper import LiveServer

from stafeta.vault.models import Copy
from tests import make
from tests.e2e.browsers import CHROMIUM, NO_CHROMIUM, chromium, look_with_axe

PASSPHRASE = "correct-horse-battery-9"  # as it would stand in a request, too

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM),
]


def saved(download: Download, place: Path) -> Path:
    target = place / download.suggested_filename
    download.save_as(target)
    return target


def key_on(card: Path) -> str:
    """Return the key that is printed on a card."""
    text = re.sub(r"\s", "", pypdfium2.PdfDocument(card)[0].get_textpage().get_text_bounded())
    found = re.search(r"AGE-SECRET-KEY-1[0-9A-Z]{58}", text)
    assert found, text
    return found[0]


def test_the_key_stays_in_the_browser_and_on_the_card_and_opens_the_copy(
    live_server: LiveServer, keys_file: Path, tmp_path: Path
) -> None:
    """Neither the key nor the passphrase is in anything that was sent to the server; both open what came back."""
    dana = make.owner()
    handover = make.handover(dana, make.recipient(dana))
    make.attachment(handover)
    sent: list[bytes] = []

    def note(request: Request) -> None:
        sent.append(request.url.encode() + (request.post_data_buffer or b""))

    with chromium(live_server.url, looker=lambda _page, _complaints: None) as browsers:
        visitor = browsers.visitor(phone=True)
        page = visitor.page
        visitor.open("/account/auth/login/")
        visitor.fill(login=dana.email, password=make.PASSWORD)
        visitor.press("main form button[type=submit]:not(#passkey_login)")
        page.on("request", note)
        visitor.open(f"/handovers/{handover.pk}/copy/")
        expect(page.locator("[data-copy-download]")).to_be_disabled()
        page.fill("[data-copy-passphrase]", "password1234")
        page.click("[data-copy-card]")
        expect(page.locator("[data-copy-problem]")).to_contain_text("čtyři nebo víc slov")
        page.fill("[data-copy-passphrase]", PASSPHRASE)
        with page.expect_download() as card:
            page.click("[data-copy-card]")
        expect(page.locator("[data-copy-download]")).to_be_enabled()
        with page.expect_download() as copy:
            page.click("[data-copy-download]")
        card_file, copy_file = saved(card.value, tmp_path), saved(copy.value, tmp_path)
        look_with_axe(page, browsers.complaints)
        assert browsers.complaints.console == []
        assert browsers.complaints.accessibility == []
        key = key_on(card_file)
        zipfile.ZipFile(copy_file).extractall(tmp_path)
        opens(page, tmp_path / "open.html", key)
    assert pyrage.passphrase.decrypt((tmp_path / "key.age").read_bytes(), PASSPHRASE).decode() == key
    taken = b"\n".join(sent)
    assert b"age1" in taken
    assert [
        secret for secret in (key, key.removeprefix("AGE-SECRET-KEY-1"), PASSPHRASE) if secret.encode() in taken
    ] == []
    assert Copy.objects.get().has_passphrase


def opens(page: Page, file: Path, key: str) -> None:
    page.goto(file.as_uri())
    page.fill("#key", key)
    page.click("#card-form button")
    page.wait_for_selector("article")
    assert make.SECRET_TEXT in page.inner_text("article")

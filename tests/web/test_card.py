"""The recovery card: made in a real browser under the real policy, read back by a PDF reader and a scanner."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any, Final

import pypdfium2
import pyrage
import pytest
import zxingcpp
from playwright.sync_api import Browser

from tests.contracts.house import PACKAGE
from tests.e2e.browsers import CHROMIUM, NO_CHROMIUM
from tests.web.offline import SITE, Asked, chromium, listened, served

SCRIPT: Final = PACKAGE / "web" / "static" / "web" / "dist" / "card.js"
SCAN_DPI: Final = 150
WORDS: Final = ["žluťoučký", "kůň", "úpěl", "ďábelské", "ódy"]

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def make_card(browser: Browser, **card: Any) -> tuple[pypdfium2.PdfDocument, Asked]:
    """Return a card as a PDF document, and what its page asked for."""
    page = browser.new_page()
    asked = listened(page)
    served(page, {"": b"<!doctype html><title>Card</title>", "card.js": SCRIPT.read_bytes()})
    page.goto(f"{SITE}/")
    made = page.evaluate(
        """async (card) => {
            const { makeCard } = await import("/card.js");
            const pdf = makeCard({ ...card, madeAt: new Date(2026, 2, 9, 12) });
            return btoa(Array.from(pdf, (byte) => String.fromCharCode(byte)).join(""));
        }""",
        card,
    )
    page.close()
    return pypdfium2.PdfDocument(base64.b64decode(made)), asked


def scanned(document: pypdfium2.PdfDocument) -> list[str]:
    """Return what a scanner reads on the printed page."""
    picture = document[0].render(scale=SCAN_DPI / 72, grayscale=True)
    pixels = memoryview(bytes(picture.buffer)).cast("B", shape=(picture.height, picture.stride))
    return [found.text for found in zxingcpp.read_barcodes(pixels)]


@pytest.mark.parametrize(
    ("language", "kind", "says"),
    [
        ("cs", "recipient", ["Obnovovací karta", "Ema Příkladná", "9. března 2026", "Předání: žluťoučký kůň", "nula"]),
        ("en", "copy", ["Recovery card", "Ema Příkladná", "9 March 2026", "open.html", "age-encryption.org/v1"]),
        ("cs", "owner", ["Obnovovací karta", "Klíč k vašim zapečetěným předáním", "ani provozovatel"]),
    ],
)
def test_card_is_read_back_to_the_same_key(browser: Browser, language: str, kind: str, says: list[str]) -> None:
    """By eyes and by a scanner; with every diacritic, on one page, and nothing was asked of the network for it."""
    identity = str(pyrage.x25519.Identity.generate())
    document, asked = make_card(
        browser,
        identity=identity,
        kind=kind,
        whose="Ema Příkladná",
        what="Předání: žluťoučký kůň",
        language=language,
        fingerprint=WORDS,
    )
    assert len(document) == 1
    text = re.sub(r"\s+", " ", document[0].get_textpage().get_text_bounded())
    assert [words for words in [*says, *WORDS] if words not in text] == []
    assert identity in re.sub(r"\s", "", text)
    assert scanned(document) == [identity]
    assert asked == Asked([f"{SITE}/", f"{SITE}/card.js"], [])


def test_card_keeps_letters_of_other_scripts(browser: Browser) -> None:
    """Recipients are called as they are called."""
    names = "Олена Шевченко · Nguyễn Thị Ánh · Ελένη · Łukasz Żółć"
    document, _asked = make_card(
        browser,
        identity=str(pyrage.x25519.Identity.generate()),
        kind="recipient",
        whose=names,
        what="–",
        language="en",
    )
    assert names in re.sub(r"\s+", " ", document[0].get_textpage().get_text_bounded())

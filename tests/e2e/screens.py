"""Pictures of every page, for people to look at: `make screens` writes them into build/screens/.

The whole story is played once in each language; every page that it shows is taken on a phone and on a desktop, by day
and by night. What the story does not need to open, Dana opens at its end.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import django
from django.urls import Resolver404, resolve
from playwright.sync_api import Page

from tests.e2e.browsers import CHROMIUM, DESKTOP, NO_CHROMIUM, PHONE, Complaints, chromium
from tests.e2e.stack import Stack, running
from tests.e2e.story import Story, play
from tests.e2e.tour import look_around

ALBUM: Final = Path("build") / "screens"
# Slow enough that no question goes stale while its page is photographed.
DAY_S: Final = 8.0
LOCALES: Final = {"cs": "cs-CZ", "en": "en-GB"}


class Camera:
    """Takes every page that is looked at, in four ways."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.taken = 0

    def __call__(self, page: Page, _complaints: Complaints) -> None:
        self.taken += 1
        before = page.viewport_size or DESKTOP
        # The demo's line says that the clock is fast; people never see it.
        page.evaluate("document.querySelector('.banner')?.remove()")
        for size in (PHONE, DESKTOP):
            page.set_viewport_size(size)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                place = self._folder / f"{size['width']}-{scheme}"
                page.screenshot(path=place / f"{self.taken:02d}-{_name_of(page)}.png", full_page=True)
        page.set_viewport_size(before)


def main() -> int:
    """Fill the album; return 0, or 1 where there is no Chromium."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    if CHROMIUM is None:
        sys.stderr.write(f"{NO_CHROMIUM}\n")
        return 1
    shutil.rmtree(ALBUM, ignore_errors=True)
    for language in LOCALES:
        with (
            tempfile.TemporaryDirectory(prefix="stafeta-screens-") as directory,
            running(directory=Path(directory), workers=1, day_s=DAY_S) as stack,
        ):
            taken = _photograph(stack, language)
        sys.stdout.write(f"{taken} pages in {ALBUM / language}\n")
    return 0


def _photograph(stack: Stack, language: str) -> int:
    camera = Camera(ALBUM / language)
    with chromium(stack.site_url, locale=LOCALES[language], looker=camera) as browsers:
        story = Story(stack, browsers, karel_asks_to_wait=True, language=language)
        dana = play(story)
        look_around(stack, browsers, dana)
    return camera.taken


def _name_of(page: Page) -> str:
    try:
        return resolve(urlsplit(page.url).path).url_name or "page"
    except Resolver404:
        return "not-found"


if __name__ == "__main__":
    raise SystemExit(main())

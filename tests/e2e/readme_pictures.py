"""The two pictures of the README, from a real run in English: `python -m tests.e2e.readme_pictures`.

Dana writes two handovers and arms the standard ladder: the timeline. Then she falls silent, and Ema reads.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Final

import django
from django.urls import reverse
from playwright.sync_api import Page

from stafeta.cli.demo.cast import EMA, KAREL, Person
from stafeta.cli.demo.post import link_in
from tests.e2e.browsers import CHROMIUM, NO_CHROMIUM, Browsers, Complaints, Visitor, chromium
from tests.e2e.stack import running
from tests.e2e.story import PASSWORD, SAVED, Story, sign_up

FOLDER: Final = Path("docs") / "img"
DAY_S: Final = 3.0
LADDER_DAYS: Final = 25.0
PICTURE_BYTES_MAX: Final = 150_000
WEBSITES: Final = """\
Nothing is on fire: the websites run on by themselves. Here is what whoever looks after them will need.

## The first day

1. Call **Karel Novák, +420 601 000 002**. He knows about all this.
2. Switch nothing off, and pay no invoice that you do not know.

## Where things are

| What | Where | Access |
|---|---|---|
| Domain mala-pekarna.example | registrar | account `dana-webs`, password `blue-carp-7319` |
| Hosting | server `web1.example` | key in the office safe, envelope 4 |
| Backups | every night at 3:00, kept for 30 days | steps below |

## To restore a backup

- [ ] Sign in to the hosting and open **Backups**.
- [ ] Choose the last night on which the shop worked, then **Restore**.
- [ ] Wait ten minutes and place a test order.
"""
PAPERS: Final = """\
The contract for the flat, the insurance and the car papers are in the blue folder on the top shelf.
"""


def main() -> int:
    """Take both pictures; return 0, or 1 where there is no Chromium."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    if CHROMIUM is None:
        sys.stderr.write(f"{NO_CHROMIUM}\n")
        return 1
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="stafeta-pictures-") as directory,
        running(directory=Path(directory), workers=1, day_s=DAY_S) as stack,
        chromium(stack.site_url, locale="en-GB", looker=_look_away) as browsers,
    ):
        _play(Story(stack, browsers, karel_asks_to_wait=False, language="en"))
    return 0


def _play(story: Story) -> None:
    dana = story.browsers.visitor()
    sign_up(story, dana)
    invited = story.mark()
    for page, person in (("contact-new", KAREL), ("recipient-new", EMA), ("recipient-new", KAREL)):
        _open(dana, reverse(page))
        dana.fill(name=person.name, email=person.email, phone=person.phone, language=story.language)
        dana.press("button[name=invite]", leads_to=reverse("people"))
    for person in (KAREL, EMA):
        _agree(story.browsers, link_in(story.mail_to(person, since=invited, what="invitation")))
    _write(dana, "Clients’ websites", WEBSITES, to=EMA, delay_days=0)
    _write(dana, "Where the papers are", PAPERS, to=KAREL, delay_days=30)
    _open(dana, reverse("arm"))
    silent = story.mark()
    dana.press(leads_to=reverse("dashboard"))
    _photograph(dana, "section[aria-labelledby=outlook]", "timeline")
    news = story.mail_to(EMA, since=silent, what="it is open", days=LADDER_DAYS)
    ema = story.browsers.visitor()
    ema.open(link_in(news), leads_to=reverse("release"))
    asked = story.mark()
    # She has agreed, but proved no phone: reading asks for the code all the same.
    ema.press("button[name=send]", leads_to=reverse("release-code"))
    ema.fill(code=story.code_to(EMA, since=asked, what="the code"))
    ema.press("form:has([name=code]) button[type=submit]", leads_to=reverse("release-read"))
    _photograph(ema, "main", "reading")


def _open(dana: Visitor, address: str) -> None:
    """Open a page that may ask for the password first."""
    dana.open(address)
    if dana.path == reverse("account_reauthenticate"):
        dana.fill(password=PASSWORD)
        dana.press(leads_to=address)


def _agree(browsers: Browsers, link: str) -> None:
    """Let somebody who was invited agree."""
    visitor = browsers.visitor()
    visitor.open(link)
    visitor.press("form:has([name=answer][value=agree]) button")


def _write(dana: Visitor, title: str, text: str, *, to: Person, delay_days: int) -> None:
    dana.open(reverse("handover-new"))
    dana.press("button[name=starter][value=empty]")
    editor = dana.path
    dana.page.fill("[name=title]", title)
    dana.page.fill("[name=content]", text)
    dana.page.wait_for_selector(SAVED)
    dana.open(f"{editor}terms/")
    dana.page.locator(f"label:has-text('{to.name}') [name=recipients]").check()
    dana.fill(delay_days=str(delay_days))
    dana.press(leads_to=editor)


def _photograph(visitor: Visitor, selector: str, name: str) -> None:
    place = FOLDER / f"{name}.png"
    visitor.page.evaluate("document.querySelector('.banner')?.remove()")
    visitor.page.locator(selector).screenshot(path=place)
    size = place.stat().st_size
    assert size <= PICTURE_BYTES_MAX, f"{place} has {size} bytes, too many for a README"
    sys.stdout.write(f"{place}: {size} bytes\n")


def _look_away(_page: Page, _complaints: Complaints) -> None:
    """Pictures are for people; nothing is judged here."""


if __name__ == "__main__":
    raise SystemExit(main())

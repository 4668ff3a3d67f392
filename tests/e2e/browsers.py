"""People with real browsers: one Chromium, one context for each of them, and everything that one would complain about.

A page that is shown is looked at by axe, too. What the console says (a policy that was violated, a script that failed,
a file that is missing) is collected rather than raised: the story is told to its end, and judged then.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, ViewportSize, sync_playwright

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NO_CHROMIUM: Final = "no Chromium on this machine: apt-get install chromium"
ARGUMENTS: Final = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--no-first-run"]
PAGE_MS_MAX: Final = 30_000
DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 900}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
TABS_MAX: Final = 25
# Chromium tells the console of every answer that is not a success, also of those that are pages for people.
_STATUS_NOTE: Final = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")


@dataclass(slots=True)
class Complaints:
    """What the browsers said. expected: path and status of answers that are no success and right all the same."""

    console: list[str] = field(default_factory=list)
    accessibility: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    looked_at: set[tuple[str, str]] = field(default_factory=set)
    expected: set[tuple[str, int]] = field(default_factory=set)


Looker = Callable[[Page, Complaints], None]


def look_with_axe(page: Page, complaints: Complaints) -> None:
    """Note what axe finds wrong with a page."""
    found: dict[str, Any] = Axe().run(page).response
    for violation in found["violations"]:
        where = "; ".join(str(node["html"])[:200] for node in violation["nodes"][:3])
        what = f"{violation['id']} ({violation['impact']}): {violation['help']}: {where}"
        complaints.accessibility.append(f"{urlsplit(page.url).path} {what}")


class Visitor:
    """One person at one browser. Everything is done as people do: fields are filled in, buttons pressed."""

    def __init__(self, context: BrowserContext, site_url: str, complaints: Complaints, looker: Looker) -> None:
        self._site_url = site_url
        self._complaints = complaints
        self._looker = looker
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PAGE_MS_MAX)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: complaints.console.append(f"{self.path}: {error}"))
        self.page.on("response", self._on_response)

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    @property
    def text(self) -> str:
        """What stands in the page's main part."""
        return self.page.inner_text("main")

    def open(self, address: str, *, leads_to: str = "") -> None:
        """Open a path or a URL; where told, it must lead to this path."""
        self.page.goto(address if address.startswith("http") else self._site_url + address, wait_until="load")
        assert not leads_to or self.path == leads_to, f"{urlsplit(address).path} led to {self.path}, not {leads_to}"
        self.look()

    def fill(self, **values: str) -> None:
        """Fill in fields of the page by their names."""
        for name, value in values.items():
            control = self.page.locator(f"main [name={name}]:not([type=hidden])").first
            if control.evaluate("element => element.tagName") == "SELECT":
                control.select_option(value)
            else:
                control.fill(value)

    def press(self, selector: str = "main button[type=submit]", *, leads_to: str = "") -> None:
        """Press the first such button and wait for the page it leads to."""
        with self.page.expect_navigation(wait_until="load"):
            self.page.locator(selector).first.click()
        assert not leads_to or self.path == leads_to, f"{selector} led to {self.path}, not {leads_to}: {self.text}"
        self.look()

    def tab_to(self, selector: str) -> None:
        """Reach a control by the keyboard alone; it must be seen to have the focus."""
        for _ in range(TABS_MAX):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                focus = "getComputedStyle(document.activeElement)"
                seen = f"{focus}.outlineStyle !== 'none' || {focus}.boxShadow !== 'none'"
                assert self.page.evaluate(seen), f"{selector} does not show that it has the focus"
                return
        raise AssertionError(f"{selector} on {self.path} cannot be reached in {TABS_MAX} steps")

    def press_key(self, key: str, *, leads_to: str) -> None:
        """Press a key that leads on."""
        with self.page.expect_navigation(wait_until="load"):
            self.page.keyboard.press(key)
        assert self.path == leads_to, f"{key} led to {self.path}, not {leads_to}: {self.text}"
        self.look()

    def look(self) -> None:
        """Let the looker look at the page, once for every heading it shows."""
        seen = (self.path, self.page.locator("h1").first.inner_text() if self.page.locator("h1").count() else "")
        if seen not in self._complaints.looked_at:
            self._complaints.looked_at.add(seen)
            self._looker(self.page, self._complaints)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        path = urlsplit(message.location.get("url", "")).path
        status = _STATUS_NOTE.match(message.text)
        if status and (path, int(status[1])) in self._complaints.expected:
            return
        self._complaints.console.append(f"{self.path}: {message.text} ({path})")

    def _on_response(self, response: Response) -> None:
        if not response.url.startswith((self._site_url, "data:")):
            self._complaints.foreign.append(response.url)


class Browsers:
    """One Chromium for everybody. locale: of all of them. looker: what looks at every page that is shown."""

    def __init__(self, browser: Browser, site_url: str, *, locale: str, looker: Looker) -> None:
        self._browser = browser
        self._site_url = site_url
        self._locale = locale
        self._looker = looker
        self.complaints = Complaints()

    def visitor(self, *, phone: bool = False, dark: bool = False) -> Visitor:
        """Return somebody who has never been here."""
        context = self._browser.new_context(
            viewport=PHONE if phone else DESKTOP,
            has_touch=phone,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale=self._locale,
            timezone_id="Europe/Prague",
        )
        return Visitor(context, self._site_url, self.complaints, self._looker)


@contextmanager
def chromium(site_url: str, *, locale: str = "cs-CZ", looker: Looker = look_with_axe) -> Iterator[Browsers]:
    """Run a Chromium that ends with the block."""
    assert CHROMIUM, NO_CHROMIUM
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield Browsers(browser, site_url, locale=locale, looker=looker)
        finally:
            browser.close()

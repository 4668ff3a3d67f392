"""A browser that reaches only what a test hands it: no server, no network, and a note of all it asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from playwright.sync_api import Browser, Page, Route, sync_playwright

from stafeta.config import settings
from tests.e2e.browsers import ARGUMENTS, CHROMIUM, NO_CHROMIUM

SITE: Final = "https://offline.example"


@dataclass(slots=True)
class Asked:
    """What a page asked the network for, and what its console complained about."""

    urls: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a Chromium that ends with the block."""
    assert CHROMIUM, NO_CHROMIUM
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def listened(page: Page) -> Asked:
    """Note from now on what the page asks for and what it complains about."""
    asked = Asked()
    page.on("request", lambda request: asked.urls.append(request.url))
    page.on("console", lambda said: asked.complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: asked.complaints.append(str(error)))
    return asked


def served(page: Page, files: Mapping[str, bytes]) -> None:
    """Let the page find these files at SITE, under the policy that every page of ours has."""
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    policy = "; ".join(f"{name} {' '.join(values)}" for name, values in directives.items())

    def answer(route: Route) -> None:
        body = files.get(route.request.url.removeprefix(SITE + "/"))
        if body is None:
            route.abort()
            return
        kind = "text/javascript" if route.request.url.endswith(".js") else "text/html; charset=utf-8"
        route.fulfill(body=body, headers={"Content-Type": kind, "Content-Security-Policy": policy})

    page.route("**/*", answer)

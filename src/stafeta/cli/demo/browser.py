"""A visitor without a browser: reads pages over HTTP, fills in their forms, presses their buttons.

It does what a person would: every POST is a form of a page that was shown, with the fields it came with (so also with
its CSRF token), and cookies are kept. Nothing is known here about any page in particular.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin, urlsplit

import requests

from stafeta.core.errors import StafetaError

PAGE_S_MAX: Final = 30.0
_UNSENT: Final = frozenset({"submit", "button", "image", "reset", "file"})
_CHECKED: Final = frozenset({"checkbox", "radio"})
_SILENT: Final = frozenset({"script", "style", "title", "template"})


class PageMissing(StafetaError):
    """A page is not as it should be: what was looked for, and where."""


@dataclass(slots=True)
class Form:
    """One form: where it leads, and what it would send as it stands.

    names: of its fields and buttons. offers: the values that boxes and lists of a name can have.
    buttons: name, value, and the address the button itself leads to, or "".
    """

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    offers: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """What the server answered, in the end: after its redirects."""

    url: str
    status: int
    html: str
    text: str
    forms: tuple[Form, ...]
    links: tuple[str, ...]

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    def form(self, *names: str, action: str = "", **values: str) -> Form:
        """Return the first form that has all these fields, and leads to a path ending like `action`.

        values: what fields of it must hold, where several forms have the same ones.
        """
        for form in self.forms:
            holds = all(form.fields.get(name) == [value] for name, value in values.items())
            if holds and set(names) <= form.names and urlsplit(form.action).path.endswith(action):
                return form
        wanted = ", ".join(
            [*names, *(f"{name}={value}" for name, value in values.items()), *([action] if action else [])]
        )
        raise PageMissing(f"{self.path} (HTTP {self.status}) has no form with {wanted}")

    def has_form(self, *names: str) -> bool:
        """Whether some form has all these fields."""
        return any(set(names) <= form.names for form in self.forms)

    def link(self, ending: str) -> str:
        """Return the first link whose path ends like this."""
        for address in self.links:
            if urlsplit(address).path.endswith(ending):
                return address
        raise PageMissing(f"{self.path} (HTTP {self.status}) has no link to {ending}")


class Browser:
    """One person's browser. Errors of the server and of the connection are PageMissing."""

    def __init__(self, site_url: str, *, language: str) -> None:
        self.site_url = site_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Accept-Language"] = language

    def get(self, address: str) -> Page:
        """Open a path or a URL of the site."""
        return self._ask("GET", urljoin(self.site_url, address))

    def send(self, form: Form, *, button: str = "", **values: str | list[str]) -> Page:
        """Send the form with these values in place of its own; `button` is the name or value of the one pressed."""
        filled = {**form.fields, **{name: [v] if isinstance(v, str) else v for name, v in values.items()}}
        unknown = set(values) - form.names
        if unknown:
            raise PageMissing(f"the form to {urlsplit(form.action).path} has no field {', '.join(sorted(unknown))}")
        target = form.action
        if button:
            name, value, own_target = _pressed(form, button)
            target = own_target or target
            if name:
                filled[name] = [value]
        return self._ask(form.method.upper(), target, filled)

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def _ask(self, method: str, url: str, values: dict[str, list[str]] | None = None) -> Page:
        try:
            if method == "POST":
                response = self._session.post(url, data=values, timeout=PAGE_S_MAX)
            else:
                response = self._session.get(url, params=values, timeout=PAGE_S_MAX)
        except requests.RequestException as error:
            raise PageMissing(f"{method} {urlsplit(url).path} got no answer ({type(error).__name__})") from None
        response.encoding = "utf-8"
        page = read_page(response.url, response.status_code, response.text)
        if response.status_code >= 500:
            raise PageMissing(f"{method} {urlsplit(url).path} ended with HTTP {page.status} at {page.path}")
        return page


def read_page(url: str, status: int, html: str) -> Page:
    """Return what a person would find on a page."""
    reader = _Reader(url)
    reader.feed(html)
    return Page(
        url=url,
        status=status,
        html=html,
        text=" ".join(reader.words),
        forms=tuple(reader.forms),
        links=tuple(reader.links),
    )


def _pressed(form: Form, name_or_value: str) -> tuple[str, str, str]:
    for button in form.buttons:
        if name_or_value in button[:2]:
            return button
    raise PageMissing(f"the form to {urlsplit(form.action).path} has no button {name_or_value!r}")


class _Reader(HTMLParser):
    """Collects the forms of a page and the words a person would see."""

    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.words: list[str] = []
        self.links: list[str] = []
        self._url = url
        self._form: Form | None = None
        self._by_id: dict[str, Form] = {}
        self._select: str | None = None
        self._textarea: str | None = None
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        read = {name: value or "" for name, value in attrs}
        if tag in _SILENT:
            self._silent += 1
        if tag == "form":
            self._open(read)
        if tag == "a" and "href" in read:
            self.links.append(urljoin(self._url, read["href"]))
        form = self._by_id.get(read["form"]) if "form" in read else self._form
        if form is None or "disabled" in read:
            return
        match tag:
            case "input":
                self._input(form, read)
            case "button":
                if read.get("type", "submit") == "submit":
                    target = urljoin(self._url, read["formaction"]) if "formaction" in read else ""
                    form.buttons.append((read.get("name", ""), read.get("value", ""), target))
                    form.names.add(read.get("name", ""))
            case "select":
                self._select = read.get("name")
                form.names.add(self._select or "")
            case "option":
                form.offers.setdefault(self._select or "", []).append(read.get("value", ""))
                if self._select and ("selected" in read or self._select not in form.fields):
                    form.fields[self._select] = [read.get("value", "")]
            case "textarea":
                self._textarea = read.get("name")
                form.names.add(self._textarea or "")
                form.fields[self._textarea or ""] = [""]

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "form":
                self._form = None
            case "select":
                self._select = None
            case "textarea":
                self._textarea = None
            case _ if tag in _SILENT:
                self._silent = max(0, self._silent - 1)

    def handle_data(self, data: str) -> None:
        if self._textarea is not None and self._form is not None:
            text = self._form.fields[self._textarea][0] + data
            self._form.fields[self._textarea] = [text]
        elif not self._silent:
            self.words.extend(data.split())

    def _open(self, read: dict[str, str]) -> None:
        action = urljoin(self._url, read.get("action") or self._url)
        self._form = Form(action, read.get("method", "get").lower())
        self.forms.append(self._form)
        if "id" in read:
            self._by_id[read["id"]] = self._form

    @staticmethod
    def _input(form: Form, read: dict[str, str]) -> None:
        name, kind = read.get("name", ""), read.get("type", "text").lower()
        if kind == "submit":
            form.buttons.append((name, read.get("value", ""), ""))
        if not name or kind in _UNSENT:
            return
        form.names.add(name)
        if kind not in _CHECKED:
            form.fields[name] = [read.get("value", "")]
            return
        form.offers.setdefault(name, []).append(read.get("value", "on"))
        if "checked" in read:
            form.fields.setdefault(name, []).append(read.get("value", "on"))

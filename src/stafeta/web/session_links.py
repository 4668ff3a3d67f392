"""Signed links after they were opened: what one was for lies in the session, its token nowhere (vault.md, "Links").

The session holds the purpose and the ids of a link, which open nothing by themselves; so neither histories, nor
referrers, nor the session table ever have a token (invariant 17).
"""

from __future__ import annotations

from typing import Final

from django.http import Http404, HttpRequest

from stafeta.core.links import Link, Purpose

SESSION_KEY: Final = "links"
SESSION_S: Final = 6 * 3600

# The page behind each purpose, by URL name. A probe is nobody's page.
PAGES: Final[dict[Purpose, str]] = {
    Purpose.CHECKIN: "checkin",
    Purpose.TRUSTED: "trusted",
    Purpose.RECIPIENT_CONSENT: "consent",
    Purpose.CONTACT_CONSENT: "contact-consent",
    Purpose.RELEASE: "release",
}


class LinkMissing(Http404):
    """A page of a signed link was asked for in a browser that has not opened one: the middleware says so plainly."""


def keep_link(request: HttpRequest, link: Link) -> None:
    """Remember the link for `SESSION_S`, replacing one of the same purpose; the link may be opened again any time.

    A visitor who is not signed in gets a new session id, so that nobody can have handed them one prepared.
    """
    request.session[SESSION_KEY] = {
        **request.session.get(SESSION_KEY, {}),
        str(link.purpose.value): [link.person, link.switch, link.cycle],
    }
    if not request.user.is_authenticated:
        request.session.cycle_key()
        request.session.set_expiry(SESSION_S)


def session_link(request: HttpRequest, purpose: Purpose) -> Link:
    """Return the link of this purpose that was opened in this browser. Raises LinkMissing, an Http404.

    Only the MAC was checked: whether its person, switch and cycle still mean something is the caller's question.
    """
    kept = request.session.get(SESSION_KEY, {}).get(str(purpose.value))
    if kept is None:
        raise LinkMissing(f"no {purpose.name} link was opened in this session")
    person, switch, cycle = kept
    return Link(purpose, person, switch, cycle)


def forget_link(request: HttpRequest, purpose: Purpose) -> None:
    """Forget the link of this purpose in this browser; harmless where there is none."""
    links = dict(request.session.get(SESSION_KEY, {}))
    if links.pop(str(purpose.value), None) is not None:
        request.session[SESSION_KEY] = links

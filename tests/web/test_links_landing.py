"""Opening a signed link: the token leaves the address, nothing else happens (vault.md; invariants 5, 7, 17)."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import DjangoAssertNumQueries

from stafeta.accounts.signed_links import url_for
from stafeta.core.links import Link, Purpose
from stafeta.web import urls as real_urls
from stafeta.web.session_links import PAGES, SESSION_S, LinkMissing, forget_link, session_link
from tests.web.traces import database_as_text

pytestmark = pytest.mark.django_db

CHECKIN = Link(Purpose.CHECKIN, 3, 5, 7)
RELEASE = Link(Purpose.RELEASE, 11, 5, 7)


def show(request: HttpRequest) -> HttpResponse:
    """A page that needs a link and says what is in it."""
    link = session_link(request, Purpose.CHECKIN)
    if request.method == "POST":
        forget_link(request, Purpose.CHECKIN)
    return HttpResponse(f"{link.person}/{link.switch}/{link.cycle}")


urlpatterns = [path("shown/", show), *real_urls.urlpatterns]


@pytest.fixture(autouse=True)
def _pages(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = __name__  # type: ignore[attr-defined]
    for purpose in PAGES:
        monkeypatch.setitem(PAGES, purpose, "/shown/")


def local(link: Link) -> str:
    return url_for(link).removeprefix("http://localhost:8000")


def test_link_is_swapped_into_the_session(client: Client) -> None:
    """The token is in no address, no page and no row afterwards."""
    token = local(CHECKIN).split("/")[2]
    response = client.get(local(CHECKIN))
    assert response.status_code == 302
    assert response["Location"] == "/shown/"
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "same-origin"
    assert token not in response.content.decode()
    page = client.get("/shown/")
    assert page.content == b"3/5/7"
    assert "no-store" in page["Cache-Control"]
    assert token not in database_as_text()
    assert token not in str(dict(client.session.items()))
    assert token not in str(client.cookies)


def test_opening_twice_is_harmless(client: Client) -> None:
    """The link works as often as it is opened (invariant 7)."""
    for _ in range(2):
        assert client.get(local(CHECKIN)).status_code == 302
    assert client.get("/shown/").content == b"3/5/7"


@pytest.mark.parametrize("method", ["head", "options"])
def test_scanner_leaves_no_trace(
    client: Client, method: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """HEAD and OPTIONS make no session and ask the database nothing."""
    with django_assert_num_queries(0):
        response = getattr(client, method)(local(CHECKIN))
    assert response.status_code == 200
    assert "sessionid" not in response.cookies


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_other_methods_are_refused(client: Client, method: str) -> None:
    """A landing is for opening only."""
    assert getattr(client, method)(local(CHECKIN)).status_code == 405


@pytest.mark.parametrize("damage", ["", "x", "AAAA", "ěšč", "a" * 61, "a" * 5000])
def test_forged_link_gets_a_kind_page(client: Client, damage: str) -> None:
    """One and the same answer for everything that we did not make."""
    response = client.get(f"/l/{damage or 'broken'}/")
    assert response.status_code == 404
    assert "sessionid" not in response.cookies
    assert "panel" in response.content.decode()


def test_changed_character_is_a_forged_link(client: Client) -> None:
    """Another person, another cycle: the MAC does not fit."""
    url = local(CHECKIN)
    for place in range(3, len(url) - 1):
        other = "B" if url[place] != "B" else "C"
        assert client.get(url[:place] + other + url[place + 1 :]).status_code == 404


def test_probe_link_is_nobodys_page(client: Client) -> None:
    """A true token of a purpose without a page."""
    assert client.get(local(Link(Purpose.PROBE, 1, 1, 1))).status_code == 404


def test_several_links_live_side_by_side(client: Client) -> None:
    """One for each purpose; a newer one of the same purpose replaces the older."""
    client.get(local(CHECKIN))
    client.get(local(RELEASE))
    client.get(local(Link(Purpose.CHECKIN, 3, 5, 8)))
    assert client.session["links"] == {"1": [3, 5, 8], "5": [11, 5, 7]}


def test_page_without_its_link_says_what_to_do(client: Client) -> None:
    """A plain page, not a bare 404; and a link that was forgotten is gone."""
    assert client.get("/shown/").status_code == 404
    client.get(local(CHECKIN))
    client.post("/shown/")
    response = client.get("/shown/")
    assert response.status_code == 404
    assert "web/account/no_link.html" in [template.name for template in response.templates]


def test_session_of_a_link_is_short_and_its_own(client: Client) -> None:
    """It ends after hours, not weeks, and its id is not one that somebody prepared."""
    client.get(local(CHECKIN))
    first = client.session.session_key
    assert client.session.get_expiry_age() <= SESSION_S
    client.get(local(RELEASE))
    assert client.session.session_key != first


def test_missing_link_is_a_404_for_whoever_catches_it() -> None:
    """Views may treat it as any Http404."""
    from django.http import Http404

    assert issubclass(LinkMissing, Http404)

"""The probe hears only our own confirmation page, and nothing that poses as it (ladder.md, "Service time")."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from unittest import mock

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from stafeta.accounts.derived_keys import link_key
from stafeta.accounts.models import Instance
from stafeta.accounts.selectors import installation
from stafeta.core.links import Link, Purpose, make_token
from stafeta.switches.services.probe import ANSWER_HEADER, probe, probe_answer

TIMEOUT_S = 5
IDENTITY = "0123456789abcdef"


def challenge(purpose: Purpose = Purpose.PROBE) -> str:
    return make_token(Link(purpose, 12345, 0, 0), key=link_key())


class Stranger(BaseHTTPRequestHandler):
    """A captive portal, a parked domain, a proxy's login page: answers everything with `answer`."""

    status = 200
    headers_sent: dict[str, str] = {}
    body = b"Welcome to our network"

    def do_GET(self) -> None:
        self.send_response(self.status)
        for name, value in self.headers_sent.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def stranger() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Stranger)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.django_db(transaction=True)
def test_our_own_page_is_heard(live_server: LiveServer) -> None:
    found = probe(site_url=live_server.url, timeout_s=TIMEOUT_S, identity=installation().identity)
    assert found.ok, found.reason


@pytest.mark.django_db(transaction=True)
def test_an_old_copy_hears_that_another_installation_answers(live_server: LiveServer) -> None:
    """The same secret and address, another database: what is confirmed there is never heard here."""
    found = probe(site_url=live_server.url, timeout_s=TIMEOUT_S, identity="0" * 32)
    assert (found.ok, found.fenced) == (False, True)
    assert found.reason == "another installation answers at the public address"


@pytest.mark.django_db(transaction=True)
def test_a_web_whose_database_is_at_home_elsewhere_answers_nothing(live_server: LiveServer) -> None:
    Instance.objects.all().delete()
    Instance.objects.create(identity=IDENTITY, home="0" * 64)
    found = probe(site_url=live_server.url, timeout_s=TIMEOUT_S, identity=IDENTITY)
    assert found.reason == "somebody else answers at the public address"


@pytest.mark.django_db(transaction=True)
def test_page_that_cannot_read_the_database_is_not_heard(live_server: LiveServer) -> None:
    with mock.patch("stafeta.web.views.probe.service_second", side_effect=RuntimeError("no database")):
        found = probe(site_url=live_server.url, timeout_s=TIMEOUT_S, identity=installation().identity)
    assert not found.ok
    assert "500" in found.reason


def test_nobody_at_the_address_is_not_heard() -> None:
    assert not probe(site_url="http://127.0.0.1:9", timeout_s=TIMEOUT_S, identity=IDENTITY).ok


def test_stranger_who_answers_everything_is_not_heard(stranger: str) -> None:
    found = probe(site_url=stranger, timeout_s=TIMEOUT_S, identity=IDENTITY)
    assert found.reason == "somebody else answers at the public address"
    assert not found.fenced


def test_answer_to_another_challenge_is_not_enough(stranger: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cached copy of an earlier answer knows the header, but not today's challenge."""
    monkeypatch.setattr(Stranger, "headers_sent", {ANSWER_HEADER: probe_answer(challenge(), IDENTITY)})
    monkeypatch.setattr(Stranger, "body", b'<button id="confirm-checkin">')
    assert not probe(site_url=stranger, timeout_s=TIMEOUT_S, identity=IDENTITY).ok


def test_redirect_is_not_followed(stranger: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stranger, "status", 302)
    monkeypatch.setattr(Stranger, "headers_sent", {"Location": "/login"})
    assert (
        probe(site_url=stranger, timeout_s=TIMEOUT_S, identity=IDENTITY).reason
        == "the confirmation page answers wrongly (status 302)"
    )


def test_page_without_its_button_is_not_heard(stranger: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stafeta.switches.services.probe.secrets.randbits", lambda _bits: 12345)
    monkeypatch.setattr(Stranger, "headers_sent", {ANSWER_HEADER: probe_answer(challenge(), IDENTITY)})
    assert (
        probe(site_url=stranger, timeout_s=TIMEOUT_S, identity=IDENTITY).reason
        == "the confirmation page has lost its button"
    )


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch, stranger: str) -> None:
    monkeypatch.setenv("http_proxy", stranger)
    assert "does not answer" in probe(site_url="http://127.0.0.1:9", timeout_s=TIMEOUT_S, identity=IDENTITY).reason


@pytest.mark.django_db
class TestPage:
    def test_it_needs_a_challenge_made_by_us(self) -> None:
        for token in ("x", "A" * 28, challenge(Purpose.CHECKIN)):
            response = Client().get(f"/probe/{token}/")
            assert response.status_code == 404
            assert ANSWER_HEADER not in response

    def test_it_shows_nobodys_button_and_keeps_nothing(self) -> None:
        client = Client()
        response = client.get(f"/probe/{challenge()}/")
        assert response[ANSWER_HEADER] == probe_answer(challenge(), installation().identity)
        assert "no-store" in response["Cache-Control"]
        assert "sessionid" not in client.cookies

    def test_a_probe_link_is_no_page_of_anybody(self) -> None:
        assert Client().get(f"/l/{challenge()}/").status_code == 404

    def test_posting_does_nothing(self) -> None:
        assert Client().post(f"/probe/{challenge()}/").status_code == 405

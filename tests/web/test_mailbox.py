"""The built-in mailbox: every message, on this machine only, and its HTML can run nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from stafeta import clock
from stafeta.channels.base import EmailMessage, SmsMessage
from stafeta.channels.mailbox import MailboxChannel
from tests.web.desk import words

HTML = "<!doctype html><html><head><title>x</title></head><body><a href='http://localhost:8000/l/abc/'>Go</a></body></html>"


@pytest.fixture
def box(db: None, data_dir: Path, settings: Settings) -> MailboxChannel:
    return MailboxChannel(settings.MAILBOX_DIR, now=clock.now)


def _mail(html: str = HTML) -> EmailMessage:
    return EmailMessage(
        id="1",
        to="dana@example.org",
        subject="Are you all right?",
        text="Press: http://localhost:8000/l/abc/ <script>alert(1)</script>",
        html=html,
        message_id="<1@x>",
        headers={},
        language="en",
    )


def _get(path: str) -> HttpResponse:
    return Client(headers={"Accept-Language": "en"}).get(path)  # type: ignore[return-value]


def test_an_empty_mailbox_says_that_it_fills_by_itself(box: MailboxChannel) -> None:
    page = _get("/mailbox/")
    assert "No messages yet" in words(page)
    assert 'hx-trigger="every 2s"' in page.content.decode()


def test_everybody_at_this_machine_sees_every_message_newest_first(box: MailboxChannel) -> None:
    box.send(_mail())
    box.send(SmsMessage(id="2", to="+420601000003", text="Stafeta: your code is 1234 5678"))
    page = words(_get("/mailbox/list/"))
    assert page.index("+420 601 000 003") < page.index("Are you all right?")
    assert "<html" not in _get("/mailbox/list/").content.decode()


def test_links_of_a_message_can_be_clicked_and_scripts_are_only_text(box: MailboxChannel) -> None:
    box.send(_mail())
    page = _get("/mailbox/1/").content.decode()
    assert '<a href="http://localhost:8000/l/abc/"' in page
    assert "<script>alert" not in page
    assert 'sandbox="allow-top-navigation-by-user-activation' in page
    assert "allow-scripts" not in page


def test_the_frame_of_an_email_runs_nothing_and_opens_links_in_the_whole_window(box: MailboxChannel) -> None:
    box.send(_mail())
    frame = _get("/mailbox/1/html/")
    policy = frame["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-top-navigation-by-user-activation" in policy
    assert "script-src 'none'" in policy
    assert "allow-scripts" not in policy
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    assert '<head><base target="_top">' in frame.content.decode()
    assert "frame-src 'self'" in _get("/mailbox/1/")["Content-Security-Policy"]


def test_a_message_that_is_not_there_is_not_found(box: MailboxChannel) -> None:
    box.send(SmsMessage(id="2", to="+420601000003", text="hi"))
    assert _get("/mailbox/7/").status_code == 404
    assert _get("/mailbox/1/html/").status_code == 404


@pytest.mark.parametrize("path", ["/mailbox/", "/mailbox/list/", "/mailbox/1/", "/mailbox/1/html/"])
def test_a_public_site_or_real_channels_have_no_mailbox(box: MailboxChannel, settings: Settings, path: str) -> None:
    box.send(_mail())
    settings.SITE_IS_LOCAL = False
    assert _get(path).status_code == 404
    settings.SITE_IS_LOCAL = True
    assert _get(path).status_code == 200
    settings.EMAIL_CHANNEL_URL, settings.SMS_CHANNEL_URL = "smtp://localhost", "webhook+http://localhost:1/"
    assert _get(path).status_code == 404


def test_a_visitor_from_elsewhere_who_calls_us_localhost_sees_nothing(box: MailboxChannel) -> None:
    assert Client(REMOTE_ADDR="192.0.2.7").get("/mailbox/").status_code == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_a_visitor_who_came_through_a_tunnel_sees_nothing(box: MailboxChannel, header: str) -> None:
    """Through one on this machine everybody seems to sit here, and the mailbox has every link and every code."""
    assert Client(headers={header: "192.0.2.7"}).get("/mailbox/").status_code == 404


def test_every_page_says_where_the_messages_are_while_none_really_leaves(box: MailboxChannel) -> None:
    page = _get("/account/auth/signup/").content.decode()
    assert "Messages stay in the mailbox on this computer." in page
    assert 'href="/mailbox/"' in page


def test_reading_the_mailbox_writes_nothing(box: MailboxChannel) -> None:
    box.send(_mail())
    client = Client()
    assert client.post("/mailbox/").status_code == 405
    client.get("/mailbox/")
    assert "sessionid" not in client.cookies

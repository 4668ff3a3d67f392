"""Invariant 17: no token and no query string reaches the logs, by whatever way it came."""

from __future__ import annotations

import io
import logging
import logging.config
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client, RequestFactory

from stafeta.config.logs import logging_config, redact

TOKEN = "b2x8J4mQy7Wc9Zt1"


@pytest.mark.parametrize(
    "text",
    [
        f"GET /l/{TOKEN}/ HTTP/1.1",
        f"Not Found: /l/{TOKEN}/",
        f"https://stafeta.example.com/l/{TOKEN}",
        f"<WSGIRequest: GET '/l/{TOKEN}/'>",
        f"/account/auth/password/reset/key/1-{TOKEN}/",
        f"/account/auth/confirm-email/{TOKEN}/",
        f"POST https://sms.example.com/send?key={TOKEN}&to=1",
        f"/people/?q={TOKEN}",
        f"Not Found: /receipts/postmark/{TOKEN}/",
        f"https://stafeta.example.com/receipts/amazon-ses/{TOKEN}",
    ],
)
def test_what_opens_something_is_redacted(text: str) -> None:
    assert TOKEN not in redact(text)


@pytest.mark.parametrize("text", ["3 messages are due", "Not Found: /handovers/7/", "Is this well? Yes."])
def test_everything_else_stays(text: str) -> None:
    assert redact(text) == text


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the configured logging writes."""
    stream = io.StringIO()
    config = logging_config("debug")
    config["handlers"]["stderr"]["stream"] = stream
    logging.config.dictConfig(config)
    yield stream
    logging.config.dictConfig(settings.LOGGING)


def test_arguments_and_tracebacks_are_redacted_too(written: io.StringIO) -> None:
    log = logging.getLogger("stafeta.anything")
    log.warning("opened %s", f"/l/{TOKEN}/")
    try:
        raise ValueError(RequestFactory().get(f"/l/{TOKEN}/"))
    except ValueError:
        log.exception("it failed")
    assert "ValueError" in written.getvalue()
    assert TOKEN not in written.getvalue()


@pytest.mark.django_db
def test_a_forged_link_leaves_no_token_behind(written: io.StringIO, client: Client) -> None:
    client.get(f"/l/{TOKEN}/")
    client.get(f"/no/such/page/?token={TOKEN}")
    assert TOKEN not in written.getvalue()


def test_a_line_is_written_once(written: io.StringIO) -> None:
    logging.getLogger("django.request").warning("once")
    assert written.getvalue().count("once") == 1

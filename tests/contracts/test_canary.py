"""Invariant 17: after a whole life, neither what was written, nor a link, nor a code lies in the database or a log.

The same is asked of the real files of a real installation in tests/e2e; this needs no browser, and says which table.
"""

from __future__ import annotations

import io
import logging.config
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import settings as present
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from stafeta.accounts.models import CodeChallenge
from stafeta.accounts.services.codes import code_of
from stafeta.channels.base import EmailMessage
from stafeta.config.logs import logging_config
from stafeta.core.links import Purpose
from tests import make
from tests.contracts import roles
from tests.contracts.addresses import all_links, token_of
from tests.web.traces import database_as_text
from tests.world import World

LINK = re.compile(r"http://localhost:8000/\S+")
CODE = re.compile(r"\b(\d{4}) ?(\d{4})\b")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that the strictest operator could have written down."""
    stream = io.StringIO()
    config = logging_config("debug")
    config["handlers"]["stderr"]["stream"] = stream
    logging.config.dictConfig(config)
    yield stream
    logging.config.dictConfig(present.LOGGING)


@pytest.fixture
def world(db: None, keys_file: object, settings: Settings, log: io.StringIO) -> Iterator[World]:
    """Dana has fallen silent, everybody was asked, Ema has read and Dana is back; sessions are still there."""
    found = roles.scene(roles.released, settings)
    settings.CLOCK_SCALE, settings.CLOCK_EPOCH = 1.0, None
    with time_machine.travel(found.now, tick=False):
        karel, petr, ema = roles.karel(), roles.petr_consenting(), roles.ema_reading()
        for client, page in ((karel, "trusted"), (karel, "contact-consent"), (petr, "consent"), (ema, "release-read")):
            client.get(reverse(page))
        petr.post(reverse("consent"), {"answer": "agree"})
        petr.post(reverse("consent-phone"), {"send": "1"})
        Client().post(reverse("account_reset_password"), {"email": "dana@example.org"})
        found.deliver()
        _open_everything(found)
        roles.dana()
        found.deliver()
        yield found


def _open_everything(world: World) -> None:
    """Every link of every message is opened, as its addressee would, and once as a word that is slightly wrong."""
    for link in _links(world):
        Client().get(urlsplit(link).path)
        Client().get(urlsplit(link).path[:-2] + "x/")


def _links(world: World) -> set[str]:
    return {link.rstrip(".,") for message in world.sent() for link in LINK.findall(message.text)}


def _tokens(world: World) -> set[str]:
    """Return what opens something in the links that were sent, and in those that could be made."""
    sent = {urlsplit(link).path.rstrip("/").rsplit("/", 1)[-1] for link in _links(world)}
    made = {token_of(link) for link in all_links() if link.purpose is not Purpose.PROBE}
    return {token for token in sent | made if len(token) > 20}


def _codes(world: World) -> set[str]:
    """Return the codes that were sent, and those that were asked for and are used up."""
    made = {code_of(challenge) for challenge in CodeChallenge.objects.all()}
    texts = [message.text for message in world.sent() if not isinstance(message, EmailMessage)]
    sent = {"".join(found) for text in texts for found in CODE.findall(text)}
    assert sent <= made
    return made


def test_nothing_that_opens_anything_is_at_rest(world: World, log: io.StringIO) -> None:
    tokens, codes = _tokens(world), _codes(world)
    assert len(tokens) > 10
    assert len(codes) == 2
    for name, text in (("database", database_as_text()), ("log", log.getvalue())):
        assert "dana@example.org" in text or name == "log"
        assert [token for token in tokens if token in text] == [], name
        assert [code for code in codes if re.search(rf"(?<!\d){code[:4]} ?{code[4:]}(?!\d)", text)] == [], name


def test_nothing_that_was_written_is_at_rest(world: World, log: io.StringIO) -> None:
    assert all(make.SECRET_TEXT not in message.text for message in world.sent()), "a mail nobody asked for"
    for text in (database_as_text(), log.getvalue()):
        assert make.SECRET_TEXT not in text
        assert "zlatý-kapr" not in text
        assert make.PASSWORD not in text

"""Dana, one handover of hers, and her browser, for the pages of handovers; who needs another world makes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from stafeta.accounts.models import User
from stafeta.vault.models import Handover
from tests import make


@pytest.fixture
def dana(db: None, keys_file: Path) -> User:
    """Dana, with an account."""
    return make.owner()


@pytest.fixture
def handover(dana: User) -> Handover:
    """A handover of hers, for one recipient."""
    return make.handover(dana, make.recipient(dana))


@pytest.fixture
def browser(client: Client, dana: User) -> Client:
    """A browser in which she is signed in and reads English."""
    client.force_login(dana)
    client.cookies["django_language"] = "en"
    dana.language = "en"
    dana.save()
    return client

"""A world whose database can really go back: a restore is a transaction of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from stafeta.accounts.services.installation import settle_home
from tests.world import World


@pytest.fixture
def world(transactional_db: None, keys_file: object) -> World:
    """A service in virtual time, with nothing in it yet but the row that says which it is."""
    settle_home()
    return World()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a backup may be written."""
    return tmp_path / "backup.zip"

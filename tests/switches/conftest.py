"""A world for every test of the switches."""

from __future__ import annotations

import pytest

from tests.world import World


@pytest.fixture
def world(db: None, keys_file: object) -> World:
    """A service in virtual time, with nothing in it yet."""
    return World()

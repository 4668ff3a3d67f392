"""What every test gets. The network ends at this machine (pyproject.toml, `--allow-hosts`); `settings.py` says how to
run everything on a real PostgreSQL."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django.fixtures import Settings
from tools.catalogs import PACKAGE, compile_catalogs

from stafeta.vault.keyring import create_keys_file
from tests.beside import Lane

compile_catalogs(PACKAGE / "locale")

hypothesis_settings.register_profile("default", deadline=None)
hypothesis_settings.register_profile(
    "ci", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.register_profile("mutants", deadline=None, derandomize=True, database=None, max_examples=20)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))

LANE = pytest.StashKey[Lane]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what waits for something beside the tests come last, and begin with what takes longest."""

    def place(item: pytest.Item) -> float:
        beside = item.get_closest_marker("beside")
        return -math.inf if beside is None else -beside.kwargs["about_s"]

    items.sort(key=place)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin everything that will be waited for."""
    lane = session.config.stash[LANE] = Lane()
    if not session.config.option.collectonly:
        for mark in [mark for item in session.items for mark in item.iter_markers("beside")]:
            lane.begin(*mark.args)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing running."""
    if LANE in config.stash:
        config.stash[LANE].close()


@pytest.fixture
def answer(request: pytest.FixtureRequest) -> Any:
    """What came of the deed that this test has beside it (`pytest.mark.beside`)."""
    (deed,) = request.node.get_closest_marker("beside").args
    return request.config.stash[LANE].answer(deed)


@pytest.fixture
def data_dir(tmp_path: Path, settings: Settings) -> Path:
    """An empty data directory that the settings point to."""
    directory = tmp_path / "data"
    directory.mkdir(mode=0o700)
    settings.DATA_DIR = directory
    settings.MAILBOX_DIR = directory / "mailbox"
    settings.PASSAGE_DIR = directory / "passage"
    attachments = settings.STORAGES["attachments"]
    options = {**attachments["OPTIONS"], "location": directory / "attachments"}
    settings.STORAGES = {**settings.STORAGES, "attachments": {**attachments, "OPTIONS": options}}
    return directory


@pytest.fixture
def keys_file(data_dir: Path, settings: Settings) -> Path:
    """A fresh keys file that the settings point to."""
    path = data_dir / "keys.txt"
    create_keys_file(path)
    settings.KEYS_FILE = path
    return path

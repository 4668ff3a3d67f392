"""What every test gets. The network ends at this machine (pyproject.toml, `--allow-hosts`); `settings.py` says how to
run everything on a real PostgreSQL."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django.fixtures import Settings
from tools.catalogs import PACKAGE, compile_catalogs

from stafeta.vault.keyring import create_keys_file

compile_catalogs(PACKAGE / "locale")

hypothesis_settings.register_profile("default", deadline=None)
hypothesis_settings.register_profile(
    "ci", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.register_profile("mutants", deadline=None, derandomize=True, database=None, max_examples=20)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))


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

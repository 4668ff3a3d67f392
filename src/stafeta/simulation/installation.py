"""A throw-away installation in memory, apart from whatever this machine runs: nothing of it is read or touched."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

IN_MEMORY: Final = "sqlite:///:memory:"


def enter(database_url: str = IN_MEMORY, *, log_level: str = "critical") -> None:
    """Set Django up for this process with tables in an empty database. Must come before anything of Django's.

    A database that holds accounts belongs to somebody: raises ConfigurationError.
    """
    directory = Path(tempfile.mkdtemp(prefix="stafeta-simulation-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    for name in [name for name in os.environ if name.startswith("STAFETA_")]:
        del os.environ[name]
    os.environ |= {
        "STAFETA_DATA_DIR": str(directory),
        "STAFETA_DATABASE_URL": database_url,
        "STAFETA_SECRET_KEY": "a secret of the simulation, which opens nothing anywhere else",
        "STAFETA_LOG_LEVEL": "error",
        "DJANGO_SETTINGS_MODULE": "stafeta.config.settings",
    }
    import logging

    import django

    django.setup()
    logging.disable(getattr(logging, log_level.upper()))
    _make(directory)


def _make(directory: Path) -> None:
    from django.core.management import call_command

    from stafeta.accounts.models import User
    from stafeta.core.errors import ConfigurationError
    from stafeta.vault.keyring import create_keys_file

    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    if User.objects.exists():
        raise ConfigurationError(
            "--database", "it holds accounts already", "Name an empty one: the simulation deletes everything in it."
        )
    create_keys_file(directory / "keys.txt")

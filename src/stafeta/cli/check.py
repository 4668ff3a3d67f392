"""Say in plain words whether everything is set up to work: settings, system checks, database, keys file, channels. Exit
code 1 names at least one problem. Nothing is changed and nothing is sent."""

from __future__ import annotations

import argparse
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from stafeta.cli.ready import (
    not_at_home,
    require_current_database,
    require_secret,
    require_sound_sqlite,
    start_django,
    tell,
)
from stafeta.core.errors import ConfigurationError, StafetaError


def configure(parser: argparse.ArgumentParser) -> None:
    """The command takes no arguments."""
    del parser


def main(args: argparse.Namespace) -> int:
    """Look at everything, say what was found, and return 1 where anything is wrong."""
    del args
    start_django()
    tell("ok       settings")
    problems = sum(not _holds(name, look) for name, look in LOOKS)
    if problems:
        tell(f"\n{problems} of {len(LOOKS) + 1} are not right yet.")
    return 1 if problems else 0


def _holds(name: str, look: Callable[[], str]) -> bool:
    """Take one look and say what it found."""
    try:
        found = look()
    except StafetaError as error:
        tell(f"PROBLEM  {name}: {error}")
        return False
    tell(f"ok       {name}{found and ': '}{found}")
    return True


def _data_dir() -> str:
    from django.conf import settings

    path: Path = settings.DATA_DIR
    if not path.is_dir():
        raise ConfigurationError("STAFETA_DATA_DIR", f"{path} does not exist", "Run `stafeta init`.")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ConfigurationError(
            "STAFETA_DATA_DIR", f"others may look into {path} (mode {mode:04o})", f"Run: chmod 700 {path}"
        )
    return str(path)


def _secret() -> str:
    require_secret()
    return ""


def _database() -> str:
    from django.db import connection

    require_sound_sqlite()
    require_current_database()
    return str(connection.display_name)


def _installation() -> str:
    from stafeta.accounts.selectors import installation, is_elsewhere

    require_secret()
    require_current_database()
    found = installation()
    if is_elsewhere(found):
        raise not_at_home()
    return f"restored {found.epoch} times" if found.epoch else ""


def _keys_file() -> str:
    from stafeta.vault.keyring import instance_keyring

    keyring = instance_keyring()
    keyring.unwrap(keyring.wrap(b"probe"))
    return ""


def _channels() -> str:
    from stafeta.worker.loop import configured_channels

    channels = configured_channels()
    names = f"e-mail by {channels.email.name}, SMS by {channels.sms.name}"
    channels.email.close()
    channels.sms.close()
    return names


def _system_checks() -> str:
    from django.core.checks import ERROR, run_checks

    errors = [message for message in run_checks() if message.level >= ERROR]
    if errors:
        words = "; ".join(message.msg for message in errors)
        hints = " ".join(message.hint for message in errors if message.hint)
        raise ConfigurationError("Django", words.rstrip("."), hints)
    return ""


LOOKS: Final[tuple[tuple[str, Callable[[], str]], ...]] = (
    ("data directory", _data_dir),
    ("secret key", _secret),
    ("database", _database),
    ("installation", _installation),
    ("keys file", _keys_file),
    ("channels", _channels),
    ("system checks", _system_checks),
)

"""Make what an installation needs: the data directory (mode 0700), the secret key and the keys file (mode 0600), the
database with its tables. What is already there stays as it is, so repeating the command is safe."""

from __future__ import annotations

import argparse
import os
import stat
from collections.abc import Callable
from pathlib import Path

from stafeta.cli.ready import not_at_home, require_sound_sqlite, start_django, tell, unreachable
from stafeta.config.environment import Environment, load
from stafeta.config.secret_key import create_secret_key
from stafeta.core.errors import ConfigurationError

OWNER_ONLY = 0o700


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the one choice there is; everything else is in the settings."""
    parser.add_argument(
        "--move",
        action="store_true",
        help="let the database be at home at this address and secret key from now on, after it has moved",
    )


def main(args: argparse.Namespace) -> int:
    """Make what is missing and say so."""
    prepare(tell, move=args.move)
    return 0


def prepare(say: Callable[[str], None], *, move: bool = False) -> None:
    """Make what is missing, `say`ing each thing that was made. Raises ConfigurationError.

    A secret or a keys file that vanished from an installation in use is not replaced in silence: what it opened
    would be lost unnoticed.
    """
    environment = load(os.environ)
    _make_data_dir(environment.data_dir, say)
    start_django()
    require_sound_sqlite()
    _make_tables(say)
    _settle(environment, say, move=move)
    _make_secret(environment, say)
    _make_keys(environment, say)
    say(f"Ready. Everything lies in {environment.data_dir}")


def _make_data_dir(path: Path, say: Callable[[str], None]) -> None:
    try:
        if not path.exists():
            path.mkdir(mode=OWNER_ONLY, parents=True)
            say(f"Made the data directory {path}")
        if stat.S_IMODE(path.stat().st_mode) & ~OWNER_ONLY:
            path.chmod(OWNER_ONLY)
            say(f"Closed the data directory {path} to others")
    except OSError as error:
        raise ConfigurationError(
            "STAFETA_DATA_DIR",
            f"{path} cannot be made or closed to others ({error.strerror})",
            "Name a directory that this user may write to.",
        ) from None


def _make_tables(say: Callable[[str], None]) -> None:
    from django.core.management import call_command
    from django.db import OperationalError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
    except OperationalError as error:
        raise unreachable(error) from None
    if pending:
        say("Made the tables of the database, or brought them up to date")


def _settle(environment: Environment, say: Callable[[str], None], *, move: bool) -> None:
    """See that the database is at home here; without a secret, which is made next, nobody can be at home anywhere."""
    from stafeta.accounts.services.installation import settle_home

    if not environment.secret_key and not environment.secret_key_file.exists():
        return
    if not settle_home(move=move):
        raise not_at_home()
    if move:
        say("The database is at home here now. Restart every web and worker that uses it")


def _make_secret(environment: Environment, say: Callable[[str], None]) -> None:
    from django.contrib.auth import get_user_model

    path = environment.secret_key_file
    if environment.secret_key or path.exists():
        return
    if get_user_model().objects.exists():
        raise _vanished("STAFETA_SECRET_KEY_FILE", path, "accounts")
    if create_secret_key(path):
        say(f"Made the secret key {path}")


def _make_keys(environment: Environment, say: Callable[[str], None]) -> None:
    from stafeta.vault.keyring import create_keys_file, instance_keyring
    from stafeta.vault.opening import affected

    path = environment.keys_file
    if environment.keys:
        instance_keyring()
        return
    if path.exists():
        return
    if (needing := affected()).handovers:
        raise _vanished("STAFETA_KEYS_FILE", path, f"handovers ({needing})")
    create_keys_file(path)
    say(f"Made the keys file {path} – keep a copy of it, never beside a copy of the database")


def _vanished(setting: str, path: Path, things: str) -> ConfigurationError:
    return ConfigurationError(
        setting,
        f"{path} is missing, and the database already holds {things} that need it",
        "Bring back your copy of it, or correct the setting. A new one would not open what the old one closed.",
    )

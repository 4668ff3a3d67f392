"""What commands need before they can do anything: Django set up, and an installation that `stafeta init` has made."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from stafeta.core.errors import ConfigurationError

if TYPE_CHECKING:
    from stafeta.vault.opening import Sample

_LOST_KEY: Final = "`stafeta keys list` names the handovers; if the key is lost for good, see docs/operations.md."
_INIT: Final = "Run `stafeta init`; it is safe to repeat."


def start_django() -> None:
    """Set Django up. Raises ImproperlyConfigured, whose text names every wrong setting."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stafeta.config.settings")
    import django

    django.setup()


def require_ready() -> None:
    """Set Django up and see that there is a secret and a database to work with. Raises ConfigurationError."""
    start_django()
    require_secret()
    require_sound_sqlite()
    require_current_database()


def require_secret() -> None:
    """Raises ConfigurationError where no secret was made yet."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        _ = settings.SECRET_KEY
    except ImproperlyConfigured:
        raise ConfigurationError(
            "STAFETA_SECRET_KEY_FILE", f"there is no secret at {settings.SECRET_KEY_FILE} yet", _INIT
        ) from None


def require_sound_sqlite() -> None:
    """Raises ConfigurationError for a SQLite that may damage the database."""
    from stafeta.config.checks import check_sqlite_version

    for problem in check_sqlite_version():
        raise ConfigurationError("STAFETA_DATABASE_URL", problem.msg.rstrip("."), problem.hint or "")


def require_current_database() -> None:
    """Raises ConfigurationError where the database cannot be reached or its tables are not those of this version."""
    from django.db import OperationalError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except OperationalError as error:
        raise unreachable(error) from None
    if pending:
        raise ConfigurationError("STAFETA_DATABASE_URL", "its tables are missing or older than this version", _INIT)


def require_at_home() -> None:
    """Raises ConfigurationError where the database belongs to an installation at another address (docs/adr/0008)."""
    from stafeta.accounts.services.installation import settle_home

    if not settle_home():
        raise not_at_home()


def require_keys() -> None:
    """Raises ConfigurationError where the keyring is of no use; warns where it does not open everything."""
    found = keys_at_hand()
    if found.missing or found.damaged:
        warn(f"WARNING: {closed_words(found)}. `stafeta keys list` names them.")


def keys_at_hand() -> Sample:
    """Return what the keyring opens of a few handovers, the oldest and the newest.

    Raises ConfigurationError, with what is affected, where there is no keyring to read, and where it opens none of them
    for want of a key.
    """
    from stafeta.vault.keyring import instance_keyring, source, source_words
    from stafeta.vault.opening import affected, sample

    try:
        ring = instance_keyring()
    except ConfigurationError as error:
        if not (all_of_them := affected()).handovers:
            raise
        problem = f"{error.problem}, and without it nobody can read what is there ({all_of_them})"
        raise ConfigurationError(error.setting, problem, f"{error.remedy} {_LOST_KEY}") from None
    found = sample(ring)
    if found.missing and not found.opened:
        raise ConfigurationError(
            source(),
            f"no key from {source_words()} opens what the database holds; looked at: {found.looked_at}. Nobody could "
            f"read what is there ({affected()})",
            f"Bring back the keys that belong to this database, or correct STAFETA_DATABASE_URL. {_LOST_KEY}",
        )
    return found


def closed_words(found: Sample) -> str:
    """Return what to say about a keyring that opens some handovers and not others."""
    closed = f"no key opens {found.missing}, and {found.damaged} are damaged"
    return f"of {found.looked_at} handovers that were looked at, {closed}"


def not_at_home() -> ConfigurationError:
    """Return what to say about a database that others, with another address or secret, are at home in."""
    return ConfigurationError(
        "STAFETA_SITE_URL",
        "the database belongs to an installation at another address, or with another secret key",
        "Correct STAFETA_SITE_URL, STAFETA_SECRET_KEY_FILE or STAFETA_DATABASE_URL; or, if it has moved here for good "
        "and nothing of it runs elsewhere, run `stafeta init --move`.",
    )


def unreachable(error: Exception) -> ConfigurationError:
    """Return what to say about a database that does not answer."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return ConfigurationError(
        "STAFETA_DATABASE_URL",
        f"the database cannot be reached: {reason}",
        "See that it runs, that its address is right and that this user may use it.",
    )


def tell(text: str) -> None:
    """Print one line at once, even into a pipe."""
    print(text, flush=True)


def warn(text: str) -> None:
    """Print one line on standard error."""
    print(text, file=sys.stderr, flush=True)

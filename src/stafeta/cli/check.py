"""Say in plain words whether everything is set up to work: settings, system checks, database, keys, channels, and
who watches. Exit code 1 names at least one problem. Nothing is changed and nothing is sent."""

from __future__ import annotations

import argparse
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from stafeta.cli.ready import (
    closed_words,
    keys_at_hand,
    not_at_home,
    require_current_database,
    require_secret,
    require_sound_sqlite,
    start_django,
    tell,
)
from stafeta.core.errors import ConfigurationError, StafetaError


class _Doubt(StafetaError):
    """Something that works, and does not do what it is there for."""


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
    except _Doubt as doubt:
        tell(f"warning  {name}: {doubt}")
        return True
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


def _keys() -> str:
    """A bounded look, as every start takes; `stafeta keys list` looks at everything."""
    from stafeta.vault.keyring import instance_keyring, source, source_words

    keyring = instance_keyring()
    keyring.unwrap(keyring.wrap(b"probe"))
    require_current_database()
    found = keys_at_hand()
    if found.missing or found.damaged:
        raise ConfigurationError(
            source(),
            closed_words(found),
            "`stafeta keys list` names them; bring back the keys that open them.",
        )
    return f"{len(keyring.identities)} from {source_words()}"


def _channels() -> str:
    from stafeta.worker.loop import configured_channels

    channels = configured_channels()
    names = f"e-mail by {channels.email.name}, SMS by {channels.sms.name}"
    channels.email.close()
    channels.sms.close()
    return names


def _receipts() -> str:
    """Name where providers report to. The secret is only named: what this prints ends up in logs and bug reports, and
    whoever enters the address at a provider has set the secret themselves."""
    from django.conf import settings

    from stafeta.channels.hooks import live_hooks
    from stafeta.channels.receipts import ReceiptAddresses

    if not settings.RECEIPTS_SECRET:
        return "none are taken in; set STAFETA_RECEIPTS_SECRET to hear of messages that come back"
    hooks = live_hooks(
        email_url=settings.EMAIL_CHANNEL_URL,
        sms_url=settings.SMS_CHANNEL_URL,
        addresses=ReceiptAddresses(settings.SITE_URL, settings.RECEIPTS_SECRET),
    )
    shown = ReceiptAddresses(settings.SITE_URL, "<STAFETA_RECEIPTS_SECRET>")
    found = [
        f"{hook.service} reports to {shown.of(hook.service, is_signed=hook.is_signed)}"
        + (" by itself" if hook.is_announced and shown.to_announce(hook.service) else "")
        for hook in hooks
    ]
    return "; ".join(found) or "no service of yours reports any"


def _system_checks() -> str:
    from django.core.checks import ERROR, run_checks

    errors = [message for message in run_checks() if message.level >= ERROR]
    if errors:
        words = "; ".join(message.msg for message in errors)
        hints = " ".join(message.hint for message in errors if message.hint)
        raise ConfigurationError("Django", words.rstrip("."), hints)
    return ""


def _heartbeat() -> str:
    from urllib.parse import urlsplit

    from django.conf import settings

    host = urlsplit(settings.HEARTBEAT_URL).hostname
    return f"to {host}; it was not tried" if host else "none; STAFETA_HEARTBEAT_URL is not set"


def _canary() -> str:
    """The canary is judged as it is now: what it says of the worker says nothing of how it is set up."""
    from django.conf import settings
    from django.utils import translation

    from stafeta import clock
    from stafeta.switches.wellbeing import canary_words, pace_here, wellbeing

    if not settings.CANARY:
        return "none; STAFETA_CANARY is not set"
    try:
        require_current_database()
    except ConfigurationError:
        raise _Doubt("it cannot be looked at before the database is right") from None
    said = wellbeing(now=clock.now(), canary=settings.CANARY, pace=pace_here()).canary
    assert said is not None
    with translation.override("en"):
        words = canary_words(said)
    if said.is_alarm:
        raise ConfigurationError(
            "STAFETA_CANARY", words.rstrip("."), "docs/operations.md says what each finding means."
        )
    if said.is_doubt:
        raise _Doubt(f"{words} docs/operations.md says how to set it up.")
    return words


LOOKS: Final[tuple[tuple[str, Callable[[], str]], ...]] = (
    ("data directory", _data_dir),
    ("secret key", _secret),
    ("database", _database),
    ("installation", _installation),
    ("keys", _keys),
    ("channels", _channels),
    ("receipts", _receipts),
    ("system checks", _system_checks),
    ("heartbeat", _heartbeat),
    ("canary", _canary),
)

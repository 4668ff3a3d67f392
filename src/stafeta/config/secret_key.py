"""The secret from which links, codes and sessions are derived: a file that only its owner may read."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from stafeta.config.parse import SECRET_KEY_CHARS_MIN
from stafeta.core.errors import ConfigurationError

SETTING: Final = "STAFETA_SECRET_KEY_FILE"
_RANDOM_BYTES: Final = 48
_FOR_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def create_secret_key(path: Path) -> bool:
    """Make the file, mode 0600, with a fresh secret; return whether it was missing. Never overwrites one."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(_RANDOM_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return True


def read_secret_key(path: Path) -> str:
    """Return the secret in the file, or "" where there is no file yet (Django then refuses to use it).

    Raises ConfigurationError when others may read the file, when it cannot be read, or when it holds no secret.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(SETTING, f"{path} cannot be read", "Run as the user who owns the file.") from None
    if mode & _FOR_OTHERS:
        raise ConfigurationError(
            SETTING,
            f"others may read {path} (mode {mode:04o})",
            f"Run: chmod 600 {path}. If a stranger may have read it, remove it and run `stafeta init` for a new one.",
        )
    if len(text) < SECRET_KEY_CHARS_MIN:
        raise ConfigurationError(SETTING, f"{path} holds no secret", "Remove it and run `stafeta init`.")
    return text

"""The instance keyring: the only thing that opens a guarded handover's key, kept outside the database (vault.md).

The file has age's own form: one `AGE-SECRET-KEY-1…` a line, `#` begins a comment. The first key wraps, every key
opens; so a new first line changes the key for what is written from now on, and old handovers still open.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Error
from pyrage import DecryptError, IdentityError, decrypt, encrypt
from pyrage.x25519 import Identity

from stafeta.core.errors import ConfigurationError, KeyMissing, Tampered

SETTING = "STAFETA_KEYS_FILE"
FILE_BYTES_MAX = 64 * 1024
WIDER_THAN_0600 = 0o177


@dataclass(frozen=True, slots=True)
class Keyring:
    """The identities of this instance, newest first. Its repr shows none of them."""

    identities: tuple[Identity, ...] = field(repr=False)

    def wrap(self, secret: bytes) -> bytes:
        """Return `secret` as an age file that the first key opens."""
        blob: bytes = encrypt(secret, [self.identities[0].to_public()])
        return blob

    def unwrap(self, blob: bytes) -> bytes:
        """Return what `wrap` was given. Raises KeyMissing when no key fits, Tampered for a damaged file."""
        try:
            secret: bytes = decrypt(blob, list(self.identities))
        except DecryptError as error:
            if "no matching keys" in str(error).lower():
                raise KeyMissing from None
            raise Tampered from None
        return secret


def create_keys_file(path: Path) -> None:
    """Write a new keyring of one key, mode 0600. Raises FileExistsError: an existing one is never overwritten."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    identity = Identity.generate()
    text = (
        "# The keys of this Stafeta: without this file no handover can be read.\n"
        "# Keep a copy of it, never beside the database.\n"
        f"# public key: {identity.to_public()}\n"
        f"{identity}\n"
    )
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def instance_keyring() -> Keyring:
    """Return the keyring of this instance. Raises ConfigurationError when the file is missing, open to others or wrong.

    It is read anew each time: nothing of it stays in memory, and a changed file needs no restart.
    """
    return read_keys_file(Path(settings.KEYS_FILE))


def read_keys_file(path: Path) -> Keyring:
    """Return the keyring in the file at `path`. Raises ConfigurationError, which never quotes the file."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            raw = file.read(FILE_BYTES_MAX)
    except FileNotFoundError:
        raise ConfigurationError(
            SETTING,
            f"there is no key file at {path}",
            "Bring back your copy of it; only for a new installation make one with `stafeta init`.",
        ) from None
    except OSError as error:
        raise ConfigurationError(
            SETTING, f"{path} cannot be read ({error.strerror})", "Let the user that runs Štafeta read it."
        ) from None
    if mode & WIDER_THAN_0600:
        raise ConfigurationError(SETTING, f"{path} is open to others (mode {mode:04o})", f"Close it: chmod 600 {path}")
    return Keyring(_parse(raw.decode("utf-8", errors="replace").splitlines(), path))


def check_keyring(**_facts: object) -> list[CheckMessage]:
    """System check: the instance keyring can be read, and what it wraps it opens."""
    try:
        keyring = instance_keyring()
    except ConfigurationError as error:
        return [Error(f"{error.setting}: {error.problem}", hint=error.remedy, id="stafeta.E010")]
    if keyring.unwrap(keyring.wrap(b"probe")) != b"probe":
        return [Error(f"{SETTING}: the first key does not open what it wraps", hint="Replace it.", id="stafeta.E011")]
    return []


def _parse(lines: Sequence[str], path: Path) -> tuple[Identity, ...]:
    keys = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip() and line.strip()[0] != "#"]
    identities = []
    for number, key in keys:
        try:
            identities.append(Identity.from_str(key))
        except IdentityError:
            raise ConfigurationError(
                SETTING, f"line {number} of {path} is not an age key", "Bring back your copy of the file."
            ) from None
    if not identities:
        raise ConfigurationError(SETTING, f"{path} holds no key", "Bring back your copy of the file.")
    return tuple(identities)

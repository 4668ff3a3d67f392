"""Put a new first key into the keys file; the old ones stay, for they still open what they closed."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pyrage.x25519 import Identity

from stafeta.core.errors import ConfigurationError
from stafeta.vault import kms
from stafeta.vault.keyring import FILE_BYTES_MAX, SETTING, read_bytes, read_keys_file

OWNER_ONLY: Final = 0o600


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key for the keyring. line: as it stands there, a secret unless a key management service keeps it wrapped."""

    public_key: str
    line: str = field(repr=False)


def new_key(*, kms_key: str = "") -> NewKey:
    """Return a new key, wrapped by `kms_key` of the key management service where one is named.

    Raises ConfigurationError where the service does not do it.
    """
    if kms_key:
        wrapped = kms.made(kms_key)
        return NewKey(wrapped.public_key, str(wrapped))
    identity = Identity.generate()
    return NewKey(str(identity.to_public()), str(identity))


def add_instance_key(path: Path, *, kms_key: str = "") -> str:
    """Write a new first key into the keys file at `path` and return its public half. kms_key: as for `new_key`.

    At every moment there is a whole file, the old or the new one, mode 0600 and of the same user; two who add at once
    add two keys. Where `path` is a link, what it leads to is replaced. Raises ConfigurationError, and then the old file
    stands as it was.
    """
    try:
        real = path.resolve()
        read_keys_file(real)  # what is asked of the service is asked before anybody has to wait for the lock
        added = new_key(kms_key=kms_key)
        first = f"# public key: {added.public_key}\n{added.line}\n".encode("ascii")
        with _alone_in(real.parent) as directory:
            read_keys_file(real)
            content = first + read_bytes(real)
            if len(content) > FILE_BYTES_MAX:
                raise ConfigurationError(SETTING, f"{path} is full", "Remove keys that open nothing any more.")
            _replace(real, content)
            os.fsync(directory)
    except OSError as error:
        raise ConfigurationError(
            SETTING,
            f"no key can be added to {path} ({error.strerror})",
            "Run this as the user that owns the file, where it and its directory may be written to.",
        ) from None
    return added.public_key


@contextmanager
def _alone_in(directory: Path) -> Iterator[int]:
    """Keep others who add a key out; yield the open directory. The lock ends with this process at the latest."""
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except FileNotFoundError:
        raise ConfigurationError(
            SETTING, f"there is no directory {directory}", "Correct the setting, or run `stafeta init`."
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _replace(path: Path, content: bytes) -> None:
    """Put `content` in the place of the file, whole or not at all."""
    old = path.stat()
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            # Whoever adds the key as root must not shut the service out.
            os.fchown(file.fileno(), old.st_uid, -1)
            os.fchmod(file.fileno(), OWNER_ONLY)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)

"""Put a new first key into the keys file; the old ones stay, for they still open what they closed."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pyrage.x25519 import Identity

from stafeta.core.errors import ConfigurationError
from stafeta.vault.keyring import FILE_BYTES_MAX, SETTING, read_bytes, read_keys_file

OWNER_ONLY: Final = 0o600


def new_key_line() -> str:
    """Return a new key as a line of a keyring. It is a secret."""
    return str(Identity.generate())


def add_instance_key(path: Path) -> str:
    """Write a new first key into the keys file at `path` and return its public half.

    At every moment there is a whole file, the old or the new one, mode 0600 and of the same user; two who add at once
    add two keys. Where `path` is a link, what it leads to is replaced. Raises ConfigurationError, and then the old file
    stands as it was.
    """
    try:
        real = path.resolve()
        with _alone_in(real.parent) as directory:
            read_keys_file(real)
            identity = Identity.generate()
            first = f"# public key: {identity.to_public()}\n{identity}\n".encode("ascii")
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
    return str(identity.to_public())


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

"""The secret key and the keys file: what opens a backup, and so is never in it."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from django.conf import settings

from stafeta.archive.read import Archive
from stafeta.archive.write import whole_file
from stafeta.core.errors import KeyMissing, Tampered
from stafeta.vault.keyring import instance_keyring, keys_bytes
from stafeta.vault.models import WrappedKey

SECRET_NAME: Final = "secret-key"  # noqa: S105  # the name of a file
KEYS_NAME: Final = "keys.txt"
HOLDER: Final = "instance"
OWNER_ONLY: Final = 0o600


def write_keys(path: Path) -> Mapping[str, str]:
    """Write the secret key and the keys file into a tar of their own, mode 0600, named as the data directory has them.

    Keys that come from the environment are written as the file that they would be, and those that a key management
    service keeps wrapped as they are: returned is the public half of each of these, with the service's key.
    Raises ConfigurationError where they are not as they should be, ArchiveError as `whole_file` does.
    """
    ring = instance_keyring()
    contents = {KEYS_NAME: keys_bytes(), SECRET_NAME: f"{settings.SECRET_KEY}\n".encode()}
    with whole_file(path) as file, tarfile.open(fileobj=file, mode="w") as tar:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = OWNER_ONLY, len(content)
            tar.addfile(entry, io.BytesIO(content))
    return ring.kms_keys


def unopened(archive: Archive) -> tuple[int, int]:
    """Return how many handovers of a verified backup the keys file at hand does not open, and how many there are."""
    keyring = None
    closed = found = 0
    for line in archive.lines_of(WrappedKey):
        row = json.loads(line)
        if row["holder"] != HOLDER:
            continue
        found += 1
        keyring = keyring or instance_keyring()
        try:
            keyring.unwrap(base64.b64decode(row["blob"]))
        except (KeyMissing, Tampered):
            closed += 1
    return closed, found

"""The instance keyring: the only thing that opens a guarded handover's key, kept outside the database (vault.md).

It is a file, or the environment variable STAFETA_KEYS with the same content. The form is age's own: one
`AGE-SECRET-KEY-1…` a line, `#` begins a comment; where a variable cannot hold several lines, a blank parts the keys as
well. The first key wraps, every key opens; so a new first key is for what is written from now on, and old handovers
still open. Instead of a key there may stand one that a key management service keeps wrapped (kms.py).
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Error
from pyrage import DecryptError, IdentityError, decrypt, encrypt
from pyrage.x25519 import Identity

from stafeta.core.errors import ConfigurationError, KeyMissing, Tampered
from stafeta.vault import kms

log = logging.getLogger(__name__)

SETTING = "STAFETA_KEYS_FILE"
SETTING_ENVIRONMENT = "STAFETA_KEYS"
FILE_BYTES_MAX = 64 * 1024
WIDER_THAN_0600 = 0o177


@dataclass(frozen=True, slots=True)
class Keyring:
    """The identities of this instance, newest first, each once. Its repr shows none of them.

    kms_keys: for the public half of each that a key management service keeps wrapped, the service's key.
    """

    identities: tuple[Identity, ...] = field(repr=False)
    kms_keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def public_keys(self) -> tuple[str, ...]:
        """The public half of each key, in the same order."""
        return tuple(str(identity.to_public()) for identity in self.identities)

    def wrap(self, secret: bytes) -> bytes:
        """Return `secret` as an age file that the first key opens."""
        blob: bytes = encrypt(secret, [self.identities[0].to_public()])
        return blob

    def unwrap(self, blob: bytes) -> bytes:
        """Return what `wrap` was given. Raises KeyMissing when no key fits, Tampered for a damaged file."""
        return _opened(blob, self.identities)

    def opener_of(self, blob: bytes) -> int:
        """Return the place of the key that opens `blob`; 0 is the one that wraps. Raises as `unwrap` does."""
        for place, identity in enumerate(self.identities):
            try:
                _opened(blob, (identity,))
            except KeyMissing:
                continue
            return place
        raise KeyMissing


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
    """Return the keyring of this instance. Raises ConfigurationError when it is missing, open to others or wrong.

    The file is read anew each time: nothing of it stays in memory, and a changed file needs no restart. A variable of
    the environment stays what it was when the process began. What a key management service has opened stays in memory:
    a process that has had its whole keyring once goes on without a key that was added since and that the service does
    not open. Its first keyring is whole, or is none.
    """
    ring = parse_keys(keys_bytes(), setting=source(), where=source_words(), must_be_whole=not kms.MEMORY.has_begun)
    kms.MEMORY.has_begun = True
    return ring


def source() -> str:
    """Return the setting that the keys come from."""
    return SETTING_ENVIRONMENT if settings.KEYS else SETTING


def source_words() -> str:
    """Return where the keys come from, in words."""
    return "the environment variable" if settings.KEYS else str(settings.KEYS_FILE)


def keys_bytes() -> bytes:
    """Return the keyring of this instance as it is written down. Raises ConfigurationError where it cannot be read."""
    return settings.KEYS.encode("utf-8") if settings.KEYS else read_bytes(Path(settings.KEYS_FILE))


def read_keys_file(path: Path) -> Keyring:
    """Return the keyring in the file at `path`. Raises ConfigurationError, which never quotes the file."""
    return parse_keys(read_bytes(path), setting=SETTING, where=str(path))


def read_bytes(path: Path) -> bytes:
    """Return the keys file as it is. Raises ConfigurationError where it is missing, open to others or huge."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            raw = file.read(FILE_BYTES_MAX + 1)
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
    if len(raw) > FILE_BYTES_MAX:
        raise ConfigurationError(SETTING, f"{path} is longer than {FILE_BYTES_MAX} bytes", "It is no keys file.")
    return raw


def parse_keys(raw: bytes, *, setting: str, where: str, must_be_whole: bool = True) -> Keyring:
    """Return the keyring that `raw` holds, found at `where`. Raises ConfigurationError, which never quotes it.

    must_be_whole: a key that its key management service does not open now is an error, and not left out.
    """
    lines = [line.strip() for line in raw.decode("utf-8", errors="replace").splitlines()]
    identities: dict[str, Identity] = {}
    kms_keys: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        place = f"line {number} of {where}"
        for key in [] if line.startswith("#") else line.split():
            try:
                identity = _identity(key, setting=setting, place=place)
            except (IdentityError, kms.NotAKmsKey):
                problem = f"{place} is not an age key, nor one wrapped by a key management service"
                raise ConfigurationError(setting, problem, "Bring back your copy of the keys.") from None
            except ConfigurationError as error:
                if must_be_whole:
                    raise
                log.error("goes on without a key: %s", error)
                continue
            public_key = str(identity.to_public())
            identities.setdefault(public_key, identity)
            if key.startswith(kms.MARK):
                kms_keys.setdefault(public_key, kms.KmsKey.parse(key).key_id)
    if not identities:
        raise ConfigurationError(setting, f"{where} holds no key", "Bring back your copy of the keys.")
    return Keyring(tuple(identities.values()), kms_keys)


def check_keyring(**_facts: object) -> list[CheckMessage]:
    """System check: the instance keyring can be read, and what it wraps it opens."""
    try:
        keyring = instance_keyring()
    except ConfigurationError as error:
        return [Error(f"{error.setting}: {error.problem}", hint=error.remedy, id="stafeta.E010")]
    if keyring.unwrap(keyring.wrap(b"probe")) != b"probe":
        return [Error(f"{source()}: the first key does not open what it wraps", hint="Replace it.", id="stafeta.E011")]
    return []


def _identity(key: str, *, setting: str, place: str) -> Identity:
    if key.startswith(kms.MARK):
        return kms.MEMORY.identity_of(key, setting=setting, where=place)
    identity: Identity = Identity.from_str(key)
    return identity


def _opened(blob: bytes, identities: tuple[Identity, ...]) -> bytes:
    try:
        secret: bytes = decrypt(blob, list(identities))
    except DecryptError as error:
        if "no matching keys" in str(error).lower():
            raise KeyMissing from None
        raise Tampered from None
    return secret

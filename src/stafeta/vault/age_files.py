"""Age files that a browser made, looked at from outside: their headers are read, nothing is ever opened.

A file that is not exactly of the expected kind is refused (age-encryption.org/v1): one stanza, of one type, and a
length that an age file can have. Above all no passphrase is ever tried here: what that costs is its maker's choice.
"""

from __future__ import annotations

import re
from typing import Final

from pyrage import RecipientError
from pyrage.x25519 import Recipient

from stafeta.core.errors import NotSealed, PolicyError
from stafeta.vault.sealing import CONTENT_BYTES_MAX

# "AGE-SECRET-KEY-1" and 58 characters more: what a wrapped key and a private half are, and all they may be.
IDENTITY_CHARS: Final = 74
# vault.md asks for 18; browsers refuse to open more than 20.
WORK_FACTOR_LEAST: Final = 18
WORK_FACTOR_MOST: Final = 20
SMALL_FILE_BYTES_MAX: Final = 1024
_CHUNK_BYTES: Final = 64 * 1024
_TAG_BYTES: Final = 16
_NONCE_BYTES: Final = 16
# Version, one stanza, MAC: longer than any of the headers below.
_HEADER_BYTES_MAX: Final = 512
_END: Final = rb"\n[A-Za-z0-9+/]{43}\n--- [A-Za-z0-9+/]{43}\n"
_VERSION: Final = rb"age-encryption\.org/v1\n"
_X25519: Final = re.compile(_VERSION + rb"-> X25519 [A-Za-z0-9+/]{43}" + _END)
_SCRYPT: Final = re.compile(_VERSION + rb"-> scrypt [A-Za-z0-9+/]{22} ([1-9][0-9]?)" + _END)
_PASSKEY: Final = re.compile(_VERSION + rb"-> age-encryption\.org/fido2prf [A-Za-z0-9+/]{22}" + _END)


def require_content(blob: bytes) -> int:
    """Return the length in bytes of the plaintext of an age file made for one key.

    Raises NotSealed for anything else, PolicyError for more than a handover may hold.
    """
    length = _plaintext_bytes(blob, _X25519)
    if length > CONTENT_BYTES_MAX:
        raise PolicyError("content_bytes", length, 0, CONTENT_BYTES_MAX)
    return length


def require_wrapped_key(blob: bytes) -> None:
    """Raise NotSealed for anything but one age identity, encrypted to one key."""
    _require_identity(blob, _X25519)


def require_passphrase_file(blob: bytes) -> None:
    """Raise NotSealed for anything but one age identity under a passphrase, neither too weakly nor too dearly made."""
    factor = int(_require_identity(blob, _SCRYPT)[1])
    if not WORK_FACTOR_LEAST <= factor <= WORK_FACTOR_MOST:
        raise NotSealed(f"its work factor is {factor}")


def require_passkey_file(blob: bytes) -> None:
    """Raise NotSealed for anything but one age identity under a passkey."""
    _require_identity(blob, _PASSKEY)


def require_public_key(public_key: str) -> None:
    """Raise NotSealed for anything but the public half of an age key (X25519)."""
    try:
        Recipient.from_str(public_key)
    except RecipientError:
        raise NotSealed("it is no public key") from None


def _require_identity(blob: bytes, header: re.Pattern[bytes]) -> re.Match[bytes]:
    if len(blob) > SMALL_FILE_BYTES_MAX:
        raise NotSealed("it is too long for a key")
    if _plaintext_bytes(blob, header) != IDENTITY_CHARS:
        raise NotSealed("it does not hold a key")
    return _header(blob, header)


def _plaintext_bytes(blob: bytes, header: re.Pattern[bytes]) -> int:
    """Return how long the plaintext is: chunks of 64 KiB, each with a tag; only the last one may be shorter."""
    payload = len(blob) - _header(blob, header).end() - _NONCE_BYTES
    whole, rest = divmod(payload, _CHUNK_BYTES + _TAG_BYTES)
    # An empty last chunk is allowed only where it is the only one.
    if payload < _TAG_BYTES or 0 < rest < _TAG_BYTES or (whole and rest == _TAG_BYTES):
        raise NotSealed("it is no whole age file")
    return payload - _TAG_BYTES * (whole + (rest > 0))


def _header(blob: bytes, header: re.Pattern[bytes]) -> re.Match[bytes]:
    found = header.match(blob[:_HEADER_BYTES_MAX])
    if found is None:
        raise NotSealed("it is not an age file of the expected kind")
    return found

"""Content as age files: encrypted to the handover's own key and to nothing else (vault.md, "Keys").

Plaintext passes through these functions as an argument or a result and is kept nowhere; no error quotes it.
"""

from __future__ import annotations

from typing import Final

from pyrage import DecryptError, IdentityError, decrypt, encrypt
from pyrage.x25519 import Identity, Recipient

from stafeta.core.errors import ConfigurationError, KeyMissing, SealedAway, Tampered, VaultError
from stafeta.core.protection import Level
from stafeta.vault.keyring import instance_keyring
from stafeta.vault.models import Handover, Version, WrappedKey

CONTENT_BYTES_MAX: Final = 1024 * 1024
HOLDER_INSTANCE: Final = "instance"
# Set aside by the operator, because the key that opens it is lost; should it turn up, it is the instance's again.
HOLDER_LOST: Final = "lost"
# A key that nobody could open when its owner wrote the handover anew; each row has its own name, and keeps it.
HOLDER_EARLIER: Final = "earlier:"


def content_bytes(content: str) -> int:
    """Return the length of the content as it is stored, in bytes."""
    return len(content.encode("utf-8", errors="replace"))


def new_key(handover: Handover) -> WrappedKey:
    """Make the handover's own key: set its public half, return the other as an unsaved row for the instance."""
    identity = Identity.generate()
    handover.public_key = str(identity.to_public())
    blob = instance_keyring().wrap(str(identity).encode("ascii"))
    return WrappedKey(handover=handover, holder=HOLDER_INSTANCE, blob=blob)


def seal(content: str, *, public_key: str) -> bytes:
    """Return the content as an age file that only the handover's key opens."""
    ciphertext: bytes = encrypt(content.encode("utf-8", errors="replace"), [Recipient.from_str(public_key)])
    return ciphertext


def require_guarded(handover: Handover) -> None:
    """Raise SealedAway for whatever is not guarded: there the server opens nothing and takes no plaintext."""
    if handover.level != Level.GUARDED:
        raise SealedAway


def unseal(version: Version) -> str:
    """Return the content of a version.

    Raises SealedAway, KeyMissing, Tampered or ConfigurationError; then nothing is shown.
    """
    identity, ciphertext = identity_of(version.handover), bytes(version.ciphertext)
    try:
        return _decrypted(ciphertext, [identity])
    except KeyMissing:
        earlier = _earlier(version.handover)
        if not earlier:
            raise Tampered from None
        return _decrypted(ciphertext, [key for row in earlier if (key := _opened(row)) is not None])


def _decrypted(ciphertext: bytes, identities: list[Identity]) -> str:
    """Return the text. Raises KeyMissing where none of the keys fits, and Tampered."""
    if not identities:
        raise KeyMissing
    try:
        plaintext: bytes = decrypt(ciphertext, identities)
        return plaintext.decode("utf-8")
    except DecryptError as error:
        if "no matching keys" in str(error).lower():
            raise KeyMissing from None
        raise Tampered from None
    except UnicodeDecodeError:
        raise Tampered from None


def identity_of(handover: Handover, *, holder: str = HOLDER_INSTANCE) -> Identity:
    """Return the handover's own private key. holder: where it is an earlier one (`Attachment.holder`).

    Raises SealedAway, KeyMissing, Tampered or ConfigurationError.
    """
    require_guarded(handover)
    wrapped = WrappedKey.objects.filter(handover=handover, holder=holder).first()
    if wrapped is None:
        raise KeyMissing
    identity = _unwrapped(wrapped)
    if holder == HOLDER_INSTANCE and str(identity.to_public()) != handover.public_key:
        raise Tampered
    return identity


def is_closed(handover: Handover) -> bool:
    """Whether it is guarded, and no key at hand opens it now."""
    try:
        identity_of(handover)
    except SealedAway:
        return False
    except (VaultError, ConfigurationError):
        return True
    return False


def require_open(handover: Handover) -> None:
    """Raise SealedAway for whatever is not guarded, KeyMissing for what no key at hand opens: it takes nothing in."""
    require_guarded(handover)
    if is_closed(handover):
        raise KeyMissing


def closed_holders(handover: Handover) -> frozenset[str]:
    """Return which of a guarded handover's keys no key at hand opens, as `Attachment.holder` names them."""
    present = {""} if is_closed(handover) else set()
    return frozenset(present | {row.holder for row in _earlier(handover) if _opened(row) is None})


def _earlier(handover: Handover) -> list[WrappedKey]:
    return list(WrappedKey.objects.filter(handover=handover, holder__startswith=HOLDER_EARLIER))


def _opened(row: WrappedKey) -> Identity | None:
    try:
        return _unwrapped(row)
    except (VaultError, ConfigurationError):
        return None


def _unwrapped(row: WrappedKey) -> Identity:
    try:
        identity: Identity = Identity.from_str(instance_keyring().unwrap(bytes(row.blob)).decode("ascii"))
    except (IdentityError, UnicodeDecodeError):
        raise Tampered from None
    return identity

"""Content as age files: encrypted to the handover's own key and to nothing else (vault.md, "Keys").

Plaintext passes through these functions as an argument or a result and is kept nowhere; no error quotes it.
"""

from __future__ import annotations

from typing import Final

from pyrage import DecryptError, IdentityError, decrypt, encrypt
from pyrage.x25519 import Identity, Recipient

from stafeta.core.errors import KeyMissing, SealedAway, Tampered
from stafeta.core.protection import Level
from stafeta.vault.keyring import instance_keyring
from stafeta.vault.models import Handover, Version, WrappedKey

CONTENT_BYTES_MAX: Final = 1024 * 1024
HOLDER_INSTANCE: Final = "instance"
# Set aside by the operator, because the key that opens it is lost; should it turn up, it is the instance's again.
HOLDER_LOST: Final = "lost"


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
    identity = identity_of(version.handover)
    try:
        plaintext: bytes = decrypt(bytes(version.ciphertext), [identity])
        return plaintext.decode("utf-8")
    except (DecryptError, UnicodeDecodeError):
        raise Tampered from None


def identity_of(handover: Handover) -> Identity:
    """Return the handover's own private key. Raises SealedAway, KeyMissing, Tampered or ConfigurationError."""
    require_guarded(handover)
    wrapped = WrappedKey.objects.filter(handover=handover, holder=HOLDER_INSTANCE).first()
    if wrapped is None:
        raise KeyMissing
    try:
        identity = Identity.from_str(instance_keyring().unwrap(bytes(wrapped.blob)).decode("ascii"))
    except (IdentityError, UnicodeDecodeError):
        raise Tampered from None
    if str(identity.to_public()) != handover.public_key:
        raise Tampered
    return identity

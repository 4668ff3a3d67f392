"""Age files as a browser makes them: one stanza and nothing else. pyrage adds one that means nothing, browsers do not.

Written from age-encryption.org/v1; what it makes, pyrage opens (tests/vault/test_age_files.py).
"""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import b64encode
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyrage import decrypt
from pyrage.x25519 import Identity

CHUNK_BYTES = 64 * 1024
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


@dataclass(frozen=True)
class Key:
    """An age key. file: its private half under a passphrase; of the right form, though no passphrase opens it."""

    identity: str
    public_key: str

    @property
    def file(self) -> bytes:
        return passphrase_file(self.identity.encode())


def new_key() -> Key:
    """Return a fresh key."""
    identity = Identity.generate()
    return Key(str(identity), str(identity.to_public()))


def encrypted(plaintext: bytes | str, public_key: str) -> bytes:
    """Return `plaintext` as an age file for one key."""
    data = plaintext.encode() if isinstance(plaintext, str) else plaintext
    file_key, ours, theirs = os.urandom(16), X25519PrivateKey.generate(), _point(public_key)
    share = ours.public_key().public_bytes_raw()
    salt = share + theirs
    wrapping = _hkdf(ours.exchange(X25519PublicKey.from_public_bytes(theirs)), salt, b"age-encryption.org/v1/X25519")
    body = ChaCha20Poly1305(wrapping).encrypt(bytes(12), file_key, None)
    return _file(b"X25519 " + _b64(share), body, file_key, data)


def wrapped(key: Key, public_key: str) -> bytes:
    """Return the private half of `key`, encrypted to another key."""
    return encrypted(key.identity, public_key)


def passphrase_file(data: bytes, *, work_factor: int = 18) -> bytes:
    """Return a file of the form that a passphrase makes, without the second of work that a real one costs."""
    stanza = b"scrypt " + _b64(os.urandom(16)) + b" %d" % work_factor
    return _file(stanza, os.urandom(32), os.urandom(16), data)


def passkey_file(data: bytes) -> bytes:
    """Return a file of the form that a passkey makes."""
    return _file(b"age-encryption.org/fido2prf " + _b64(os.urandom(16)), os.urandom(32), os.urandom(16), data)


def opened(blob: bytes, key: Key) -> bytes:
    """Return what an age file for this key holds."""
    plaintext: bytes = decrypt(blob, [Identity.from_str(key.identity)])
    return plaintext


def _file(stanza: bytes, body: bytes, file_key: bytes, data: bytes) -> bytes:
    header = b"age-encryption.org/v1\n-> " + stanza + b"\n" + _b64(body) + b"\n---"
    mac = hmac.new(_hkdf(file_key, b"", b"header"), header, hashlib.sha256).digest()
    nonce = os.urandom(16)
    cipher = ChaCha20Poly1305(_hkdf(file_key, nonce, b"payload"))
    chunks = [data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES)] or [b""]
    payload = b"".join(
        cipher.encrypt(number.to_bytes(11) + bytes([number == len(chunks) - 1]), chunk, None)
        for number, chunk in enumerate(chunks)
    )
    return header + b" " + _b64(mac) + b"\n" + nonce + payload


def _point(public_key: str) -> bytes:
    """Return the 32 bytes of a public key; its checksum is left to others."""
    bits = "".join(f"{BECH32.index(character):05b}" for character in public_key.removeprefix("age1")[:-6])
    return bytes(int(bits[at : at + 8], 2) for at in range(0, 256, 8))


def _hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(secret)


def _b64(data: bytes) -> bytes:
    return b64encode(data).rstrip(b"=")

"""Keys derived from the instance secret by HKDF-SHA-256 (RFC 5869): one for each use, none of them stored."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b32encode
from functools import cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

KEY_BYTES = 32


def derive(use: str) -> bytes:
    """Return the 32-byte key for `use`; different uses have unrelated keys."""
    return _derive(settings.SECRET_KEY, use)


def link_key() -> bytes:
    """Return the key of every signed link."""
    return derive("links")


def code_secret(subject: str) -> str:
    """Return the HOTP secret of one subject, in Base32 as RFC 4226 libraries take it."""
    return b32encode(_hkdf(settings.SECRET_KEY, f"codes/{subject}")).decode().rstrip("=")


def fingerprint(number: str) -> str:
    """Return a keyed hash of a phone number: the same for the same number, and no way back without the secret."""
    return hmac.new(derive("numbers"), number.encode(), hashlib.sha256).hexdigest()


@cache
def _derive(secret: str, use: str) -> bytes:
    return _hkdf(secret, use)


def _hkdf(secret: str, use: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"stafeta/{use}".encode()).derive(secret.encode())

"""Signed links: a MAC over purpose, person, switch and cycle, computed when needed and never stored (vault.md).

The token is `version ‖ purpose ‖ person ‖ switch ‖ cycle ‖ MAC`, the integers in LEB128, the MAC the first 128 bits of
HMAC-SHA-256, all in unpadded base64url: at most 60 characters, so that an SMS stays short.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from enum import IntEnum

from stafeta.core.errors import BadLink

VERSION = 1
MAC_BYTES = 16
TOKEN_CHARS_MAX = 60
VARINT_BYTES_MAX = 9


class Purpose(IntEnum):
    """What a link is for. An id never changes its meaning: links of old mails must stay what they were."""

    CHECKIN = 1
    TRUSTED = 2
    RECIPIENT_CONSENT = 3
    CONTACT_CONSENT = 4
    RELEASE = 5
    PROBE = 6


@dataclass(frozen=True, slots=True)
class Link:
    """One purpose, one person, one cycle (invariant 7).

    person: id of the owner, trusted contact or recipient, by purpose.
    switch: id of the switch, or of the owner where the link stands outside a cycle.
    cycle: the switch's cycle; for consent, the number of the invitation.
    """

    purpose: Purpose
    person: int
    switch: int
    cycle: int


def make_token(link: Link, *, key: bytes) -> str:
    """Return the URL-safe token of `link`; the same link has the same token for ever."""
    payload = bytes([VERSION, link.purpose]) + b"".join(map(_varint, (link.person, link.switch, link.cycle)))
    return urlsafe_b64encode(payload + _mac(payload, key)).decode().rstrip("=")


def read_token(token: str, *, key: bytes) -> Link:
    """Return the link behind `token`. Raises BadLink for anything that `make_token` did not make with `key`."""
    if not token or len(token) > TOKEN_CHARS_MAX:
        raise BadLink
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError) as error:
        raise BadLink from error
    payload, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    if not hmac.compare_digest(_mac(payload, key), mac):
        raise BadLink
    link = _parse(payload)
    if make_token(link, key=key) != token:  # one link, one spelling
        raise BadLink
    return link


def _parse(payload: bytes) -> Link:
    if len(payload) < 2 or payload[0] != VERSION:
        raise BadLink
    numbers: list[int] = []
    value = shift = 0
    for byte in payload[2:]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            numbers.append(value)
            value = shift = 0
    if len(numbers) != 3:
        raise BadLink
    try:
        return Link(Purpose(payload[1]), *numbers)
    except ValueError as error:
        raise BadLink from error


def _mac(payload: bytes, key: bytes) -> bytes:
    return hmac.new(key, payload, hashlib.sha256).digest()[:MAC_BYTES]


def _varint(number: int) -> bytes:
    if not 0 <= number < 1 << 7 * VARINT_BYTES_MAX:
        raise ValueError(f"a link cannot carry {number}")
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)

"""Signed links: one purpose, one person, one cycle (docs/ladder.md, invariant 7)."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stafeta.core.errors import BadLink
from stafeta.core.links import MAC_BYTES, TOKEN_CHARS_MAX, Link, Purpose, make_token, read_token
from tests.core.strategies import PROPERTY

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
IDS = st.one_of(st.integers(0, 300), st.integers(0, 2**40))
LINKS = st.builds(Link, st.sampled_from(Purpose), IDS, IDS, IDS)
DANAS = Link(Purpose.CHECKIN, person=1, switch=7, cycle=42)


def sealed(payload: bytes, key: bytes = KEY) -> str:
    """Return the token of any payload, as somebody with the key could make it."""
    mac = hmac.new(key, payload, hashlib.sha256).digest()[:MAC_BYTES]
    return urlsafe_b64encode(payload + mac).decode().rstrip("=")


@PROPERTY
@given(LINKS)
def test_a_link_comes_back_whole_and_stays_short_enough_for_an_sms(link: Link) -> None:
    token = make_token(link, key=KEY)
    assert read_token(token, key=KEY) == link
    assert len(token) <= 60 == TOKEN_CHARS_MAX
    assert set(token) <= set(ALPHABET)


@PROPERTY
@given(LINKS, st.data())
def test_any_character_changed_or_lost_or_added_is_refused(link: Link, data: st.DataObject) -> None:
    """Invariant 7."""
    token = make_token(link, key=KEY)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from([*ALPHABET, "=", "+", "/", " ", "\n", "é"]).filter(lambda c: c != token[at]))
    for damaged in (
        token[:at] + other + token[at + 1 :],
        token[:at] + token[at + 1 :],
        token[:at] + other + token[at:],
        token + other,
    ):
        if damaged != token:
            with pytest.raises(BadLink):
                read_token(damaged, key=KEY)


@PROPERTY
@given(LINKS, LINKS)
def test_links_that_differ_in_purpose_person_switch_or_cycle_differ_in_their_token(one: Link, other: Link) -> None:
    """Invariant 7."""
    assert (make_token(one, key=KEY) == make_token(other, key=KEY)) == (one == other)


@pytest.mark.parametrize("purpose", Purpose)
def test_every_bit_of_a_token_counts(purpose: Purpose) -> None:
    raw_link = replace(DANAS, purpose=purpose)
    payload = bytes([1, purpose, 1, 7, 42])
    assert make_token(raw_link, key=KEY) == sealed(payload)
    raw = payload + hmac.new(KEY, payload, hashlib.sha256).digest()[:MAC_BYTES]
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadLink):
            read_token(urlsafe_b64encode(bytes(flipped)).decode().rstrip("="), key=KEY)


def test_a_mac_of_one_link_does_not_open_another_purpose_person_or_cycle() -> None:
    mac = hmac.new(KEY, b"\x01\x01\x01\x07\x2a", hashlib.sha256).digest()[:MAC_BYTES]
    for other in (b"\x01\x02\x01\x07\x2a", b"\x01\x01\x02\x07\x2a", b"\x01\x01\x01\x08\x2a", b"\x01\x01\x01\x07\x2b"):
        with pytest.raises(BadLink):
            read_token(urlsafe_b64encode(other + mac).decode().rstrip("="), key=KEY)


def test_a_link_of_another_instance_is_refused() -> None:
    with pytest.raises(BadLink):
        read_token(make_token(DANAS, key=OTHER_KEY), key=KEY)


def test_the_same_link_has_the_same_token_for_ever() -> None:
    """Old mails must stay what they were: the format never changes its meaning."""
    assert make_token(DANAS, key=KEY) == sealed(b"\x01\x01\x01\x07\x2a")
    assert make_token(replace(DANAS, cycle=300), key=KEY) == sealed(b"\x01\x01\x01\x07\xac\x02")
    assert {purpose.name: purpose.value for purpose in Purpose} == {
        "CHECKIN": 1,
        "TRUSTED": 2,
        "RECIPIENT_CONSENT": 3,
        "CONTACT_CONSENT": 4,
        "RELEASE": 5,
        "PROBE": 6,
    }


def test_the_mac_has_at_least_128_bits() -> None:
    assert MAC_BYTES * 8 >= 128


@pytest.mark.parametrize(
    "token", ["", "A", "AA", "é" * 10, "-" * 21, "A" * 60, "A" * 61, "A" * 100_000, "../../x", "\0"]
)
def test_what_was_never_a_token_is_refused(token: str) -> None:
    with pytest.raises(BadLink):
        read_token(token, key=KEY)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x01",
        b"\x02\x01\x01\x07\x2a",  # another version
        b"\x01\x63\x01\x07\x2a",  # no such purpose
        b"\x01\x01\x01\x07",  # a number too few
        b"\x01\x01\x01\x07\x2a\x00",  # a number too many
        b"\x01\x01\x01\x07\xaa",  # the last number does not end
        b"\x01\x01\x01\x07\x2a\x80",  # something begins after the last number
        b"\x01\x01\x81\x00\x07\x2a",  # 1 spelt in two bytes
    ],
)
def test_what_the_key_signed_in_another_spelling_is_refused_too(payload: bytes) -> None:
    with pytest.raises(BadLink):
        read_token(sealed(payload), key=KEY)


@pytest.mark.parametrize("number", [-1, 2**63])
def test_a_number_that_does_not_fit_is_never_signed(number: int) -> None:
    with pytest.raises(ValueError, match="cannot carry"):
        make_token(replace(DANAS, person=number), key=KEY)


def test_the_largest_numbers_still_fit() -> None:
    largest = Link(Purpose.PROBE, 2**63 - 1, 2**63 - 1, 2**63 - 1)
    assert read_token(make_token(largest, key=KEY), key=KEY) == largest

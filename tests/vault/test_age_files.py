"""What a browser should have encrypted is looked at from outside: only the expected kind of age file is taken in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrage import encrypt
from pyrage.x25519 import Recipient

from stafeta.core.errors import NotSealed, PolicyError
from stafeta.vault.age_files import (
    require_content,
    require_passkey_file,
    require_passphrase_file,
    require_public_key,
    require_wrapped_key,
)
from stafeta.vault.sealing import CONTENT_BYTES_MAX
from tests import age_browser, make

KEY = age_browser.new_key()
IDENTITY = KEY.identity.encode()
CHUNK = age_browser.CHUNK_BYTES
LENGTHS = st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 17]) | st.integers(0, 3000)


@given(LENGTHS)
def test_the_length_of_the_text_is_read_from_its_ciphertext(length: int) -> None:
    blob = age_browser.encrypted(b"x" * length, KEY.public_key)
    assert age_browser.opened(blob, KEY) == b"x" * length
    assert require_content(blob) == length


@given(LENGTHS, st.integers(1, 15))
def test_a_file_cut_where_no_file_can_end_is_refused(length: int, kept: int) -> None:
    blob = age_browser.encrypted(b"x" * length, KEY.public_key)
    whole, rest = divmod(length, CHUNK)
    last = CHUNK if whole and not rest else rest
    with pytest.raises(NotSealed):
        require_content(blob[: len(blob) - last - 16 + kept])


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        make.SECRET_TEXT.encode(),
        age_browser.passphrase_file(b"text"),
        age_browser.passkey_file(b"text"),
        encrypt(b"text", [Recipient.from_str(KEY.public_key), Recipient.from_str(KEY.public_key)]),
        age_browser.encrypted("text", KEY.public_key).replace(b"/v1", b"/v2", 1),
        age_browser.encrypted("text", KEY.public_key).replace(b"X25519", b"x25519", 1),
    ],
    ids=["nothing", "plaintext", "under a passphrase", "under a passkey", "for two", "another version", "unknown"],
)
def test_content_is_an_age_file_for_one_key_and_nothing_else(blob: bytes) -> None:
    """Above all a text that was not encrypted at all."""
    with pytest.raises(NotSealed):
        require_content(blob)


def test_a_header_of_ten_thousand_stanzas_is_refused_unread() -> None:
    blob = age_browser.encrypted("text", KEY.public_key)
    stanza = blob[blob.index(b"->") : blob.index(b"---")]
    with pytest.raises(NotSealed):
        require_content(blob.replace(stanza, stanza * 10_000, 1))


def test_content_over_the_limit_is_refused() -> None:
    assert require_content(age_browser.encrypted(b"x" * CONTENT_BYTES_MAX, KEY.public_key)) == CONTENT_BYTES_MAX
    with pytest.raises(PolicyError):
        require_content(age_browser.encrypted(b"x" * (CONTENT_BYTES_MAX + 1), KEY.public_key))


def test_a_wrapped_key_holds_one_key_and_nothing_else() -> None:
    require_wrapped_key(age_browser.wrapped(KEY, KEY.public_key))
    for plaintext in (b"", IDENTITY + b"\n", IDENTITY[:-1], b"x" * 900):
        with pytest.raises(NotSealed):
            require_wrapped_key(age_browser.encrypted(plaintext, KEY.public_key))
    with pytest.raises(NotSealed):
        require_wrapped_key(age_browser.passphrase_file(IDENTITY))
    with pytest.raises(NotSealed):
        require_wrapped_key(IDENTITY)


@pytest.mark.parametrize("factor", [1, 17, 21, 30, 99])
def test_a_passphrase_file_that_is_weak_or_that_no_browser_opens_is_refused(factor: int) -> None:
    """A huge factor would be somebody else's work; it is compared, never tried."""
    with pytest.raises(NotSealed):
        require_passphrase_file(age_browser.passphrase_file(IDENTITY, work_factor=factor))


def test_a_private_half_comes_under_a_passphrase_or_a_passkey() -> None:
    require_passphrase_file(age_browser.passphrase_file(IDENTITY, work_factor=18))
    require_passkey_file(age_browser.passkey_file(IDENTITY))
    with pytest.raises(NotSealed):
        require_passkey_file(age_browser.passphrase_file(IDENTITY))
    with pytest.raises(NotSealed):
        require_passphrase_file(age_browser.passkey_file(IDENTITY))
    with pytest.raises(NotSealed):
        require_passphrase_file(IDENTITY)


@pytest.mark.parametrize("public_key", ["", "age1", KEY.identity, KEY.public_key[:-1], KEY.public_key + "q"])
def test_a_public_key_is_one(public_key: str) -> None:
    with pytest.raises(NotSealed):
        require_public_key(public_key)

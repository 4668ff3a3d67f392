"""What goes through age as a stream comes back whole or not at all; and names and kinds that can be trusted."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrage.x25519 import Identity

from stafeta.core.errors import Tampered
from stafeta.vault.file_names import NAME_CHARS_MAX, UNKNOWN_TYPE, clean_name, media_type_of
from stafeta.vault.file_sealing import seal_file, unseal_file

IDENTITY = Identity.generate()
CHUNK = 64 * 1024
# Lengths around the borders of age's chunks say more than contents do.
LENGTHS = st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 17]) | st.integers(0, 3000)

# What age writes is never twice as long: places are counted round and round.
PLACES = st.integers(0, 1_000_000)


def sealed(content: bytes) -> bytes:
    sink = BytesIO()
    assert seal_file(BytesIO(content), sink, public_key=str(IDENTITY.to_public())) == len(content)
    return sink.getvalue()


def unsealed(ciphertext: bytes) -> bytes:
    sink = BytesIO()
    length = unseal_file(BytesIO(ciphertext), sink, identity=IDENTITY)
    assert length == len(sink.getvalue())
    return sink.getvalue()


@given(length=LENGTHS, seed=st.binary(min_size=1, max_size=8))
def test_everything_comes_back(length: int, seed: bytes) -> None:
    content = (seed * (length // len(seed) + 1))[:length]
    assert unsealed(sealed(content)) == content


@given(length=LENGTHS, left_out=PLACES)
def test_no_beginning_of_a_file_passes_for_the_whole(length: int, left_out: int) -> None:
    whole = sealed(b"x" * length)
    with pytest.raises(Tampered):
        unsealed(whole[: -1 - left_out % len(whole)])


@given(length=LENGTHS, place=st.integers(0, 180) | PLACES, bit=st.integers(0, 7))
def test_no_bit_can_be_flipped_unnoticed(length: int, place: int, bit: int) -> None:
    """In the header, where the key is, and in the content alike."""
    whole = bytearray(sealed(b"x" * length))
    whole[place % len(whole)] ^= 1 << bit
    with pytest.raises(Tampered):
        unsealed(bytes(whole))


@given(length=st.integers(0, 100), more=st.binary(min_size=1, max_size=40))
def test_nothing_can_be_added_unnoticed(length: int, more: bytes) -> None:
    with pytest.raises(Tampered):
        unsealed(sealed(b"x" * length) + more)


@given(st.text())
def test_any_name_becomes_one_that_can_be_kept(name: str) -> None:
    kept = clean_name(name)
    assert 1 <= len(kept) <= NAME_CHARS_MAX
    assert not set(kept) & set('<>:"|?*\\/\0\n\r')
    assert clean_name(kept) == kept


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("smlouva č. 7.pdf", "smlouva č. 7.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\dana\\klíče.kdbx", "klíče.kdbx"),
        ("fotka\u202egpj.exe", "fotkagpj.exe"),
        ("a\r\nSet-Cookie: b", "aSet-Cookie- b"),
        ("...", "file"),
        ("", "file"),
        ("x" * 300 + ".pdf", "x" * 146 + ".pdf"),
    ],
)
def test_names(name: str, kept: str) -> None:
    assert clean_name(name) == kept


@pytest.mark.parametrize(
    ("beginning", "name", "kind"),
    [
        (b"%PDF-1.7", "a.txt", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n", "a", "image/png"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a", "image/webp"),
        (b"PK\x03\x04", "a.ZIP", "application/zip"),
        (b"PK\x03\x04", "a.html", UNKNOWN_TYPE),
        (b"<html>", "a.html", UNKNOWN_TYPE),
        (b"<svg ", "a.svg", UNKNOWN_TYPE),
        (b"", "a.pdf", UNKNOWN_TYPE),
    ],
)
def test_a_file_is_what_it_begins_with(beginning: bytes, name: str, kind: str) -> None:
    assert media_type_of(beginning, name=name) == kind

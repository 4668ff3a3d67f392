"""Formats that must never change: what three programs made opens, and what secrets give is what it always was."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pyotp
import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stafeta.channels.receipts_signed import signature
from stafeta.core.errors import Tampered
from stafeta.core.links import Link, Purpose, make_token, read_token
from stafeta.vault.file_sealing import seal_file, unseal_file
from tests.vault.vectors import FILES, INDEX, PASSPHRASE, blob, identity

CHUNK_BYTES = 64 * 1024
SEALED_CHUNK_BYTES = CHUNK_BYTES + 16
NONCE_BYTES = 16
LARGEST = "attachment-131073.typage.age"
HANDOVER = identity("handover")
LENGTHS = st.one_of(
    st.integers(0, 300),
    st.builds(lambda chunks, more: chunks * CHUNK_BYTES + more, st.integers(1, 3), st.integers(-2, 2)),
)


def opened(sealed: bytes, key: pyrage.x25519.Identity = HANDOVER) -> bytes:
    """Return the plaintext of an age file. Raises Tampered."""
    sink = io.BytesIO()
    unseal_file(io.BytesIO(sealed), sink, identity=key)
    return sink.getvalue()


def header_bytes(sealed: bytes) -> int:
    """Return how long the header is: up to the end of the line of its MAC."""
    return sealed.index(b"\n", sealed.index(b"\n--- ") + 1) + 1


@pytest.mark.parametrize("vector", FILES, ids=[vector["file"] for vector in FILES])
def test_age_files_of_three_programs_open(vector: dict[str, Any]) -> None:
    sealed = blob(vector["file"])
    if vector["opens"] == "passphrase":
        plaintext = pyrage.passphrase.decrypt(sealed, PASSPHRASE)
    else:
        plaintext = opened(sealed, identity(vector["opens"]))
    assert len(plaintext) == vector["size_bytes"]
    assert hashlib.sha256(plaintext).hexdigest() == vector["sha256"]
    with pytest.raises((Tampered, pyrage.DecryptError)):
        opened(sealed, identity("stranger"))


def test_a_text_is_the_text_and_a_wrapped_key_is_the_handovers() -> None:
    for program in ("pyrage", "typage", "age"):
        assert opened(blob(f"content.{program}.age")).decode() == INDEX["text"]
        key = opened(blob(f"wrapped_key.{program}.age"), identity("person")).decode()
        assert key == str(HANDOVER)


@pytest.mark.parametrize("name", ["content.pyrage.age", "content.typage.age", "content.age.age"])
def test_every_flipped_byte_of_a_header_is_refused(name: str) -> None:
    sealed = blob(name)
    for at in range(header_bytes(sealed)):
        for mask in (0x01, 0x20, 0x80):
            with pytest.raises(Tampered):
                opened(sealed[:at] + bytes([sealed[at] ^ mask]) + sealed[at + 1 :])


def test_a_file_cut_short_at_any_chunk_is_refused() -> None:
    """At every boundary, a byte before and a byte behind; also where the rest looks like a whole file."""
    sealed = blob(LARGEST)
    start = header_bytes(sealed) + NONCE_BYTES
    ends = range(start, len(sealed), SEALED_CHUNK_BYTES)
    assert len(ends) == 3
    cuts = {end + near for end in [*ends, len(sealed)] for near in (-1, 0, 1)} - {len(sealed), len(sealed) + 1}
    for cut in sorted(cuts):
        with pytest.raises(Tampered):
            opened(sealed[:cut])


@pytest.mark.parametrize("more", [b"\0", bytes(16), bytes(SEALED_CHUNK_BYTES)])
def test_a_file_with_something_behind_its_end_is_refused(more: bytes) -> None:
    with pytest.raises(Tampered):
        opened(blob(LARGEST) + more)


def test_chunks_that_changed_places_are_refused() -> None:
    sealed = blob(LARGEST)
    start = header_bytes(sealed) + NONCE_BYTES
    first, second = (sealed[start + n * SEALED_CHUNK_BYTES :][:SEALED_CHUNK_BYTES] for n in (0, 1))
    with pytest.raises(Tampered):
        opened(sealed[:start] + second + first + sealed[start + 2 * SEALED_CHUNK_BYTES :])


@settings(max_examples=60, deadline=None)
@given(length=LENGTHS, seed=st.binary(min_size=1, max_size=8), flip=st.integers(0), mask=st.integers(1, 255))
def test_whatever_is_sealed_opens_to_itself_and_with_any_byte_changed_not_at_all(
    length: int, seed: bytes, flip: int, mask: int
) -> None:
    plaintext = (seed * (length // len(seed) + 1))[:length]
    sink = io.BytesIO()
    assert seal_file(io.BytesIO(plaintext), sink, public_key=str(HANDOVER.to_public())) == length
    sealed = sink.getvalue()
    assert opened(sealed) == plaintext
    at = flip % len(sealed)
    with pytest.raises(Tampered):
        opened(sealed[:at] + bytes([sealed[at] ^ mask]) + sealed[at + 1 :])


def test_links_are_what_they_always_were() -> None:
    """A link of an old mail must open what it opened when it was sent."""
    key = bytes.fromhex(INDEX["links"]["key_hex"])
    assert {line["purpose"] for line in INDEX["links"]["tokens"]} == set(Purpose)
    for line in INDEX["links"]["tokens"]:
        link = Link(Purpose(line["purpose"]), line["person"], line["switch"], line["cycle"])
        assert make_token(link, key=key) == line["token"]
        assert read_token(line["token"], key=key) == link


def test_codes_are_those_of_rfc_4226() -> None:
    codes = INDEX["codes"]
    hotp = pyotp.HOTP(codes["secret"], digits=codes["digits"])
    assert {counter: hotp.at(int(counter)) for counter in codes["codes"]} == codes["codes"]


def test_a_receipt_is_signed_as_scripts_out_there_sign_it() -> None:
    receipt = INDEX["receipt"]
    made = signature(secret=receipt["secret"], timestamp=receipt["timestamp"], body=receipt["body"].encode())
    assert made == receipt["signature"]

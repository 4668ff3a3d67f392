"""Files as age files, streamed: a few megabytes of memory however large the file (vault.md, "Pitfalls")."""

from __future__ import annotations

from typing import Protocol

from pyrage import DecryptError, EncryptError, decrypt_io, encrypt_io
from pyrage.x25519 import Identity, Recipient

from stafeta.core.errors import StafetaError, Tampered


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes; none at the end."""


class Writable(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes, /) -> int:
        """Take all of it."""

    def flush(self) -> None:
        """Let go of what is kept back."""


def seal_file(source: Readable, sink: Writable, *, public_key: str) -> int:
    """Write `source` to `sink` as an age file that only the handover's key opens; return its length in plaintext.

    Raises OSError as reading and writing do, and a StafetaError of the source's own; what was written by then is good
    for nothing.
    """
    reader, writer = _Reader(source), _Writer(sink)
    try:
        encrypt_io(reader, writer, [Recipient.from_str(public_key)])
    except EncryptError as error:
        raise (reader.failure or writer.failure or OSError(str(error))) from None
    if writer.failure:  # of the last bytes; pyrage does not tell
        raise writer.failure
    return reader.count


def unseal_file(source: Readable, sink: Writable, *, identity: Identity) -> int:
    """Write the plaintext of the age file `source` to `sink` and return its length.

    Raises Tampered; then part of it may be in `sink` already and must not be shown. OSError as reading and writing do.
    """
    reader, writer = _Reader(source), _Writer(sink)
    try:
        decrypt_io(reader, writer, [identity])
    except (DecryptError, OSError):
        failure = reader.failure or writer.failure
        raise (failure or Tampered()) from None
    if writer.failure:
        raise writer.failure
    return writer.count


class _Reader:
    """Counts what is read, and keeps what reading raised: pyrage makes another error of it."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self.count = 0
        self.failure: OSError | StafetaError | None = None

    def read(self, size: int = -1, /) -> bytes:
        try:
            data = self._file.read(size)
        except (OSError, StafetaError) as error:
            self.failure = error
            raise
        self.count += len(data)
        return data


class _Writer:
    """Counts what is written, and keeps what writing raised."""

    def __init__(self, file: Writable) -> None:
        self._file = file
        self.count = 0
        self.failure: OSError | None = None

    def write(self, data: bytes, /) -> int:
        try:
            self._file.write(data)
        except OSError as error:
            self.failure = error
            raise
        self.count += len(data)
        return len(data)

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError as error:
            self.failure = error
            raise

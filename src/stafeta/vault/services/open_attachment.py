"""Open an attached file: decrypted whole and verified before anybody gets its first byte."""

from __future__ import annotations

from typing import IO

from stafeta.core.errors import FileMissing, Tampered
from stafeta.vault.file_sealing import unseal_file
from stafeta.vault.models import Attachment
from stafeta.vault.sealing import HOLDER_INSTANCE, identity_of
from stafeta.vault.storage import attachment_storage, passing_file


def open_attachment(attachment: Attachment) -> IO[bytes]:
    """Return the plaintext as a file that stands at its beginning; closing it erases it.

    Raises KeyMissing, FileMissing, Tampered or ConfigurationError, OSError for a full disk; then nothing is shown.
    """
    identity = identity_of(attachment.handover, holder=attachment.holder or HOLDER_INSTANCE)
    try:
        source = attachment_storage().open(attachment.file.key)
    except FileNotFoundError:
        raise FileMissing from None
    plaintext = passing_file()
    try:
        with source:
            length = unseal_file(source, plaintext, identity=identity)
        if length != attachment.size_bytes:
            raise Tampered
        plaintext.seek(0)
    except BaseException:
        plaintext.close()
        raise
    return plaintext

"""The age files of a copy: what each is called, what it is for, and how it is had, verified and encrypted anew.

A guarded handover is opened and encrypted to the key that its owner made for this copy; the server never has the other
half of it. A sealed one leaves as it is, with its key as it is wrapped to its owner: no server could do more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from io import BytesIO
from typing import IO, Final

from stafeta.core.errors import FileMissing, Tampered
from stafeta.vault.bundle_names import Names
from stafeta.vault.file_sealing import seal_file
from stafeta.vault.holders import wrapped_for
from stafeta.vault.models import Attachment, Handover, KeyFile
from stafeta.vault.sealing import seal
from stafeta.vault.selectors import attachment_of, attachments_of, read_content
from stafeta.vault.services.open_attachment import open_attachment
from stafeta.vault.storage import attachment_storage, passing_file

CONTENT: Final = "content.md"
KEY_FILE: Final = "key.age"
ATTACHMENTS: Final = "attachments/"


class Role(StrEnum):
    """What a file of a copy is for; part of the format, so no name ever changes its meaning (docs/twenty-years.md)."""

    CONTENT = "content"
    ATTACHMENT = "attachment"
    KEY = "key"  # an identity under a passphrase
    WRAPPED_KEY = "wrapped_key"  # an identity, encrypted to somebody's key


@dataclass(frozen=True, slots=True)
class CopyPart:
    """One age file of a copy. name: what it is called once it is open.

    opened: returns its bytes at their beginning. Raises VaultError, ConfigurationError or OSError.
    """

    path: str
    role: Role
    name: str
    media_type: str
    opened: Callable[[], IO[bytes]]


def guarded_parts(handover: Handover, *, public_key: str, key_file: bytes = b"") -> tuple[CopyPart, ...]:
    """Return what a copy of a guarded handover holds, each part encrypted to `public_key` when its turn comes.

    key_file: the other half of that key under a passphrase, as an age file made in the owner's browser; or nothing.
    """

    def content() -> IO[bytes]:
        return BytesIO(seal(read_content(handover), public_key=public_key))

    names, parts = Names(), [CopyPart(f"{CONTENT}.age", Role.CONTENT, CONTENT, "text/markdown", content)]
    for one in attachments_of(handover):
        name = names.give(one.name)
        parts.append(
            CopyPart(
                f"{ATTACHMENTS}{name}.age",
                Role.ATTACHMENT,
                name,
                one.media_type,
                partial(_sealed_anew, handover, one.pk, public_key),
            )
        )
    if key_file:
        parts.append(CopyPart(KEY_FILE, Role.KEY, "key.txt", "text/plain", partial(BytesIO, key_file)))
    return tuple(parts)


def sealed_parts(handover: Handover) -> tuple[CopyPart, ...]:
    """Return what a copy of a sealed handover holds: every file as it is stored, and what opens it for its owner.

    That is the handover's key, wrapped to each key of the owner, and those keys under their passphrase, the present one
    first. Who has the owner's own card needs none of the latter.
    """

    def content() -> IO[bytes]:
        newest = handover.versions.order_by("-number").first()
        if newest is None:
            raise Tampered
        return BytesIO(bytes(newest.ciphertext))

    names, parts = Names(), [CopyPart(f"{CONTENT}.age", Role.CONTENT, CONTENT, "text/markdown", content)]
    for one in attachments_of(handover):
        name = names.give(one.name)
        parts.append(
            CopyPart(
                f"{ATTACHMENTS}{name}.age", Role.ATTACHMENT, name, one.media_type, partial(_stored, handover, one.pk)
            )
        )
    for number, wrapped in enumerate(wrapped_for(handover, handover.owner), 1):
        assert wrapped.key is not None
        path = f"keys/handover-{number}.age"
        parts.append(CopyPart(path, Role.WRAPPED_KEY, "key.txt", "text/plain", partial(BytesIO, bytes(wrapped.blob))))
        for file in wrapped.key.files.filter(kind=KeyFile.Kind.PASSPHRASE):
            path = f"keys/owner-{number}.age"
            parts.append(CopyPart(path, Role.KEY, "owner.txt", "text/plain", partial(BytesIO, bytes(file.blob))))
    return tuple(parts)


def _stored(handover: Handover, pk: int) -> IO[bytes]:
    try:
        return attachment_storage().open(attachment_of(handover, pk).file.key)
    except (Attachment.DoesNotExist, FileNotFoundError):
        raise FileMissing from None


def _sealed_anew(handover: Handover, pk: int, public_key: str) -> IO[bytes]:
    try:
        attachment = attachment_of(handover, pk)
    except Attachment.DoesNotExist:
        raise FileMissing from None
    sealed = passing_file()
    try:
        with open_attachment(attachment) as plaintext:
            seal_file(plaintext, sealed, public_key=public_key)
        sealed.seek(0)
    except BaseException:
        sealed.close()
        raise
    return sealed

"""A copy of a handover as somebody holds it years later: made of parts, without a database or a server."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pyrage

from stafeta.vault.copy_parts import CopyPart, Role
from stafeta.vault.copy_zip import CopyFacts, stream_copy
from stafeta.web.views.copies import opener
from tests.vault import vectors

TAKEN_AT: Final = datetime(2026, 3, 9, 12, 30, tzinfo=UTC)
TEXT: Final = "# Klíče\n\nHeslo k hostingu je **žluťoučký kůň**.\n"


@dataclass
class Made:
    """A copy, and what opens it. files: plaintext by name. with_passphrase: under vectors.PASSPHRASE."""

    text: str = TEXT
    files: dict[str, bytes] = field(default_factory=dict)
    with_passphrase: bool = False
    title: str = "Weby klientů"
    identity: pyrage.x25519.Identity = field(default_factory=pyrage.x25519.Identity.generate)

    def __post_init__(self) -> None:
        if self.with_passphrase:
            self.identity = vectors.identity("person")

    def parts(self) -> list[CopyPart]:
        key = [self.identity.to_public()]

        def part(path: str, role: Role, name: str, ciphertext: bytes) -> CopyPart:
            return CopyPart(path, role, name, "application/octet-stream", lambda: io.BytesIO(ciphertext))

        found = [part("content.md.age", Role.CONTENT, "content.md", pyrage.encrypt(self.text.encode(), key))]
        for name, plaintext in self.files.items():
            found.append(part(f"attachments/{name}.age", Role.ATTACHMENT, name, pyrage.encrypt(plaintext, key)))
        if self.with_passphrase:
            found.append(part("key.age", Role.KEY, "key.txt", vectors.blob("passphrase.typage.age")))
        return found

    def zip(self) -> zipfile.ZipFile:
        facts = CopyFacts(self.title, "Dana Veselá", "guarded", str(self.identity.to_public()), TAKEN_AT, TAKEN_AT)
        archive = zipfile.ZipFile(io.BytesIO(b"".join(stream_copy(facts, self.parts(), opener=opener()))))
        assert archive.testzip() is None
        return archive

    def unpacked(self, place: Path) -> Path:
        """Unpack the copy and return the folder."""
        self.zip().extractall(place)
        return place

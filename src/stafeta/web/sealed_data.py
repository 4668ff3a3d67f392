"""What a browser needs to open what is sealed: a person's keys, and a handover's key wrapped to them. No secrets."""

from __future__ import annotations

from base64 import b64encode

from stafeta.accounts.models import User
from stafeta.vault.holders import keys_of, wrapped_for
from stafeta.vault.models import Handover, PersonalKey, Recipient, Version

Data = dict[str, object]


def keys_data(person: User | Recipient) -> list[Data]:
    """Return the person's keys that open something, each with the age files of its private half."""
    return [
        {
            "id": key.pk,
            "public_key": key.public_key,
            "is_present": key.replaced_at is None,
            "files": [
                {
                    "id": file.pk,
                    "kind": file.kind,
                    "name": file.name,
                    "hint": file.hint,
                    "blob": encoded(file.blob),
                }
                for file in key.files.all()
            ],
        }
        for key in keys_of(person)
    ]


def handover_data(handover: Handover, person: User | Recipient) -> Data:
    """Return a sealed handover without its text: how its key is wrapped to this person."""
    return {
        "id": handover.pk,
        "title": handover.title,
        "revision": handover.revision,
        "public_key": handover.public_key,
        "wraps": [{"key": wrap.key_id, "blob": encoded(wrap.blob)} for wrap in wrapped_for(handover, person)],
    }


def present_text(handover: Handover) -> str:
    """Return the present version's ciphertext."""
    newest: Version = handover.versions.order_by("-number")[0]
    return encoded(newest.ciphertext)


def holder_data(key: PersonalKey) -> Data:
    """Return a personal key that something is to be wrapped to."""
    return {"id": key.pk, "public_key": key.public_key}


def encoded(blob: bytes | memoryview) -> str:
    """Return bytes as they travel: base64 with padding."""
    return b64encode(bytes(blob)).decode("ascii")

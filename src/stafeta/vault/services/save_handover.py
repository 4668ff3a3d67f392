"""Save a handover: a new version each time, and nothing of what another window saved is overwritten unseen."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from stafeta.core.errors import Conflict, PolicyError, VaultError
from stafeta.vault.models import Handover, Version
from stafeta.vault.sealing import CONTENT_BYTES_MAX, content_bytes, require_guarded, seal
from stafeta.vault.selectors import read_content
from stafeta.vault.services.renew_key import renew_closed_key

VERSIONS_KEPT: Final = 20
AUTOSAVE_MERGES: Final = timedelta(minutes=10)


def save_handover(
    *, handover: Handover, title: str, content: str, base_revision: int, now: datetime, autosave: bool = False
) -> Handover:
    """Save title and content over `base_revision` and return the handover with its new revision.

    Every save makes a version; an autosave within ten minutes replaces the version that the editor's autosaves began,
    so that the 20 kept ones reach back days, not minutes. What is stored already is not saved again, whatever the
    revision: pressing twice is harmless. A handover that no key at hand opens gets a fresh key (`renew_key`), so that
    what was saved can be read. Raises Conflict when somebody else saved in the meantime (their text then stays among
    the versions), PolicyError over CONTENT_BYTES_MAX, Handover.DoesNotExist for a deleted one, SealedAway for a sealed
    one, which takes no plaintext, ConfigurationError where there is no keyring.
    """
    content = checked_content(content)
    with transaction.atomic():
        locked = Handover.objects.select_for_update().get(pk=handover.pk, deleted_at=None)
        require_guarded(locked)
        if _is_stored(locked, title, content):
            return locked
        in_conflict = meets_conflict(locked, base_revision)
        if not in_conflict:
            renew_closed_key(locked)
            ciphertext = seal(content, public_key=locked.public_key)
            new_version(locked, title, ciphertext, length=counted_bytes(content), now=now, autosave=autosave)
    if in_conflict:
        raise Conflict(locked.revision)
    return locked


def meets_conflict(locked: Handover, base_revision: int) -> bool:
    """Return whether somebody else has saved since; their version is then kept as it is, not merged with the next."""
    if locked.revision == base_revision:
        return False
    locked.versions.filter(number=locked.revision).update(autosaved=False)
    return True


def new_version(locked: Handover, title: str, ciphertext: bytes, *, length: int, now: datetime, autosave: bool) -> None:
    """Store a locked handover's next revision. length: of the plaintext in bytes, 0 for blanks alone."""
    locked.revision += 1
    locked.title, locked.updated_at, locked.content_bytes = title, now, length
    locked.save(update_fields=["revision", "title", "updated_at", "content_bytes"])
    newest = locked.versions.defer("ciphertext").order_by("-number").first()
    if autosave and newest is not None and newest.autosaved and now - newest.at < AUTOSAVE_MERGES:
        Version.objects.filter(pk=newest.pk).update(number=locked.revision, ciphertext=ciphertext)
    else:
        Version.objects.create(
            handover=locked, number=locked.revision, ciphertext=ciphertext, autosaved=autosave, at=now
        )
    kept = locked.versions.order_by("-number").values_list("pk", flat=True)[:VERSIONS_KEPT]
    locked.versions.exclude(pk__in=list(kept)).delete()


def checked_content(content: str) -> str:
    """Return the content with one kind of line end. Raises PolicyError when it is longer than a handover may be."""
    content = content.replace("\r\n", "\n").replace("\r", "\n")
    length = content_bytes(content)
    if length > CONTENT_BYTES_MAX:
        raise PolicyError("content_bytes", length, 0, CONTENT_BYTES_MAX)
    return content


def counted_bytes(content: str) -> int:
    """Return the length of the content in bytes; 0 for blanks alone, which hand over nothing."""
    return content_bytes(content) if content.strip() else 0


def _is_stored(handover: Handover, title: str, content: str) -> bool:
    try:
        return handover.title == title and read_content(handover) == content
    except VaultError:
        return False  # what cannot be read any more must not keep the owner from writing it anew

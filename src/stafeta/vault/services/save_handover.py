"""Save a handover: a new version each time, and nothing of what another window saved is overwritten unseen."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from stafeta.core.errors import Conflict, PolicyError, VaultError
from stafeta.vault.models import Handover, Version
from stafeta.vault.sealing import CONTENT_BYTES_MAX, content_bytes, seal
from stafeta.vault.selectors import read_content

VERSIONS_KEPT: Final = 20
AUTOSAVE_MERGES: Final = timedelta(minutes=10)


def save_handover(
    *, handover: Handover, title: str, content: str, base_revision: int, now: datetime, autosave: bool = False
) -> Handover:
    """Save title and content over `base_revision` and return the handover with its new revision.

    Every save makes a version; an autosave within ten minutes replaces the version that the editor's autosaves began,
    so that the 20 kept ones reach back days, not minutes. What is stored already is not saved again, whatever the
    revision: pressing twice is harmless. Raises Conflict when somebody else saved in the meantime (their text then
    stays among the versions), PolicyError over CONTENT_BYTES_MAX, Handover.DoesNotExist for a deleted one.
    """
    content = checked_content(content)
    with transaction.atomic():
        locked = Handover.objects.select_for_update().get(pk=handover.pk, deleted_at=None)
        if _is_stored(locked, title, content):
            return locked
        in_conflict = locked.revision != base_revision
        if in_conflict:
            locked.versions.filter(number=locked.revision).update(autosaved=False)
        else:
            _write(locked, title, content, now=now, autosave=autosave)
    if in_conflict:
        raise Conflict(locked.revision)
    return locked


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


def _write(handover: Handover, title: str, content: str, *, now: datetime, autosave: bool) -> None:
    handover.revision += 1
    handover.title, handover.updated_at = title, now
    handover.content_bytes = counted_bytes(content)
    handover.save(update_fields=["revision", "title", "updated_at", "content_bytes"])
    ciphertext = seal(content, public_key=handover.public_key)
    newest = handover.versions.defer("ciphertext").order_by("-number").first()
    if autosave and newest is not None and newest.autosaved and now - newest.at < AUTOSAVE_MERGES:
        Version.objects.filter(pk=newest.pk).update(number=handover.revision, ciphertext=ciphertext)
    else:
        Version.objects.create(
            handover=handover, number=handover.revision, ciphertext=ciphertext, autosaved=autosave, at=now
        )
    kept = handover.versions.order_by("-number").values_list("pk", flat=True)[:VERSIONS_KEPT]
    handover.versions.exclude(pk__in=list(kept)).delete()

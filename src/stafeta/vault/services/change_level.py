"""Give a handover a fresh key: when it becomes sealed, becomes guarded again, or is sealed anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from stafeta.core.errors import Conflict, NotSealed, PolicyError
from stafeta.core.protection import Level
from stafeta.vault.age_files import require_content, require_public_key
from stafeta.vault.models import Handover, WrappedKey
from stafeta.vault.sealing import new_key, seal
from stafeta.vault.services.save_handover import VERSIONS_KEPT, checked_content, counted_bytes
from stafeta.vault.services.wrap_keys import Wrap, require_owners_wrap, require_wraps, store_wraps


@dataclass(frozen=True, slots=True)
class SealedText:
    """One version's text, encrypted to the fresh key. number: of the version that it is."""

    number: int
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class OpenText:
    """One version's text, given to the server by its owner. number: of the version that it is."""

    number: int
    content: str


def seal_handover(
    *,
    handover: Handover,
    base_revision: int,
    public_key: str,
    wraps: Sequence[Wrap],
    texts: Sequence[SealedText],
    is_blank: bool,
    now: datetime,
) -> Handover:
    """Seal a guarded handover, or a sealed one anew, under the fresh key `public_key`, and return it.

    Everything that opened the old key goes, the instance's wrapped key above all, and so does every version that is not
    among `texts`; the newest must be. The server may have known the old key, so it must not be the same. The present
    text becomes the next revision, so that other windows notice. Raises Conflict when somebody else saved since
    `base_revision`, NotSealed and PolicyError for what cannot be stored, also while it has attached files, which
    would stay behind under the old key; Handover.DoesNotExist for a deleted one.
    """
    require_public_key(public_key)
    require_wraps(wraps)
    lengths = {text.number: require_content(text.ciphertext) for text in texts}
    with transaction.atomic():
        locked = _locked(handover, base_revision, lengths)
        if locked.public_key == public_key:
            raise NotSealed("it is not under a fresh key")
        require_owners_wrap(locked.owner, wraps)
        WrappedKey.objects.filter(handover=locked).delete()
        length = 0 if is_blank else lengths[base_revision]
        _begin(locked, Level.SEALED, public_key, length=length, now=now)
        store_wraps(locked, wraps, now=now)
        _replace(locked, {text.number: text.ciphertext for text in texts})
    return locked


def unseal_handover(*, handover: Handover, base_revision: int, texts: Sequence[OpenText], now: datetime) -> Handover:
    """Make a sealed handover guarded and return it: its owner's browser has sent its text, the server makes a key.

    What was wrapped to people goes, and so does every version that is not among `texts`; the newest must be. Raises as
    `seal_handover` does, ConfigurationError where the keyring is missing, NotSealed for one that is guarded already.
    """
    contents = {text.number: checked_content(text.content) for text in texts}
    with transaction.atomic():
        locked = _locked(handover, base_revision, contents)
        if not locked.is_sealed:
            raise NotSealed("it is guarded already")
        WrappedKey.objects.filter(handover=locked).delete()
        wrapped = new_key(locked)
        wrapped.save(force_insert=True)
        length = counted_bytes(contents[base_revision])
        _begin(locked, Level.GUARDED, locked.public_key, length=length, now=now)
        _replace(locked, {number: seal(content, public_key=locked.public_key) for number, content in contents.items()})
    return locked


def _locked(handover: Handover, base_revision: int, texts: dict[int, int] | dict[int, str]) -> Handover:
    """Return the locked handover if all that is to get the fresh key is at hand."""
    locked = Handover.objects.select_for_update().get(pk=handover.pk, deleted_at=None)
    if locked.revision != base_revision:
        raise Conflict(locked.revision)
    if base_revision not in texts:
        raise NotSealed("the present text is missing")
    if len(texts) > VERSIONS_KEPT:
        raise PolicyError("versions", len(texts), 1, VERSIONS_KEPT)
    files = locked.attachments.filter(deleted_at=None).count()
    if files:
        raise PolicyError("attachments", files, 0, 0)
    locked.attachments.all().delete()  # they were removed, and to bring them back would be to bring the old key back
    return locked


def _begin(locked: Handover, level: Level, public_key: str, *, length: int, now: datetime) -> None:
    locked.level, locked.public_key = level, public_key
    locked.revision += 1
    locked.content_bytes, locked.updated_at = length, now
    locked.save(update_fields=["level", "public_key", "revision", "content_bytes", "updated_at"])


def _replace(locked: Handover, ciphertexts: dict[int, bytes]) -> None:
    """Put each version's text under the fresh key, and drop the others. The newest is the present revision now."""
    locked.versions.exclude(number__in=ciphertexts).delete()
    for version in locked.versions.defer("ciphertext").order_by("-number"):
        number = locked.revision if version.number == locked.revision - 1 else version.number
        locked.versions.filter(pk=version.pk).update(
            number=number, ciphertext=ciphertexts[version.number], autosaved=False
        )

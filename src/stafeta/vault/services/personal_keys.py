"""A person's own key for sealed handovers: made, replaced, opened in another way, acknowledged by the owner.

What arrives here was made in the person's browser: the public half, and the private half as an age file.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from stafeta.accounts.models import User
from stafeta.core.errors import Conflict, PolicyError
from stafeta.vault.age_files import require_passkey_file, require_passphrase_file, require_public_key
from stafeta.vault.holders import key_of
from stafeta.vault.models import ConsentState, KeyFile, PersonalKey, Recipient

REPLACED_KEPT_MAX: Final = 20
PASSKEYS_MAX: Final = 10


def set_key(
    *, person: User | Recipient, public_key: str, file: bytes, replaces: int | None, now: datetime
) -> PersonalKey:
    """Give the person a key. file: its private half under their passphrase.

    replaces: id of the present key, as the person saw it; None for the first one. What is wrapped to the replaced key
    still opens with it, until the owner wraps it to the new one. Sent again it is harmless. Raises NotSealed for what
    is no key, Conflict where another key has been made meanwhile, PolicyError for a recipient who has not agreed.
    """
    require_public_key(public_key)
    require_passphrase_file(file)
    with transaction.atomic():
        locked = _locked(person)
        if isinstance(locked, Recipient) and locked.consent != ConsentState.GIVEN:
            raise PolicyError("consent", 0, 1, 1)
        present = key_of(locked)
        if present is not None and present.public_key == public_key:
            return present
        if (present.pk if present else None) != replaces:
            raise Conflict(present.pk if present else 0)
        if locked.personal_keys.filter(public_key=public_key).exists():
            raise Conflict(present.pk if present else 0)
        if present is not None:
            present.replaced_at = now
            present.save(update_fields=["replaced_at"])
        who = {"owner": locked} if isinstance(locked, User) else {"recipient": locked}
        made = PersonalKey.objects.create(public_key=public_key, made_at=now, **who)
        KeyFile.objects.create(key=made, kind=KeyFile.Kind.PASSPHRASE, blob=file, created_at=now)
        forget_useless(locked)
    return made


def change_passphrase(*, key: PersonalKey, file: bytes, now: datetime) -> None:
    """Put the private half under another passphrase; from now on the old one opens nothing that is stored here.

    Only the person's browser can know that the file holds the same key. Raises NotSealed for what is no such file.
    """
    require_passphrase_file(file)
    with transaction.atomic():
        locked = PersonalKey.objects.select_for_update().get(pk=key.pk)
        locked.files.filter(kind=KeyFile.Kind.PASSPHRASE).delete()
        KeyFile.objects.create(key=locked, kind=KeyFile.Kind.PASSPHRASE, blob=file, created_at=now)


def add_passkey(*, key: PersonalKey, file: bytes, name: str, hint: str, now: datetime) -> KeyFile:
    """Let a passkey open the private half as well. Raises NotSealed, and PolicyError beyond PASSKEYS_MAX."""
    require_passkey_file(file)
    with transaction.atomic():
        locked = PersonalKey.objects.select_for_update().get(pk=key.pk)
        count = locked.files.filter(kind=KeyFile.Kind.PASSKEY).count() + 1
        if count > PASSKEYS_MAX:
            raise PolicyError("passkeys", count, 0, PASSKEYS_MAX)
        return KeyFile.objects.create(
            key=locked, kind=KeyFile.Kind.PASSKEY, name=name, hint=hint, blob=file, created_at=now
        )


def remove_passkey(*, file: KeyFile) -> None:
    """Let a passkey open the private half no more; the passphrase still does."""
    KeyFile.objects.filter(pk=file.pk, kind=KeyFile.Kind.PASSKEY).delete()


def accept_key(*, key: PersonalKey, now: datetime) -> None:
    """Record that the owner has acknowledged a recipient's changed key; only now may anything be wrapped to it.

    Raises PersonalKey.DoesNotExist for one that was replaced once more in the meantime.
    """
    with transaction.atomic():
        locked = PersonalKey.objects.select_for_update().get(pk=key.pk, recipient__isnull=False, replaced_at=None)
        if locked.accepted_at is None:
            locked.accepted_at = now
            locked.save(update_fields=["accepted_at"])


def _locked(person: User | Recipient) -> User | Recipient:
    if isinstance(person, User):  # also a request's lazy one, whose type is another
        return User.objects.select_for_update().get(pk=person.pk)
    return Recipient.objects.select_for_update().get(pk=person.pk)


def forget_useless(person: User | Recipient) -> None:
    """Erase the private halves of replaced keys that open nothing any more, and of their public ones all but the last.

    Some public halves stay, so that a changed key is known to be one.
    """
    replaced = person.personal_keys.filter(replaced_at__isnull=False)
    useless = list(replaced.filter(wrapped_keys__isnull=True).order_by("-made_at", "-pk").values_list("pk", flat=True))
    KeyFile.objects.filter(key__in=useless).delete()
    kept = set(replaced.filter(accepted_at__isnull=False).order_by("-made_at").values_list("pk", flat=True)[:1])
    old = [pk for pk in useless[REPLACED_KEPT_MAX:] if pk not in kept]
    PersonalKey.objects.filter(pk__in=old).delete()

"""Enter, change and remove the people who may be handed something."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from stafeta.accounts.models import CodeChallenge, User
from stafeta.outbox.models import Message
from stafeta.vault.models import ConsentState, Recipient


def add_recipient(*, owner: User, name: str, email: str, phone: str, language: str, now: datetime) -> Recipient:
    """Return a new recipient, not invited yet. Raises IntegrityError for an e-mail the owner has entered before."""
    with transaction.atomic():
        return Recipient.objects.create(
            owner=owner, name=name, email=email.lower(), phone=phone, language=language, created_at=now
        )


def update_recipient(
    *, recipient: Recipient, name: str, email: str, phone: str, language: str, now: datetime
) -> Recipient:
    """Change a recipient and return them. Raises IntegrityError as `add_recipient` does.

    A new e-mail ends the old invitation and asks for a new one: whoever reads the old mailbox has no say any more. A
    new phone has to be verified anew.
    """
    with transaction.atomic():
        locked = Recipient.objects.select_for_update().get(pk=recipient.pk)
        if email.lower() != locked.email.lower():
            locked.invitation += 1
            locked.invited_at, locked.consent = None, ConsentState.DRAFT
            _cancel(_messages_to(locked).filter(kind="vault.invite"), now=now, why="the e-mail was changed")
        if phone != locked.phone:
            locked.phone_verified_at = None
        locked.name, locked.email, locked.phone, locked.language = name, email.lower(), phone, language
        locked.save()
    return locked


def remove_recipient(*, recipient: Recipient, now: datetime) -> None:
    """Remove a recipient and what is stored about them: consents, grants, codes, and their address in the outbox."""
    with transaction.atomic():
        theirs = _messages_to(recipient)
        _cancel(theirs, now=now, why="the recipient is gone")
        theirs.update(to="")
        for use in ("recipient", "release", "key"):
            CodeChallenge.objects.filter(subject__startswith=f"{use}:{recipient.pk}:").delete()
        recipient.delete()


def _messages_to(recipient: Recipient) -> QuerySet[Message]:
    return Message.objects.filter(owner=recipient.owner_id, kind__startswith="vault.", params__recipient=recipient.pk)


def _cancel(messages: QuerySet[Message], *, now: datetime, why: str) -> None:
    waiting = messages.filter(state=Message.State.QUEUED)
    waiting.update(state=Message.State.CANCELLED, settled_at=now, problem=why)

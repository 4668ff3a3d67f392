"""A handover that nobody can open, written anew: what its owner is told at once, and what the history keeps."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from stafeta.accounts.models import User
from stafeta.vault.models import Handover
from stafeta.vault.sealing import is_closed
from stafeta.vault.services.save_handover import save_handover
from stafeta.web.owners import note


def save_and_tell(
    owner: User,
    handover: Handover,
    *,
    title: str,
    content: str,
    base_revision: int,
    now: datetime,
    autosave: bool = False,
) -> tuple[Handover, str]:
    """Save as `save_handover` does; return the handover, and what its owner has to know at once if it was closed."""

    def save() -> Handover:
        return save_handover(
            handover=handover, title=title, content=content, base_revision=base_revision, now=now, autosave=autosave
        )

    if handover.is_sealed or not is_closed(handover):
        return save(), ""
    with transaction.atomic():
        # First the switch, then the handover, as a release locks them.
        note(owner, "HandoverKeyRenewed", {"handover": handover.pk, "title": title}, now=now)
        return save(), renewed_words(has_files=handover.attachments.filter(deleted_at=None).exists())


def renewed_words(*, has_files: bool) -> str:
    """Return what a fresh key means."""
    words = _(
        "Nobody could open this handover any more, because the key to it is missing. What you have saved now can be "
        "read again, under a fresh key. Its earlier versions stay closed until the missing key is found."
    )
    if not has_files:
        return words
    return f"{words} " + _("So do its files: please add them again.")

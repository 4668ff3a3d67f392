"""Attached files between a browser and the vault: taken in, named in lists, given out; and why one was refused."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stafeta import clock
from stafeta.accounts.models import User
from stafeta.accounts.moments import Moment
from stafeta.core.errors import ConfigurationError, KeyMissing, PolicyError, SealedAway, VaultError
from stafeta.vault.models import Attachment, Handover
from stafeta.vault.sealing import closed_holders
from stafeta.vault.selectors import attachments_of, removed_attachments_of, uploads_of
from stafeta.vault.services.add_attachment import Source, add_attachment, seal_attachment
from stafeta.vault.services.delete_handover import DELETED_KEPT
from stafeta.vault.services.erase_files import erase_file
from stafeta.vault.services.open_attachment import open_attachment
from stafeta.web.owners import note, owner_of
from stafeta.web.showing import Shown, how_shown

log = logging.getLogger(__name__)

# A file may be anything: should a browser show it all the same, it can do nothing and reach nobody.
FILE_HEADERS: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Download(FileResponse):
    """A file that leaves in larger pieces than Django's; closed, and so erased, with the response."""

    block_size = 64 * 1024


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file in a list for reading. is_closed: no key at hand opens it."""

    name: str
    size_bytes: int
    url: str
    how: Shown
    show_url: str
    is_closed: bool = False


def lines_of(
    handover: Handover, url: Callable[[Attachment], str], show_url: Callable[[Attachment], str]
) -> tuple[FileLine, ...]:
    """Return the handover's files by name, each with where it is to be had, and where it is shown."""
    closed = closed_holders(handover)
    return tuple(
        FileLine(one.name, one.size_bytes, url(one), how_shown(one), show_url(one), one.holder in closed)
        for one in attachments_of(handover)
    )


def take_in(
    request: HttpRequest,
    handover: Handover,
    source: Source,
    *,
    name: str,
    size_bytes: int,
    also: Callable[[Attachment], None] = lambda _: None,
) -> Attachment:
    """Add a file that was sent to the owner's handover. also: what is to be done in the same transaction.

    Raises PolicyError, OSError, SealedAway or FileMissing, and what `source` and `also` raise, and then nothing of it
    is kept; Handover.DoesNotExist.
    """
    real_now = clock.real_now()
    sealed = seal_attachment(handover=handover, source=source, name=name, size_bytes=size_bytes, real_now=real_now)
    try:
        with transaction.atomic():
            now = clock.now()
            # First the switch, then the handover, as a release locks them.
            facts: dict[str, int | str | bool | None] = {
                "handover": handover.pk,
                "title": handover.title,
                "file": sealed.name,
            }
            note(owner_of(request), "AttachmentAdded", facts, now=now)
            added = add_attachment(handover=handover, sealed=sealed, now=now)
            also(added)
            return added
    except BaseException:
        erase_file(sealed.row, real_now=real_now)
        raise


def file_lists(handover: Handover, *, owner: User, now: datetime) -> dict[str, object]:
    """Return what file_lists.html shows: the files, those that are still on their way, and those that were removed."""
    return {
        "files": [(one, Moment(one.created_at, owner.zone, now), how_shown(one)) for one in attachments_of(handover)],
        "closed_holders": closed_holders(handover),
        "unfinished": uploads_of(handover),
        "removed_files": [
            (one, Moment(one.deleted_at + DELETED_KEPT, owner.zone, now))
            for one in removed_attachments_of(handover)
            if one.deleted_at
        ],
    }


def refusal_sentence(name: str, error: PolicyError | OSError | VaultError | ConfigurationError) -> str:
    """Return why a file was not added, and what to do."""
    if isinstance(error, SealedAway):
        why = _("the handover is sealed, and files cannot be sealed yet.")
    elif isinstance(error, KeyMissing):
        why = _("the key to this handover is missing, so nobody could open the file. Write its text anew first.")
    elif not isinstance(error, PolicyError):
        log.error("an attachment could not be stored: %s", getattr(error, "strerror", None) or type(error).__name__)
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            why = _("there is no room for it on the server now. Please tell the operator of this service.")
        else:
            why = _("it could not be stored. Please try again.")
    elif error.value < error.least:
        why = _("the file is empty.")
    else:
        why = _limit_sentence(error)
    return _("“%(name)s” cannot be added: %(why)s") % {"name": name, "why": why}


def answer_with(request: HttpRequest, attachment: Attachment, *, otherwise: str) -> HttpResponse | FileResponse:
    """Return the file, always as a download; where it cannot be opened, say so on the page named `otherwise`."""
    try:
        file = open_attachment(attachment)
    except (VaultError, ConfigurationError, OSError) as error:
        log.error("attachment %s cannot be opened: %s", attachment.pk, type(error).__name__)
        words = _("“%(name)s” cannot be opened now. Please come back later, or write to the operator of this service.")
        messages.error(request, words % {"name": attachment.name})
        return redirect(otherwise)
    return Download(
        file, as_attachment=True, filename=attachment.name, content_type=attachment.media_type, headers=FILE_HEADERS
    )


def _limit_sentence(error: PolicyError) -> str:
    most = int(error.most)
    match error.field:
        case "attachment_bytes":
            sizes = {"size": filesizeformat(error.value), "most": filesizeformat(most)}
            return _("it is %(size)s, the most is %(most)s. Make it smaller, or split it in two.") % sizes
        case "attachments_bytes":
            words = _("all files of a handover together can be %(most)s at most. Remove one, or use another handover.")
            return words % {"most": filesizeformat(most)}
        case "attachments":
            return ngettext(
                "a handover can have %(most)d file. Pack more of them into one archive, or use another handover.",
                "a handover can have %(most)d files. Pack more of them into one archive, or use another handover.",
                most,
            ) % {"most": most}
        case "uploads" | "uploads_bytes":
            return _("too many files are on their way already. Wait until they are here, or give some of them up.")
        case _:
            return _(
                "too much was removed lately, and it is kept for 30 days so that it can come back. "
                "Use another handover."
            )

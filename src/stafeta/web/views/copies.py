"""A copy of a handover to take away: a zip that opens without us, and so without anything that we would ask first."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from stafeta import clock
from stafeta.accounts.models import User
from stafeta.core.errors import ConfigurationError, PolicyError, VaultError
from stafeta.switches.services.ensure_switch import ensure_switch
from stafeta.vault.bundle_names import portable_name
from stafeta.vault.copy_parts import CopyPart, Role, guarded_parts, sealed_parts
from stafeta.vault.copy_zip import EMBEDDED_BYTES_MAX, CopyFacts, stream_copy
from stafeta.vault.models import Handover
from stafeta.vault.services.take_copy import COPIES_A_DAY_MAX, take_copy, verify_whole
from stafeta.web.attachments import FILE_HEADERS
from stafeta.web.copies import last_copy_at, older_copy_at
from stafeta.web.forms.copy import CopyForm
from stafeta.web.fresh import fresh_signin_required
from stafeta.web.handover_words import trail_to
from stafeta.web.notices import tell_owner
from stafeta.web.owners import handover_or_404, note, owner_of

log = logging.getLogger(__name__)

OPENER: Final = Path(__file__).parents[1] / "static" / "web" / "dist" / "open.html"
ZIP_TITLE_CHARS_MAX: Final = 60


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_signin_required
def copy(request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    """Explain what a copy is good for and what its danger is; POST gives it, encrypted to the key the browser made."""
    owner, found = owner_of(request), handover_or_404(request, pk)
    if request.method != "POST":
        return _page(request, owner, found)
    form = CopyForm(request.POST, is_sealed=found.is_sealed)
    if not form.is_valid():
        messages.error(request, _("The request was damaged on its way. Nothing was given out; please try again."))
        return _page(request, owner, found, status=400)
    try:
        return _give(owner, found, now=clock.now(), **form.values)
    except PolicyError:
        messages.error(request, _cap_sentence())
    except (VaultError, ConfigurationError, OSError) as error:
        log.error("handover %s cannot be copied: %s", found.pk, type(error).__name__)
        words = _("Something of this handover cannot be opened now, so there is no copy: half of it would be no use.")
        messages.error(request, f"{words} {_('Please come back later, or write to the operator of this service.')}")
    except Handover.DoesNotExist as error:
        raise Http404 from error
    return redirect("handover-copy", pk=found.pk)


def _give(owner: User, found: Handover, *, public_key: str, key_file: bytes, now: datetime) -> StreamingHttpResponse:
    """Record the copy and tell the owner of it, then stream it."""
    verify_whole(found)
    parts = _parts(found, public_key, key_file)
    public_key = found.public_key if found.is_sealed else public_key
    has_passphrase = any(part.role is Role.KEY for part in parts)
    with transaction.atomic():
        # First the switch, then the handover, as a release locks them.
        note(owner, "HandoverCopied", {"handover": found.pk, "title": found.title}, now=now)
        take_copy(handover=found, public_key=public_key, has_passphrase=has_passphrase, now=now)
        tell_owner(switch=ensure_switch(owner=owner), now=now, even_resting=True)
    zone = ZoneInfo(owner.zone)
    facts = CopyFacts(
        title=found.title,
        owner=str(owner),
        level=found.level,
        public_key=public_key,
        taken_at=now.astimezone(zone),
        saved_at=found.updated_at.astimezone(zone),
    )
    name = f"{portable_name(found.title, chars_max=ZIP_TITLE_CHARS_MAX)} {facts.taken_at:%Y-%m-%d}.zip"
    headers = {**FILE_HEADERS, "Content-Disposition": content_disposition_header(True, name) or "attachment"}
    pieces = stream_copy(facts, parts, opener=opener())
    return StreamingHttpResponse(pieces, content_type="application/zip", headers=headers)


def _parts(found: Handover, public_key: str, key_file: bytes) -> tuple[CopyPart, ...]:
    """Return what the handover gives away: whoever holds its key decides how."""
    if found.is_sealed:
        return sealed_parts(found)
    return guarded_parts(found, public_key=public_key, key_file=key_file)


@cache
def opener() -> str:
    """Return the page that opens a copy, as the front end was built."""
    return OPENER.read_text(encoding="utf-8")


def _page(request: HttpRequest, owner: User, found: Handover, *, status: int = 200) -> HttpResponse:
    now = clock.now()
    context = {
        "handover": found,
        "owner": owner,
        "last": last_copy_at(found, owner=owner, now=now),
        "older": older_copy_at(found, owner=owner, now=now),
        "embedded_most": EMBEDDED_BYTES_MAX,
        "trail": trail_to(found, _("A copy to take away")),
    }
    return render(request, "web/handovers/copy.html", context, status=status)


def _cap_sentence() -> str:
    words = _(
        "You took %(most)d copies within a day, and no more can leave before tomorrow. If it was not you, choose a new "
        "password and sign out all other devices."
    )
    return words % {"most": COPIES_A_DAY_MAX}

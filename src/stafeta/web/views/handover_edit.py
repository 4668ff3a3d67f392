"""The editor of one handover: saved by its script as one types, or by its button; no save loses what was typed."""

from __future__ import annotations

import json
import logging
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from stafeta import clock
from stafeta.accounts.moments import Moment
from stafeta.core.errors import ConfigurationError, Conflict, SealedAway, VaultError
from stafeta.vault.markdown import render as render_markdown
from stafeta.vault.models import Handover
from stafeta.vault.sealing import CONTENT_BYTES_MAX, content_bytes, is_closed
from stafeta.vault.selectors import handover_of, read_content, readings_of
from stafeta.web.attachments import file_lists
from stafeta.web.copies import older_copy_at
from stafeta.web.forms.handover import HandoverForm
from stafeta.web.handover_words import card_of, recipient_badge, trail_to
from stafeta.web.owners import handover_or_404, owner_of
from stafeta.web.rewriting import save_and_tell
from stafeta.web.views.sealed_edit import sealed_page

log = logging.getLogger(__name__)

BODY_BYTES_MAX: Final = 8 * CONTENT_BYTES_MAX  # JSON may write one character as six


class BadBody(ValueError):
    """The body of a request is not what the editor sends."""


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def handover(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the editor; POST saves by the plain form. What cannot be saved comes back as it was typed."""
    found = handover_or_404(request, pk)
    if request.method == "POST":
        return _save_by_form(request, found)
    if found.is_sealed:
        return sealed_page(request, found)
    try:
        content = read_content(found)
    except (VaultError, ConfigurationError) as error:
        may_write_anew = isinstance(error, VaultError) and not found.is_sealed
        if not (may_write_anew and "anew" in request.GET):
            return unreadable(request, found, error, may_write_anew=may_write_anew)
        content = ""
    form = HandoverForm(initial={"title": found.title, "content": content})
    return _page(request, found, form, revision=found.revision)


@login_required
@never_cache
@require_POST
def autosave(request: HttpRequest, pk: int) -> JsonResponse:
    """Save what the script sends: {"title", "content", "revision"}.

    200 {"revision", "saved_at", "notice"} · 409 {"revision", "title", "content"} as saved elsewhere · 400 {"errors"} ·
    413 · 503 while the service has no keys. notice: what the owner has to be told at once, or "".
    """
    found = handover_or_404(request, pk)
    try:
        body = _body(request)
        base_revision = _whole(body.get("revision"))
    except BadBody as error:
        return JsonResponse({"errors": {"": [str(error)]}}, status=413 if _is_too_large(request) else 400)
    form = HandoverForm(body)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=413 if form.is_too_long else 400)
    now = clock.now()
    try:
        saved, notice = save_and_tell(
            owner_of(request), found, now=now, base_revision=base_revision, autosave=True, **form.cleaned_data
        )
    except Conflict as conflict:
        present = handover_of(owner_of(request), pk)
        other = {"title": present.title, "content": _stored(present)}
        return JsonResponse({"revision": conflict.revision, **other}, status=409)
    except SealedAway:
        return JsonResponse({"errors": {"": [sealed_meanwhile()]}}, status=400)
    except ConfigurationError as error:
        return JsonResponse({"errors": {"": [_keyless(found, error)]}}, status=503)
    except Handover.DoesNotExist as error:
        raise Http404 from error
    answer = {"revision": saved.revision, "saved_at": clock.real_now().isoformat(), "notice": notice}
    return JsonResponse(answer)


@login_required
@never_cache
@require_POST
def preview(request: HttpRequest) -> JsonResponse:
    """Return {"html"} of {"content"} as a recipient would see it; nothing is stored."""
    try:
        content = _body(request).get("content")
    except BadBody as error:
        return JsonResponse({"errors": {"": [str(error)]}}, status=413 if _is_too_large(request) else 400)
    if not isinstance(content, str):
        return JsonResponse({"errors": {"content": [_("There is no text.")]}}, status=400)
    if content_bytes(content) > CONTENT_BYTES_MAX:
        return JsonResponse({"errors": {"content": [_("The text is too long.")]}}, status=413)
    return JsonResponse({"html": render_markdown(content, below=1).html})


def sealed_meanwhile() -> str:
    """Return why this window may send no text any more, and what to do."""
    return _("This handover was sealed in another window. Copy what you wrote and load the page again.")


def unreadable(
    request: HttpRequest, found: Handover, error: Exception, *, may_write_anew: bool = False
) -> HttpResponse:
    """Say that the content cannot be opened, to the owner plainly, to the log without any of it."""
    log.error("handover %s cannot be opened: %s", found.pk, type(error).__name__)
    context = {
        "handover": found,
        "trail": trail_to(found),
        "is_configuration": isinstance(error, ConfigurationError),
        "may_write_anew": may_write_anew,
    }
    return render(request, "web/handovers/unreadable.html", context, status=503)


def _save_by_form(request: HttpRequest, found: Handover) -> HttpResponse:
    form = HandoverForm(request.POST)
    try:
        base_revision = _whole(request.POST.get("revision"))
    except BadBody:
        base_revision = 0  # it fits no revision, so what is typed is shown beside what is stored
    if not form.is_valid():
        status = 413 if form.is_too_long else 400
        return _page(request, found, form, revision=base_revision, status=status)
    try:
        _saved, notice = save_and_tell(
            owner_of(request), found, now=clock.now(), base_revision=base_revision, **form.cleaned_data
        )
    except Conflict as conflict:
        present = handover_of(owner_of(request), found.pk)
        return _page(request, present, form, revision=conflict.revision, other=_stored(present), status=409)
    except SealedAway:
        form.add_error(None, sealed_meanwhile())
        return _page(request, handover_of(owner_of(request), found.pk), form, revision=base_revision, status=409)
    except ConfigurationError as error:
        form.add_error(None, _keyless(found, error))
        return _page(request, found, form, revision=base_revision, status=503)
    except Handover.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("Saved."))
    if notice:
        messages.warning(request, notice)
    return redirect("handover", pk=found.pk)


def _stored(found: Handover) -> str:
    """Return what is stored, as far as it can be opened: beside what was typed an empty text says that it cannot."""
    try:
        return read_content(found)
    except (VaultError, ConfigurationError) as error:
        log.error("handover %s cannot be opened: %s", found.pk, type(error).__name__)
        return ""


def _keyless(found: Handover, error: ConfigurationError) -> str:
    """Return why nothing can be saved now; the log says what is wrong."""
    log.error("handover %s cannot be saved: %s", found.pk, error)
    return _("The keys of this service are missing, so nothing can be saved now. Keep what you wrote, and try later.")


def _page(
    request: HttpRequest,
    found: Handover,
    form: HandoverForm,
    *,
    revision: int,
    other: str | None = None,
    status: int = 200,
) -> HttpResponse:
    owner, now = owner_of(request), clock.now()
    context = {
        "handover": found,
        "is_closed": is_closed(found),
        "form": form,
        "revision": revision,
        "other": other,
        "autosave_url": reverse("handover-autosave", args=[found.pk]),
        "preview_url": reverse("handover-preview"),
        "card": card_of(found, owner=owner, now=now),
        "people": [(person, recipient_badge(person)) for person in found.recipients.all()],
        "readings": [(reading, Moment(reading.at, owner.zone, now)) for reading in readings_of(found)],
        "trail": trail_to(found),
        **file_lists(found, owner=owner, now=now),
        "older_copy": older_copy_at(found, owner=owner, now=now),
        "file_bytes_most": settings.ATTACHMENT_BYTES_MAX,
        "files_bytes_most": settings.HANDOVER_ATTACHMENTS_BYTES_MAX,
    }
    return render(request, "web/handovers/edit.html", context, status=status)


def _body(request: HttpRequest) -> dict[str, object]:
    """Return the JSON object of the request. Raises BadBody with a sentence for people."""
    if _is_too_large(request):
        raise BadBody(_("The text is too long."))
    try:
        body = json.loads(request.body)
    except (ValueError, UnicodeDecodeError, RecursionError) as error:
        raise BadBody(_("The request was damaged on its way.")) from error
    if not isinstance(body, dict):
        raise BadBody(_("The request was damaged on its way."))
    return body


def _is_too_large(request: HttpRequest) -> bool:
    length = request.headers.get("Content-Length", "")
    return length.isdigit() and int(length) > BODY_BYTES_MAX


def _whole(value: object) -> int:
    """Return a revision number. Raises BadBody."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise BadBody(_("The request was damaged on its way."))

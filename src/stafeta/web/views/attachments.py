"""The files of the owner's handover: added, looked at, removed and brought back."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from stafeta import clock
from stafeta.core.errors import FileMissing, KeyMissing, PolicyError, SealedAway
from stafeta.vault.models import Attachment, Handover
from stafeta.vault.selectors import attachment_of, handover_of
from stafeta.vault.services.remove_attachment import remove_attachment, restore_attachment
from stafeta.web.attachments import answer_with, refusal_sentence, take_in
from stafeta.web.bundles import Withdrawn, folder_of, zip_response
from stafeta.web.handover_words import trail_to
from stafeta.web.owners import handover_or_404, note, owner_of
from stafeta.web.showing import Shown, how_shown
from stafeta.web.uploads import arrived_whole, uploads_in


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def attach(request: HttpRequest, pk: int) -> HttpResponse:
    """Add every file that was sent, and say of each that was refused why; one refused keeps none of the others out.

    GET is who had to sign in first: there are no files any more, and the form is on the handover's page.
    """
    found = handover_or_404(request, pk)
    if request.method != "POST":
        return _back(found)
    uploads = uploads_in(request.FILES)
    if not arrived_whole(request.POST):
        # A connection that breaks off looks like an end; half a file must not pass for the whole.
        uploads = []
        messages.error(request, _("The sending broke off and nothing was added. Please send the files again."))
    elif not uploads:
        messages.warning(request, _("Choose a file first."))
    added = 0
    for upload in uploads:
        try:
            take_in(request, found, upload.opened(), name=upload.name or "", size_bytes=upload.size or 0)
            added += 1
        except (PolicyError, OSError, FileMissing, KeyMissing, SealedAway) as error:
            messages.error(request, refusal_sentence(upload.name or "", error))
        except Handover.DoesNotExist as error:
            raise Http404 from error
        finally:
            upload.close()
    if added:
        words = ngettext("%(n)d file was added.", "%(n)d files were added.", added)
        messages.success(request, words % {"n": added})
    return _back(found)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD"])
def attachment(request: HttpRequest, pk: int, number: int) -> HttpResponse | FileResponse:
    """Give the owner a file of theirs."""
    found = handover_or_404(request, pk)
    return answer_with(request, _attachment_or_404(found, number), otherwise=resolve_url("handover", pk=found.pk))


@login_required
@never_cache
@require_http_methods(["GET", "HEAD"])
def show(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show the owner a picture or a PDF of theirs."""
    found = handover_or_404(request, pk)
    one = _attachment_or_404(found, number)
    if (how := how_shown(one)) is Shown.NOT:
        raise Http404("not shown")
    context = {
        "handover": found,
        "file": one,
        "how": how,
        "url": resolve_url("handover-attachment", found.pk, one.pk),
        "trail": trail_to(found, one.name),
    }
    return render(request, "web/handovers/show_file.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD"])
def download_all(request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    """Give the owner the text and every file as one zip."""
    owner, found = owner_of(request), handover_or_404(request, pk)

    def find_handover(handover: int) -> Handover:
        try:
            return handover_of(owner, handover)
        except Handover.DoesNotExist:
            raise Withdrawn from None

    def find_file(handover: int, number: int) -> Attachment:
        try:
            return attachment_of(find_handover(handover), number)
        except Attachment.DoesNotExist:
            raise Withdrawn from None

    folder = folder_of(found, zone=owner.zone, find_handover=find_handover, find_file=find_file)
    return zip_response(request, [folder], name=found.title, now=clock.now(), zone=owner.zone)


@login_required
@require_POST
def remove(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Take a file away; the page offers to bring it back. Pressed twice it is harmless."""
    found = handover_or_404(request, pk)
    try:
        one = attachment_of(found, number)
    except Attachment.DoesNotExist:
        _attachment_or_404(found, number, removed=True)
        return _back(found)
    now = clock.now()
    with transaction.atomic():
        note(owner_of(request), "AttachmentRemoved", _facts(one), now=now)
        remove_attachment(attachment=one, now=now)
    messages.success(request, _("“%(name)s” is removed. You can bring it back below.") % {"name": one.name})
    return _back(found)


@login_required
@require_POST
def restore(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Bring a removed file back, if there is still room. Pressed twice it is harmless."""
    found = handover_or_404(request, pk)
    try:
        one = attachment_of(found, number, removed=True)
    except Attachment.DoesNotExist:
        _attachment_or_404(found, number)
        return _back(found)
    try:
        with transaction.atomic():
            note(owner_of(request), "AttachmentRestored", _facts(one), now=clock.now())
            restore_attachment(attachment=one)
    except PolicyError as error:
        messages.error(request, refusal_sentence(one.name, error))
    except (Attachment.DoesNotExist, Handover.DoesNotExist) as error:
        raise Http404 from error
    else:
        messages.success(request, _("“%(name)s” is back.") % {"name": one.name})
    return _back(found)


def _attachment_or_404(handover: Handover, pk: int, *, removed: bool = False) -> Attachment:
    try:
        return attachment_of(handover, pk, removed=removed)
    except Attachment.DoesNotExist as error:
        raise Http404("no such file") from error


def _facts(one: Attachment) -> dict[str, int | str | bool | None]:
    return {"handover": one.handover_id, "title": one.handover.title, "file": one.name}


def _back(handover: Handover) -> HttpResponse:
    """Return to the handover's page, at its beginning, where what was done is said."""
    return redirect("handover", pk=handover.pk)

"""Files that arrive in parts, sent by the page's script: begun, sent on after any interruption, finished, given up.

Every answer is JSON: {"id", "next", "part_bytes"} while there is something to send, {"html"} of the list of files once
it is whole, {"error"} with a sentence for people. 400 damaged · 404 gone · 409 another part is due · 413 a limit ·
422 to be sent anew · 503 not stored, try again · 507 no room on the server.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from functools import wraps
from typing import Final

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from stafeta import clock
from stafeta.core.errors import (
    ConfigurationError,
    KeyMissing,
    PolicyError,
    SealedAway,
    UploadBroken,
    VaultError,
    WrongPart,
)
from stafeta.vault.models import Attachment, Handover, PartialUpload
from stafeta.vault.selectors import upload_of
from stafeta.vault.services.receive_upload import (
    PART_BYTES,
    JoinedParts,
    begin_upload,
    discard_parts,
    discard_upload,
    receive_part,
    settle_upload,
)
from stafeta.web.attachments import file_lists, refusal_sentence, take_in
from stafeta.web.owners import handover_or_404, owner_of

NAME_CHARS_MAX: Final = 100_000  # as much as clean_name is ever asked to shorten
BEGIN_BYTES_MAX: Final = 1024 * 1024
Step = Callable[[HttpRequest, PartialUpload], HttpResponse]


def step(view: Step) -> Callable[..., HttpResponse]:
    """Give the view the owner's upload, and answer what goes wrong with it in words."""

    @wraps(view)
    def answered(request: HttpRequest, pk: int, number: int) -> HttpResponse:
        try:
            found = upload_of(handover_or_404(request, pk), number)
            return view(request, found)
        except (PartialUpload.DoesNotExist, Handover.DoesNotExist) as error:
            raise Http404("no such upload") from error

    return login_required(never_cache(require_POST(answered)))


@login_required
@never_cache
@require_POST
def begin(request: HttpRequest, pk: int) -> JsonResponse:
    """Begin a file, {"name", "size_bytes", "modified_ms"}, or go on with it where it was interrupted."""
    found = handover_or_404(request, pk)
    try:
        name, size_bytes, modified_ms = _facts(request)
    except ValueError:
        return _refused(_("The request was damaged on its way."), status=400)
    try:
        upload = begin_upload(
            handover=found, name=name, size_bytes=size_bytes, modified_ms=modified_ms, real_now=clock.real_now()
        )
    except PolicyError as error:
        return _refused(refusal_sentence(name, error), status=413)
    except (SealedAway, KeyMissing) as error:
        return _refused(refusal_sentence(name, error), status=422)
    except Handover.DoesNotExist as error:
        raise Http404("no such handover") from error
    return _state(upload)


@step
def part(request: HttpRequest, upload: PartialUpload) -> HttpResponse:
    """Take the part that the query names; it is the body, as it is."""
    number = request.GET.get("part", "")
    if not (number.isascii() and number.isdigit() and len(number) < 9):
        return _refused(_("The request was damaged on its way."), status=400)
    try:
        content = request.read(PART_BYTES + 1)
        receive_part(upload=upload, number=int(number), content=content, real_now=clock.real_now())
    except WrongPart as error:
        return JsonResponse({"next": error.due}, status=409)
    except SealedAway as error:
        discard_upload(upload=upload, real_now=clock.real_now())
        return _refused(refusal_sentence(upload.name, error), status=422)
    except OSError as error:
        return _not_stored(upload.name, error)
    return _state(upload)


@step
def finish(request: HttpRequest, upload: PartialUpload) -> HttpResponse:
    """Make a whole of the parts and add it to the handover; asked again it answers the same."""
    if upload.attachment_id is None:
        try:
            take_in(
                request,
                upload.handover,
                JoinedParts(upload),
                name=upload.name,
                size_bytes=upload.size_bytes,
                also=lambda added: _settle(upload, added),
            )
        except AlreadyThere:
            pass  # another request has finished it in the meantime
        except PolicyError as error:
            discard_upload(upload=upload, real_now=clock.real_now())
            return _refused(refusal_sentence(upload.name, error), status=413)
        except KeyMissing as error:
            discard_upload(upload=upload, real_now=clock.real_now())
            return _refused(refusal_sentence(upload.name, error), status=422)
        except (VaultError, UploadBroken):
            discard_upload(upload=upload, real_now=clock.real_now())
            words = _("“%(name)s” did not arrive whole. Please send it again.")
            return _refused(words % {"name": upload.name}, status=422)
        except (OSError, ConfigurationError) as error:
            return _not_stored(upload.name, error)
    discard_parts(upload, real_now=clock.real_now())
    return _lists(request, upload.handover)


@step
def discard(request: HttpRequest, upload: PartialUpload) -> HttpResponse:
    """Give the file up; for the script, and for the button of a page without one."""
    discard_upload(upload=upload, real_now=clock.real_now())
    if request.accepts("text/html"):
        return redirect("handover", pk=upload.handover_id)
    return _lists(request, upload.handover)


class AlreadyThere(Exception):
    """Another request has finished the same upload in the meantime."""


def _settle(upload: PartialUpload, added: Attachment) -> None:
    locked = PartialUpload.objects.select_for_update(of=("self",)).get(pk=upload.pk)
    if locked.attachment_id is not None:
        raise AlreadyThere
    settle_upload(upload=locked, attachment=added)


def _facts(request: HttpRequest) -> tuple[str, int, int]:
    """Return what the script tells of a file. Raises ValueError."""
    body = json.loads(request.read(BEGIN_BYTES_MAX))
    match body:
        case {"name": str(name), "size_bytes": int(size_bytes), "modified_ms": int(modified_ms)} if (
            not isinstance(size_bytes, bool)
            and not isinstance(modified_ms, bool)
            and 0 <= size_bytes < 2**53
            and abs(modified_ms) < 2**53
        ):
            return name[:NAME_CHARS_MAX], size_bytes, modified_ms
        case _:
            raise ValueError("not what the script sends")


def _state(upload: PartialUpload) -> JsonResponse:
    return JsonResponse({"id": upload.pk, "next": upload.parts.count(), "part_bytes": PART_BYTES})


def _lists(request: HttpRequest, handover: Handover) -> JsonResponse:
    context = {"handover": handover, **file_lists(handover, owner=owner_of(request), now=clock.now())}
    return JsonResponse({"html": render_to_string("web/handovers/file_lists.html", context, request)})


def _not_stored(name: str, error: OSError | ConfigurationError) -> JsonResponse:
    is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return _refused(refusal_sentence(name, error), status=507 if is_full else 503)


def _refused(sentence: str, *, status: int) -> JsonResponse:
    return JsonResponse({"error": sentence}, status=status)

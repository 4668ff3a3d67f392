"""A sealed handover in its owner's browser: the page around it, and what the page saves. No text passes here."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from stafeta import clock
from stafeta.accounts.moments import Moment
from stafeta.core.errors import Conflict, NotSealed, PolicyError
from stafeta.vault.holders import Seat, seats_of
from stafeta.vault.models import Handover
from stafeta.vault.selectors import handover_of, readings_of
from stafeta.vault.services.save_handover import VERSIONS_KEPT
from stafeta.vault.services.save_sealed import save_sealed
from stafeta.web.copies import older_copy_at
from stafeta.web.forms.handover import HandoverForm
from stafeta.web.handover_words import card_of, recipient_badge, trail_to
from stafeta.web.owners import handover_or_404, owner_of
from stafeta.web.sealed_body import BadBody, body_of
from stafeta.web.sealed_data import encoded, handover_data, keys_data, present_text


def sealed_page(request: HttpRequest, found: Handover) -> HttpResponse:
    """Show the page in which a sealed handover is unlocked and written."""
    owner, now = owner_of(request), clock.now()
    seats = seats_of(found)
    context = {
        "handover": found,
        "data": {
            "keys": keys_data(owner),
            "handover": handover_data(found, owner),
            "ciphertext": present_text(found),
        },
        "opens": any(seated.opens for seated in seats if seated.recipient is None),
        "waits": any(seated.seat in (Seat.WAITS, Seat.CHANGED) for seated in seats),
        "autosave_url": reverse("sealed-save", args=[found.pk]),
        "versions_url": reverse("sealed-versions", args=[found.pk]),
        "versions_most": VERSIONS_KEPT,
        "card": card_of(found, owner=owner, now=now),
        "people": [(person, recipient_badge(person)) for person in found.recipients.all()],
        "readings": [(reading, Moment(reading.at, owner.zone, now)) for reading in readings_of(found)],
        "trail": trail_to(found),
        "older_copy": older_copy_at(found, owner=owner, now=now),
    }
    return render(request, "web/sealed/edit.html", context)


@login_required
@never_cache
@require_POST
def save(request: HttpRequest, pk: int) -> JsonResponse:
    """Save what the script encrypted: {"title", "ciphertext", "public_key", "is_blank", "revision"}.

    200 {"revision", "saved_at"} · 409 {"revision", "title", "ciphertext", "public_key", "wraps"} as saved elsewhere ·
    400 {"errors"} · 413. Any other field, a text above all, is refused.
    """
    found = handover_or_404(request, pk)
    if not found.is_sealed:
        words = _("This handover was changed to guarded in another window. Load the page again.")
        return JsonResponse({"errors": {"": [words]}}, status=400)
    try:
        body = body_of(request, "title", "ciphertext", "public_key", "is_blank", "revision")
        title = HandoverForm.base_fields["title"].clean(body.text("title"))
        saved = save_sealed(
            handover=found,
            title=title,
            ciphertext=body.blob("ciphertext"),
            public_key=body.text("public_key"),
            is_blank=body.flag("is_blank"),
            base_revision=body.whole("revision"),
            now=clock.now(),
            autosave=True,
        )
    except Conflict as conflict:
        present = handover_of(owner_of(request), pk)
        other = {**handover_data(present, owner_of(request)), "ciphertext": present_text(present)}
        return JsonResponse({**other, "revision": conflict.revision}, status=409)
    except ValidationError as error:
        return JsonResponse({"errors": {"title": error.messages}}, status=400)
    except Handover.DoesNotExist as error:
        raise Http404 from error
    except (BadBody, NotSealed, PolicyError) as error:
        return refused(error)
    return JsonResponse({"revision": saved.revision, "saved_at": clock.real_now().isoformat()})


@login_required
@never_cache
@require_safe
def versions(request: HttpRequest, pk: int) -> JsonResponse:
    """Return every kept version, the newest first: {"versions": [{"number", "at", "ciphertext"}]}; at: in words."""
    owner, found, now = owner_of(request), _sealed_or_404(request, pk), clock.now()
    kept = [
        {"number": one.number, "at": str(Moment(one.at, owner.zone, now)), "ciphertext": encoded(one.ciphertext)}
        for one in found.versions.order_by("-number")
    ]
    return JsonResponse({"versions": kept})


def refused(error: BadBody | NotSealed | PolicyError) -> JsonResponse:
    """Return why nothing was stored: {"errors": {"": [sentence]}}."""
    match error:
        case BadBody():
            words, status = str(error), error.status
        case PolicyError(field="content_bytes"):
            words, status = _("The text is too long."), 413
        case PolicyError(field="attachments"):
            words, status = _("It has files. Remove them first: they cannot be sealed yet."), 400
        case _:
            words, status = _("What arrived was not encrypted as it should be, so nothing was stored."), 400
    return JsonResponse({"errors": {"": [words]}}, status=status)


def _sealed_or_404(request: HttpRequest, pk: int) -> Handover:
    found = handover_or_404(request, pk)
    if not found.is_sealed:
        raise Http404("it is not sealed")
    return found

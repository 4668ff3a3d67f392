"""Which level of protection a handover has: chosen for a new one, and changed in both directions."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from stafeta import clock
from stafeta.core.errors import ConfigurationError, Conflict, NotSealed, PolicyError, VaultError
from stafeta.core.protection import Level
from stafeta.vault.holders import Seat, key_of, seats_of
from stafeta.vault.models import Handover
from stafeta.vault.sealing import content_bytes, unseal
from stafeta.vault.selectors import attachments_of
from stafeta.vault.services.change_level import OpenText, SealedText, seal_handover, unseal_handover
from stafeta.vault.services.save_sealed import create_sealed
from stafeta.web.handover_words import trail_to
from stafeta.web.owners import handover_or_404, note, owner_of
from stafeta.web.sealed_body import SEAL_BYTES_MAX, BadBody, body_of
from stafeta.web.sealed_data import encoded, handover_data, holder_data, keys_data
from stafeta.web.starters import STARTERS
from stafeta.web.views.sealed_edit import refused

# Of all versions together: what does not fit, the oldest, does not come along to a fresh key.
TEXTS_BYTES_MAX: Final = 4 * 1024 * 1024


@login_required
@never_cache
@require_safe
def new_sealed(request: HttpRequest) -> HttpResponse:
    """Show the page whose script makes a sealed handover; whoever has no key yet makes one first."""
    key, starter = key_of(owner_of(request)), STARTERS.get(request.GET.get("starter", ""))
    if starter is None:
        return redirect("handover-new")
    if key is None:
        messages.info(request, _("For sealed handovers you need a key of your own. Make it here, then begin again."))
        return redirect("seal-key")
    data = {
        "holders": [holder_data(key)],
        "title": str(starter.label) if starter.file else _("New handover"),
        "content": starter.content(get_language() or "en"),
    }
    return render(request, "web/sealed/new.html", {"data": data, "starter": starter})


@login_required
@never_cache
@require_POST
def create(request: HttpRequest) -> JsonResponse:
    """Store a new sealed handover: {"title", "public_key", "wraps", "ciphertext", "is_blank"}; 200 {"url"} · 400."""
    owner, now = owner_of(request), clock.now()
    try:
        body = body_of(request, "title", "public_key", "wraps", "ciphertext", "is_blank")
        with transaction.atomic():
            made = create_sealed(
                owner=owner,
                title=body.text("title")[:200],
                public_key=body.text("public_key"),
                wraps=body.wraps(),
                ciphertext=body.blob("ciphertext"),
                is_blank=body.flag("is_blank"),
                now=now,
            )
            note(owner, "HandoverCreated", {"handover": made.pk, "title": made.title}, now=now)
    except (BadBody, NotSealed, PolicyError) as error:
        return refused(error)
    return JsonResponse({"url": reverse("handover", args=[made.pk])})


@login_required
@never_cache
@require_safe
def level(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what each level promises and what changing it means; the page's script does it."""
    owner, found = owner_of(request), handover_or_404(request, pk)
    seats = [seated for seated in seats_of(found) if seated.recipient is not None]
    ready = [seated for seated in seats if seated.key and seated.seat is not Seat.CHANGED]
    key = key_of(owner)
    context = {
        "handover": found,
        "data": {
            "keys": keys_data(owner),
            "handover": handover_data(found, owner),
            "holders": [holder_data(one) for one in (key, *(seated.key for seated in ready)) if one is not None],
        },
        "levels": [
            (Level.GUARDED.value, _("Guarded"), not found.is_sealed),
            (Level.SEALED.value, _("Sealed"), found.is_sealed),
        ],
        "has_key": key is not None,
        "anew": "anew" in request.GET and found.is_sealed,
        "fresh": "fresh" in request.GET and found.is_sealed,
        "files": len(attachments_of(found)),
        "left_out": [seated.recipient for seated in seats if seated not in ready],
        "is_opened_by_none": not ready,
        "trail": trail_to(found, _("Level of protection")),
    }
    return render(request, "web/sealed/level.html", context)


@login_required
@never_cache
@require_safe
def texts(request: HttpRequest, pk: int) -> JsonResponse:
    """Return the versions that come along to a fresh key, the newest first, and how many do not.

    {"revision", "dropped", "texts": [{"number", "content"}]} of a guarded handover, [{"number", "ciphertext"}] of a
    sealed one.
    """
    found = handover_or_404(request, pk)
    kept: list[dict[str, object]] = []
    room = TEXTS_BYTES_MAX
    versions = list(found.versions.order_by("-number"))
    for one in versions:
        one.handover = found
        try:
            given, length = _given(found, one.number, encoded(one.ciphertext) if found.is_sealed else unseal(one))
        except (VaultError, ConfigurationError):
            if not kept:
                return JsonResponse({"errors": {"": [_("The text cannot be opened now.")]}}, status=503)
            break
        room -= length
        if kept and room < 0:
            break
        kept.append(given)
    return JsonResponse({"revision": found.revision, "dropped": len(versions) - len(kept), "texts": kept})


@login_required
@never_cache
@require_POST
def seal(request: HttpRequest, pk: int) -> JsonResponse:
    """Seal a handover, or seal it anew.

    {"revision", "public_key", "wraps": [{"key", "blob"}], "texts": [{"number", "ciphertext"}], "is_blank"} ·
    200 {"url"} · 409 {"revision"} when it was changed meanwhile · 400 {"errors"} · 413.
    """
    owner, found, now = owner_of(request), handover_or_404(request, pk), clock.now()
    try:
        body = body_of(request, "revision", "public_key", "wraps", "texts", "is_blank", bytes_max=SEAL_BYTES_MAX)
        with transaction.atomic():
            kind = "HandoverSealedAnew" if found.is_sealed else "HandoverSealed"
            note(owner, kind, {"handover": found.pk, "title": found.title}, now=now)
            seal_handover(
                handover=found,
                base_revision=body.whole("revision"),
                public_key=body.text("public_key"),
                wraps=body.wraps(),
                texts=[
                    SealedText(one.whole("number"), one.blob("ciphertext"))
                    for one in body.many("texts", "number", "ciphertext")
                ],
                is_blank=body.flag("is_blank"),
                now=now,
            )
    except Conflict as conflict:
        return JsonResponse({"revision": conflict.revision}, status=409)
    except (BadBody, NotSealed, PolicyError) as error:
        return refused(error)
    except Handover.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("Sealed. From now on only those who hold a key can open it."))
    return JsonResponse({"url": reverse("handover", args=[pk])})


@login_required
@never_cache
@require_POST
def unseal_it(request: HttpRequest, pk: int) -> JsonResponse:
    """Make a sealed handover guarded: {"revision", "texts": [{"number", "content"}]}. Answers as `seal` does."""
    owner, found, now = owner_of(request), handover_or_404(request, pk), clock.now()
    try:
        body = body_of(request, "revision", "texts", bytes_max=SEAL_BYTES_MAX)
        with transaction.atomic():
            note(owner, "HandoverUnsealed", {"handover": found.pk, "title": found.title}, now=now)
            unseal_handover(
                handover=found,
                base_revision=body.whole("revision"),
                texts=[
                    OpenText(one.whole("number"), one.text("content"))
                    for one in body.many("texts", "number", "content")
                ],
                now=now,
            )
    except Conflict as conflict:
        return JsonResponse({"revision": conflict.revision}, status=409)
    except ConfigurationError:
        return JsonResponse(
            {"errors": {"": [_("Nothing can be stored now: the keys of this service are missing.")]}}, status=503
        )
    except (BadBody, NotSealed, PolicyError) as error:
        return refused(error)
    except Handover.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("It is guarded now: its recipients need nothing but the link and the code."))
    return JsonResponse({"url": reverse("handover", args=[pk])})


def _given(found: Handover, number: int, text: str) -> tuple[dict[str, object], int]:
    """Return one version as it is given to the browser, and its length in bytes."""
    return {"number": number, "ciphertext" if found.is_sealed else "content": text}, content_bytes(text)

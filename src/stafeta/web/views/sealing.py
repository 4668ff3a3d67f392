"""What waits for the owner's unlock: seal for everybody by one press, and acknowledge keys that have changed."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from stafeta import clock
from stafeta.accounts.addresses import format_phone
from stafeta.accounts.models import User
from stafeta.core.errors import Conflict, NotSealed, PolicyError
from stafeta.vault.holders import Waiting, changed_keys_of, key_of, known_key_before, waiting_for, without_key
from stafeta.vault.models import Handover, PersonalKey
from stafeta.vault.services.personal_keys import accept_key
from stafeta.vault.services.wrap_keys import Wrap, wrap_keys
from stafeta.web.fresh import fresh_signin_required
from stafeta.web.owners import handover_or_404, note, owner_of
from stafeta.web.sealed_body import SEAL_BYTES_MAX, BadBody, body_of
from stafeta.web.sealed_data import Data, handover_data, holder_data, keys_data
from stafeta.web.views.sealed_edit import refused


@login_required
@never_cache
@require_safe
def sealing(request: HttpRequest) -> HttpResponse:
    """Show who waits for what, with the words of every key, and unlock once for all of it."""
    owner = owner_of(request)
    waiting = waiting_for(owner)
    people = {key.pk: key for one in waiting for key in one.keys}
    context = {
        "data": {"keys": keys_data(owner), "waiting": [_data(one) for one in waiting]},
        "waiting": waiting,
        "people": [key for key in people.values() if key.recipient_id],
        "changed": [
            (key, known_key_before(key), format_phone(key.recipient.phone))
            for key in changed_keys_of(owner)
            if key.recipient is not None
        ],
        "without_key": without_key(owner),
        "key": key_of(owner),
    }
    return render(request, "web/sealed/sealing.html", context)


@login_required
@never_cache
@require_POST
def store(request: HttpRequest) -> JsonResponse:
    """Store what was wrapped; 200 {"stored"}: for how many.

    {"handovers": [{"handover", "public_key", "wraps": [{"key", "blob"}]}]}
    """
    owner, now, stored = owner_of(request), clock.now(), 0
    try:
        body = body_of(request, "handovers", bytes_max=SEAL_BYTES_MAX)
        for one in body.many("handovers", "handover", "public_key", "wraps"):
            handover = handover_or_404(request, one.whole("handover"))
            stored += _store(owner, handover, one.text("public_key"), one.wraps(), now=now)
    except (BadBody, NotSealed, PolicyError) as error:
        return refused(error)
    if stored:
        messages.success(request, _("Sealed for everybody who was waiting."))
    return JsonResponse({"stored": stored})


@fresh_signin_required
@require_POST
def acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    """Acknowledge a recipient's changed key. Pressed twice it is harmless."""
    owner, now = owner_of(request), clock.now()
    key = PersonalKey.objects.filter(pk=pk, recipient__owner=owner).select_related("recipient").first()
    if key is None:
        raise Http404("no such key")
    try:
        with transaction.atomic():
            note(owner, "KeyAcknowledged", {"recipient": key.recipient_id}, now=now)
            accept_key(key=key, now=now)
    except PersonalKey.DoesNotExist:
        messages.warning(request, _("The key has changed once more meanwhile. Compare the new words."))
    else:
        messages.success(request, _("Acknowledged. Unlock now, and it is sealed for this key."))
    return redirect("sealing")


def _store(owner: User, handover: Handover, public_key: str, wraps: list[Wrap], *, now: datetime) -> int:
    """Store one handover's wrapped keys; what has changed meanwhile waits for the next time."""
    try:
        with transaction.atomic():
            note(owner, "HandoverSealedForAll", {"handover": handover.pk, "title": handover.title}, now=now)
            stored = wrap_keys(handover=handover, public_key=public_key, wraps=wraps, now=now)
            transaction.set_rollback(not stored)
            return stored
    except (Conflict, Handover.DoesNotExist):
        return 0


def _data(waiting: Waiting) -> Data:
    handover = waiting.handover
    return {**handover_data(handover, handover.owner), "holders": [holder_data(key) for key in waiting.keys]}

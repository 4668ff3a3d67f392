"""The owner's own key for sealed handovers: made, unlocked in another way, replaced. Its private half is never here."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from stafeta import clock
from stafeta.core.errors import Conflict, NotSealed, PolicyError
from stafeta.vault.holders import key_of, sealed_of, waiting_for, wrapped_for
from stafeta.vault.models import KeyFile, PersonalKey
from stafeta.vault.services.personal_keys import (
    PASSKEYS_MAX,
    add_passkey,
    change_passphrase,
    remove_passkey,
    set_key,
)
from stafeta.web.fresh import fresh_signin_required
from stafeta.web.owners import note, owner_of
from stafeta.web.sealed_body import BadBody, decoded
from stafeta.web.sealed_data import keys_data

NAME_CHARS_MAX = 80
HINT_CHARS_MAX = 2000


@login_required
@never_cache
@require_safe
def seal_key(request: HttpRequest) -> HttpResponse:
    """Show the owner's key and what it can be unlocked with; who has none is led to make one."""
    owner = owner_of(request)
    key = key_of(owner)
    if key is None:
        return redirect("seal-key-new")
    context = {
        "key": key,
        "data": {"keys": keys_data(owner)},
        "passkeys": key.files.filter(kind=KeyFile.Kind.PASSKEY),
        "passkeys_most": PASSKEYS_MAX,
        "waiting": len(waiting_for(owner)),
    }
    return render(request, "web/sealed/key.html", context)


@fresh_signin_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def seal_key_new(request: HttpRequest) -> HttpResponse:
    """Make the first key, or another one: POST brings its public half, and the private one locked by the script."""
    owner, now = owner_of(request), clock.now()
    present = key_of(owner)
    if request.method == "POST":
        replaces = request.POST.get("replaces", "")
        try:
            with transaction.atomic():
                kind = "KeyReplaced" if present else "KeyMade"
                note(owner, kind, {}, now=now)
                set_key(
                    person=owner,
                    public_key=request.POST.get("public_key", ""),
                    file=decoded(request.POST.get("file", "")),
                    replaces=int(replaces) if replaces.isdigit() and len(replaces) < 19 else None,
                    now=now,
                )
        except Conflict:
            messages.warning(request, _("You have made a key in another window meanwhile; that one counts."))
        except (NotSealed, BadBody):
            messages.error(request, _("The key did not arrive as it should. Please make it once more."))
            return redirect("seal-key-new")
        else:
            messages.success(request, _("Your key is made. Keep the recovery card where you keep your documents."))
        return redirect("seal-key")
    only_old = [one for one in sealed_of(owner) if wrapped_for(one, owner)] if present else []
    return render(request, "web/sealed/key_new.html", {"present": present, "only_old": only_old})


@fresh_signin_required
@never_cache
@require_POST
def passphrase(request: HttpRequest) -> HttpResponse:
    """Put the key under another passphrase: its private half, locked anew by the script."""
    key, now = _key_or_404(request), clock.now()
    try:
        with transaction.atomic():
            note(owner_of(request), "PassphraseChanged", {}, now=now)
            change_passphrase(key=key, file=decoded(request.POST.get("file", "")), now=now)
    except (NotSealed, BadBody):
        messages.error(request, _("The key did not arrive as it should. Nothing was changed; please try again."))
    else:
        messages.success(request, _("From now on the new passphrase counts. The recovery card stays as it is."))
    return redirect("seal-key")


@fresh_signin_required
@never_cache
@require_POST
def passkey_add(request: HttpRequest) -> HttpResponse:
    """Let a passkey unlock the key as well."""
    key, now = _key_or_404(request), clock.now()
    try:
        with transaction.atomic():
            note(owner_of(request), "PasskeyAdded", {}, now=now)
            add_passkey(
                key=key,
                file=decoded(request.POST.get("file", "")),
                name=request.POST.get("name", "").strip()[:NAME_CHARS_MAX] or _("Passkey"),
                hint=request.POST.get("hint", "")[:HINT_CHARS_MAX],
                now=now,
            )
    except PolicyError as error:
        words = _("At most %(most)d passkeys can unlock your key. Remove one first.")
        messages.warning(request, words % {"most": int(error.most)})
    except (NotSealed, BadBody):
        messages.error(request, _("The key did not arrive as it should. Nothing was changed; please try again."))
    else:
        messages.success(request, _("The passkey unlocks your key from now on. The passphrase still does, too."))
    return redirect("seal-key")


@fresh_signin_required
@never_cache
@require_POST
def passkey_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a passkey unlock the key no more. Pressed twice it is harmless."""
    found = KeyFile.objects.filter(pk=pk, key__owner=owner_of(request)).first()
    if found is not None:
        with transaction.atomic():
            note(owner_of(request), "PasskeyRemoved", {}, now=clock.now())
            remove_passkey(file=found)
        messages.success(request, _("The passkey unlocks your key no more."))
    return redirect("seal-key")


def _key_or_404(request: HttpRequest) -> PersonalKey:
    """Return the owner's present key, if it is the one that the page showed."""
    key = key_of(owner_of(request))
    if key is None or request.POST.get("key") != str(key.pk):
        raise Http404("no such key")
    return key

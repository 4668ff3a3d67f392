"""A recipient makes a key for what is sealed: behind their invitation and a code by SMS (see recipient_keys)."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from stafeta import clock
from stafeta.accounts.addresses import mask_phone
from stafeta.core.errors import CodeError, CodeThrottled, Conflict, NotSealed, PolicyError
from stafeta.vault.holders import key_of
from stafeta.vault.models import ConsentState, Recipient
from stafeta.vault.services.consent import ask_key_code, prove_for_key
from stafeta.vault.services.personal_keys import change_passphrase
from stafeta.web.code_words import SENT, code_problem
from stafeta.web.forms.account import CodeForm
from stafeta.web.owners import note
from stafeta.web.recipient_gate import close_key_gate, key_gate_is_open, open_key_gate, recipient_in
from stafeta.web.recipient_keys import make_key
from stafeta.web.sealed_body import BadBody, decoded
from stafeta.web.sealed_data import keys_data

PK_DIGITS_MAX = 18
# In the address of the page: they have neither the passphrase nor the card of their present key.
ANOTHER = "another"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def key(request: HttpRequest) -> HttpResponse:
    """Make a key, the first or another one; POST brings its public half, and the private one locked by the script.

    Who has one is first offered to unlock it: with the passphrase or the card nobody needs another key.
    """
    recipient = recipient_in(request)
    if elsewhere := _elsewhere(request, recipient):
        return elsewhere
    if request.method == "POST":
        return _make(request, recipient)
    present = key_of(recipient)
    context = _people(recipient) | {"present": present}
    if present is not None and ANOTHER not in request.GET:
        data = [one for one in keys_data(recipient) if one["id"] == present.pk]
        return render(request, "web/consent/key_kept.html", context | {"data": {"keys": data}, "another": ANOTHER})
    return render(request, "web/consent/key.html", context)


@never_cache
@require_POST
def passphrase(request: HttpRequest) -> HttpResponse:
    """Put the recipient's key under another passphrase: its private half, locked anew by the script."""
    recipient = recipient_in(request)
    if elsewhere := _elsewhere(request, recipient):
        return elsewhere
    present, now = key_of(recipient), clock.now()
    if present is None or request.POST.get("key") != str(present.pk):
        raise Http404("no such key")
    try:
        with transaction.atomic():
            note(recipient.owner, "RecipientPassphraseChanged", {"recipient": recipient.pk}, now=now)
            change_passphrase(key=present, file=decoded(request.POST.get("file", "")), now=now)
    except (NotSealed, BadBody):
        messages.error(request, _("The key did not arrive as it should. Nothing was changed; please try again."))
        return redirect("consent-key")
    close_key_gate(request)
    messages.success(request, _("From now on the new passphrase counts. The recovery card stays as it is."))
    return redirect("consent")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def key_code(request: HttpRequest) -> HttpResponse:
    """Send a code to the recipient's phone, and take it: a right one lets this browser make a key within an hour."""
    recipient = recipient_in(request)
    if recipient.consent != ConsentState.GIVEN or not recipient.phone_verified_at:
        return redirect("consent")
    if request.method == "POST" and "send" in request.POST:
        return _send_code(request, recipient)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            prove_for_key(recipient=recipient, digits=form.cleaned_data["code"], real_now=clock.real_now())
        except CodeError as problem:
            form.add_error("code", code_problem(problem, now=clock.real_now()))
        else:
            open_key_gate(request, recipient)
            return redirect("consent-key")
    context = _people(recipient) | {
        "form": form,
        "phone": mask_phone(recipient.phone),
        "is_sent": form.is_bound or SENT in request.GET,
        "has_key": key_of(recipient) is not None,
    }
    return render(request, "web/consent/key_code.html", context)


def _elsewhere(request: HttpRequest, recipient: Recipient) -> HttpResponse | None:
    """Return where to who may not make or change a key in this browser now; None for who may."""
    if recipient.consent != ConsentState.GIVEN:
        return redirect("consent")
    if not recipient.phone_verified_at:
        return redirect("consent-phone")
    return None if key_gate_is_open(request, recipient) else redirect("consent-key-code")


def _make(request: HttpRequest, recipient: Recipient) -> HttpResponse:
    replaces = request.POST.get("replaces", "")
    try:
        make_key(
            recipient=recipient,
            public_key=request.POST.get("public_key", ""),
            file=decoded(request.POST.get("file", "")),
            replaces=int(replaces) if replaces.isdigit() and len(replaces) <= PK_DIGITS_MAX else None,
            now=clock.now(),
        )
    except Conflict:
        messages.warning(request, _("You have made a key in another window meanwhile; that one counts."))
    except (NotSealed, BadBody):
        messages.error(request, _("The key did not arrive as it should. Please make it once more."))
        return redirect("consent-key")
    except PolicyError:  # declined in another window
        return redirect("consent")
    else:
        close_key_gate(request)
        messages.success(request, _("Your key is made. Keep the recovery card where you keep your documents."))
    return redirect("consent")


def _send_code(request: HttpRequest, recipient: Recipient) -> HttpResponse:
    try:
        ask_key_code(recipient=recipient, now=clock.now(), real_now=clock.real_now())
    except CodeThrottled as problem:
        messages.warning(request, code_problem(problem, now=clock.real_now()))
    else:
        messages.success(request, _("A code is on its way. The newest one counts."))
    return redirect(f"{reverse('consent-key-code')}?{SENT}=1")


def _people(recipient: Recipient) -> dict[str, object]:
    return {"owner": str(recipient.owner), "name": recipient.name}

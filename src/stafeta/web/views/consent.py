"""A recipient is told what is kept about them, and agrees, declines, proves their phone or is erased."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from stafeta import clock
from stafeta.accounts.addresses import mask_phone
from stafeta.core.errors import CodeError, CodeThrottled
from stafeta.core.links import Purpose
from stafeta.vault.holders import is_changed, is_wanted, key_of
from stafeta.vault.messages import operator_facts
from stafeta.vault.models import ConsentState, Recipient
from stafeta.vault.services.consent import ask_phone_code, decline, erase_recipient, give_consent, prove_phone
from stafeta.web.code_words import SENT, code_problem
from stafeta.web.forms.account import CodeForm
from stafeta.web.owners import note
from stafeta.web.recipient_gate import open_key_gate, recipient_in
from stafeta.web.session_links import forget_link


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def consent(request: HttpRequest) -> HttpResponse:
    """Say who chose them, why, and what is kept; POST takes "agree" or "decline", as often as they like."""
    recipient = recipient_in(request)
    if request.method == "POST":
        answer = request.POST.get("answer")
        if answer == "agree":
            give_consent(recipient=recipient, now=clock.now())
            return redirect("consent" if recipient.phone_verified_at else "consent-phone")
        if answer == "decline":
            decline(recipient=recipient, now=clock.now())
        return redirect("consent")
    key = key_of(recipient)
    context = _people(recipient) | {
        "recipient": recipient,
        "key": key,
        "is_key_wanted": key is None and is_wanted(recipient),
        "is_key_changed": key is not None and is_changed(key),
        "phone": mask_phone(recipient.phone),
        "has_agreed": recipient.consent == ConsentState.GIVEN,
        "has_declined": recipient.consent == ConsentState.DECLINED,
        **operator_facts(),
    }
    return render(request, "web/consent/ask.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def phone(request: HttpRequest) -> HttpResponse:
    """Send a code to the recipient's phone, and take it; a code of a release will come the same way."""
    recipient = recipient_in(request)
    if recipient.phone_verified_at or recipient.consent != ConsentState.GIVEN:
        return redirect("consent")
    if request.method == "POST" and "send" in request.POST:
        return _send_code(request, recipient)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        digits = form.cleaned_data["code"]
        try:
            prove_phone(recipient=recipient, digits=digits, now=clock.now(), real_now=clock.real_now())
        except CodeError as problem:
            form.add_error("code", code_problem(problem, now=clock.real_now()))
        else:
            open_key_gate(request, recipient)
            needs_key = is_wanted(recipient) and key_of(recipient) is None
            return redirect("consent-key" if needs_key else "consent")
    context = _people(recipient) | {
        "form": form,
        "phone": mask_phone(recipient.phone),
        "is_sent": form.is_bound or SENT in request.GET,
    }
    return render(request, "web/consent/phone.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def erase_me(request: HttpRequest) -> HttpResponse:
    """Ask once more, then erase everything about the recipient."""
    recipient = recipient_in(request)
    if request.method == "POST":
        now = clock.now()
        with transaction.atomic():
            note(recipient.owner, "RecipientErased", {"recipient": recipient.pk}, now=now)
            erase_recipient(recipient=recipient, now=now)
        forget_link(request, Purpose.RECIPIENT_CONSENT)
        return redirect("consent-erased")
    return render(request, "web/consent/erase.html", _people(recipient))


@never_cache
@require_safe
def erased(request: HttpRequest) -> HttpResponse:
    """Say that nothing is kept any more; it needs no link, for there is nobody behind one."""
    return render(request, "web/consent/erased.html")


def _send_code(request: HttpRequest, recipient: Recipient) -> HttpResponse:
    try:
        ask_phone_code(recipient=recipient, now=clock.now(), real_now=clock.real_now())
    except CodeThrottled as problem:
        messages.warning(request, code_problem(problem, now=clock.real_now()))
    else:
        messages.success(request, _("A code is on its way. The newest one counts."))
    return redirect(f"{reverse('consent-phone')}?{SENT}=1")


def _people(recipient: Recipient) -> dict[str, object]:
    return {"owner": str(recipient.owner), "name": recipient.name}

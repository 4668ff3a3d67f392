"""A trusted contact is told what is kept about them, and agrees, declines, proves their phone or is erased."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from stafeta import clock
from stafeta.accounts.addresses import mask_phone
from stafeta.core.errors import BadLink, CodeError, CodeThrottled
from stafeta.core.links import Purpose
from stafeta.switches.models import TrustedContact
from stafeta.switches.selectors import contact_behind
from stafeta.switches.services.contact_consent import agree, ask_phone_code, decline, prove_phone
from stafeta.switches.services.contacts import erase_contact
from stafeta.vault.models import ConsentState
from stafeta.web.code_words import SENT, code_problem
from stafeta.web.forms.account import CodeForm
from stafeta.web.languages import speak
from stafeta.web.session_links import LinkMissing, forget_link, session_link


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def contact_consent(request: HttpRequest) -> HttpResponse:
    """Say who chose them, why, and what is kept; POST takes "agree" or "decline", as often as they like."""
    contact = _contact(request)
    if request.method == "POST":
        if request.POST.get("answer") == "agree":
            agree(contact=contact, now=clock.now())
            return redirect("contact-consent" if contact.phone_verified_at else "contact-consent-phone")
        if request.POST.get("answer") == "decline":
            decline(contact=contact, now=clock.now())
        return redirect("contact-consent")
    context = _people(contact) | {
        "contact": contact,
        "phone": mask_phone(contact.phone),
        "has_agreed": contact.consent == ConsentState.GIVEN,
        "has_declined": contact.consent == ConsentState.DECLINED,
    }
    return render(request, "web/contact_consent/ask.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def phone(request: HttpRequest) -> HttpResponse:
    """Send a code to the contact's phone, and take it; so both sides know that an SMS would arrive."""
    contact = _contact(request)
    if contact.phone_verified_at or contact.consent != ConsentState.GIVEN:
        return redirect("contact-consent")
    if request.method == "POST" and "send" in request.POST:
        return _send_code(request, contact)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        digits = form.cleaned_data["code"]
        try:
            prove_phone(contact=contact, digits=digits, now=clock.now(), real_now=clock.real_now())
        except CodeError as problem:
            form.add_error("code", code_problem(problem, now=clock.real_now()))
        else:
            messages.success(request, _("Your phone is verified. Thank you."))
            return redirect("contact-consent")
    context = _people(contact) | {
        "form": form,
        "phone": mask_phone(contact.phone),
        "is_sent": form.is_bound or SENT in request.GET,
    }
    return render(request, "web/contact_consent/phone.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def erase_me(request: HttpRequest) -> HttpResponse:
    """Ask once more, then erase everything about the contact."""
    contact = _contact(request)
    if request.method == "POST":
        erase_contact(contact=contact, now=clock.now())
        forget_link(request, Purpose.CONTACT_CONSENT)
        return redirect("contact-consent-erased")
    return render(request, "web/contact_consent/erase.html", _people(contact))


@never_cache
@require_safe
def erased(request: HttpRequest) -> HttpResponse:
    """Say that nothing is kept any more; it needs no link, for there is nobody behind one."""
    return render(request, "web/contact_consent/erased.html")


def _contact(request: HttpRequest) -> TrustedContact:
    """Return the contact of the newest invitation. Raises LinkMissing for an older one, or when they are gone."""
    link = session_link(request, Purpose.CONTACT_CONSENT)
    try:
        contact = contact_behind(link)
    except BadLink as error:
        raise LinkMissing("the contact of this link is gone") from error
    if contact.invitation != link.cycle:
        raise LinkMissing("a newer invitation was sent")
    speak(request, contact.language)
    return contact


def _send_code(request: HttpRequest, contact: TrustedContact) -> HttpResponse:
    try:
        ask_phone_code(contact=contact, now=clock.now(), real_now=clock.real_now())
    except CodeThrottled as problem:
        messages.warning(request, code_problem(problem, now=clock.real_now()))
    else:
        messages.success(request, _("A code is on its way. The newest one counts."))
    return redirect(f"{reverse('contact-consent-phone')}?{SENT}=1")


def _people(contact: TrustedContact) -> dict[str, object]:
    return {"owner": contact.switch.owner.name, "name": contact.name}

"""The owner's handovers: the list, a new one, who gets it, deleting and bringing back."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from stafeta import clock
from stafeta.accounts.moments import Moment
from stafeta.core.errors import ConfigurationError
from stafeta.core.protection import Level
from stafeta.vault.models import Handover
from stafeta.vault.selectors import deleted_handovers_of, handover_of, handovers_of
from stafeta.vault.services.create_handover import create_handover
from stafeta.vault.services.delete_handover import DELETED_KEPT, delete_handover, restore_handover
from stafeta.vault.services.set_handover_terms import set_handover_terms
from stafeta.web.forms.handover import NewForm, TermsForm
from stafeta.web.handover_words import card_of, recipient_badge, trail_to
from stafeta.web.owners import handover_or_404, note, owner_of
from stafeta.web.starters import STARTERS


@login_required
@never_cache
@require_http_methods(["GET", "HEAD"])
def handovers(request: HttpRequest) -> HttpResponse:
    """List the handovers with what each still lacks, and those that may be brought back."""
    owner, now = owner_of(request), clock.now()
    context = {
        "cards": [card_of(handover, owner=owner, now=now) for handover in handovers_of(owner)],
        "deleted": [
            (handover, Moment(handover.deleted_at + DELETED_KEPT, owner.zone, now))
            for handover in deleted_handovers_of(owner)
            if handover.deleted_at
        ],
    }
    return render(request, "web/handovers/list.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Offer what to start from; POST makes the handover and opens the editor."""
    form = NewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["level"] == Level.SEALED:
            return redirect(f"{reverse('sealed-new')}?starter={form.cleaned_data['starter']}")
        owner, now = owner_of(request), clock.now()
        starter = STARTERS[form.cleaned_data["starter"]]
        title = str(starter.label) if starter.file else _("New handover")
        try:
            with transaction.atomic():
                content = starter.content(get_language() or "en")
                made = create_handover(owner=owner, title=title, content=content, now=now)
                note(owner, "HandoverCreated", {"handover": made.pk, "title": made.title}, now=now)
        except ConfigurationError as error:
            return render(request, "web/handovers/no_keys.html", {"error": error}, status=503)
        return redirect("handover", pk=made.pk)
    status = 400 if request.method == "POST" else 200
    return render(request, "web/handovers/new.html", {"starters": STARTERS, "form": form}, status=status)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def terms(request: HttpRequest, pk: int) -> HttpResponse:
    """Say who gets the handover, after what delay, and for how long it may be read."""
    owner, found = owner_of(request), handover_or_404(request, pk)
    form = TermsForm(request.POST if request.method == "POST" else None, owner=owner, handover=found)
    if request.method == "POST" and form.is_valid():
        now = clock.now()
        try:
            with transaction.atomic():
                # First the switch, then the handover, as a release locks them.
                note(owner, "HandoverTermsChanged", {"handover": found.pk, "title": found.title}, now=now)
                set_handover_terms(handover=found, now=now, **form.cleaned_data)
        except Handover.DoesNotExist as error:
            raise Http404 from error
        messages.success(request, _("Saved."))
        return redirect("handover", pk=found.pk)
    people = [(person, str(person.pk) in form.chosen, recipient_badge(person)) for person in owner.recipients.all()]
    context = {"handover": found, "form": form, "people": people, "trail": trail_to(found, _("Who gets it and when"))}
    return render(request, "web/handovers/terms.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a handover; the list offers to bring it back. Pressed twice it is harmless."""
    owner, now = owner_of(request), clock.now()
    try:
        found = handover_of(owner, pk)
    except Handover.DoesNotExist:
        handover_or_404(request, pk, deleted=True)
        return redirect("handovers")
    with transaction.atomic():
        delete_handover(handover=found, now=now)
        note(owner, "HandoverDeleted", {"handover": found.pk, "title": found.title}, now=now)
    messages.success(request, _("“%(title)s” is deleted. You can bring it back below.") % {"title": found.title})
    return redirect("handovers")


@login_required
@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring a deleted handover back. Pressed twice it is harmless."""
    owner = owner_of(request)
    try:
        found = handover_of(owner, pk, deleted=True)
    except Handover.DoesNotExist:
        handover_or_404(request, pk)
        return redirect("handovers")
    with transaction.atomic():
        restore_handover(handover=found)
        note(owner, "HandoverRestored", {"handover": found.pk, "title": found.title}, now=clock.now())
    messages.success(request, _("“%(title)s” is back.") % {"title": found.title})
    return redirect("handovers")

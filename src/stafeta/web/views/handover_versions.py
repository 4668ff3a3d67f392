"""A handover looked at: as its recipient will see it, and as it was before."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from stafeta import clock
from stafeta.accounts.moments import Moment
from stafeta.core.errors import ConfigurationError, Conflict, VaultError
from stafeta.vault.markdown import render as render_markdown
from stafeta.vault.models import Handover, Version
from stafeta.vault.sealing import unseal
from stafeta.vault.selectors import version_of, versions_of
from stafeta.vault.services.save_handover import VERSIONS_KEPT, save_handover
from stafeta.web.handover_words import trail_to
from stafeta.web.owners import handover_or_404, owner_of
from stafeta.web.reading import section_of
from stafeta.web.views.handover_edit import unreadable


@login_required
@never_cache
@require_http_methods(["GET", "HEAD"])
def as_recipient(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the handover as the release page would, with a line above that says so."""
    owner, found = owner_of(request), handover_or_404(request, pk)
    if found.is_sealed:
        return redirect("handover", pk=pk)  # only its own page opens it, and shows it beside the text
    section = section_of(
        found,
        zone=owner.zone,
        now=clock.now(),
        file_url=lambda one: reverse("handover-attachment", args=[found.pk, one.pk]),
        show_url=lambda one: reverse("handover-attachment-show", args=[found.pk, one.pk]),
    )
    context = {
        "handover": found,
        "owner": owner,
        "sections": [section],
        "trail": trail_to(found, _("As the recipient")),
    }
    return render(request, "web/handovers/as_recipient.html", context, status=200 if section.page else 503)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD"])
def versions(request: HttpRequest, pk: int) -> HttpResponse:
    """List the kept versions, the newest first."""
    owner, found, now = owner_of(request), handover_or_404(request, pk), clock.now()
    if found.is_sealed:
        return redirect("handover", pk=pk)
    context = {
        "handover": found,
        "kept": [(one, Moment(one.at, owner.zone, now)) for one in versions_of(found)],
        "most": VERSIONS_KEPT,
        "trail": trail_to(found, _("Versions")),
    }
    return render(request, "web/handovers/versions.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def version(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show one version; POST saves its text anew on top, so that the present one stays among the versions."""
    owner, found = owner_of(request), handover_or_404(request, pk)
    if found.is_sealed:
        return redirect("handover", pk=pk)
    try:
        kept = version_of(found, number)
        content = unseal(kept)
    except Version.DoesNotExist as error:
        raise Http404 from error
    except (VaultError, ConfigurationError) as error:
        return unreadable(request, found, error)
    if request.method == "POST":
        return _bring_back(request, found, content)
    context = {
        "handover": found,
        "version": kept,
        "at": Moment(kept.at, owner.zone, clock.now()),
        "page": render_markdown(content, below=1),
        "content": content,
        "is_present": number == found.revision,
        "trail": trail_to(found, _("Versions")),
    }
    return render(request, "web/handovers/version.html", context)


def _bring_back(request: HttpRequest, found: Handover, content: str) -> HttpResponse:
    try:
        save_handover(handover=found, title=found.title, content=content, base_revision=found.revision, now=clock.now())
    except Conflict:
        messages.warning(request, _("The text was changed in this very moment. Look at it first, then try again."))
    except Handover.DoesNotExist as error:
        raise Http404 from error
    else:
        messages.success(request, _("The older text is back. The one before it is among the versions."))
    return redirect("handover", pk=found.pk)

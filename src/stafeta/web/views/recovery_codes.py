"""Recovery codes are shown once; so opening their page must not be the showing. A button is (invariant 5)."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from stafeta.web.fresh import fresh_signin_required
from stafeta.web.owners import owner_of


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_signin_required
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Say how many codes are left; POST shows them, the first time only. Others are made instead."""
    kind = Authenticator.Type.RECOVERY_CODES
    authenticator = Authenticator.objects.filter(user=owner_of(request), type=kind).first()
    if authenticator is None:
        raise Http404("no recovery codes")
    codes = authenticator.wrap()
    unused, was_shown = codes.get_unused_codes(), codes.did_view
    shows = request.method == "POST" and not was_shown
    if shows:
        codes.mark_as_viewed()
    context = {
        "codes": unused if shows else [],
        "unused": len(unused),
        "can_show": not shows and not was_shown and bool(unused),
    }
    return render(request, "mfa/recovery_codes/index.html", context)


@require_safe
def no_download(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - every view takes it
    """Refuse the file that django-allauth would give: it would be a second showing."""
    raise Http404("recovery codes are shown, not downloaded")

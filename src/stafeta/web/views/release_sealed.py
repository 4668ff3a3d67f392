"""A recipient's browser asks whether it may show what it has just unlocked; that is when a sealed handover is read."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect

from stafeta import clock
from stafeta.core.links import Link
from stafeta.vault.selectors import OpenRelease
from stafeta.vault.services.reading import record_unlocking
from stafeta.web.sealed_body import BadBody, body_of
from stafeta.web.views.release import behind_the_code, behind_the_link

BODY_BYTES_MAX = 64 * 1024


@behind_the_link
@behind_the_code
def unlocked(request: HttpRequest, link: Link, found: OpenRelease) -> HttpResponse:  # noqa: ARG001 - every page takes it
    """Record that sealed handovers were unlocked: {"grants": [{"grant"}]}; 200 {"open": [ids that may be shown]}.

    404, or a redirect to a gate, where nothing may be shown any more. GET is who reloads: they go back to the page.
    """
    if request.method != "POST":
        return redirect("release-read")
    try:
        body = body_of(request, "grants", bytes_max=BODY_BYTES_MAX)
        asked = {one.whole("grant") for one in body.many("grants", "grant")}
    except BadBody as error:
        return JsonResponse({"errors": {"": [str(error)]}}, status=error.status)
    grants = [grant for grant in found.opened if grant.pk in asked]
    shown = record_unlocking(grants=grants, now=clock.now())
    return JsonResponse({"open": [grant.pk for grant in shown]})

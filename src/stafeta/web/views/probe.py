"""What the worker's probe sees: the confirmation page itself, rendered for nobody."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from stafeta.accounts.selectors import installation, is_elsewhere
from stafeta.accounts.signed_links import link_from
from stafeta.core.errors import BadLink
from stafeta.core.links import Purpose
from stafeta.switches.selectors import service_second
from stafeta.switches.services.probe import ANSWER_HEADER, probe_answer


@never_cache
@require_safe
def probe(request: HttpRequest, challenge: str) -> HttpResponse:
    """Read the database, render the button, and answer the challenge; anything not made by us is not found.

    A web server whose database is at home at another address answers nothing: what is confirmed here may be heard
    there, but no link of there leads here.
    """
    try:
        link = link_from(challenge)
    except BadLink:
        raise Http404 from None
    if link.purpose is not Purpose.PROBE:
        raise Http404
    service_second()
    found = installation()
    response = render(request, "web/checkin/ask.html", {"owner": "", "is_released": False})
    if not is_elsewhere(found):
        response[ANSWER_HEADER] = probe_answer(challenge, found.identity)
    return response

"""Where every signed link lands: the token leaves the address at once (vault.md, "Links and codes")."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from stafeta.accounts.signed_links import link_from
from stafeta.core.errors import BadLink
from stafeta.web.session_links import PAGES, keep_link


@never_cache
@require_http_methods(["GET", "HEAD", "OPTIONS"])
def landing(request: HttpRequest, token: str) -> HttpResponse:
    """GET puts the link into the session and goes on to its page; HEAD and OPTIONS do nothing at all (invariant 5).

    A damaged, forged or unknown link gets one and the same kind page, whatever exists.
    """
    if request.method != "GET":
        return HttpResponse(headers={"Allow": "GET, HEAD, OPTIONS"})
    try:
        link = link_from(token)
        page = PAGES[link.purpose]
    except (BadLink, KeyError):
        return render(request, "web/account/bad_link.html", status=404)
    keep_link(request, link)
    return redirect(page)

"""The watch: its addresses answer under any host name, and what they tell in full is for the operator alone."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.urls import Resolver404, resolve

from stafeta.switches.wellbeing import Wellbeing, pace_here, wellbeing
from stafeta.web.here import is_here

URLS: Final = "stafeta.web.urls_watch"
LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


class WatchMiddleware:
    """Answers the addresses of the watch before anything asks for the host, a session or a language.

    A load balancer and a scraper call this process by its bare address, which STAFETA_ALLOWED_HOSTS does not name. No
    word of these answers depends on the name they were asked under.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            found = resolve(request.path_info, urlconf=URLS)
        except Resolver404:
            return self.get_response(request)
        response: HttpResponse = found.func(request, *found.args, **found.kwargs)
        return response


def may_know(request: HttpRequest) -> bool:
    """Whether the reasons may be told: to who brings STAFETA_METRICS_TOKEN, and to who asks from this machine.

    From this machine means by a name of it, too: a page in a browser here, whose own name was made to point here, asks
    by that name.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        return hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    name, _port = split_domain_port(request.headers.get("Host", ""))
    return name in LOOPBACK_NAMES and is_here(request)


def wellbeing_at(now: datetime) -> Wellbeing:
    """Return how the service is at that moment, by its settings. Raises DatabaseError."""
    return wellbeing(now=now, canary=settings.CANARY, pace=pace_here())

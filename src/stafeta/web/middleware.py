"""What every page gets: the person's language and zone, a plain page for a link that is missing, nothing cached."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from stafeta.web.languages import use_language
from stafeta.web.session_links import LinkMissing


class PersonMiddleware:
    """Stands after AuthenticationMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        zone = None
        if request.user.is_authenticated:
            use_language(request, request.user.language)
            zone = ZoneInfo(request.user.zone)
        with timezone.override(zone):
            response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Say how to get in to who asks for a page of a signed link without having opened one."""
        if isinstance(exception, LinkMissing):
            return render(request, "web/account/no_link.html", status=404)
        return None

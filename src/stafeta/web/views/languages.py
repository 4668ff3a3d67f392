"""The language switch in every header."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from stafeta.accounts.models import User


@require_POST
def switch_language(request: HttpRequest) -> HttpResponseBase:
    """Remember the language in a cookie, and in the account of who is signed in; then back to where they were."""
    language = request.POST.get("language", "")
    if request.user.is_authenticated and language in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=language)
    return set_language(request)

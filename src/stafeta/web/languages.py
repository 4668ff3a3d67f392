"""Which language and which zone a page speaks."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation


def speak(request: HttpRequest, language: str) -> None:
    """Let the rest of this request speak the person's language, unless this browser chose one by the switch.

    For pages of people without an account; those who are signed in have theirs already (`middleware.py`).
    """
    if not chose_language(request):
        use_language(request, language)


def use_language(request: HttpRequest, language: str) -> None:
    """Let the rest of this request speak `language`; LocaleMiddleware starts the next one anew."""
    translation.activate(language)
    request.LANGUAGE_CODE = translation.get_language()


def chose_language(request: HttpRequest) -> bool:
    """Whether somebody used the language switch in this browser."""
    return request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) in dict(settings.LANGUAGES)

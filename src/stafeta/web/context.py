"""What every page gets beside its own words: one line above it, where something is not as in life."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stafeta.web.demo import day_real_s, is_demo
from stafeta.web.mailbox import is_mailbox_open


def banner(request: HttpRequest) -> dict[str, SafeString]:
    """Return `banner` for `web/components/banner.html` where the clock runs fast or nothing really leaves."""
    if is_demo():
        return {"banner": _with_link(request, _demo_words(), reverse("demo"), _("Watch it"))}
    if is_mailbox_open():
        words = _("Messages stay in the mailbox on this computer.")
        return {"banner": _with_link(request, words, reverse("mailbox"), _("Open the mailbox"))}
    return {}


def _demo_words() -> str:
    seconds = max(1, round(day_real_s()))
    return ngettext(
        "Demo: one day takes %(seconds)d second. Everybody in it is invented.",
        "Demo: one day takes %(seconds)d seconds. Everybody in it is invented.",
        seconds,
    ) % {"seconds": seconds}


def _with_link(request: HttpRequest, words: str, url: str, label: str) -> SafeString:
    if request.path == url:
        return format_html("{}", words)
    return format_html('{} <a class="alert-link" href="{}">{}</a>', words, url, label)

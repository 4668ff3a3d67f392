"""What every page gets beside its own words: the line that says when the clock is not real."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stafeta.web.demo import day_real_s, is_demo


def demo_banner(request: HttpRequest) -> dict[str, SafeString]:
    """Return `banner` for `web/components/banner.html` where the clock runs faster than life, otherwise nothing."""
    if not is_demo():
        return {}
    seconds = max(1, round(day_real_s()))
    words = ngettext(
        "Demo: one day takes %(seconds)d second. Everybody in it is invented.",
        "Demo: one day takes %(seconds)d seconds. Everybody in it is invented.",
        seconds,
    ) % {"seconds": seconds}
    url = reverse("demo")
    if request.path == url:
        return {"banner": format_html("{}", words)}
    return {"banner": format_html('{} <a class="alert-link" href="{}">{}</a>', words, url, _("Watch it"))}

"""The built-in mailbox: every e-mail and SMS of a service that runs on this machine only, for whoever sits at it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from zoneinfo import ZoneInfo

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from stafeta.accounts.addresses import format_phone
from stafeta.accounts.models import ZONE_DEFAULT
from stafeta.channels.base import ChannelKind
from stafeta.channels.mailbox import MAILBOX_MESSAGES_MAX, StoredMessage, read_mailbox
from stafeta.web.here import is_here
from stafeta.web.mailbox import is_mailbox_open

SHOWN_MAX = 100
FRAME = "allow-top-navigation-by-user-activation allow-popups allow-popups-to-escape-sandbox"
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)

View = Callable[..., HttpResponseBase]


def here_only(view: View) -> View:
    """Answer 404 unless the messages stay on this machine, and so does the visitor."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not (is_mailbox_open() and is_here(request)):
            raise Http404
        if not request.user.is_authenticated:
            timezone.activate(ZoneInfo(ZONE_DEFAULT))
        return view(request, *args, **kwargs)

    return guarded


@here_only
@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """The newest messages; the page asks for news by itself."""
    return render(request, "web/mailbox/mailbox.html", _list())


@here_only
@require_safe
def mailbox_list(request: HttpRequest) -> HttpResponse:
    """The list alone, for the page that is open already."""
    return render(request, "web/mailbox/list.html", _list())


@here_only
@require_safe
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # it takes views with arguments too
def mailbox_message(request: HttpRequest, number: int) -> HttpResponse:
    """One message as it was sent: text, and for an e-mail its HTML in a frame that can run nothing."""
    context = {"message": _message(number), "frame": FRAME}
    return render(request, "web/mailbox/message.html", context)


@here_only
@require_safe
@xframe_options_sameorigin
@csp_replace(  # type: ignore[arg-type]  # it takes views with arguments too
    {
        "default-src": [NONE],
        "script-src": [NONE],
        "connect-src": [NONE],
        "style-src": [UNSAFE_INLINE],
        "img-src": ["data:"],
        "frame-ancestors": [SELF],
        "form-action": [NONE],
        "base-uri": [NONE],
        "sandbox": FRAME.split(),
    }
)
def mailbox_html(request: HttpRequest, number: int) -> HttpResponse:  # noqa: ARG001 - a view
    """The HTML of an e-mail alone, whose links open in the whole window."""
    html = _message(number).html
    if not html:
        raise Http404
    target = '<base target="_top">'
    opened, count = _HEAD.subn(lambda head: head.group() + target, html, count=1)
    return HttpResponse(opened if count else target + html)


def _list() -> dict[str, object]:
    messages = read_mailbox(settings.MAILBOX_DIR, limit=SHOWN_MAX)
    return {"messages_shown": [{"message": message, "to": _to(message)} for message in messages]}


def _message(number: int) -> StoredMessage:
    for message in read_mailbox(settings.MAILBOX_DIR, limit=MAILBOX_MESSAGES_MAX):
        if message.number == number:
            return message
    raise Http404


def _to(message: StoredMessage) -> str:
    return format_phone(message.to) if message.kind is ChannelKind.SMS else message.to

"""Where providers report what became of a message. Nothing here is a page, and nobody here is signed in.

Whoever does not know the secret learns nothing. A report that could not be recorded is answered with 500, so that the
provider brings it again.
"""

from __future__ import annotations

import hmac
import logging

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from stafeta import clock
from stafeta.channels.hooks import hook_of
from stafeta.channels.receipts import Hook, ReceiptAddresses
from stafeta.core.errors import ConfigurationError, ForgedReceipt, UnreadableReceipt
from stafeta.outbox.services.receive_receipt import receive_receipt
from stafeta.switches.services.delivery import record_news

log = logging.getLogger(__name__)

BODY_BYTES_MAX = 4 * 1024 * 1024


@csrf_exempt
@require_POST
@never_cache
def receipts(request: HttpRequest, service: str, secret: str) -> HttpResponse:
    """Take in what a service reports at the address that only it was told."""
    expected = settings.RECEIPTS_SECRET
    if not expected or not hmac.compare_digest(secret.encode(), expected.encode()):
        return HttpResponse(status=404)
    hook = _hook(service)
    return HttpResponse(status=404) if hook is None or hook.is_signed else _take_in(request, hook)


@csrf_exempt
@require_POST
@never_cache
def signed_receipts(request: HttpRequest, service: str) -> HttpResponse:
    """Take in a report that is signed with the secret."""
    hook = _hook(service)
    return HttpResponse(status=404) if hook is None or not hook.is_signed else _take_in(request, hook)


def _hook(service: str) -> Hook | None:
    addresses = ReceiptAddresses(settings.SITE_URL, settings.RECEIPTS_SECRET)
    try:
        return hook_of(
            service, email_url=settings.EMAIL_CHANNEL_URL, sms_url=settings.SMS_CHANNEL_URL, addresses=addresses
        )
    except ConfigurationError as wrong:
        log.error("receipts of %s are not taken in: %s", service, wrong)
        return None


def _take_in(request: HttpRequest, hook: Hook) -> HttpResponse:
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not announced.isdecimal() or int(announced) > BODY_BYTES_MAX:
        log.warning("a receipt of %s is too big", hook.service)
        return HttpResponse(status=413)
    try:
        _body = request.body
        reports = hook.read(request, clock.real_now())
    except ForgedReceipt:
        log.warning("a receipt of %s is not signed by it; is its key right?", hook.service)
        return HttpResponse(status=403)
    except (UnreadableReceipt, UnreadablePostError):
        log.warning("a receipt of %s cannot be read", hook.service)
        return HttpResponse(status=400)
    failed = 0
    for report in reports:
        try:
            receive_receipt(reported=report, channel=hook.channel.value, now=clock.now(), on_news=record_news)
        except DatabaseError as error:  # the others of the batch first; then the provider brings it again
            log.error("a receipt of %s could not be recorded (%s)", hook.service, type(error).__name__)
            failed += 1
    return HttpResponse(status=500 if failed else 200)

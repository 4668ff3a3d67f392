"""What programs ask: does this process answer, is all well, and in figures. No session, no cookie, nobody's data."""

from __future__ import annotations

import logging
from typing import Final

from django import db
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from stafeta import clock
from stafeta.switches.selectors import service_second
from stafeta.web.metrics import exposition
from stafeta.web.watch import may_know, wellbeing_at

log = logging.getLogger(__name__)

PLAIN: Final = "text/plain; charset=utf-8"
FOR_MACHINES: Final = "en"


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 when this process and the database answer, 503 otherwise. For a load balancer; anybody may ask."""
    del request
    try:
        service_second()
    except db.Error as error:
        log.error("the database does not answer (%s)", type(error).__name__)
        return HttpResponse("the database does not answer\n", status=503, content_type=PLAIN)
    return HttpResponse("ok\n", content_type=PLAIN)


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when all is well, 503 otherwise. For an uptime monitor; what it is, only who `may_know` is told."""
    with translation.override(FOR_MACHINES):
        try:
            found = wellbeing_at(clock.now())
        except db.Error as error:
            log.error("the database does not answer (%s)", type(error).__name__)
            ok, checks = False, {"database": {"ok": False, "says": "The database does not answer."}}
        else:
            ok, checks = found.ok, {check.name: {"ok": check.ok, "says": check.says} for check in found.checks}
    content = {"ok": ok, "checks": checks} if may_know(request) else {"ok": ok}
    return JsonResponse(content, status=200 if ok else 503)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Everything in figures, read as it is asked for, for Prometheus; only for who `may_know`."""
    if not may_know(request):
        response = HttpResponse(
            "ask from this machine, or with STAFETA_METRICS_TOKEN\n", status=401, content_type=PLAIN
        )
        response["WWW-Authenticate"] = "Bearer"
        return response
    try:
        with translation.override(FOR_MACHINES):
            text = exposition(wellbeing_at(clock.now()))
    except db.Error as error:
        log.error("the database does not answer (%s)", type(error).__name__)
        return HttpResponse("the database does not answer\n", status=503, content_type=PLAIN)
    return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)

"""The operator's page: what the service as a whole suffers from. It shows no content, no address and no text."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from stafeta import clock
from stafeta.outbox.models import ChannelHealth, Message
from stafeta.switches.models import ServiceClock, Switch
from stafeta.web.views.owner import owner_of
from stafeta.web.watch_facts import watch_facts

SHOWN_MAX = 100


@login_required
@require_safe
def operator(request: HttpRequest) -> HttpResponse:
    """Dead letters, providers, the service clock and switches set aside, for staff only."""
    if not owner_of(request).is_staff:
        raise Http404
    dead = Message.objects.filter(state__in=[Message.State.DEAD, Message.State.BOUNCED])
    context = {
        "letters": dead.order_by("-settled_at")[:SHOWN_MAX],
        "waiting": Message.objects.filter(state=Message.State.QUEUED).count(),
        "channels": ChannelHealth.objects.order_by("channel"),
        "service_clock": ServiceClock.objects.first(),
        "aside": Switch.objects.filter(faults__gt=0).order_by("-faults")[:SHOWN_MAX],
    }
    return render(request, "web/operator/operator.html", context | watch_facts(now=clock.now()))

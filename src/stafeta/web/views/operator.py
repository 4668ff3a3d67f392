"""The operator's page: how the service as a whole stands, and the two things its operator may do: hold, and confirm
a clock. It shows no content, no address and no text."""

from __future__ import annotations

from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from stafeta import clock
from stafeta.accounts.moments import Moment
from stafeta.switches.models import Hold, ServiceClock
from stafeta.switches.selectors import standing_hold
from stafeta.switches.services.confirm_clock import confirm_clock
from stafeta.switches.services.hold import hold_everything, lift_holds
from stafeta.switches.standing import is_well, standing
from stafeta.web.forms.hold import HoldForm
from stafeta.web.fresh import View, fresh_signin_required
from stafeta.web.views.owner import owner_of
from stafeta.web.watch_facts import watch_facts


def operators_only(view: View) -> View:
    """Let only operators in; to everybody else the page does not exist."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not owner_of(request).is_staff:
            raise Http404
        return view(request, *args, **kwargs)

    return login_required(guarded)


@operators_only
@require_safe
def operator(request: HttpRequest) -> HttpResponse:
    """Everything that `stafeta status` says."""
    now = clock.now()
    sections = standing(now=now, zone=owner_of(request).zone)
    context = {
        "sections": sections,
        "is_well": is_well(sections),
        "is_held": standing_hold(now=now) is not None,
        "is_clock_behind": ServiceClock.objects.filter(wall__gt=now).exists(),
    }
    return render(request, "web/operator/operator.html", context | watch_facts(now=now))


@operators_only
@fresh_signin_required
@require_http_methods(["GET", "HEAD", "POST"])
def operator_hold(request: HttpRequest) -> HttpResponse:
    """Hold everything for some hours, and say why."""
    form = HoldForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        facts = form.cleaned_data
        hold = hold_everything(hours=facts["hours"], reason=facts["reason"], now=clock.now())
        on = Moment(hold.until, owner_of(request).zone, clock.now()).on
        messages.success(request, _("Everything is held; it continues by itself %(on)s at the latest.") % {"on": on})
        return redirect("operator")
    return render(request, "web/operator/hold.html", {"form": form})


@operators_only
@fresh_signin_required
@require_http_methods(["GET", "HEAD", "POST"])
def operator_unhold(request: HttpRequest) -> HttpResponse:
    """Ask, then end every hold."""
    if request.method == "POST":
        count = lift_holds(now=clock.now())
        messages.success(request, _("All waits go on.") if count else _("Nothing was held."))
        return redirect("operator")
    is_breaker = Hold.objects.filter(kind=Hold.Kind.BREAKER, ended_at=None).exists()
    return render(request, "web/operator/unhold.html", {"is_breaker": is_breaker})


@operators_only
@fresh_signin_required
@require_http_methods(["GET", "HEAD", "POST"])
def operator_clock(request: HttpRequest) -> HttpResponse:
    """Show what the clocks say, ask, then let the present moment count."""
    now, zone = clock.now(), owner_of(request).zone
    if request.method == "POST":
        done = confirm_clock(now=now, pace=settings.CLOCK_SCALE)
        words = ngettext(
            "The clock counts again; %(n)d switch got a new date.",
            "The clock counts again; %(n)d switches got a new date.",
            done.switches,
        )
        messages.success(request, words % {"n": done.switches})
        return redirect("operator")
    latest = ServiceClock.objects.first()
    context = {"present": Moment(now, zone, now), "latest": Moment(latest.wall, zone, now) if latest else None}
    return render(request, "web/operator/clock.html", context)

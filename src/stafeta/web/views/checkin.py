"""The owner's sign of life by link: one button, then thanks (invariants 4, 5 and 7)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from stafeta import clock
from stafeta.accounts.moments import Moment
from stafeta.core.errors import WrongCycle
from stafeta.core.links import Link, Purpose
from stafeta.core.states import Climbing, Evidence, Held, Released, Waiting
from stafeta.switches.models import Switch
from stafeta.switches.services.checkin import record_checkin
from stafeta.web.languages import speak
from stafeta.web.session_links import LinkMissing, session_link

CLOSED_RELEASE = "checkin_closed_release"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def checkin(request: HttpRequest) -> HttpResponse:
    """The page behind every check-in link: GET shows one button, POST is the sign of life (invariant 5).

    A link of a finished cycle changes nothing and is answered kindly.
    """
    link, switch = _behind_link(request)
    if request.method == "POST":
        try:
            result = record_checkin(owner=switch.owner, evidence=Evidence.LINK, cycle=link.cycle, now=clock.now())
        except WrongCycle:
            return _settled(request, switch)
        request.session[CLOSED_RELEASE] = result.was_released
        return redirect("checkin-thanks")
    if switch.cycle != link.cycle:
        return _settled(request, switch)
    is_released = isinstance(switch.ladder_state, Released)
    return render(request, "web/checkin/ask.html", {"owner": switch.owner.name, "is_released": is_released})


@never_cache
@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    """Say that it counted, and when the next one is; lead back to the button while nothing has been confirmed."""
    link, switch = _behind_link(request)
    if link.cycle == switch.cycle and isinstance(switch.ladder_state, (Climbing, Held, Released)):
        return redirect("checkin")
    context = {
        "due": _due(switch),
        "phase": switch.phase,
        "closed_release": request.session.get(CLOSED_RELEASE, False),
    }
    return render(request, "web/checkin/thanks.html", context)


def _behind_link(request: HttpRequest) -> tuple[Link, Switch]:
    link = session_link(request, Purpose.CHECKIN)
    switch = Switch.objects.select_related("owner").filter(pk=link.switch, owner=link.person).first()
    if switch is None:
        raise LinkMissing("the owner of this link is gone")
    speak(request, switch.owner.language)
    return link, switch


def _settled(request: HttpRequest, switch: Switch) -> HttpResponse:
    switch.refresh_from_db()
    return render(request, "web/checkin/settled.html", {"due": _due(switch), "phase": switch.phase})


def _due(switch: Switch) -> Moment | None:
    state = switch.ladder_state
    return Moment(state.due, switch.ladder_policy.zone, clock.now()) if isinstance(state, Waiting) else None

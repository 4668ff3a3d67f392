"""How often and how the owner is asked, and what would follow if they fell silent."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from stafeta import clock
from stafeta.accounts.moments import Moment
from stafeta.core.policy import PRESETS, Choices
from stafeta.core.states import Paused, Released, Resting, Waiting
from stafeta.switches.models import Switch
from stafeta.web.forms.schedule import ScheduleForm
from stafeta.web.fresh import require_fresh_signin
from stafeta.web.outlook import timeline_to_be
from stafeta.web.schedule import save_schedule
from stafeta.web.views.owner import switch_for

PRESET_WORDS: dict[str, tuple[Promise, Promise]] = {
    "calm": (gettext_lazy("Calm"), gettext_lazy("every 30 days, much patience")),
    "standard": (gettext_lazy("Standard"), gettext_lazy("every 14 days")),
    "alert": (gettext_lazy("Alert"), gettext_lazy("every 3 days, short waits")),
}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def schedule(request: HttpRequest) -> HttpResponse:
    """GET shows the choices, with ?preset= those of a preset, unsaved; POST saves them after a fresh sign-in."""
    switch = switch_for(request)
    if request.method == "POST":
        form = ScheduleForm(request.POST, choices=switch.owner_choices)
        if form.is_valid() and form.choices:
            require_fresh_signin(request)
            changed = save_schedule(switch=switch, choices=form.choices, now=clock.now())
            messages.success(request, _saved(changed))
            return redirect("schedule")
        return _page(request, switch, form)
    preset = PRESETS.get(request.GET.get("preset", ""))
    choices = _kept(preset, switch.owner_choices) if preset else switch.owner_choices
    return _page(request, switch, ScheduleForm(choices=choices), choices=choices)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: HttpRequest) -> HttpResponse:
    """Draw the timeline of choices that are not saved; the whole page where no script asked. Nothing changes.

    Somebody who comes back to this address, without their choices, is led to those that are saved.
    """
    if request.method != "POST":
        return redirect("schedule")
    switch = switch_for(request)
    form = ScheduleForm(request.POST, choices=switch.owner_choices)
    choices = form.choices if form.is_valid() else None
    if request.headers.get("HX-Request"):
        return render(request, "web/schedule/outlook.html", {"form": form, **_outlook(switch, choices)})
    return _page(request, switch, form, choices=choices)


def _page(request: HttpRequest, switch: Switch, form: ScheduleForm, *, choices: Choices | None = None) -> HttpResponse:
    state = switch.ladder_state
    presets = [
        {
            "name": name,
            "label": words[0],
            "hint": words[1],
            "current": choices == _kept(PRESETS[name], switch.owner_choices),
        }
        for name, words in PRESET_WORDS.items()
    ]
    context = {
        "form": form,
        "presets": presets,
        "is_armed": not isinstance(state, (Resting, Released)),
        "is_paused": isinstance(state, Paused),
        "is_unsaved": choices is not None and choices != switch.owner_choices,
        **_outlook(switch, choices),
    }
    return render(request, "web/schedule/schedule.html", context)


def _outlook(switch: Switch, choices: Choices | None) -> dict[str, object]:
    """Return what the picture needs; None for choices that do not hold draws nothing."""
    if choices is None:
        return {"timeline": None}
    timezone.activate(ZoneInfo(choices.zone))
    return {"timeline": timeline_to_be(switch, choices, now=clock.now())}


def _kept(preset: Choices, present: Choices) -> Choices:
    """Return a preset with what it does not decide: when and where the owner lives, and whom they trust how far."""
    return replace(preset, zone=present.zone, at=present.at, may_go_ahead=present.may_go_ahead)


def _saved(switch: Switch) -> str:
    state = switch.ladder_state
    if isinstance(state, Waiting):
        on = Moment(state.due, switch.ladder_policy.zone, clock.now()).on
        return _("Saved. It counted as a sign of life: I will ask you again %(on)s.") % {"on": on}
    return _("Saved.")

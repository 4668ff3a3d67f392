"""The dashboard, and the buttons on it: I'm fine, arm, disarm, pause, try again."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from stafeta import clock
from stafeta.accounts.moments import Moment
from stafeta.core.errors import NotReady, PolicyError
from stafeta.core.policy import Missing
from stafeta.core.states import Evidence, Paused, Released, Resting, Waiting
from stafeta.outbox.models import Message
from stafeta.outbox.services.retry import retry_message
from stafeta.switches.models import Switch
from stafeta.switches.selectors import missing_of
from stafeta.switches.services.arm import arm, stand_down
from stafeta.switches.services.checkin import CheckinResult, record_checkin
from stafeta.switches.services.pause import end_pause, pause
from stafeta.vault.models import Handover
from stafeta.vault.selectors import Gap, gaps_of, handovers_of
from stafeta.web.attention import attention_of
from stafeta.web.forms.pause import PauseForm
from stafeta.web.fresh import fresh_signin_required
from stafeta.web.handover_words import readiness_badge
from stafeta.web.history import entries_of
from stafeta.web.notices import tell_owner
from stafeta.web.outlook import openings_of, timeline_of
from stafeta.web.releases import last_release_of
from stafeta.web.situation import situation_of
from stafeta.web.views.owner import owner_of, switch_for

LAST_ENTRIES = 5

_NEEDED: dict[Missing, tuple[Promise, str]] = {
    Missing.EMAIL: (gettext_lazy("Your e-mail is verified"), "account_email"),
    Missing.PHONE: (gettext_lazy("Your phone is verified"), "account-phone"),
    Missing.HANDOVER: (gettext_lazy("A handover has a text and a recipient"), "handovers"),
    Missing.SECOND_WAY: (
        gettext_lazy("You are asked in a second way: by SMS, or through somebody close to you"),
        "schedule",
    ),
}
_GAPS: dict[Gap, Promise] = {
    Gap.EMPTY: gettext_lazy("Nothing is written in it yet."),
    Gap.NO_RECIPIENTS: gettext_lazy("It has no recipients."),
    Gap.ALL_DECLINED: gettext_lazy("All its recipients declined."),
    Gap.NOT_INVITED: gettext_lazy("Somebody is not invited yet."),
    Gap.NO_ANSWER: gettext_lazy("Somebody has not answered yet."),
    Gap.PHONE_UNVERIFIED: gettext_lazy("Somebody has not verified their phone."),
    Gap.NOBODY_OPENS: gettext_lazy("None of its recipients could open it yet."),
    Gap.NO_KEY: gettext_lazy("Somebody has not chosen their passphrase yet."),
    Gap.KEY_CHANGED: gettext_lazy("Somebody's key has changed."),
    Gap.CLOSED: gettext_lazy("Nobody can read it: its key is missing."),
    Gap.FILES_CLOSED: gettext_lazy("Some of its files cannot be opened."),
    Gap.NOT_SEALED: gettext_lazy("It waits for your unlock to be sealed for everybody."),
}


@login_required
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """One sentence of state, one button, the picture, and what needs attention."""
    owner, switch, now = owner_of(request), switch_for(request), clock.now()
    missing = missing_of(owner)
    is_resting = isinstance(switch.ladder_state, Resting)
    context = {
        "situation": situation_of(switch, now=now),
        "needed": _needed(missing) if is_resting else (),
        "is_ready": not missing,
        "attention": attention_of(owner, switch, missing=missing, now=now),
        "timeline": timeline_of(switch, now=now),
        "release": last_release_of(switch),
        "handovers": [_readiness(handover) for handover in handovers_of(owner)],
        "entries": entries_of(owner, switch, limit=LAST_ENTRIES),
    }
    return render(request, "web/dashboard/dashboard.html", context)


@login_required
@require_POST
def im_fine(request: HttpRequest) -> HttpResponse:
    """The sign of life by the big button."""
    switch = switch_for(request)
    result = record_checkin(owner=switch.owner, evidence=Evidence.BUTTON, now=clock.now())
    messages.success(request, _thanks(result, switch))
    return redirect("dashboard")


@fresh_signin_required
@require_http_methods(["GET", "HEAD", "POST"])
def arm_switch(request: HttpRequest) -> HttpResponse:
    """Show what arming means, then arm."""
    switch = switch_for(request)
    if not isinstance(switch.ladder_state, Resting):
        return redirect("dashboard")
    if request.method == "POST":
        try:
            armed = arm(owner=switch.owner, now=clock.now())
        except NotReady:
            messages.error(request, _("Something is still missing; see the list."))
        else:
            state = armed.ladder_state
            if isinstance(state, Waiting):
                on = Moment(state.due, armed.ladder_policy.zone, clock.now()).on
                messages.success(request, _("Armed. I will ask you for the first time %(on)s.") % {"on": on})
        return redirect("dashboard")
    context = {
        "missing": missing_of(switch.owner),
        "timeline": timeline_of(switch, now=clock.now()),
        "openings": openings_of(switch.owner),
        "contacts": switch.contacts.all(),
    }
    return render(request, "web/dashboard/arm.html", context)


@fresh_signin_required
@require_http_methods(["GET", "HEAD", "POST"])
def disarm_switch(request: HttpRequest) -> HttpResponse:
    """Ask, then disarm; the owner is told by e-mail."""
    switch = switch_for(request)
    if isinstance(switch.ladder_state, Resting):
        return redirect("dashboard")
    if request.method == "POST":
        with transaction.atomic():
            stood_down = stand_down(owner=switch.owner, now=clock.now())
            tell_owner(switch=stood_down, now=clock.now(), even_resting=True)
        messages.success(request, _("Disarmed. Nothing is asked and nothing is handed over until you arm it again."))
        return redirect("dashboard")
    return render(request, "web/dashboard/disarm.html")


@fresh_signin_required
@require_http_methods(["GET", "HEAD", "POST"])
def pause_switch(request: HttpRequest) -> HttpResponse:
    """Pause until a day, or move the end of the present pause; the owner is told by e-mail."""
    switch, now = switch_for(request), clock.now()
    state = switch.ladder_state
    if isinstance(state, (Resting, Released)):
        return redirect("dashboard")
    form = PauseForm(request.POST or None, choices=switch.owner_choices, now=now)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                paused = pause(owner=switch.owner, until=form.until, now=now)
                tell_owner(switch=paused, now=now)
        except PolicyError:  # the day was the last one allowed, and its hour is past
            form.add_error("day", _("This is too far away. Choose a day before it."))
        else:
            day = Moment(form.until, switch.owner_choices.zone, now).day
            messages.success(request, _("Paused until %(day)s. Then I will ask you at once.") % {"day": day})
            return redirect("dashboard")
    context = {"form": form, "is_paused": isinstance(state, Paused)}
    return render(request, "web/dashboard/pause.html", context)


@login_required
@require_POST
def pause_end(request: HttpRequest) -> HttpResponse:
    """End the pause now."""
    switch = end_pause(owner=switch_for(request).owner, now=clock.now())
    state = switch.ladder_state
    if isinstance(state, Waiting):
        on = Moment(state.due, switch.ladder_policy.zone, clock.now()).on
        messages.success(request, _("The pause is over. I will ask you %(on)s.") % {"on": on})
    return redirect("dashboard")


@login_required
@require_POST
def message_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Try one of the owner's dead letters again."""
    message = Message.objects.filter(owner=owner_of(request), pk=pk).first()
    if message is None:
        raise Http404
    if retry_message(message=message, now=clock.now()):
        messages.success(request, _("It is being tried again."))
    else:
        messages.info(request, _("It is on its way already."))
    return redirect("dashboard")


def _needed(missing: tuple[Missing, ...]) -> list[dict[str, object]]:
    return [{"text": text, "url": reverse(page), "done": need not in missing} for need, (text, page) in _NEEDED.items()]


def _readiness(handover: Handover) -> dict[str, object]:
    gaps = gaps_of(handover)
    people = [person.name for person in handover.recipients.all()]
    return {
        "handover": handover,
        "people": people,
        "gaps": [_GAPS[gap] for gap in gaps],
        "badge": readiness_badge(gaps),
    }


def _thanks(result: CheckinResult, switch: Switch) -> str:
    if result.was_released:
        return _("Welcome back. What nobody had opened is closed again, and everybody is told that you are well.")
    if not result.counted:
        return _("Good to hear. Nothing was waiting for your answer.")
    if result.next_due is None:
        return _("Thank you.")
    on = Moment(result.next_due, switch.owner_choices.zone, clock.now()).on
    return _("Thank you. I will ask you again %(on)s.") % {"on": on}

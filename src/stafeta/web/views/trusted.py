"""What a trusted contact is asked, and their three answers (ladder.md, "Who may do what")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from stafeta import clock
from stafeta.accounts.moments import Moment
from stafeta.core.contacts import hold_left_s, may_say_go_ahead
from stafeta.core.errors import BadLink, HoldExhausted, NotAsked, PolicyError, WrongCycle
from stafeta.core.links import Link, Purpose
from stafeta.core.moves import contacts_were_asked
from stafeta.core.policy import DAY_S, HOLD_DAYS_MAX, HOLD_TOTAL_S_MAX, VOUCHES_MAX
from stafeta.core.states import LAST_CALL_RUNG, Climbing, Held, Released
from stafeta.switches.models import TrustedContact
from stafeta.switches.selectors import contact_behind, on_wall, projection_of, service_second
from stafeta.switches.services.contact_says import ask_to_wait, give_go_ahead, vouch
from stafeta.vault.models import ConsentState
from stafeta.web.forms.trusted import WaitForm
from stafeta.web.languages import speak
from stafeta.web.session_links import LinkMissing, session_link

WELL: Final = "well"
SAID: Final = "trusted_said"  # in the session: [answer, cycle]; only so that the right thanks are said


@dataclass(frozen=True, slots=True)
class Visit:
    """A contact who came by their link, and where the ladder stands if it still asks them."""

    link: Link
    contact: TrustedContact
    state: Climbing | Held | None


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def trusted(request: HttpRequest) -> HttpResponse:
    """Show who asks and why, with three choices; POST takes "well", or days to wait."""
    visit = _visit(request)
    if visit.state is None:
        return _settled(request, visit)
    if request.method != "POST":
        return _choices(request, visit, visit.state)
    if request.POST.get("answer") == WELL:
        return _answer(request, visit, WELL, lambda now: vouch(link=visit.link, now=now))
    form = WaitForm(request.POST, most=max(1, _days_left(visit.state)))
    if not form.is_valid():
        return _choices(request, visit, visit.state, form=form)
    days: int = form.cleaned_data["days"]
    return _answer(request, visit, "wait", lambda now: ask_to_wait(link=visit.link, days=days, now=now))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def go_ahead(request: HttpRequest) -> HttpResponse:
    """Ask once more before "something happened, go ahead" is taken; only where the owner allowed it."""
    visit = _visit(request)
    if visit.state is None:
        return _settled(request, visit)
    if not _may_go_ahead(visit.contact, visit.state):
        return redirect("trusted")
    if request.method == "POST":
        return _answer(request, visit, "go_ahead", lambda now: give_go_ahead(link=visit.link, now=now))
    heard = _climbing(visit.state).go_ahead | {visit.contact.pk}
    needed = visit.contact.switch.ladder_policy.go_aheads_needed
    context = {"is_enough": len(heard) >= needed, "is_held": isinstance(visit.state, Held)}
    return render(request, "web/trusted/go_ahead.html", _people(visit) | context)


@never_cache
@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    """Say what the answer did, as the ladder stands now."""
    visit = _visit(request)
    if visit.state is None:
        return _settled(request, visit)
    climbing = _climbing(visit.state)
    said_go_ahead = visit.contact.pk in climbing.go_ahead
    if not isinstance(visit.state, Held) and not said_go_ahead:
        return redirect("trusted")
    context = {
        "until": _until(visit),
        "said_go_ahead": said_go_ahead,
        "is_last_call": climbing.rung == LAST_CALL_RUNG,
        "release": _release(visit),
    }
    return render(request, "web/trusted/thanks.html", _people(visit) | context)


def _visit(request: HttpRequest) -> Visit:
    link = session_link(request, Purpose.TRUSTED)
    try:
        contact = contact_behind(link)
    except BadLink as error:
        raise LinkMissing("the contact of this link is gone") from error
    speak(request, contact.language)
    return Visit(link, contact, _asking(link, contact))


def _asking(link: Link, contact: TrustedContact) -> Climbing | Held | None:
    """Return where the ladder stands if it asks this contact in the cycle of their link, otherwise None."""
    switch = contact.switch
    state = switch.ladder_state
    if switch.cycle != link.cycle or contact.consent == ConsentState.DECLINED:
        return None
    if not isinstance(state, (Climbing, Held)):
        return None
    return state if contacts_were_asked(_climbing(state), switch.ladder_policy) else None


def _answer(request: HttpRequest, visit: Visit, answer: str, say: Callable[[datetime], object]) -> HttpResponse:
    """Carry out an answer; every refusal of the ladder becomes a sentence on the page with the choices."""
    try:
        say(clock.now())
    except (WrongCycle, NotAsked, BadLink):
        problem = _("This answer is not possible any more. Nothing has changed; see what is.")
    except HoldExhausted as error:
        problem = _left_words(error.left_s // DAY_S)
    except PolicyError as error:
        problem = _("Choose from %(least)d to %(most)d days.") % {"least": error.least, "most": error.most}
    else:
        request.session[SAID] = [answer, visit.link.cycle]
        return redirect("trusted-thanks")
    visit = _visit(request)
    if visit.state is None:
        return _settled(request, visit)
    return _choices(request, visit, visit.state, problem=problem)


def _left_words(days: int) -> str:
    if days < 1:
        return _("No more waiting is left this time. If it stays that way, everything takes its course.")
    words = ngettext(
        "Only %(days)d day of waiting is left this time.", "Only %(days)d days of waiting are left this time.", days
    )
    return words % {"days": days}


def _choices(
    request: HttpRequest, visit: Visit, state: Climbing | Held, *, form: WaitForm | None = None, problem: str = ""
) -> HttpResponse:
    climbing, switch = _climbing(state), visit.contact.switch
    days_left = _days_left(state)
    seen = switch.last_checkin_at
    context = {
        "form": form or WaitForm(most=max(1, days_left)),
        "problem": problem,
        "days_left": days_left,
        "days_left_in_all": hold_left_s(state, service_s=service_second()) // DAY_S,
        "days_in_all": HOLD_TOTAL_S_MAX // DAY_S,
        "only_postpones": climbing.vouched >= VOUCHES_MAX,
        "may_go_ahead": _may_go_ahead(visit.contact, state),
        "said_go_ahead": visit.contact.pk in climbing.go_ahead,
        "until": _until(visit),
        "last_checkin": _moment(visit, seen) if seen else None,
        "release": _release(visit),
    }
    status = 422 if problem or (form and form.errors) else 200
    return render(request, "web/trusted/choices.html", _people(visit) | context, status=status)


def _settled(request: HttpRequest, visit: Visit) -> HttpResponse:
    switch = visit.contact.switch
    is_current = switch.cycle == visit.link.cycle
    context = {
        "has_said_well": request.session.get(SAID) == [WELL, visit.link.cycle],
        "has_declined": visit.contact.consent == ConsentState.DECLINED,
        "is_over": not is_current,
        "is_released": is_current and isinstance(switch.ladder_state, Released),
    }
    return render(request, "web/trusted/settled.html", _people(visit) | context)


def _people(visit: Visit) -> dict[str, object]:
    return {"owner": visit.contact.switch.owner.name, "contact": visit.contact.name}


def _may_go_ahead(contact: TrustedContact, state: Climbing | Held) -> bool:
    return may_say_go_ahead(_climbing(state), contact.switch.ladder_policy, contact=contact.pk)


def _climbing(state: Climbing | Held) -> Climbing:
    return state.climbing if isinstance(state, Held) else state


def _days_left(state: Climbing | Held) -> int:
    return min(HOLD_DAYS_MAX, hold_left_s(state, service_s=service_second()) // DAY_S)


def _until(visit: Visit) -> Moment | None:
    if not isinstance(visit.state, Held):
        return None
    return _moment(visit, on_wall(visit.state.until_s, now=clock.now()))


def _release(visit: Visit) -> Moment | None:
    _asked, freed = projection_of(visit.contact.switch, now=clock.now())
    return _moment(visit, freed.at) if freed else None


def _moment(visit: Visit, at: datetime) -> Moment:
    return Moment(at, visit.contact.switch.ladder_policy.zone, clock.now())

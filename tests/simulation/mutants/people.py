"""Bugs of who may say what."""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from django.http import HttpRequest, HttpResponse

from stafeta import clock
from stafeta.core import contacts
from stafeta.core.errors import WrongCycle
from stafeta.core.policy import Policy
from stafeta.core.states import Climbing, Evidence, OpenHandovers, Released
from stafeta.simulation.script import Temper, Trait
from stafeta.switches.services import checkin as checkin_service
from stafeta.switches.services.checkin import record_checkin
from stafeta.web.views import checkin as checkin_view
from tests.simulation.lives import GONE, WEEKLY, life, script
from tests.simulation.mutants.mutant import FALSE_RELEASE, MISSED_RELEASE, Mutant

FALSE, MISSED = frozenset({FALSE_RELEASE}), frozenset({MISSED_RELEASE})


def opening_the_link_confirms() -> AbstractContextManager[object]:
    """GET is as good as the button: every scanner keeps a dead owner alive."""
    asked = checkin_view.render

    def render(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        if template == "web/checkin/ask.html":
            link, switch = checkin_view._behind_link(request)
            with suppress(WrongCycle):
                record_checkin(owner=switch.owner, evidence=Evidence.LINK, cycle=link.cycle, now=clock.now())
        return asked(request, template, context)

    return patch.object(checkin_view, "render", render)


def checkin_is_not_written() -> AbstractContextManager[object]:
    """The button thanks and forgets."""
    return patch.object(checkin_service, "write", lambda *_args, **_more: None)


def contacts_vouch_for_ever() -> AbstractContextManager[object]:
    """Nobody counts how often a contact has confirmed in the owner's stead."""
    return patch.object(contacts, "VOUCHES_MAX", 10**9)


def contacts_delay_for_ever() -> AbstractContextManager[object]:
    """Nobody adds up the days that contacts asked for."""
    return patch.object(contacts, "HOLD_TOTAL_S_MAX", 10**12)


def go_ahead_needs_no_last_call() -> AbstractContextManager[object]:
    """What the contacts say is done at once; the owner is not called any more."""
    climbs = contacts.climb

    def climb(state: Climbing, rung: int, policy: Policy, *, service_s: int) -> Any:
        _asked, effects = climbs(state, rung, policy, service_s=service_s)
        return Released(state.cycle, service_s), [*effects, OpenHandovers(state.cycle)]

    return patch.object(contacts, "climb", climb)


def one_contact_is_enough() -> AbstractContextManager[object]:
    """One contact alone opens what two are needed for."""
    return patch.object(contacts, "may_call_last", lambda climbing, policy: bool(climbing.go_ahead))


FREE = replace(WEEKLY, may_go_ahead=True, trusted_attempts=2)
MUTANTS = (
    Mutant(
        "opening_the_link_confirms",
        MISSED,
        opening_the_link_confirms,
        script(*[life(n, Trait.SCANNER, **GONE) for n in range(8)]),
    ),
    Mutant("checkin_is_not_written", FALSE, checkin_is_not_written, script(life(0), life(2), days=25)),
    Mutant(
        "contacts_vouch_for_ever", MISSED, contacts_vouch_for_ever, script(life(1, contacts=(Temper.FOREVER,), **GONE))
    ),
    Mutant(
        "contacts_delay_for_ever", MISSED, contacts_delay_for_ever, script(life(1, contacts=(Temper.FOREVER,), **GONE))
    ),
    Mutant(
        "go_ahead_needs_no_last_call",
        FALSE,
        go_ahead_needs_no_last_call,
        script(life(1, contacts=(Temper.HASTY,), choices=FREE, **GONE)),
    ),
    Mutant(
        "one_contact_is_enough",
        FALSE,
        one_contact_is_enough,
        script(life(1, contacts=(Temper.HASTY, Temper.SILENT), choices=FREE, **GONE)),
    ),
)

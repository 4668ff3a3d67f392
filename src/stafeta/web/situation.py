"""The state of a switch in one sentence, for the dashboard (pages.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stafeta.accounts.moments import Moment
from stafeta.core.moves import rung_of
from stafeta.core.policy import RungKind
from stafeta.core.states import Climbing, Held, Paused, Released, Resting, Waiting
from stafeta.switches.models import Event, Switch, TrustedContact
from stafeta.switches.selectors import on_wall, projection_of


@dataclass(frozen=True, slots=True)
class Situation:
    """What the dashboard says first.

    phase: of the switch, in lower case. sentence: one. more: what follows from it. tone: of the page's loudness.
    can_confirm: the button "I'm fine" means something now.
    """

    phase: str
    sentence: str
    more: tuple[str, ...] = field(default=())
    tone: str = "calm"
    can_confirm: bool = False

    @property
    def is_loud(self) -> bool:
        return self.tone != "calm"


def situation_of(switch: Switch, *, now: datetime) -> Situation:
    """Return what is to be said of the switch now, in the active language and in the zone of its schedule."""
    match switch.ladder_state:
        case Resting():
            return Situation("resting", _("Your switch is not armed: nothing is asked and nothing is handed over."))
        case Waiting() as state:
            return _waiting(state, switch, now=now)
        case Paused(until=until):
            return Situation(
                "paused",
                _("The switch is paused until %(day)s.") % {"day": _moment(until, switch, now).day},
                (_("Then I will ask you at once."),),
            )
        case Climbing() as state:
            return _climbing(state, switch, now=now)
        case Held() as state:
            return _held(state, switch, now=now)
        case Released():
            return _released(switch, now=now)
        case _ as never:
            assert_never(never)


def _waiting(state: Waiting, switch: Switch, *, now: datetime) -> Situation:
    sentence = _("All is well. I will ask you again %(on)s.") % {"on": _moment(state.due, switch, now).on}
    more: tuple[str, ...] = ()
    if state.vouched:
        more = (
            ngettext(
                "Last time somebody close to you confirmed for you. Please confirm yourself.",
                "The last %(times)d times somebody close to you confirmed for you. Please confirm yourself.",
                state.vouched,
            )
            % {"times": state.vouched},
        )
    return Situation("waiting", sentence, more, can_confirm=True)


def _climbing(state: Climbing, switch: Switch, *, now: datetime) -> Situation:
    rung = rung_of(state, switch.ladder_policy)
    times = {"attempt": rung.attempt, "attempts": rung.attempts}
    match rung.kind:
        case RungKind.EMAIL:
            asked = _("I asked you by e-mail (%(attempt)d of %(attempts)d) and have not heard from you.") % times
        case RungKind.SMS:
            asked = _("I asked you by SMS (%(attempt)d of %(attempts)d) and have not heard from you.") % times
        case RungKind.TRUSTED:
            asked = _("I asked the people close to you about you (%(attempt)d of %(attempts)d).") % times
        case RungKind.COOLING_OFF:
            asked = _("I have not heard from you, nor from anybody close to you. The last wait is running.")
        case RungKind.LAST_CALL:
            asked = _("The people close to you said that something happened. This is the last call to you.")
        case _ as never:
            assert_never(never)
    more = [asked, *_next(switch, now=now)]
    if state.unreachable:
        more.insert(1, _("No message could be delivered, so this wait is twice as long."))
    loudest = rung.kind not in (RungKind.EMAIL, RungKind.SMS)
    return Situation(
        "climbing", _("Are you all right?"), tuple(more), tone="danger" if loudest else "warning", can_confirm=True
    )


def _next(switch: Switch, *, now: datetime) -> list[str]:
    asked, freed = projection_of(switch, now=now)
    if not asked:
        if freed is None:
            return []
        on = _moment(freed.at, switch, now).on
        return [_("If I do not hear from you, the handovers will open %(on)s.") % {"on": on}]
    on = _moment(asked[0].at, switch, now).on
    match asked[0].kind:
        case RungKind.EMAIL:
            words = _("If I do not hear from you, I will ask again by e-mail %(on)s.")
        case RungKind.SMS:
            words = _("If I do not hear from you, I will send you an SMS %(on)s.")
        case RungKind.TRUSTED:
            words = _("If I do not hear from you, I will ask the people close to you %(on)s.")
        case RungKind.COOLING_OFF | RungKind.LAST_CALL:
            words = _("If I do not hear from you, I will ask you for the last time %(on)s.")
        case _ as never:
            assert_never(never)
    opens = [] if freed is None else [_("The handovers would open %(on)s.") % {"on": _moment(freed.at, switch, now).on}]
    return [words % {"on": on}, *opens]


def _held(state: Held, switch: Switch, *, now: datetime) -> Situation:
    until = _moment(on_wall(state.until_s, now=now), switch, now)
    name = _who_held(switch)
    if name:
        sentence = _("%(name)s asked me to wait for you.") % {"name": name}
    else:
        sentence = _("Somebody close to you asked me to wait for you.")
    more = (_("I will ask again %(on)s.") % {"on": until.on}, *_next(switch, now=now)[1:])
    return Situation("held", sentence, more, tone="warning", can_confirm=True)


def _who_held(switch: Switch) -> str:
    asked = Event.objects.filter(switch=switch, cycle=switch.cycle, kind__in=["AskedToWait", "Vouched"])
    event = asked.order_by("-number").first()
    contact = TrustedContact.objects.filter(pk=event.event["contact"], switch=switch).first() if event else None
    return contact.name if contact else ""


def _released(switch: Switch, *, now: datetime) -> Situation:
    released = Event.objects.filter(switch=switch, cycle=switch.cycle, kind="Ticked").order_by("-number").first()
    if released:
        on = _moment(released.at, switch, now).on
        sentence = _("I did not hear from you, and your handovers opened %(on)s.") % {"on": on}
    else:
        sentence = _("I did not hear from you, and your handovers have opened.")
    more = (_("Confirm that you are back: what nobody has opened yet closes, and everybody learns that you are well."),)
    return Situation("released", sentence, more, tone="danger", can_confirm=True)


def _moment(at: datetime, switch: Switch, now: datetime) -> Moment:
    return Moment(at, switch.ladder_policy.zone, now)

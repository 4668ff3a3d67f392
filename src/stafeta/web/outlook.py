"""From the ladder's projection to the points of the timeline picture: what, when and to whom, by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from stafeta.accounts.models import User
from stafeta.core.moves import begin_waiting
from stafeta.core.policy import Choices, RungKind
from stafeta.core.projection import Asked, Freed, project
from stafeta.core.states import Released, Resting
from stafeta.switches.models import Switch
from stafeta.switches.selectors import policy_to_be, projection_of, service_second
from stafeta.vault.models import ConsentState, Handover
from stafeta.vault.selectors import releasable
from stafeta.web.timeline import PointKind, Timeline, TimelinePoint, draw

TITLES_MAX = 3

_KINDS: dict[RungKind, PointKind] = {
    RungKind.EMAIL: "prompt",
    RungKind.SMS: "prompt",
    RungKind.TRUSTED: "trusted",
    RungKind.COOLING_OFF: "cooling",
    RungKind.LAST_CALL: "prompt",
}


@dataclass(frozen=True, slots=True)
class Opening:
    """What would open, by the delay after the release: titles, and the names of those who did not decline."""

    delay_days: int
    titles: tuple[str, ...]
    people: tuple[str, ...]


def timeline_of(switch: Switch, *, now: datetime) -> Timeline:
    """Draw what would happen if the owner fell silent now; for a resting switch, if it were armed now."""
    if isinstance(switch.ladder_state, (Resting, Released)):
        return timeline_to_be(switch, switch.owner_choices, now=now)
    return _drawn(switch, *projection_of(switch, now=now), now=now)


def timeline_to_be(switch: Switch, choices: Choices, *, now: datetime) -> Timeline:
    """Draw what would happen under `choices` if the owner were heard now and then never again."""
    policy = policy_to_be(switch, choices)
    state = begin_waiting(switch.cycle, policy, now=now)
    return _drawn(switch, *project(state, policy, now=now, service_s=service_second()), now=now)


def openings_of(owner: User) -> tuple[Opening, ...]:
    """Return what a release would open, in order of delay; empty handovers and people who declined are left out."""
    found: dict[int, list[Handover]] = {}
    handovers = releasable(owner.pk).prefetch_related("recipients")
    for handover in sorted(handovers, key=lambda one: (one.delay_days, one.title)):
        found.setdefault(handover.delay_days, []).append(handover)
    return tuple(Opening(delay, tuple(one.title for one in them), _people(them)) for delay, them in found.items())


def _people(handovers: Iterable[Handover]) -> tuple[str, ...]:
    people = {
        person.pk: person.name
        for handover in handovers
        for person in handover.recipients.all()
        if person.consent != ConsentState.DECLINED
    }
    return tuple(people.values())


def _drawn(switch: Switch, asked: Sequence[Asked], freed: Freed | None, *, now: datetime) -> Timeline:
    contacts = switch.contacts.exclude(consent=ConsentState.DECLINED).values_list("name", flat=True)
    points = [_asked(one, tuple(contacts)) for one in asked]
    if freed:
        points += _freed(freed, openings_of(switch.owner))
    return draw(points, now=now)


def _asked(asked: Asked, contacts: tuple[str, ...]) -> TimelinePoint:
    is_first = asked.kind is RungKind.EMAIL and asked.attempt == 1
    is_trusted = asked.kind is RungKind.TRUSTED
    return TimelinePoint(
        at=asked.at,
        kind="checkin" if is_first else _KINDS[asked.kind],
        label=_label(asked),
        channels=tuple(by.value for by in asked.by),
        people=contacts if is_trusted else (),
    )


def _label(asked: Asked) -> str:
    match asked.kind:
        case RungKind.EMAIL if asked.attempt == 1:
            return _("I ask you")
        case RungKind.EMAIL:
            return _("I ask you again")
        case RungKind.SMS:
            return _("I ask you by SMS")
        case RungKind.TRUSTED:
            return _("I ask the people close to you")
        case RungKind.COOLING_OFF:
            return _("I ask you once more, and wait")
        case RungKind.LAST_CALL:
            return _("The last call to you")


def _freed(freed: Freed, openings: Sequence[Opening]) -> Iterable[TimelinePoint]:
    if not any(opening.delay_days == 0 for opening in openings):
        yield TimelinePoint(freed.at, "release", _("The release"), ())
    for opening in openings:
        is_later = opening.delay_days > 0
        label = _("Later handover: %(titles)s") if is_later else _("Handover: %(titles)s")
        yield TimelinePoint(
            at=freed.at + timedelta(days=opening.delay_days),
            kind="delay" if is_later else "release",
            label=label % {"titles": _titles(opening.titles)},
            people=opening.people,
        )


def _titles(titles: Sequence[str]) -> str:
    if len(titles) <= TITLES_MAX:
        return ", ".join(titles)
    return _("%(titles)s and %(more)d more") % {
        "titles": ", ".join(titles[:TITLES_MAX]),
        "more": len(titles) - TITLES_MAX,
    }

"""The ladder of the person in the demo, rung by rung, as somebody looking on sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from django.utils.translation import gettext as _

from stafeta.core.moves import due
from stafeta.core.policy import By, Rung, RungKind
from stafeta.core.projection import Asked
from stafeta.core.states import LAST_CALL_RUNG, Climbing, Held, Paused, Released, Resting, State, Waiting
from stafeta.switches.models import Switch
from stafeta.switches.selectors import on_wall, projection_of
from stafeta.vault.models import ConsentState


class Stand(StrEnum):
    """Where the ladder is, seen from one step."""

    PASSED = "passed"
    PRESENT = "present"
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class LadderStep:
    """One step as the page shows it.

    kind: the colour of the timeline. attempt, attempts: which of how many; 0 where there is but one.
    at: when it would come, where that is known.
    """

    title: str
    kind: str
    icon: str
    stand: Stand
    channels: tuple[str, ...]
    attempt: int = 0
    attempts: int = 0
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ladder:
    """The steps, and in one sentence where it stands. until: when that ends, where it ends by itself."""

    sentence: str
    steps: tuple[LadderStep, ...]
    until: datetime | None


def ladder_of(switch: Switch, *, now: datetime) -> Ladder:
    """Return the ladder of the running cycle at `now`, "if nothing is interrupted"."""
    state, policy = switch.ladder_state, switch.ladder_policy
    asked, freed = projection_of(switch, now=now)
    moments = _moments(asked)
    names = _names(switch)
    place = _place(state, len(policy.rungs))
    count = len(policy.rungs)
    steps = [
        LadderStep(
            title=_title(rung, names),
            kind=_KINDS[rung.kind] if index else "checkin",
            icon=_icon(rung),
            stand=_stand(index, place),
            channels=tuple(by.value for by in rung.by),
            attempt=rung.attempt if rung.attempts > 1 else 0,
            attempts=rung.attempts,
            at=moments.get(count - index) if _stand(index, place) is Stand.AHEAD else None,
        )
        for index, rung in enumerate(policy.rungs)
    ]
    is_released = isinstance(state, Released)
    release = LadderStep(
        title=_("The handovers open"),
        kind="release",
        icon="baton",
        stand=Stand.PRESENT if is_released else Stand.AHEAD,
        channels=(By.EMAIL.value, By.SMS.value),
        at=freed.at if freed and not is_released else None,
    )
    return Ladder(_sentence(state, names), (*steps, release), _until(state, switch, now=now))


_KINDS = {
    RungKind.EMAIL: "prompt",
    RungKind.SMS: "prompt",
    RungKind.TRUSTED: "trusted",
    RungKind.COOLING_OFF: "cooling",
    RungKind.LAST_CALL: "prompt",
}


def _moments(asked: tuple[Asked, ...]) -> dict[int, datetime]:
    """Return when each rung comes, counted from the last one (1), for the projection begins anywhere."""
    rungs = [one for one in asked if one.kind is not RungKind.LAST_CALL]
    return {len(rungs) - index: one.at for index, one in enumerate(rungs)}


def _place(state: State, rungs: int) -> int:
    """Return the index of the present rung; -1 before the first, `rungs` after the last."""
    match state:
        case Climbing(rung=rung) | Held(climbing=Climbing(rung=rung)):
            return rungs - 1 if rung == LAST_CALL_RUNG else rung
        case Released():
            return rungs
        case Resting() | Waiting() | Paused():
            return -1
        case _:
            assert_never(state)


def _stand(index: int, place: int) -> Stand:
    if index < place:
        return Stand.PASSED
    return Stand.PRESENT if index == place else Stand.AHEAD


def _names(switch: Switch) -> dict[str, str]:
    contacts = switch.contacts.exclude(consent=ConsentState.DECLINED).values_list("name", flat=True)
    return {"owner": switch.owner.name, "contacts": ", ".join(contacts)}


def _title(rung: Rung, names: dict[str, str]) -> str:
    match rung.kind:
        case RungKind.EMAIL | RungKind.SMS:
            return _("Asked: %(owner)s") % names
        case RungKind.TRUSTED:
            return _("Asked: %(contacts)s") % names
        case RungKind.COOLING_OFF | RungKind.LAST_CALL:
            return _("Asked for the last time: %(owner)s") % names
        case _:
            assert_never(rung.kind)


def _icon(rung: Rung) -> str:
    if rung.kind is RungKind.TRUSTED:
        return "people"
    if rung.kind is RungKind.COOLING_OFF:
        return "hourglass"
    return "phone" if By.SMS in rung.by else "mail"


def _sentence(state: State, names: dict[str, str]) -> str:
    match state:
        case Resting():
            return _("Nobody is asked anything: the switch of %(owner)s is not armed.") % names
        case Waiting():
            return _("All is quiet. %(owner)s will be asked when the time comes.") % names
        case Paused():
            return _("%(owner)s has paused the switch.") % names
        case Climbing():
            return _("%(owner)s was asked and has not answered yet.") % names
        case Held():
            return _("Somebody close asked to wait for %(owner)s.") % names
        case Released():
            return _("The handovers are open. %(owner)s may still return.") % names
        case _:
            assert_never(state)


def _until(state: State, switch: Switch, *, now: datetime) -> datetime | None:
    due_at, due_s = due(state, switch.ladder_policy)
    if due_s is not None:
        return on_wall(due_s, now=now)
    return due_at

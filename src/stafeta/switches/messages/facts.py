"""The facts a message of the ladder is about, read when it is sent; Obsolete when there is nothing left to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from stafeta.accounts.moments import Moment
from stafeta.core.errors import DeliveryRefused, Obsolete
from stafeta.core.ladder import advance
from stafeta.core.moves import rung_of
from stafeta.core.policy import By, RungKind
from stafeta.core.projection import project
from stafeta.core.states import Climbing, Held, PromptAccepted, Released, State
from stafeta.outbox.models import Message
from stafeta.outbox.selectors import suppressions_of
from stafeta.switches.models import ServiceClock, Switch, TrustedContact
from stafeta.vault.models import ConsentState

RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Instant:
    """The wall clock and the service second that belong together: the latest reading of a worker."""

    wall: datetime
    service_s: int


@dataclass(frozen=True, slots=True)
class Next:
    """What follows, if nobody answers and nothing is interrupted. kind: of a rung, or "release"."""

    kind: str
    at: Moment


@dataclass(frozen=True, slots=True)
class Outlook:
    """What follows first, and when the handovers open."""

    next: Next
    release: Moment
    hours_left: int


def switch_behind(message: Message) -> Switch:
    """Return the switch of a message, with its owner. Raises Obsolete when it is gone."""
    switch = Switch.objects.select_related("owner").filter(pk=message.params["switch"]).first()
    if switch is None:
        raise Obsolete("the switch is gone")
    return switch


def contact_behind(message: Message, switch: Switch) -> TrustedContact:
    """Return the contact a message is for. Raises Obsolete when they are gone or have declined."""
    contact = TrustedContact.objects.filter(pk=message.params["person"], switch=switch).first()
    if contact is None:
        raise Obsolete("the trusted contact is gone")
    if contact.consent == ConsentState.DECLINED:
        raise Obsolete("the trusted contact declined")
    return contact


def cause_behind(message: Message, switch: Switch) -> TrustedContact | None:
    """Return the contact who caused the news, if anybody did and they are still there."""
    return TrustedContact.objects.filter(pk=message.params.get("contact", 0), switch=switch).first()


def climbing_of(message: Message, switch: Switch) -> Climbing:
    """Return the climb a message speaks of. Raises Obsolete when the owner has been heard or the ladder has ended."""
    if switch.cycle != message.params["cycle"]:
        raise Obsolete(f"cycle {message.params['cycle']} has ended; this is cycle {switch.cycle}")
    state = switch.ladder_state
    climbing = state.climbing if isinstance(state, Held) else state
    if not isinstance(climbing, Climbing):
        raise Obsolete("nobody is asked any more")
    return climbing


def require_released(message: Message, switch: Switch) -> None:
    """Raise Obsolete when the release a message tells of has been taken back."""
    if not isinstance(switch.ladder_state, Released) or switch.cycle != message.params["cycle"]:
        raise Obsolete("the owner is back")


def require_not_superseded(message: Message, climbing: Climbing, switch: Switch) -> None:
    """Raise Obsolete for a prompt when a later one asks the same people: after an outage nobody gets a pile."""
    same_people = rung_of(climbing, switch.ladder_policy).asks == message.params["audience"]
    if same_people and (message.params["rung"], message.params["round"]) != (climbing.rung, climbing.round):
        raise Obsolete("a later prompt asks the same people")


def instant_of(message: Message) -> Instant:
    """Return the latest reading of the service clock; before the first one, the moment the message was queued."""
    clock = ServiceClock.objects.first()
    if clock is None:
        return Instant(message.queued_at, 0)
    return Instant(clock.wall, clock.counted_ms // 1000)


def moment(at: datetime, switch: Switch, instant: Instant) -> Moment:
    """Return `at` in the zone of the running cycle."""
    return Moment(at, switch.ladder_policy.zone, instant.wall)


def outlook_of(switch: Switch, instant: Instant) -> Outlook:
    """Return what follows for a climbing or held switch, taking the present rung's prompt as accepted now.

    Raises Obsolete when the next tick has already something to decide that is not a prompt or the release.
    """
    state, policy = _as_accepted(switch, instant), switch.ladder_policy
    asked, freed = project(state, policy, now=instant.wall, service_s=instant.service_s)
    if freed is None:
        raise Obsolete("nobody is asked any more")
    release = moment(freed.at, switch, instant)
    first = Next(asked[0].kind.value, moment(asked[0].at, switch, instant)) if asked else Next(RELEASE, release)
    hours_left = -((instant.wall - freed.at) // timedelta(hours=1))
    return Outlook(first, release, max(1, hours_left))


def _as_accepted(switch: Switch, instant: Instant) -> State:
    state, policy = switch.ladder_state, switch.ladder_policy
    if not isinstance(state, Climbing) or state.accepted_at_s is not None:
        return state
    rung = rung_of(state, policy)
    event = PromptAccepted(state.cycle, state.rung, state.round, rung.asks, 0, rung.by[0])
    return advance(state, event, policy, now=instant.wall, service_s=instant.service_s)[0]


def channels_that_fail(switch: Switch, cycle: int) -> frozenset[str]:
    """Return the channels on which the owner's latest prompt of the cycle was refused or came back, and those whose
    provider delivers nothing to the owner any more."""
    prompts = Message.objects.filter(
        owner_id=switch.owner_id, kind="switches.ask_owner", key__startswith=f"{switch.pk}:{cycle}:"
    )
    settled = prompts.exclude(state__in=[Message.State.QUEUED, Message.State.CANCELLED]).order_by("pk")
    latest = dict(settled.values_list("channel", "state"))
    failed = {Message.State.DEAD.value, Message.State.BOUNCED.value}
    refused = {channel for channel, state in latest.items() if state in failed}
    owner = switch.owner
    suppressed = suppressions_of([(By.EMAIL.value, owner.email), (By.SMS.value, owner.phone)])
    return frozenset(refused | {channel for channel, _address in suppressed})


def is_last_call(message: Message) -> bool:
    """Whether nothing but the release follows this prompt by its very kind."""
    return message.params["rung_kind"] in (RungKind.COOLING_OFF, RungKind.LAST_CALL)


def require_phone(phone: str) -> str:
    """Return the phone. Raises DeliveryRefused where there is none, so that the ladder takes the other channel."""
    if not phone:
        raise DeliveryRefused("no phone number is known", permanent=True)
    return phone

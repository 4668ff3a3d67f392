"""The words of the ladder: what a switch is (states), what happens (events), what is to be done (effects).

States are nouns, events past facts, effects commands; every one is a frozen value and survives a round trip
through `core.codec`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from stafeta.core.policy import Audience, By, RungKind

LAST_CALL_RUNG = -1


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """One person on one channel."""

    person: int
    by: By


# States ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Resting:
    """Not armed: nothing is asked and nothing is released."""

    cycle: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Armed; the first prompt of the cycle is due at `due` (aware UTC, on the wall clock).

    vouched: how many cycles in a row began because a trusted contact, not the owner, said that all is well.
    """

    cycle: int
    due: datetime
    vouched: int = 0


@dataclass(frozen=True, slots=True)
class Paused:
    """Stopped by the owner until `until` (aware UTC); then the first prompt goes out."""

    cycle: int
    until: datetime
    vouched: int = 0


@dataclass(frozen=True, slots=True)
class Climbing:
    """A cycle whose owner has been prompted and has not answered.

    rung: index into the policy's rungs, or LAST_CALL_RUNG.
    round: how often rungs of this cycle were asked anew (after a hold, a restore); part of message keys.
    asked_at_s: service second at which this rung was last asked.
    accepted_at_s: service second at which the window began; None until a provider accepted a prompt.
    unreachable: no prompt was accepted for three days, so the window runs doubled.
    began_by: the accepted prompt that the window counts from, where it is a single one.
    bounced: prompts of this rung and round that came back; none of them starts a window again.
    held_s: service seconds of holds granted in this cycle.
    go_ahead: ids of the contacts who said "go ahead" and have not asked to wait since.
    contacts_asked: contacts were asked before a restore sent the ladder back to its first rung.
    took_back: ids of the contacts who took "go ahead" back when no waiting was left; theirs counts no more.
    """

    cycle: int
    rung: int
    asked_at_s: int
    round: int = 0
    accepted_at_s: int | None = None
    unreachable: bool = False
    began_by: Way | None = None
    bounced: frozenset[Way] = field(default_factory=frozenset)
    held_s: int = 0
    vouched: int = 0
    go_ahead: frozenset[int] = field(default_factory=frozenset)
    contacts_asked: bool = False
    took_back: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Held:
    """Climbing that waits, because a trusted contact asked for it, until service second `until_s`."""

    cycle: int
    until_s: int
    climbing: Climbing


@dataclass(frozen=True, slots=True)
class Released:
    """The handovers of `cycle` open to their recipients, from service second `released_at_s` on."""

    cycle: int
    released_at_s: int


State = Resting | Waiting | Paused | Climbing | Held | Released


# Events ---------------------------------------------------------------------------------------------------------


class Evidence(StrEnum):
    """How the owner was heard. A machine's answer is none of these (invariant 6)."""

    LINK = "link"
    SIGN_IN = "sign_in"
    BUTTON = "button"
    SCHEDULE = "schedule"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class Armed:
    """The owner armed the switch."""


@dataclass(frozen=True, slots=True)
class StoodDown:
    """The owner disarmed the switch."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time passed."""


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """The owner gave a sign of life. `cycle` is that of the link pressed; None where no link was involved."""

    evidence: Evidence
    cycle: int | None = None


@dataclass(frozen=True, slots=True)
class PauseBegan:
    """The owner paused the switch until `until` (aware UTC)."""

    until: datetime


@dataclass(frozen=True, slots=True)
class PauseEnded:
    """The owner ended the pause before its time."""


@dataclass(frozen=True, slots=True)
class PromptAccepted:
    """A provider accepted a prompt of this rung for one of the people it asks."""

    cycle: int
    rung: int
    round: int
    audience: Audience
    person: int
    by: By


@dataclass(frozen=True, slots=True)
class PromptRefused:
    """A prompt was refused for good; nobody got it by this channel."""

    cycle: int
    rung: int
    round: int
    audience: Audience
    person: int
    by: By


@dataclass(frozen=True, slots=True)
class PromptBounced:
    """A prompt accepted earlier came back.

    others_reached: another prompt of this rung and round, to anybody on any channel, was accepted and stands.
    """

    cycle: int
    rung: int
    round: int
    audience: Audience
    person: int
    by: By
    others_reached: bool


@dataclass(frozen=True, slots=True)
class Vouched:
    """A trusted contact: "I spoke to them, they are well"."""

    cycle: int
    contact: int


@dataclass(frozen=True, slots=True)
class AskedToWait:
    """A trusted contact: "they are in hospital or out of reach, wait `days` days"."""

    cycle: int
    contact: int
    days: int


@dataclass(frozen=True, slots=True)
class GaveGoAhead:
    """A trusted contact: "something happened, go ahead"."""

    cycle: int
    contact: int


@dataclass(frozen=True, slots=True)
class Restored:
    """The instance came back from a backup (invariant 10), or its wall clock was set right by an operator."""


Event = (
    Armed
    | StoodDown
    | Ticked
    | CheckedIn
    | PauseBegan
    | PauseEnded
    | PromptAccepted
    | PromptRefused
    | PromptBounced
    | Vouched
    | AskedToWait
    | GaveGoAhead
    | Restored
)


# Effects --------------------------------------------------------------------------------------------------------


class Told(StrEnum):
    """News for people who are asked nothing."""

    CONTACTS_ASKED = "contacts_asked"
    VOUCHED = "vouched"
    WAITING = "waiting"
    ALL_WELL = "all_well"
    GO_AHEAD = "go_ahead"
    RELEASED = "released"
    FALSE_ALARM = "false_alarm"


@dataclass(frozen=True, slots=True)
class Ask:
    """Prompt everybody in `audience` on every channel in `by`."""

    audience: Audience
    by: tuple[By, ...]
    kind: RungKind
    cycle: int
    rung: int
    round: int
    attempt: int
    attempts: int


@dataclass(frozen=True, slots=True)
class AskByOtherChannel:
    """Prompt one person again, by the channel `by`, because the other one failed."""

    audience: Audience
    person: int
    by: By
    kind: RungKind
    cycle: int
    rung: int
    round: int


@dataclass(frozen=True, slots=True)
class AskOtherwise:
    """Prompt everybody whom a rung has not reached for days on the channels `by`, which it does not use by itself."""

    audience: Audience
    by: tuple[By, ...]
    kind: RungKind
    cycle: int
    rung: int
    round: int


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell everybody in `audience` the news `told`, of which trusted contact `contact` is the cause, if any."""

    audience: Audience
    told: Told
    cycle: int
    contact: int | None = None


@dataclass(frozen=True, slots=True)
class OpenHandovers:
    """The release: grant every handover to its recipients, each after its own delay."""

    cycle: int


@dataclass(frozen=True, slots=True)
class CloseGrants:
    """The owner is back: close what was not opened, and tell the recipients that it was a false alarm."""

    cycle: int


Effect = Ask | AskByOtherChannel | AskOtherwise | Tell | OpenHandovers | CloseGrants
